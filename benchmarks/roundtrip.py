"""Does every gold answer come back from the features as it went in?  Characters to pieces to characters, exactly.

    python -m benchmarks.roundtrip FILE… --tokenizer FOLDER|vocab.txt [--max-length 384] [--stride 128]

Reads SQuAD-format files as the workflow does, tokenises their contexts, cuts windows for every answer of every
annotator and reads the answer's characters off every window that holds it.  The tokenizer is an encoder's folder, or a
vocabulary file of multilingual BERT's (cased).  Prints, for each file, how many answers come back exactly and in which
way the others don't, then every exception with its question's id, and a JSON object.  An answer that begins or ends
inside a piece cannot come back; one that fails in a way that is not accounted for makes the exit code 1.
"""

import argparse
import json
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertTokenizer

from workflow_scripts.acquire.squad import paragraphs, read_squad, told_by_id, told_by_name
from workflow_scripts.cli import InputError, run
from workflow_scripts.corpus import Document, Question
from workflow_scripts.encoder.checkpoint import complete
from workflow_scripts.qa.contexts import tokenise
from workflow_scripts.qa.features import Contexts, Windows, load_tokenizer
from workflow_scripts.qa.windows import cut
from workflow_scripts.recipes.features import Features
from workflow_scripts.training.device import quiet

UNACCOUNTED = "not accounted for"


@dataclass(frozen=True)
class Outcome:
    """What became of one answer: `way` is None where it came back exactly, `reason` says more."""

    file: str
    question: str
    way: str | None
    reason: str = ""


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of an encoder's folder or of mBERT's vocabulary file, with the markers of QA inputs."""
    if path.is_dir():
        tokenizer = AutoTokenizer.from_pretrained(path)
    elif path.is_file():
        tokenizer = BertTokenizer(vocab=str(path), do_lower_case=False)
    else:
        raise InputError(f"--tokenizer {path}: neither a folder nor a vocabulary file")
    with tempfile.TemporaryDirectory() as folder:
        complete(tokenizer).save_pretrained(folder)
        return load_tokenizer(Path(folder) / "tokenizer.json")


def languages_of(file: str) -> tuple[str, str]:
    """The languages of questions and contexts that a file tells; English, which makes no difference, if it does not."""
    ids = [
        str(item["id"]) for _, paragraph in paragraphs(file) for item in paragraph["qas"][:1] if "id" in item
    ]
    spoken = told_by_id(ids[0]) if ids else None
    return told_by_name(file) or (spoken or "en", spoken or "en")


def one_answer_each(questions: Sequence[Question]) -> list[Question]:
    """Every answer as the only one of a question of its own, called `<id>#<number>`: features hold one a question."""
    return [
        replace(question, question_id=f"{question.question_id}#{number}", annotations=(answer,))
        for question in questions
        for number, answer in enumerate(question.annotations)
        if answer.start >= 0
    ]


Span = tuple[int, int]


def returned(contexts: Contexts, windows: Windows) -> dict[int, set[tuple[Span, Span]]]:
    """Characters [start, end) of the first and the last piece of an answer, by its question's row."""
    found: dict[int, set[tuple[Span, Span]]] = {}
    for window in (windows.start >= 0).nonzero()[0].tolist():
        first, last = (int(windows.first[window] + end[window]) for end in (windows.start, windows.end))
        pieces = [(int(contexts.starts[piece]), int(contexts.ends[piece])) for piece in (first, last)]
        found.setdefault(int(windows.question[window]), set()).add((pieces[0], pieces[1]))
    return found


def way(text: str, gold: Span, found: set[tuple[Span, Span]]) -> tuple[str | None, str]:
    """In which way an answer fails to come back (None if it does not), and the particulars."""
    answer = text[slice(*gold)]
    if not found:
        return "no window holds it", f"{answer[:60]!r} has {len(answer)} characters"
    spans = {(first[0], last[1]) for first, last in found}
    if spans == {gold}:
        return None, ""
    (first, last), *others = sorted(found)
    particulars = (
        f"{answer!r} comes back as {' and as '.join(repr(text[slice(*span)]) for span in sorted(spans))}"
    )
    if others:
        return UNACCOUNTED, particulars
    cuts = [first[0] < gold[0] < first[1], last[0] < gold[1] < last[1]]
    lost = [text[gold[0] : first[0]], text[last[1] : gold[1]]]
    # an end that is not inside a piece is that of a piece, but for what has none
    for cut_here, reached, away in zip(cuts, (first[0] >= gold[0], last[1] <= gold[1]), lost, strict=True):
        if not (cut_here or (reached and all(map(invisible, away)))):
            return UNACCOUNTED, particulars
    return ("cuts a piece" if any(cuts) else "blanks or invisible characters at its edge"), particulars


def invisible(sign: str) -> bool:
    """Whether a character is a blank, or a control or format character, which have no pieces."""
    return sign.isspace() or unicodedata.category(sign) in ("Cc", "Cf")


def outcomes(file: str, tokenizer: Tokenizer, recipe: Features) -> Iterator[Outcome]:
    """What becomes of every answer of a file."""
    asked_in, code = languages_of(file)
    documents, questions, dropped, _ = read_squad([file], asked_in, code, [], None)
    for question_id, reason in dropped:
        yield Outcome(file, question_id, "not read", reason)
    texts: dict[str, Document] = {document.doc_id: document for document in documents}
    answers = one_answer_each(questions)
    contexts = tokenise(documents, tokenizer, recipe.max_passages)
    windows, _ = cut(answers, contexts, tokenizer, recipe)
    found = returned(contexts, windows)
    for row, question in enumerate(answers):
        answer = question.annotations[0]
        kind, reason = way(texts[question.doc_id].text, (answer.start, answer.end), found.get(row, set()))
        yield Outcome(file, question.question_id, kind, reason)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", help="SQuAD-format files")
    parser.add_argument("--tokenizer", type=Path, required=True, help="an encoder's folder, or vocab.txt")
    parser.add_argument("--max-length", type=int, default=384, help="pieces of a window")
    parser.add_argument("--stride", type=int, default=128, help="pieces that neighbouring windows share")
    given = parser.parse_args()
    tokenizer = read_tokenizer(given.tokenizer)
    recipe = Features(max_length=given.max_length, stride=given.stride)
    began = time.process_time()
    everything: list[Outcome] = []
    for file in given.files:
        found = list(outcomes(file, tokenizer, recipe))
        ways = Counter(outcome.way for outcome in found)
        print(
            f"{file}: {ways.pop(None, 0)} of {len(found)} exact",
            *(f"{n} {name}" for name, n in ways.most_common()),
            sep=", ",
        )
        everything += found
    for outcome in everything:
        if outcome.way:
            print(f"{outcome.file} {outcome.question}: {outcome.way}: {outcome.reason}")
    ways = Counter(outcome.way for outcome in everything)
    summary = {
        "name": "roundtrip",
        "answers": len(everything),
        "exact": ways.pop(None, 0),
        "exceptions": dict(ways.most_common()),
        "cpu_seconds": round(time.process_time() - began, 1),
    }
    print(json.dumps(summary))
    sys.exit(int(UNACCOUNTED in ways))


if __name__ == "__main__":
    quiet()
    run(main)
