"""Read MuCoT's published translations or transliterations of ChAII into a corpus in one language.

MuCoT (Kumar et al. 2022; github.com/gokulkarthik/mucot) keeps all generated records in one CSV file: id, context,
question, answer_text, answer_start (in characters), is_original, and `language` (translations) or `src` and `tgt`
(transliterations, of which `tgt` is the language).  A record and its versions have one id.  In `language`, a code of
two letters stands for what was generated, a name (hindi, tamil) for an original.

Of these rows, those generated in the language that is asked for are taken; originals are in the corpus that they are
versions of.  Versions are called `<id>@<language>`, in another script `<id>@<language>~<script>`, as those made here
are, and each context is a document of its own.

MuCoT's code searches answers in small letters, which may be more characters, and takes the blanks off a context's
beginning when the place is told already.  An answer that does not stand where its row says is therefore taken where it
alone begins within a few characters, or where it is there exactly once (see spans), whether letters are capital or
small; where it has no certain place, the row is dropped.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

from workflow_scripts.acquire.chaii import no_record, opened
from workflow_scripts.acquire.outputs import add_outputs, write_outputs
from workflow_scripts.acquire.spans import annotate, context_document
from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import Annotation, Document, Question, read_documents, read_questions
from workflow_scripts.languages import Language, from_tydi, language, languages

Made = Literal["translated", "transliterated"]
TEXTS = ("id", "context", "question", "answer_text", "answer_start")
FORMS: dict[Made, tuple[str, ...]] = {
    "translated": (*TEXTS, "language", "is_original"),
    "transliterated": (*TEXTS, "src", "tgt", "is_original"),
}
NEAR = 4  # characters that a place may be shifted by
IS_ORIGINAL = {"true": True, "1": True, "false": False, "0": False}


def spoken(tag: str, where: str) -> Language:
    """The language of a tag, which is a code (bn) or a name (hindi).  Raises InputError for anything else."""
    if tag in languages():
        return language(tag)
    try:
        return from_tydi(tag, "")
    except InputError:
        raise InputError(
            f"{where}: {tag!r} is no language that is known; give a code or a name of resources/languages.tsv, such as"
            " bn or hindi"
        ) from None


def read_versions(
    files: Sequence[str],
    made: Made,
    target: str,
    originals: Sequence[Question],
    sources: dict[str, Document],
) -> tuple[list[Document], list[Question], list[tuple[str, str]], Counter[str]]:
    """Documents, questions, (id, reason) of what was dropped, and counts of what else a reader should know.

    `originals` and `sources` (by id) are the questions and documents that the files hold versions of; `target` is the
    code of the language to take.  Raises InputError for a file of other columns and for a row that is no record or in
    an unknown language.
    """
    into = language(target)
    ending = f"@{into.code}" if made == "translated" else f"@{into.code}~{into.script.lower()}"
    records = {question.source_id: question for question in originals}
    documents: dict[tuple[str, str], Document] = {}  # by the original's document and the text
    of_source: Counter[str] = Counter()
    questions: dict[str, Question] = {}
    dropped: list[tuple[str, str]] = []
    counts: Counter[str] = Counter()
    for file in files:
        for number, row in enumerate(opened(file, FORMS[made]), 1):
            where = f"{file} row {number} ({row['id']})"
            if (broken := no_record(row)) is not None:
                raise InputError(f"{where}: {broken.what}; {broken.right}")
            if (original := IS_ORIGINAL.get(row["is_original"].strip().lower())) is None:
                raise InputError(f"{where}: is_original is {row['is_original']!r}; it must be True or False")
            tag = row["language" if made == "translated" else "tgt"]
            if original or (spoken(tag, where).code != tag and made == "translated"):
                counts["rows left out that are originals"] += 1
                continue
            if spoken(tag, where).code != into.code:
                counts["rows left out that are in other languages"] += 1
                continue
            name = row["id"]
            if made == "transliterated" and spoken(row["src"], where).code == into.code:
                dropped.append((name, f"it is a copy of a record in {into.name}"))
            elif name not in records:
                dropped.append((name, "no record of the corpus that these are versions of has this id"))
            elif records[name].language == into.code:
                dropped.append((name, f"the record is in {into.name} already"))
            elif name in questions:
                dropped.append((name, "another version has this id; the first is kept"))
            elif isinstance(answer := place(row), str):
                dropped.append((name, answer))
            else:
                source = sources[records[name].doc_id]
                key = source.source_doc_id, row["context"]
                if key not in documents:
                    # of one context, different records may have different translations
                    of_source[key[0]] += 1
                    more = f".{of_source[key[0]]}" if of_source[key[0]] > 1 else ""
                    documents[key] = Document(
                        f"{key[0]}{ending}{more}",
                        into.code,
                        source.title,
                        source.url,
                        row["context"],
                        context_document(row["context"], into.code).passages,
                        key[0],
                        "published",
                    )
                questions[name] = Question(
                    f"{name}{ending}",
                    name,
                    documents[key].doc_id,
                    into.code,
                    row["question"],
                    (answer,),
                    "published",
                )
                stands = (answer.text, answer.start) == (row["answer_text"], said(row))
                counts["answers set right that did not stand where the file says"] += not stands
    return list(documents.values()), list(questions.values()), dropped, counts


def place(row: dict[str, str]) -> Annotation | str:
    """The answer of a row in its context, or why there is none."""
    if not row["question"].strip() or not row["context"].strip():
        return "question or context is empty"
    start = said(row)
    if start is None:
        return f"answer_start is {row['answer_start']!r}, not a whole number from 0"
    answer = annotate(row["context"], row["answer_text"], start, near=NEAR)
    if isinstance(answer, Annotation):
        return answer
    return annotate(row["context"], row["answer_text"], start, any_case=True, near=NEAR)


def said(row: dict[str, str]) -> int | None:
    """Where a row says that its answer begins; None where it says nothing.

    pandas writes whole numbers with a point if one of the column is missing.
    """
    told = re.fullmatch(r"([0-9]{1,18})(\.0)?", row["answer_start"])
    return int(told[1]) if told else None


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--in", dest="files", required=True, nargs="+", help="files with MuCoT's columns (.csv[.gz])"
    )
    arguments.add_argument("--made", required=True, choices=get_args(Made), help="what the files hold")
    arguments.add_argument("--to", required=True, help="code of the language to take")
    arguments.add_argument(
        "--of-questions", required=True, help="questions that these are versions of (.parquet)"
    )
    arguments.add_argument("--of-documents", required=True, help="their documents (.parquet)")
    add_outputs(arguments)
    given = arguments.parse_args(argv)
    documents, questions, dropped, counts = read_versions(
        given.files,
        given.made,
        given.to,
        read_questions(given.of_questions),
        read_documents(given.of_documents),
    )
    if not questions:
        raise InputError(
            f"{', '.join(given.files)}: no usable version in {language(given.to).name} ({len(dropped)} dropped"
            f"{f'; {dropped[0][1]}' if dropped else ''})"
        )
    write_outputs(given, documents, questions, dropped, counts)


if __name__ == "__main__":
    run(main)
