"""Say what is wrong with a file of one's own before a run says it, or leaves records out.

    python -m workflow_scripts.acquire.validate train.json
    python -m workflow_scripts.acquire.validate pt-en.pt pt-en.en --format moses

Formats: squad (SQuAD 1 and 2, JSON), tydi (TyDi QA's primary tasks, JSON lines), translations (`id<TAB>text` lines),
moses (two text files, line by line translations of one another), chaii (ChAII's CSV columns), versions (MuCoT's, of
translated or transliterated records).  Every problem is told once, with what would be right, how many records have it
and which are the first.  Exit code 0 if all records are fine, else 1.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflow_scripts.acquire.chaii import flaw, no_record, opened, rows
from workflow_scripts.acquire.parallel import reason_against
from workflow_scripts.acquire.spans import locate
from workflow_scripts.acquire.versions import FORMS, IS_ORIGINAL, place, said, spoken
from workflow_scripts.cli import InputError, parser
from workflow_scripts.corpus import example_id
from workflow_scripts.files import open_bytes, read_lines, read_text
from workflow_scripts.languages import from_tydi
from workflow_scripts.recipes.parallel import Parallel
from workflow_scripts.tydi_format import Unusable, from_record
from workflow_scripts.words import words

EXAMPLES = 3
LONGEST = 200  # characters shown of an example


@dataclass
class Findings:
    """What a file holds: how many records, called what, which of them are not fine, and the problems.

    `problems` maps (what is wrong, what would be right) to the places, in the order in which they were found.
    """

    records: str
    total: int = 0
    spoilt: set[str] = field(default_factory=set)
    problems: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, record: str, what: str, right: str, particulars: str = "") -> None:
        """Note a problem of a record."""
        self.spoilt.add(record)
        place = f"{record}: {particulars}" if particulars else record
        place = place if len(place) <= LONGEST else f"{place[: LONGEST - 1]}…"
        self.problems.setdefault((what, right), []).append(place)


def told(file: str, findings: Findings) -> Iterator[str]:
    """The findings in sentences, a line each."""
    for (what, right), places in findings.problems.items():
        yield f"{file}: {what} ({len(places)} times); {right}"
        yield from (f"  {place}" for place in places[:EXAMPLES])
        if len(places) > EXAMPLES:
            yield f"  and {len(places) - EXAMPLES} more"
    fine = findings.total - len(findings.spoilt)
    yield f"{file}: {max(fine, 0)} of {findings.total} {findings.records} are fine"


# SQuAD's format

SQUAD = "a SQuAD-format file is {data: [{title, paragraphs: [{context, qas: [{id, question, answers}]}]}]}"
ANSWERS = "answers is a list of {text, answer_start}, a text and a whole number; where there is none to be found, []"


def check_squad(file: str) -> Findings:
    """Problems of a SQuAD-format file; its records are questions."""
    try:
        content = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise InputError(
            f"{file} line {error.lineno}, column {error.colno}: not JSON ({error.msg}); {SQUAD}"
        ) from None
    found = Findings("questions")
    seen: dict[str, str] = {}
    for article, named in _listed(content, "data", "the file", found):
        for paragraph, within in _listed(article, "paragraphs", named, found):
            context = paragraph.get("context") if isinstance(paragraph, dict) else None
            if not isinstance(context, str) or not context.strip():
                found.add(within, "a paragraph has no context", "context is a text that is not empty")
                continue
            for question, numbered in _listed(paragraph, "qas", within, found):
                found.total += 1
                _check_question(question, numbered, context, seen, found)
    return found


def _listed(owner: Any, key: str, where: str, found: Findings) -> Iterator[tuple[Any, str]]:
    """The members of the list `owner[key]` and what to call each; notes a problem where there is no such list."""
    members = owner.get(key) if isinstance(owner, dict) else None
    if not isinstance(members, list):
        found.add(where, f"there is no list {key}", SQUAD)
        return
    singular = {"data": "article", "paragraphs": "paragraph", "qas": "question"}[key]
    prefix = "" if key == "data" else f"{where}, "
    yield from ((member, f"{prefix}{singular} {number}") for number, member in enumerate(members, 1))


def _check_question(
    question: Any, numbered: str, context: str, seen: dict[str, str], found: Findings
) -> None:
    """Note the problems of one question; `seen` maps the ids before it to their places."""
    if not isinstance(question, dict) or not isinstance(question.get("id"), str | int):
        found.add(numbered, "a question has no id", "id is a text that no other question of the corpus has")
        return
    name = f"question {question['id']}"
    if str(question["id"]) in seen:
        # Called by its place: the first question of that id is fine.
        first = seen[str(question["id"])]
        found.add(
            numbered,
            "a question has the id of another and is left out",
            "give each question an id of its own",
            f"id {question['id']}, as {first}",
        )
        return
    seen[str(question["id"])] = numbered
    if not isinstance(question.get("question"), str) or not question["question"].strip():
        found.add(name, "a question has no text", "question is a text that is not empty")
    answers = question.get("answers")
    if question.get("is_impossible"):
        return
    if not isinstance(answers, list):
        found.add(name, "a question has no answers and is left out", ANSWERS)
        return
    for answer in answers:
        text = answer.get("text") if isinstance(answer, dict) else None
        start = answer.get("answer_start") if isinstance(answer, dict) else None
        if not isinstance(text, str) or type(start) is not int:
            found.add(name, "an answer is not one", ANSWERS, json.dumps(answer, ensure_ascii=False))
        else:
            _check_span(name, context, text, start, found)


def _check_span(name: str, context: str, text: str, start: int, found: Findings) -> None:
    """Note where an answer does not stand where it is said to."""
    right = "answer_start counts characters from 0, and from there on the context reads as text does"
    span = locate(context, text, start)
    if isinstance(span, str):
        found.add(name, "an answer has no certain place in its context and is left out", right, span)
    elif span[0] != start or context[slice(*span)] != text:
        here = context[max(start, 0) : max(start, 0) + len(text)]
        found.add(
            name,
            "an answer stands elsewhere than the file says, or is spelt otherwise, and is set right",
            right,
            f"{text!r} at {start}, where the context has {here!r}; taken for {context[slice(*span)]!r} at {span[0]}",
        )


# TyDi QA's primary tasks


def check_tydi(file: str) -> Findings:
    """Problems of a file of TyDi QA's primary tasks; its records are lines."""
    found = Findings("records")
    seen: dict[str, int] = {}
    with open_bytes(file) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                found.total += 1
                _check_record(f"line {number}", line, number, seen, found)
    return found


def _check_record(name: str, line: bytes, number: int, seen: dict[str, int], found: Findings) -> None:
    """Note the first problem of one line; `seen` maps the ids before it to their lines."""
    whole = "a record is a JSON object on one line with the fields of TyDi QA's primary tasks"
    try:
        record = json.loads(line.decode("utf-8-sig"))
        identity = str(record["example_id"])
        from_tydi(record["language"], name)
        from_record(record, name)
    except UnicodeDecodeError:
        found.add(name, "a line is not UTF-8", "convert the file to UTF-8")
    except json.JSONDecodeError as error:
        found.add(name, "a line is not JSON", whole, f"{error.msg} at column {error.colno}")
    except InputError as error:
        found.add(
            name, "a language is not known", "language is a name of resources/languages.tsv", str(error)
        )
    except Unusable as error:
        right = "offsets count UTF-8 bytes of document_plaintext, end exclusive, -1 for none"
        found.add(name, "a record contradicts itself and is left out", right, str(error))
    except KeyError as error:
        found.add(name, f"a record has no {error.args[0]}", whole)
    except (TypeError, AttributeError, ValueError) as error:
        found.add(name, "a record is not of the format", whole, str(error))
    else:
        if identity != str(example_id(identity)):
            right = "example_id is a signed 64-bit whole number"
            found.add(name, "an example id is not a number", right, f"example_id {identity}")
        elif identity in seen:
            particulars = f"example_id {identity}, as line {seen[identity]}"
            found.add(name, "a record has the id of another", "give each record once", particulars)
        seen.setdefault(identity, number)


# Translations and sentence pairs


def check_translations(file: str) -> Findings:
    """Problems of a file of question translations; its records are lines."""
    found = Findings("translations")
    seen: dict[str, int] = {}
    for number, line in enumerate(read_lines(file), 1):
        found.total += 1
        name, columns = f"line {number}", line.removesuffix("\r").split("\t")
        item = columns[0].strip()
        if len(columns) != 2:
            right = "a line is the id of a question, a tab and its translation"
            found.add(name, "a line has not two columns", right, f"{len(columns)} columns")
        elif not item or not columns[1].strip():
            empty = "id" if not item else "translation"
            found.add(name, f"a line has no {empty}", f"give the {empty}, or leave the line out")
        elif item in seen:
            particulars = f"id {item}, as line {seen[item]}"
            found.add(name, "an id is translated twice", "give each id once", particulars)
        seen.setdefault(item, number)
    return found


# What `reason_against` says, in general.
UNFIT = {
    "beside": "one side of a pair is much longer than the other",
    "same": "both sides of a pair are the same",
    "words": "a side of a pair is empty or too long",
}


def check_moses(foreign: str, english: str) -> Findings:
    """Problems of two files of sentence pairs; its records are pairs of lines."""
    sides = [read_lines(file) for file in (foreign, english)]
    found = Findings("pairs", max(map(len, sides)))
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"{foreign} has {len(sides[0])} lines, {english} {len(sides[1])}; each line must translate the same line of"
            " the other file, and a sentence must not hold a line feed"
        )
    for number, pair in enumerate(zip(*sides, strict=True), 1):
        reason = reason_against(words(pair[0]), words(pair[1]), Parallel())
        if reason:
            what = next(said for sign, said in UNFIT.items() if sign in reason)
            right = (
                "such pairs are left out unless the alignment's filter in the configuration says otherwise"
            )
            found.add(f"line {number}", what, right, reason)
    return found


# ChAII


def check_chaii(file: str) -> Findings:
    """Problems of a CSV file with ChAII's columns; its records are rows."""
    found = Findings("rows")
    seen: dict[str, str] = {}
    for name, row in rows(file):
        found.total += 1
        problem = flaw(row)
        if problem is not None:
            found.add(name, problem.what, problem.right, problem.found)
        elif row["id"] in seen:
            right = "give each row an id that no other has"
            found.add(name, "a row has the id of another and is left out", right, f"as {seen[row['id']]}")
        else:
            seen[row["id"]] = name
            _check_span(name, row["context"], row["answer_text"], int(row["answer_start"]), found)
    return found


# MuCoT's versions of ChAII's records

PLACED = "answer_start counts characters from 0, and from there on the context reads as answer_text does"


def check_versions(file: str) -> Findings:
    """Problems of a CSV file with MuCoT's columns; its records are rows, of which originals are not looked into."""
    found = Findings("rows")
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(opened(file, *FORMS.values()), 1):
        found.total += 1
        name = f"row {number} ({row['id']})"
        if (broken := no_record(row)) is not None:
            found.add(name, broken.what, broken.right, broken.found)
            continue
        if (original := IS_ORIGINAL.get(row["is_original"].strip().lower())) is None:
            found.add(
                name, "is_original says neither", "is_original is True or False", repr(row["is_original"])
            )
            continue
        translated = "tgt" not in row
        tags = [row["language"]] if translated else [row["src"], row["tgt"]]
        try:
            codes = [spoken(tag, name).code for tag in tags]
        except InputError as error:
            right = "give a code or a name of resources/languages.tsv, such as bn or hindi"
            found.add(name, "a language is not known", right, str(error))
            continue
        if original or (translated and codes != tags):  # a name stands for an original, too
            continue
        if len(codes) > 1 and codes[0] == codes[1]:
            right = "src and tgt are two languages"
            found.add(name, "a row is a copy in its own language and is left out", right, codes[0])
        elif (version := (row["id"], codes[-1])) in seen:
            right = "give a record one version in each language"
            found.add(
                name,
                "a record has two versions in a language, of which the first is kept",
                right,
                f"as row {seen[version]}",
            )
        else:
            seen[version] = number
            _check_version(name, row, found)
    return found


def _check_version(name: str, row: dict[str, str], found: Findings) -> None:
    """Note where the answer of a version has no place, or another than its row says."""
    answer = place(row)
    if isinstance(answer, str):
        found.add(name, "a row has no answer with a certain place and is left out", PLACED, answer)
    elif (answer.text, answer.start) != (row["answer_text"], said(row)):
        found.add(
            name,
            "an answer stands elsewhere than the file says, or is spelt otherwise, and is set right",
            PLACED,
            f"{row['answer_text']!r} at {row['answer_start']}; taken for {answer.text!r} at {answer.start}",
        )


# Which format

CHECKS: dict[str, Callable[..., Findings]] = {
    "squad": check_squad,
    "tydi": check_tydi,
    "translations": check_translations,
    "moses": check_moses,
    "chaii": check_chaii,
    "versions": check_versions,
}


def recognise(files: Sequence[str]) -> str:
    """The format that files seem to be of, by what they begin with.  Raises InputError where that tells nothing."""
    if len(files) == 2:
        return "moses"
    with open_bytes(files[0]) as lines:
        first = (
            next((line for line in lines if line.strip()), b"").decode("utf-8", "replace").lstrip("\ufeff ")
        )
    if first.startswith(("{", "[")):
        return "tydi" if '"example_id"' in first or re.search(r"\.jsonl(\.gz)?$", files[0]) else "squad"
    if re.search(r"\bcontext\b.*\bquestion\b", first):
        return "versions" if "is_original" in first else "chaii"
    if "\t" in first:
        return "translations"
    raise InputError(
        f"{files[0]}: its first line tells no format; say --format {'|'.join(CHECKS)} (moses needs two files)"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "files", nargs="+", metavar="FILE", help="the file; for moses the two files of the pairs"
    )
    arguments.add_argument(
        "--format", choices=["auto", *CHECKS], default="auto", help="default: auto, by content"
    )
    given = arguments.parse_args(argv)
    try:
        kind = recognise(given.files) if given.format == "auto" else given.format
        expected = 2 if kind == "moses" else 1
        if len(given.files) != expected:
            raise InputError(f"--format {kind}: give {expected} file{'s' if expected > 1 else ''} at a time")
        found = CHECKS[kind](*given.files)
        if not found.total and not found.problems:
            raise InputError(f"{given.files[0]}: no {found.records} in it ({kind} format)")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    print(f"checked as {kind}")
    print("\n".join(told(" and ".join(given.files), found)))
    sys.exit(int(bool(found.problems)))


if __name__ == "__main__":
    main()
