"""Are the answers that were found again in translated contexts the right ones?  The micro-world knows.

    python -m benchmarks.recovery [--world FOLDER] [--targets bn mr ml te en] [--without-links] [--backwards]

The micro-world's chaii/translations hold, for each of ChAII's training rows, what a translation system would return and
where the answer really is: contexts inflect names, and spell some of them otherwise than the answer does (`mismatch`).
The workflow's own steps read the rows, pair sentences, link words, put the corpus together and find the answers again;
without --world a world is generated first.  MuCoT's published search looks for them in the same sentences.

With --backwards, the true answers in the translated contexts are looked for in the original ones, as answers are that a
model gives in contexts translated at test time (`augment.map_back`); a table of these comes last.

Prints, for each direction, a table of labels and methods: records, how many are exactly right, and the mean F1 of
characters with gold; then the published search's records found, right and lost; then a JSON object.
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.mucot import published_search
from workflow_scripts.acquire.chaii import read_chaii
from workflow_scripts.acquire.microworld.__main__ import write_world
from workflow_scripts.align.statistical import link
from workflow_scripts.augment.corpora import Linked, assemble, corpus, label_of, linked
from workflow_scripts.augment.map_back import Contexts
from workflow_scripts.augment.pairs import pairs
from workflow_scripts.augment.renderings import from_records
from workflow_scripts.cli import InputError, run
from workflow_scripts.corpus import Document, Question
from workflow_scripts.files import read_jsonl
from workflow_scripts.recipes.links import Links as Recipe
from workflow_scripts.recipes.microworld import Microworld
from workflow_scripts.recipes.relocation import LABELS

# as config.yaml's, as far as ChAII's files go; the other files of the world are as small as may be
WORLD = Microworld(
    languages=("en", "hi", "ta", "bn", "mr", "ml", "te"),
    train_articles=1,
    dev_articles=1,
    test_articles=1,
    hard_articles=1,
    documents=1,
    fewer_documents={},
    sentence_pairs=1,
    squad_articles=(1, 1),
    asr_noise={},
)


@dataclass(frozen=True)
class Score:
    """One record: F1 of characters with gold, and whether the answer is gold exactly."""

    f1: float
    exact: bool


def score(found: tuple[int, int], gold: tuple[int, int]) -> Score:
    """How well a span covers another."""
    shared = max(0, min(found[1], gold[1]) - max(found[0], gold[0]))
    return Score(2 * shared / (found[1] - found[0] + gold[1] - gold[0]), found == gold)


@dataclass(frozen=True)
class Direction:
    """Scores by label and method, of the published search's finds, and how many records it loses."""

    ours: dict[tuple[str, str], list[Score]]
    published: list[Score]
    lost: int
    dropped: int


def direction(
    documents: Sequence[Document], questions: Sequence[Question], file: str, target: str, with_links: bool
) -> Direction:
    """The records of one file, whose contexts are in one language, found again by us and by the published search."""
    source = documents[0].language
    contexts = {document.doc_id: document for document in documents}
    gold: dict[str, Any] = {record["id"]: record for _, record in read_jsonl(file)}
    rendering = from_records({source: file}, "micro-world", contexts, questions)
    links: dict[str, Linked] = {}
    if with_links:
        lines = pairs(contexts, questions, rendering, source)
        links[source] = linked(lines, link(lines, Recipe(stems=True)))
    made = corpus(contexts, questions, rendering, target, links, LABELS[0])
    ours: dict[tuple[str, str], list[Score]] = defaultdict(list)
    for question in made.questions:
        record, answer = gold[question.source_id], question.annotations[0]
        right = record["gold_start"], record["gold_start"] + len(record["gold_text"])
        assert question.relocation is not None
        ours[label_of(question), question.relocation.method].append(score((answer.start, answer.end), right))
    published: list[Score] = []
    lost = 0
    for question in questions:
        record = gold[question.question_id]
        sentences, translations = zip(*record["sentences"], strict=True)
        answer = record["answer_text"]
        place = published_search(sentences, translations, answer, question.annotations[0].start)
        if place is None:
            lost += 1
            continue
        start = sum(len(text) + 1 for text in translations[: place[0]]) + place[1]
        right = record["gold_start"], record["gold_start"] + len(record["gold_text"])
        published.append(score((start, start + len(answer)), right))
    return Direction(ours, published, lost, len(made.dropped))


def backwards(
    documents: Sequence[Document], questions: Sequence[Question], file: str, target: str
) -> list[Score]:
    """The true answers of one file's translated contexts, found in the original ones."""
    source = documents[0].language
    contexts = {document.doc_id: document for document in documents}
    rendering = from_records({source: file}, "micro-world", contexts, questions)
    there = pairs(contexts, questions, rendering, source)
    lines = link(there, Recipe(stems=True))
    back = linked([(b, a) for a, b in there], [[(j, i) for i, j in line] for line in lines])
    translated = Contexts(target, contexts, rendering, {source: back})
    asked = {question.question_id: question for question in questions}
    scores = []
    for _, record in read_jsonl(file):
        question = asked[record["id"]]
        original, answer = contexts[question.doc_id], question.annotations[0]
        sentences = rendering.sentences(original)
        assert not isinstance(sentences, str)
        span = record["gold_start"], record["gold_start"] + len(record["gold_text"])
        found = translated.found(span, original, assemble(original, sentences, target, ""))
        scores.append(score((found.start, found.end), (answer.start, answer.end)))
    return scores


def row(name: str, total: int, scores: Sequence[Score]) -> str:
    """A line of the table; its exact column and F1 are shares of the records that the line counts."""
    if not scores:
        return f"| {name} | 0 | .000 | – | – |"
    exact = sum(one.exact for one in scores) / len(scores)
    f1 = sum(one.f1 for one in scores) / len(scores)
    return f"| {name} | {len(scores)} | {len(scores) / total:.3f} | {exact:.3f} | {f1:.3f} |"


def shown(name: str, found: Direction) -> str:
    """The Markdown table of a direction."""
    everything = [one for scores in found.ours.values() for one in scores]
    total = len(found.published) + found.lost
    lines = [f"| {name} | records | share | exact | F1 |", "|---|---|---|---|---|"]
    for grade in reversed(LABELS):
        methods = {method: scores for (label, method), scores in found.ours.items() if label == grade}
        lines.append(row(f"**{grade}**", total, [one for scores in methods.values() for one in scores]))
        if set(methods) - {grade}:
            lines += [row(f"{grade}: {method}", total, scores) for method, scores in sorted(methods.items())]
    lines.append(row("all", total, everything))
    lines.append(row("published search", total, found.published))
    return "\n".join(lines) + f"\n\nlost: {found.dropped} here, {found.lost} by the published search\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", type=Path, help="folder of a micro-world, such as results/microworld")
    parser.add_argument("--targets", nargs="*", help="languages to look at; default: all that there are")
    parser.add_argument("--without-links", action="store_true", help="find answers without word links")
    parser.add_argument(
        "--backwards", action="store_true", help="also find translated answers in the originals"
    )
    given = parser.parse_args(argv)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        world = given.world or Path(folder)
        if not given.world:
            write_world(WORLD, world)
        files = sorted(world.glob("chaii/translations/*-*.jsonl"))
        files = [file for file in files if not given.targets or file.stem.split("-")[1] in given.targets]
        if not files:
            raise InputError(f"{world}: no chaii/translations/SOURCE-TARGET.jsonl to look at")
        found: dict[str, Direction] = {}
        back: dict[str, list[Score]] = {}
        for file in files:
            source, target = file.stem.split("-")
            documents, questions, _, _ = read_chaii([str(world / "chaii/train.csv")], [source])
            found[file.stem] = direction(documents, questions, str(file), target, not given.without_links)
            print(shown(file.stem, found[file.stem]), flush=True)
            if given.backwards:
                back[file.stem] = backwards(documents, questions, str(file), target)
    if back:
        print("| backwards | records | share | exact | F1 |\n|---|---|---|---|---|")
        print("\n".join(row(name, len(scores), scores) for name, scores in back.items()), end="\n\n")
    total = sum(len(one.published) + one.lost for one in found.values())
    everything = [one for part in found.values() for scores in part.ours.values() for one in scores]
    published = [one for part in found.values() for one in part.published]
    ours, peer = (sum(one.exact for one in scores) / total for scores in (everything, published))
    summary = {
        "name": "recovery",
        "ours": round(ours, 4),
        "peer": round(peer, 4),
        "unit": "share of records whose answer is found exactly",
        "ratio": round(ours / max(peer, 1e-9), 4),
        "found": [round(len(scores) / total, 4) for scores in (everything, published)],
        "f1": [round(sum(one.f1 for one in scores) / total, 4) for scores in (everything, published)],
        "directions": {
            name: {
                "records": len(one.published) + one.lost,
                "lost": [one.dropped, one.lost],
                "labels": {
                    grade: {
                        "records": len(scores),
                        "exact": sum(score.exact for score in scores),
                        "f1": round(sum(score.f1 for score in scores) / max(len(scores), 1), 4),
                    }
                    for grade in LABELS
                    for scores in [
                        [score for (label, _), part in one.ours.items() if label == grade for score in part]
                    ]
                },
            }
            for name, one in found.items()
        },
        "backwards": {name: sum(one.exact for one in scores) for name, scores in back.items()},
        "cpu_seconds": round(time.process_time() - began, 1),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    run(main)
