"""Make a corpus in another script out of a corpus: MuCoT's transliterated training data (Kumar et al. 2022).

Titles, documents, questions and answers are written in the script of another language, word by word; what stands in
other scripts (Latin words and numbers in a Hindi article), punctuation and blanks stay as they are.  The target is a
language and the derived records are labelled with it: `--to bn` gives Bengali letters, any language that is written in
Latin letters, such as `--to en`, gives Latin ones, and `--to mr` leaves Hindi as it is.  What is in the target language
already is left out.

Every answer and passage keeps its place, so no record is lost.  An edge of an answer inside a word stays exact where
the word's two parts are written apart as they are together and the cut falls between what readers take for characters
(grapheme clusters); elsewhere the answer is widened to the next such place, and `relocation` says so.  Records are
called `<id>@<target>~<scheme>`, after the scheme of their letters.  Dropped are only records in a language whose script
is none of Devanagari, Bengali, Tamil, Malayalam, Telugu and Latin.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import regex

from workflow_scripts.augment.scripts import SCRIPTS, Direction, transliterated, words
from workflow_scripts.cli import InputError, Progress, parser, read_recipe, run
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
    Relocation,
    read_documents,
    read_questions,
    write_documents,
    write_dropped,
    write_questions,
)
from workflow_scripts.languages import language
from workflow_scripts.recipes.transliteration import Transliteration

MADE_BY = "indic-transliteration"
EXACT = Relocation("transliterated", 1.0)
# The answer holds a part of a word more than the original; nothing else is uncertain.
WIDENED = Relocation("transliterated-widened", 0.9)
CLUSTER = regex.compile(r"\X")


@dataclass(frozen=True)
class Written:
    """A text and what it is in another script; `starts` and `targets` say where their stretches begin.

    Even stretches, from the first on, are the same in both; odd ones are words.
    """

    source: str
    text: str
    starts: tuple[int, ...]
    targets: tuple[int, ...]
    way: Direction

    def place(self, at: int, later: bool) -> tuple[int, bool]:
        """Where character `at` of the source is in the text, and whether exactly there.

        Otherwise it is the nearest place before or, if `later`, after it.
        """
        number = bisect_right(self.starts, at) - 1
        start, target = self.starts[number], self.targets[number]
        inside = wanted = at - start
        if number % 2 and inside:
            word = self.source[start : self.starts[number + 1]]
            inside, wanted = next(cut for cut in cuts(word, inside, later, self.way))
        found = between(self.text, target + wanted, later)
        return found, found == target + wanted and start + inside == at


def between(text: str, at: int, later: bool) -> int:
    """`at` or, inside a grapheme cluster of the text, where that begins or, if `later`, ends."""
    # Whatever the look begins with, clusters are found again after a few characters.
    for found in CLUSTER.finditer(text, max(at - 100, 0)):
        if found.end() >= at:
            return at if at in found.span() else found.end() if later else found.start()
    return at


def cuts(word: str, at: int, later: bool, way: Direction) -> Iterator[tuple[int, int]]:
    """Where a word may be cut, as characters of it and of what is written for it, from `at` backwards or forwards.

    The two parts must be written as they are in the whole word, and the cut fall between grapheme clusters of that.
    """
    whole = transliterated(word, way)
    ends = {0, *(found.end() for found in CLUSTER.finditer(whole))}
    for cut in range(at, len(word) + 1) if later else range(at, -1, -1):
        first = transliterated(word[:cut], way) if cut else ""
        rest = transliterated(word[cut:], way) if cut < len(word) else ""
        if first + rest == whole and len(first) in ends:
            yield cut, len(first)


def write(text: str, way: Direction) -> Written:
    """A text in the target's script, with the places of its words."""
    if way.source == way.target:
        return Written(text, text, (0,), (0,), way)
    parts: list[str] = []
    starts, targets = [0], [0]
    reached = length = 0
    for found in words(way.source).finditer(text):
        start, end = found.span()
        word = transliterated(found[0], way)
        parts += (text[reached:start], word)
        starts += (start, end)
        targets += (length + start - reached, length + start - reached + len(word))
        reached, length = end, targets[-1]
    parts.append(text[reached:])
    return Written(text, "".join(parts), tuple(starts), tuple(targets), way)


def write_annotation(given: Annotation, document: Written) -> tuple[Annotation, bool]:
    """An annotation of a document on the document in the other script, and whether its edges are exact."""
    if given.start < 0 or document.way.source == document.way.target:
        return given, True
    start, begins = document.place(given.start, later=False)
    end, ends = document.place(given.end, later=True)
    if start == end:  # of joiners alone, which are not written
        at_end = end == len(document.text)
        start, end = (
            (between(document.text, end - 1, later=False), end)
            if at_end
            else (start, between(document.text, start + 1, later=True))
        )
        ends = False
    return replace(given, start=start, end=end, text=document.text[start:end]), begins and ends


def write_corpus(
    documents: dict[str, Document], questions: Sequence[Question], target: str, recipe: Transliteration
) -> tuple[list[Document], list[Question], list[tuple[str, str]]]:
    """Documents and questions in the script of the target language, and (id, reason) of those that cannot be.

    Raises InputError for a target whose script is not one of `SCRIPTS`.
    """
    into = language(target)
    questions = [question for question in questions if documents[question.doc_id].language != target]
    documents = {name: document for name, document in documents.items() if document.language != target}
    if into.script not in SCRIPTS:
        raise InputError(
            f"--to {target}: {into.name} is written in {into.script} letters, which are not among"
            f" {', '.join(SCRIPTS)}"
        )
    scheme = recipe.latin if into.script == "Latin" else SCRIPTS[into.script]
    dropped: list[tuple[str, str]] = []

    def way(name: str, code: str) -> Direction | None:
        script = language(code).script
        if script not in SCRIPTS:
            reason = f"it is written in {script} letters, which are not among {', '.join(SCRIPTS)}"
            dropped.append((name, reason))
            return None
        return Direction(script, into.script, recipe.latin, recipe.digits)

    def name(given: str) -> str:
        return f"{given}@{target}~{scheme}"

    written: dict[str, Written] = {}
    out_documents: list[Document] = []
    out_questions: list[Question] = []
    progress = Progress("documents", len(documents), "documents")
    for document in documents.values():
        progress.advance()
        if (direction := way(document.doc_id, document.language)) is None:
            continue
        text = written[document.doc_id] = write(document.text, direction)
        out_documents.append(
            replace(
                document,
                doc_id=name(document.doc_id),
                language=target,
                title=write(document.title, direction).text,
                text=text.text,
                # Both edges of a passage move alike, so that passages stay disjoint.
                passages=tuple(
                    (text.place(start, later=False)[0], text.place(end, later=False)[0])
                    for start, end in document.passages
                ),
                made_by=MADE_BY,
            )
        )
    for question in questions:
        if question.doc_id not in written:
            dropped.append((question.question_id, f"its document {question.doc_id} is dropped"))
            continue
        if (direction := way(question.question_id, question.language)) is None:
            continue
        annotations, exact = [], True
        for given in question.annotations:
            annotation, kept = write_annotation(given, written[question.doc_id])
            annotations.append(annotation)
            exact &= kept
        found = EXACT if exact else WIDENED
        if question.relocation and question.relocation.confidence < found.confidence:
            found = question.relocation  # what was less sure before does not become surer
        out_questions.append(
            replace(
                question,
                question_id=name(question.question_id),
                doc_id=name(question.doc_id),
                language=target,
                text=write(question.text, direction).text,
                annotations=tuple(annotations),
                made_by=MADE_BY,
                relocation=found,
            )
        )
    return out_documents, out_questions, dropped


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Transliteration)
    arguments.add_argument("--documents", required=True, help="documents table (.parquet)")
    arguments.add_argument("--questions", required=True, help="questions table (.parquet)")
    arguments.add_argument("--to", required=True, help="code of the language whose letters are written")
    arguments.add_argument("--out-documents", required=True, help="documents table to write (.parquet)")
    arguments.add_argument("--out-questions", required=True, help="questions table to write (.parquet)")
    arguments.add_argument("--dropped", required=True, help="what is not written, with reasons (.jsonl)")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Transliteration)
    documents, questions, dropped = write_corpus(
        read_documents(given.documents), read_questions(given.questions), given.to, recipe
    )
    if not questions:
        raise InputError(
            f"{given.questions}: no question can be transliterated to {given.to} ({len(dropped)} dropped;"
            f" {dropped[0][1] if dropped else 'the table is empty'})"
        )
    write_documents(given.out_documents, documents)
    write_questions(given.out_questions, questions, {document.doc_id: document for document in documents})
    write_dropped(given.dropped, dropped)
    widened = sum(question.relocation == WIDENED for question in questions)
    print(f"{len(questions)} questions on {len(documents)} documents in {language(given.to).script} letters")
    print(f"{widened} with an answer widened to the next place where its word can be cut")
    print(f"{len(dropped)} dropped, see {given.dropped}")


if __name__ == "__main__":
    run(main)
