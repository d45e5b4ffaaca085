"""Write what align.retrieval measured as a CSV and as Markdown: each language before and after alignment.

The Markdown has a table for each alignment, with languages that it was aligned in (✓) and others (✗), the plain mean of
either, and a last table with what was counted and what chance would find.  xx→en asks for English words or sentences.

The CSV is for programs: a line for each encoder and language, percent with two decimals, empty where nothing counts.
"""

import csv
import io
import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.files import read_text, write_text
from workflow_scripts.recipes.retrieval_table import RetrievalTable
from workflow_scripts.report.markdown import table

MEASURES = {
    "within": "within sentence",
    "words": "words (CSLS)",
    "sentences": "sentences (CSLS)",
    "sentences_cosine": "sentences (cosine)",
}
WAYS = {"from_english": "en→xx", "to_english": "xx→en"}
KEYS = [(measure, way) for measure in MEASURES for way in WAYS]
ABSENT = "n/a"
LINKS = {
    "gold": "gold links",
    "statistical": "links counted by fast_align, not all of which are right",
    "neural": "links by an encoder, not all of which are right",
}
Figures = dict[str, dict[str, Any]]  # of each language, as align.retrieval writes them


def read_figures(file: Path, recipe: RetrievalTable) -> dict[str, Figures]:
    """Encoder -> language -> figures.  Raises InputError where it is no such file or lacks an encoder."""
    try:
        encoders: dict[str, Figures] = json.loads(read_text(file))["encoders"]
        whole = all(
            told["scores"].keys() == MEASURES.keys() for of in encoders.values() for told in of.values()
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        whole = False
    if not whole:
        raise InputError(f"{file}: not a file of figures as align.retrieval writes them")
    for label in (recipe.encoder, *(aligned.name for aligned in recipe.alignments if not aligned.missing)):
        if label not in encoders:
            raise InputError(f"{file}: no figures of {label}; there are {', '.join(encoders)}")
    return encoders


def percent(told: dict[str, Any], measure: str, way: str) -> float | None:
    """A figure in percent; None where nothing counts."""
    of = told["scores"][measure]
    return None if of is None else 100 * of[way]


def mean(values: Sequence[float | None]) -> float | None:
    """The plain mean of the figures that there are."""
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there else None


def to_csv(recipe: RetrievalTable, encoders: dict[str, Figures]) -> str:
    """The table for programs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["Encoder", "Alignment", "Language", "Aligned", "Pairs", "Links", "Foreign words", "English words"]
        + [f"{measure} {WAYS[way]}" for measure, way in KEYS]
        + [f"chance of {measure} {WAYS[way]}" for measure, way in KEYS]
    )
    for aligned in (None, *recipe.alignments):
        for language in encoders[recipe.encoder]:
            name = aligned.name if aligned else ""
            known = "" if aligned is None else "yes" if language in aligned.languages else "no"
            if aligned and aligned.missing:
                figures = [ABSENT] * (4 + 2 * len(KEYS))
            else:
                told = encoders[name or recipe.encoder][language]
                values = [percent(told, measure, way) for measure, way in KEYS]
                values += [percent(told, measure, f"chance_{way}") for measure, way in KEYS]
                figures = [str(told["pairs"]), str(told["links"]), *map(str, told["words"])]
                figures += ["" if value is None else f"{value:.2f}" for value in values]
            writer.writerow([recipe.encoder, name, language, known, *figures])
    return text.getvalue()


def parted(languages: Iterable[str], aligned: Sequence[str]) -> dict[str, list[str]]:
    """The languages under ✓, which an encoder was aligned in, and under ✗."""
    parts: dict[str, list[str]] = {"✓": [], "✗": []}
    for code in languages:
        parts["✓" if code in aligned else "✗"].append(code)
    return parts


def change(before: float | None, after: float | None) -> str:
    """A cell, such as "27.3 → 82.9"."""
    return "–" if before is None or after is None else f"{before:.1f} → {after:.1f}"


def compared(aligned: Sequence[str], before: Figures, after: Figures) -> list[str]:
    """The table of one alignment."""
    lines = [["Language", *(f"{MEASURES[measure]} {WAYS[way]}" for measure, way in KEYS)]]
    for mark, codes in parted(before, aligned).items():
        cells = [
            [[percent(figures[code], *key) for figures in (before, after)] for key in KEYS] for code in codes
        ]
        for code, row in zip(codes, cells, strict=True):
            lines.append([f"{code} {mark}", *(change(*cell) for cell in row)])
        if len(codes) > 1:
            columns = zip(*cells, strict=True)
            means = [change(*(mean(side) for side in zip(*column, strict=True))) for column in columns]
            lines.append([f"*mean of {mark}*", *means])
    return table(lines, left=1)


def counted(before: Figures) -> list[str]:
    """The table of what was measured, of the encoder before alignment, and what chance would find."""
    head = ["Language", "pairs", "links", "words xx", "words en"]
    head += [f"chance {name}" for name in list(MEASURES.values())[:3]]
    lines = [head]
    for code, told in before.items():
        chances = [
            mean([percent(told, measure, f"chance_{way}") for way in WAYS]) for measure in list(MEASURES)[:3]
        ]
        figures = [told["pairs"], told["links"], *told["words"]]
        lines.append(
            [code, *map(str, figures), *("–" if chance is None else f"{chance:.1f}" for chance in chances)]
        )
    return table(lines, left=1)


def to_markdown(recipe: RetrievalTable, encoders: dict[str, Figures]) -> str:
    """The tables for people."""
    before = encoders[recipe.encoder]
    blocks = [
        f"Retrieval by {recipe.encoder}, in percent, before → after alignment, on held-out sentence pairs with"
        f" {LINKS[recipe.links]}."
        " ✓ or ✗: aligned in the language, or not. Within sentence: the nearest word of the parallel sentence is the"
        " linked one. Words, sentences: the nearest of all words or sentences of the other language is a translation.",
    ]
    for aligned in recipe.alignments:
        blocks.append(f"## {aligned.name}")
        if aligned.missing:
            blocks.append(f"{ABSENT}: there is no checkpoint in {aligned.missing}.")
        else:
            blocks.append("\n".join(compared(aligned.languages, before, encoders[aligned.name])))
    blocks += ["## What was counted", "\n".join(counted(before))]
    return "\n\n".join(blocks) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, RetrievalTable)
    arguments.add_argument("--figures", type=Path, required=True, help="what align.retrieval measured (JSON)")
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the tables for people")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, RetrievalTable)
    encoders = read_figures(given.figures, recipe)
    write_text(given.csv, to_csv(recipe, encoders))
    write_text(given.markdown, to_markdown(recipe, encoders))
    print(f"{given.csv}, {given.markdown}: {len(encoders)} encoders")


if __name__ == "__main__":
    run(main)
