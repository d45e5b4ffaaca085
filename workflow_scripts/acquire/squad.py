"""Read SQuAD-format files (SQuAD 1 and 2, TyDi QA's gold passage task, XQuAD, MLQA, ARCD) into a corpus.

Every distinct context is one document of one passage, named by the digest of its text; several answers are several
annotations; an impossible question (SQuAD 2) has one empty annotation.  `answer_start` counts characters.  Where the
text there is not the answer, the answer is looked for without regard to which blanks stand between its words, first at
the stated place, then in the whole context, and taken if it is there exactly once.

`--exclude-contexts` leaves out every paragraph that also stands in those files: XQuAD's English paragraphs are part of
SQuAD's development set.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
    context_key,
    write_documents,
    write_dropped,
    write_questions,
)
from workflow_scripts.files import read_text
from workflow_scripts.languages import language


def paragraphs(file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(article title, paragraph) in the order of a SQuAD-format file, each paragraph with `context` and `qas`.

    Raises InputError where the file is not JSON or not of the format.
    """
    try:
        content = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise InputError(f"{file} line {error.lineno}: not JSON ({error.msg})") from None
    try:
        for article in content["data"]:
            for paragraph in article["paragraphs"]:
                if not (isinstance(paragraph["context"], str) and isinstance(paragraph["qas"], list)):
                    raise TypeError
                yield str(article.get("title") or ""), paragraph
    except (KeyError, TypeError, AttributeError):
        raise InputError(
            f"{file}: not a SQuAD-format file, which is {{data: [{{title, paragraphs: [{{context, qas}}]}}]}}"
        ) from None


def locate(context: str, answer: str, start: int) -> tuple[int, int] | str:
    """[start, end) of an answer in characters of its context, or the reason why it has no place there."""
    if answer.strip() and start >= 0 and context.startswith(answer, start):
        return start, start + len(answer)
    words = answer.split()
    if not words:
        return "the answer is empty"
    pattern = re.compile(r"\s+".join(map(re.escape, words)))
    # Blanks at the edge of the answer, or a different number of them, are no reason to look elsewhere.
    blanks = re.compile(r"\s*").match(context, start) if start >= 0 else None
    there = pattern.match(context, blanks.end()) if blanks else None
    if there:
        return there.span()
    # A match may overlap the one before ("aa" in "aaa"), so look one character after each beginning.
    found = [match.start() for match in re.compile(f"(?={pattern.pattern})").finditer(context)]
    if len(found) == 1:
        match = pattern.match(context, found[0])
        assert match is not None
        return match.span()
    occurs = f"it occurs {len(found)} times" if found else "it occurs nowhere"
    return f"the answer {answer!r} does not stand at character {start} and {occurs} in the context"


def read_squad(
    files: Sequence[str], code: str, exclude: Sequence[str], max_paragraphs: int | None
) -> tuple[list[Document], list[Question], list[tuple[str, str]], Counter[str]]:
    """Documents, questions, (id, reason) of what was dropped, and counts of what else a reader should know.

    A question loses an answer that has no place in its context and is dropped if it loses all.  Raises InputError for
    files that are not of the format and for a language that is not in the table.
    """
    language(code)
    excluded = {context_key(paragraph["context"]) for file in exclude for _, paragraph in paragraphs(file)}
    documents: dict[str, Document] = {}
    questions: dict[str, Question] = {}
    dropped: list[tuple[str, str]] = []
    counts: Counter[str] = Counter()
    used = 0
    for file in files:
        for title, paragraph in paragraphs(file):
            context = paragraph["context"]
            if context_key(context) in excluded:
                counts[
                    "paragraphs excluded because their context stands in the files of --exclude-contexts"
                ] += 1
                dropped += [(_id(file, item), "its context is excluded") for item in paragraph["qas"]]
                continue
            if max_paragraphs is not None and used >= max_paragraphs:
                counts[f"paragraphs left out beyond the first {max_paragraphs}"] += 1
                continue
            used += 1
            name = hashlib.sha256(context.encode("utf-8")).hexdigest()[:16]
            for item in paragraph["qas"]:
                question_id = _id(file, item)
                if question_id in questions:
                    dropped.append((question_id, "another question has this id; the first is kept"))
                    continue
                annotations, reasons, repaired = _annotations(file, item, context)
                dropped += [(question_id, reason) for reason in reasons]
                counts["answers set right that did not stand where the file says"] += repaired
                if annotations:
                    questions[question_id] = Question(
                        question_id, question_id, name, code, item["question"], annotations
                    )
                    documents.setdefault(
                        name, Document(name, code, title, "", context, ((0, len(context)),), name)
                    )
    return list(documents.values()), list(questions.values()), dropped, counts


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--in", dest="files", required=True, nargs="+", help="SQuAD-format files (.json[.gz])"
    )
    arguments.add_argument("--language", required=True, help="the code of the files' language")
    arguments.add_argument(
        "--exclude-contexts",
        nargs="*",
        default=[],
        metavar="FILE",
        help="drop paragraphs of these SQuAD-format files",
    )
    arguments.add_argument("--max-paragraphs", type=int, help="keep the first so many paragraphs")
    arguments.add_argument("--documents", required=True, help="the documents table to write (.parquet)")
    arguments.add_argument("--questions", required=True, help="the questions table to write (.parquet)")
    arguments.add_argument("--dropped", required=True, help="what could not be used, with reasons (.jsonl)")
    given = arguments.parse_args(argv)
    documents, questions, dropped, counts = read_squad(
        given.files, given.language, given.exclude_contexts, given.max_paragraphs
    )
    if not questions:
        raise InputError(f"{', '.join(given.files)}: no usable question ({len(dropped)} dropped)")
    write_documents(given.documents, documents)
    write_questions(given.questions, questions, {document.doc_id: document for document in documents})
    write_dropped(given.dropped, dropped)
    print(f"{len(questions)} questions on {len(documents)} contexts in {language(given.language).name}")
    for reason, count in counts.items():
        if count:
            print(f"{count} {reason}")
    print(f"{len(dropped)} questions or answers dropped, see {given.dropped}")


def _annotations(
    file: str, item: dict[str, Any], context: str
) -> tuple[tuple[Annotation, ...], list[str], int]:
    """A question's annotations, the reasons why answers were dropped, and how many were found elsewhere than stated."""
    try:
        answers = [(answer["text"], answer["answer_start"]) for answer in item.get("answers", [])]
        texts = [item["question"], *(text for text, _ in answers)]
        if not all(isinstance(text, str) for text in texts) or not all(type(at) is int for _, at in answers):
            raise TypeError
    except KeyError as error:
        raise InputError(f"{file}: question {item['id']} has no {error.args[0]}") from None
    except TypeError:
        raise InputError(
            f"{file}: question {item['id']}: question and answers must be texts, each answer_start a whole number"
        ) from None
    if item.get("is_impossible", False) or not answers:
        return (Annotation(),), [], 0
    annotations, reasons, repaired = [], [], 0
    for text, stated in answers:
        span = locate(context, text, stated)
        if isinstance(span, str):
            reasons.append(span)
            continue
        repaired += context[slice(*span)] != text or span[0] != stated
        annotations.append(Annotation(passage=0, start=span[0], end=span[1], text=context[slice(*span)]))
    return tuple(annotations), reasons, repaired


def _id(file: str, item: dict[str, Any]) -> str:
    if not isinstance(item, dict) or "id" not in item:
        raise InputError(f"{file}: a question has no id")
    return str(item["id"])


if __name__ == "__main__":
    run(main)
