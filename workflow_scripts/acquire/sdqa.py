"""Ask a corpus's questions as a speech recogniser heard them: SD-QA's transcripts (Faisal et al. 2021).

The questions that a file of SD-QA names (any of its forms, or transcripts of one's own as `example_id<TAB>text`) are
derived with the transcript as their text and called `<source_id>@<language>~<dialect>`; documents and answers are those
of the corpus.  As in the builder of SD-QA's own records, an empty transcript is left out and the first of several for
one question wins.  Written questions end in a question mark and recognisers write none: `--qmark add` appends " ?"
where there is none, as SD-QA's builder does on demand, so that transcripts look like what a model was trained on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import (
    Question,
    derive,
    read_documents,
    read_questions,
    write_dropped,
    write_questions,
)
from workflow_scripts.sdqa_format import Transcript, read_sdqa

QUESTION_MARKS = ("?", "؟", "？")


def chosen(file: str, dialect: str) -> list[Transcript]:
    """The transcripts of a file in a dialect; a file that tells no dialect is taken to be in it.

    Raises InputError where the file has others only.
    """
    rows = list(read_sdqa(file))
    found = [replace(row, dialect=dialect) for row in rows if row.dialect in (dialect, "")]
    if rows and not found:
        others = ", ".join(dict.fromkeys(row.dialect for row in rows))
        raise InputError(f"--dialect {dialect}: not in {file}, whose dialects are {others}")
    return found


def language_of(dialect: str) -> str:
    """The code of the language that is spoken in a dialect, region-locale; empty for gold."""
    return dialect.split("-")[1] if "-" in dialect else ""


def transcribed(
    questions: Sequence[Question], transcripts: Iterable[Transcript], qmark: bool
) -> tuple[list[Question], list[tuple[str, str]]]:
    """The questions that transcripts name, in their order, and (id, reason) for transcripts that give none.

    With `qmark` each ends in a question mark.  An id is that of an original question or, where translations were read
    aloud, of one whose version in the dialect's language the corpus has.
    """
    asked: dict[str, dict[str, Question]] = {}
    originals: dict[str, Question] = {}
    for one in questions:
        asked.setdefault(one.source_id, {})[one.language] = one
        if one.question_id == one.source_id:
            originals[one.source_id] = one
    derived: dict[str, Question] = {}
    dropped: list[tuple[str, str]] = []
    empty: dict[str, str] = {}
    for heard in transcripts:
        translated = asked.get(heard.example_id, {}).get(language_of(heard.dialect))
        original = originals.get(heard.example_id, translated)
        name = f"{heard.example_id}~{heard.dialect}"
        if original is None:
            dropped.append((name, "no such question in the corpus"))
        elif heard.example_id in derived:
            dropped.append((name, "another transcript of this question and dialect; the first is kept"))
        elif not heard.text:
            empty[heard.example_id] = name
        else:
            text = heard.text if heard.text.endswith(QUESTION_MARKS) or not qmark else f"{heard.text} ?"
            made = derive(original, original.language, text, f"SD-QA {heard.dialect}")
            derived[heard.example_id] = replace(made, question_id=f"{made.question_id}~{heard.dialect}")
    dropped += [
        (name, "its transcript is empty") for example, name in empty.items() if example not in derived
    ]
    return list(derived.values()), dropped


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--questions", required=True, help="the questions as written (.parquet)")
    arguments.add_argument("--documents", required=True, help="their documents table (.parquet)")
    arguments.add_argument(
        "--transcripts", required=True, nargs="+", help="files of SD-QA, or example_id<TAB>text"
    )
    arguments.add_argument(
        "--dialect", required=True, help="region and locale, such as kenya-sw-KE; gold: as written"
    )
    arguments.add_argument(
        "--qmark", choices=("add", "keep"), default="add", help="end texts in ' ?', or not"
    )
    arguments.add_argument("--out", required=True, help="the questions as heard, to write (.parquet)")
    arguments.add_argument("--dropped", required=True, help="transcripts without use, with reasons (.jsonl)")
    given = arguments.parse_args(argv)
    questions = read_questions(given.questions)
    transcripts = [row for file in given.transcripts for row in chosen(file, given.dialect)]
    derived, dropped = transcribed(questions, transcripts, given.qmark == "add")
    if not derived:
        raise InputError(
            f"{', '.join(given.transcripts)}: no transcript in {given.dialect} is of a question of {given.questions}"
            f" ({len(dropped)} dropped{'; ' + dropped[0][1] if dropped else ''})"
        )
    write_questions(given.out, derived, read_documents(given.documents))
    write_dropped(given.dropped, dropped)
    spoken = {one.language for one in derived}
    others = sum(one.language in spoken for one in questions) - len(derived)
    print(
        f"{len(derived)} questions as heard in {given.dialect}; {others} others in {', '.join(sorted(spoken))}"
    )
    print(f"{len(dropped)} transcripts dropped, see {given.dropped}")


if __name__ == "__main__":
    run(main)
