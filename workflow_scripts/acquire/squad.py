"""Read SQuAD-format files (SQuAD 1 and 2, TyDi QA's gold passage task, XQuAD, MLQA, ARCD) into a corpus.

Every distinct context is one document of one passage, named by the digest of its text; several answers are several
annotations; an impossible question (SQuAD 2) has one empty annotation.  A question keeps its id, which XQuAD and MLQA
use in every language, as its source id.  `answer_start` counts characters.  Where the text there is not the answer, the
answer is looked for in the whole context (see spans).

`--exclude-contexts` leaves out every paragraph that also stands in those files: XQuAD's English paragraphs are part of
SQuAD's development set.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.acquire.duplicates import GOLDP_ID, context_key
from workflow_scripts.acquire.outputs import add_outputs, write_outputs
from workflow_scripts.acquire.spans import annotate, context_document
from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
)
from workflow_scripts.files import read_text
from workflow_scripts.languages import language, languages

XQUAD_NAME = re.compile(r"xquad\.([a-z]{2,3})\.json")
MLQA_NAME = re.compile(r"context-([a-z]{2,3})-question-([a-z]{2,3})\.json")


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


def told_by_name(file: str) -> tuple[str, str] | None:
    """(question language, context language) that the name of an XQuAD or MLQA file tells; None for another name."""
    if found := MLQA_NAME.search(Path(file).name):
        return found[2], found[1]
    found = XQUAD_NAME.match(Path(file).name)
    return (found[1], found[1]) if found else None


def told_by_id(question_id: str) -> str | None:
    """The language that the id of a GoldP question tells, such as `swahili-8211684794284159625-4`; else None."""
    found = GOLDP_ID.fullmatch(question_id)
    return next((row.code for row in languages().values() if found and row.tydi == found[1]), None)


def _agree(who: str, what: str, told: str | None, declared: str) -> None:
    if told != declared and told in languages():
        raise InputError(
            f"{who} says that its {what} are in {told}, but they are declared to be in {declared}; declare {told}"
        )


def read_squad(
    files: Sequence[str], asked_in: str, code: str, exclude: Sequence[str], max_paragraphs: int | None
) -> tuple[list[Document], list[Question], list[tuple[str, str]], Counter[str]]:
    """Documents, questions, (id, reason) of what was dropped, and counts of what else a reader should know.

    `asked_in` is the language of the questions, `code` that of the contexts.  A question loses an answer that has no
    place in its context and is dropped if it loses all.  Raises InputError for files that are not of the format, for a
    language that is not in the table, and for one that the files contradict.
    """
    for given in (asked_in, code):
        language(given)
    excluded = {context_key(paragraph["context"]) for file in exclude for _, paragraph in paragraphs(file)}
    documents: dict[str, Document] = {}
    questions: dict[str, Question] = {}
    dropped: list[tuple[str, str]] = []
    counts: Counter[str] = Counter()
    used = 0
    for file in files:
        if told := told_by_name(file):
            _agree(f"{file}: its name", "contexts", told[1], code)
            _agree(f"{file}: its name", "questions", told[0], asked_in)
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
            document = context_document(context, code, title)
            for item in paragraph["qas"]:
                question_id = _id(file, item)
                _agree(f"{file}: the id of question {question_id}", "contexts", told_by_id(question_id), code)
                if question_id in questions:
                    dropped.append((question_id, "another question has this id; the first is kept"))
                    continue
                annotations, reasons, repaired = _annotations(file, item, context)
                dropped += [(question_id, reason) for reason in reasons]
                counts["answers set right that did not stand where the file says"] += repaired
                if annotations:
                    questions[question_id] = Question(
                        question_id, question_id, document.doc_id, asked_in, item["question"], annotations
                    )
                    documents.setdefault(document.doc_id, document)
    return list(documents.values()), list(questions.values()), dropped, counts


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--in", dest="files", required=True, nargs="+", help="SQuAD-format files (.json[.gz])"
    )
    arguments.add_argument("--language", required=True, help="the code of the contexts' language")
    arguments.add_argument(
        "--question-language", help="the code of the questions' language, if it is another (MLQA)"
    )
    arguments.add_argument(
        "--exclude-contexts",
        nargs="*",
        default=[],
        metavar="FILE",
        help="drop paragraphs of these SQuAD-format files",
    )
    arguments.add_argument("--max-paragraphs", type=int, help="keep the first so many paragraphs")
    add_outputs(arguments)
    given = arguments.parse_args(argv)
    documents, questions, dropped, counts = read_squad(
        given.files,
        given.question_language or given.language,
        given.language,
        given.exclude_contexts,
        given.max_paragraphs,
    )
    if not questions:
        raise InputError(f"{', '.join(given.files)}: no usable question ({len(dropped)} dropped)")
    write_outputs(given, documents, questions, dropped, counts)


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
    if item.get("is_impossible", False) or item.get("answers") == []:
        return (Annotation(),), [], 0
    if not answers:
        return (), ["it has no answers; where there is none to be found, say answers: []"], 0
    annotations, reasons, repaired = [], [], 0
    for text, stated in answers:
        found = annotate(context, text, stated)
        if isinstance(found, str):
            reasons.append(found)
            continue
        repaired += (found.text, found.start) != (text, stated)
        annotations.append(found)
    return tuple(annotations), reasons, repaired


def _id(file: str, item: dict[str, Any]) -> str:
    if not isinstance(item, dict) or "id" not in item:
        raise InputError(f"{file}: a question has no id")
    return str(item["id"])


if __name__ == "__main__":
    run(main)
