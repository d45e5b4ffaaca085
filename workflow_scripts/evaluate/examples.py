"""Take a sample of questions with what people and several models answered, to be looked through on the page of results.

The sample of each pair of languages follows from the ids alone: nobody chooses, and it stays the same whatever models
answer.  An answer's score is SQuAD's F1 of its text (that of SQuAD 2.0 where a question has no answer: 1 for none).
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.cli import InputError, named_files, parser, run
from workflow_scripts.evaluate.texts import Texts, article_of, gold_texts, text_of, text_scores
from workflow_scripts.evaluate.tydi import Answer, each_gold, read_predictions
from workflow_scripts.files import write_text

CONTEXT = 400  # characters of the article that are shown on either side of an answer, at most


def sample(names: Sequence[str], count: int) -> set[str]:
    """So many of the names, the same whatever their order."""
    return set(sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:count])


def around(article: bytes, record: dict[str, Any], answer: Answer | None) -> tuple[str, list[int] | None]:
    """The passage that an answer lies in, or of a long one what surrounds it; the article's beginning without any.

    And where the answer stands in it, [start, end) in characters; None for an answer without a place of its own.
    """
    passages = record["passage_answer_candidates"]
    if answer is None or not 0 <= answer.passage < len(passages):
        return article.decode()[: 2 * CONTEXT], None
    place = passages[answer.passage]
    first, last = place["plaintext_start_byte"], place["plaintext_end_byte"]
    passage = article[first:last].decode(errors="ignore")
    if not first <= answer.start < answer.end <= last:
        return passage[: 2 * CONTEXT], None
    start = len(article[first : answer.start].decode(errors="ignore"))
    end = start + len(article[answer.start : answer.end].decode(errors="ignore"))
    begin = 0 if len(passage) <= 2 * CONTEXT else max(0, start - CONTEXT)
    shown = passage[begin:][: 2 * CONTEXT]
    return shown, [start - begin, min(end - begin, len(shown))]


def examples_of(
    pair: str, gold_file: Path, predictions: dict[str, Path], annotators: int, count: int
) -> list[dict[str, Any]]:
    """A pair's examples.  Raises InputError where a file is not as TyDi QA's program reads it."""
    records = {name: (gold, record) for name, gold, record in each_gold(gold_file)}
    chosen = sample(list(records), count)
    said = {model: read_predictions(file) for model, file in predictions.items()}
    found = []
    for name in (name for name in records if name in chosen):
        gold, record = records[name]
        article = article_of(record, f"{gold_file}: example {name}")
        given = [answer for answer in gold.answers if not answer.is_null]
        right = gold_texts(gold.answers, article, annotators)
        answers = {}
        for model, predicted in said.items():
            text = text_of(predicted[name].answer, article) if name in predicted else ""
            scores = text_scores(Texts({name: right}, {name: text}), "squad" if right.answers else "squad2")
            answers[model] = {"text": text, "f1": round(scores[name]["f1"], 2)}
        first = next((predicted[name].answer for predicted in said.values() if name in predicted), None)
        passage, place = around(article, record, given[0] if right.answers else first)
        found.append(
            {
                "pair": pair,
                "id": name,
                "question": record["question_text"],
                "passage": passage,
                "marked": place if right.answers else None,
                "gold": sorted(set(right.answers)),
                "answers": answers,
            }
        )
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--gold", type=Path, required=True, help="folder of gold files, <pair>.jsonl")
    arguments.add_argument(
        "--predictions",
        required=True,
        nargs="+",
        metavar="MODEL=FOLDER",
        help="each model's predictions, <pair>.jsonl; the first one's place is shown of questions without an answer",
    )
    arguments.add_argument("--pairs", required=True, nargs="+", help="pairs of languages, such as en-ar")
    arguments.add_argument("--annotators", required=True, type=int, help="as in evaluate.score")
    arguments.add_argument("--per-pair", required=True, type=int, help="questions of each pair")
    arguments.add_argument("--out", type=Path, required=True, help="the examples (.json)")
    given = arguments.parse_args(argv)
    if given.per_pair < 1:
        raise InputError(f"--per-pair is {given.per_pair}; at least 1 question is shown")
    folders = named_files(given.predictions, "--predictions")
    examples = [
        example
        for pair in given.pairs
        for example in examples_of(
            pair,
            given.gold / f"{pair}.jsonl",
            {model: Path(folder, f"{pair}.jsonl") for model, folder in folders.items()},
            given.annotators,
            given.per_pair,
        )
    ]
    text = json.dumps({"models": list(folders), "examples": examples}, ensure_ascii=False)
    write_text(given.out, text + "\n")
    print(f"{given.out}: {len(examples)} questions, {len(folders)} models")


if __name__ == "__main__":
    run(main)
