"""Draw what became of answers in translated corpora: how they were found again, or why records are left out.

A bar is a corpus and a language that its records come from.  Shares are of the records whose answer was found again and
of those left out; the marks beside them are median, quartiles and least of the confidence in what was found.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import quantiles
from typing import Any

import altair

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.corpus import Question, read_questions
from workflow_scripts.files import read_jsonl
from workflow_scripts.languages import language
from workflow_scripts.recipes.figures import Relocations
from workflow_scripts.report.charts import GREY, INK, outputs, scale_of, written

# method -> as figures call it, surest first
METHODS = {
    "exact": "the same text",
    "normalised": "spelled otherwise",
    "inflected": "inflected",
    "links": "by linked words",
    "sentence": "its sentence only",
}
# a reason's beginning, by pattern -> as figures call it
REASONS = {
    r"its question has no translation": "left out: question not translated",
    r"its answer is found again with label": "left out: not sure enough",
    r"the sentence with its answer .* has no translation": "left out: sentence not translated",
    r"its answer .* is nothing but blanks": "left out: blank answer",
}
OTHER = "left out: other reasons"
SKIPPED = r"the sentence .* has no translation and stays as it is"  # a notice; the record is there
FOUND = ["#0b6e99", "#5aa9d6", "#a6d3ec", "#d9c15c", "#e8e0b8"]
LEFT_OUT = ["#7a5195", "#c4560f", "#e39a6b", "#f2c9ab", "#8a8a8a"]


def reason(text: str) -> str | None:
    """What figures call the reason of a record that was left out; None for a notice on one that was not."""
    if re.match(SKIPPED, text):
        return None
    return next((name for pattern, name in REASONS.items() if re.match(pattern, text)), OTHER)


def values(
    corpus: str,
    questions: Sequence[Question],
    originals: Mapping[str, str],
    dropped: Iterable[tuple[str, str]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The shares of one corpus, and its confidences, by language.

    originals: source id -> language of the question that was translated; dropped: (id, reason) of what was left out.
    """
    outcomes: Counter[tuple[str, str]] = Counter()
    confidences: dict[str, list[float]] = {}
    for question in questions:
        if question.relocation is not None and question.source_id in originals:
            code = originals[question.source_id]
            outcomes[code, METHODS.get(question.relocation.method, question.relocation.method)] += 1
            confidences.setdefault(code, []).append(question.relocation.confidence)
    # of a record that lost one of several answers, or several of them, one line is enough
    counted = {question.question_id for question in questions}
    for name, why in dropped:
        told, source = reason(why), name.rpartition("@")[0]
        if told is not None and source in originals and name not in counted:
            counted.add(name)
            outcomes[originals[source], told] += 1
    totals: Counter[str] = Counter()
    for (code, _), count in outcomes.items():
        totals[code] += count
    shares = [
        {
            "bar": bar(corpus, code),
            "outcome": outcome,
            "records": count,
            "share": round(100 * count / totals[code], 2),
        }
        for (code, outcome), count in sorted(outcomes.items())
    ]
    sure = []
    for code, found in sorted(confidences.items()):
        low, median, high = quantiles(found, n=4, method="inclusive") if len(found) > 1 else 3 * found
        spread = {"low": round(low, 3), "median": round(median, 3), "high": round(high, 3)}
        sure.append({"bar": bar(corpus, code), **spread, "least": round(min(found), 3)})
    return shares, sure


def bar(corpus: str, code: str) -> str:
    """What a bar is called."""
    return f"{corpus} from {language(code).name}"


def drawn(shares: list[dict[str, Any]], sure: list[dict[str, Any]]) -> altair.TopLevelMixin:
    """The chart."""
    bars = list(dict.fromkeys(row["bar"] for row in shares))
    order = [*METHODS.values(), *REASONS.values(), OTHER]
    found = [name for name in order if any(row["outcome"] == name for row in shares)]
    found += sorted({row["outcome"] for row in shares} - set(found))
    colours = dict(zip(order, [*FOUND, *LEFT_OUT], strict=True))
    y = altair.Y("bar:N", sort=bars, title=None)
    rank = {name: number for number, name in enumerate(found)}
    outcomes = (
        altair.Chart(altair.Data(values=[row | {"rank": rank[row["outcome"]]} for row in shares]))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            y=y,
            x=altair.X(
                "share:Q",
                title="records, percent",
                scale=altair.Scale(domain=[0, 100]),
                axis=altair.Axis(tickCount=5),
            ),
            color=altair.Color(
                "outcome:N",
                scale=scale_of(found, [colours.get(name, GREY) for name in found]),
                legend=altair.Legend(title=None, orient="top", columns=3),
            ),
            order="rank:Q",
            tooltip=[
                "bar:N",
                "outcome:N",
                "records:Q",
                altair.Tooltip("share:Q", title="percent", format=".1f"),
            ],
        )
        .properties(width=300, height={"step": 22})
    )
    base = altair.Chart(altair.Data(values=sure)).encode(
        y=altair.Y("bar:N", sort=bars, title=None, axis=altair.Axis(labels=False, ticks=False)),
        tooltip=["bar:N", "median:Q", "low:Q", "high:Q", "least:Q"],
    )
    scale = altair.Scale(domain=[0, 1])
    rule = base.mark_rule(strokeWidth=4, color=FOUND[1]).encode(
        x=altair.X("low:Q", title="confidence", scale=scale, axis=altair.Axis(tickCount=3)), x2="high:Q"
    )
    median = base.mark_point(filled=True, size=60, color=FOUND[0], opacity=1).encode(
        x=altair.X("median:Q", scale=scale)
    )
    least = base.mark_tick(color=INK, thickness=2, height=10).encode(x=altair.X("least:Q", scale=scale))
    confidence = altair.layer(rule, least, median).properties(width=130, height={"step": 22})
    return altair.hconcat(outcomes, confidence, spacing=20).properties(
        title={
            "text": "Answers found again in translations",
            "subtitle": "how, or why records were left out; confidence: median (●), middle half, least (|)",
        }
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Relocations)
    arguments.add_argument(
        "--questions", nargs="+", required=True, metavar="CORPUS=FILE", help="questions tables (.parquet)"
    )
    arguments.add_argument(
        "--dropped",
        nargs="+",
        required=True,
        metavar="CORPUS=FILE",
        help="what was left out of them (.jsonl)",
    )
    arguments.add_argument(
        "--originals", nargs="+", required=True, metavar="CORPUS=FILE", help="questions that were translated"
    )
    outputs(arguments)
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Relocations)
    shares: list[dict[str, Any]] = []
    sure: list[dict[str, Any]] = []
    files = {
        option: named_files(getattr(given, option), f"--{option}")
        for option in ("questions", "dropped", "originals")
    }
    for corpus in recipe.corpora:
        for option, name in (("questions", corpus.name), ("dropped", corpus.name), ("originals", corpus.of)):
            if name not in files[option]:
                raise InputError(f"--{option}: no file of {name}, which the figure shows")
        originals = read_questions(files["originals"][corpus.of])
        of_shares, of_sure = values(
            corpus.name,
            read_questions(files["questions"][corpus.name]),
            {question.source_id: question.language for question in originals},
            ((line["id"], line["reason"]) for _, line in read_jsonl(files["dropped"][corpus.name])),
        )
        shares += of_shares
        sure += of_sure
    if not shares:
        raise InputError("--questions: no answer was found again in these corpora, and none left out")
    written(drawn(shares, sure), given, f"{sum(row['records'] for row in shares):,} records")


if __name__ == "__main__":
    run(main)
