"""SD-QA's files of transcribed questions (Faisal et al. 2021), all forms, read as one.

- `<language>.<split>.csv`: a row a question with the columns ID, `<language>-gold` and one for each dialect, which is
  called `<region>-<locale>` (kenya-sw-KE).
- `<language>.<split>.txt`: tab-separated with the header ID, in XOR <split>, sentence; the questions as written.
- `<language>.<split>.<dialect>.txt`: `example_id<TAB>transcript`, without a header.
- `….jsonl[.gz]`: TyDi QA's records with the transcript as question text.
- `….triples.jsonl`: example_id, question, answers and the path of the recording.
- `asr_output_with_metadata_<language>.csv`: tab-separated in spite of its name, a row a transcript, with example_id,
  model (the recogniser's locale), region, transcript and gold.

Which form a file has is told by its first line, not by its name.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_scripts.cli import InputError
from workflow_scripts.files import open_bytes, read_jsonl, read_lines, read_text

GOLD = "gold"  # the dialect of questions as they are written
NOT_FOUND = "#NOTFOUND#"  # stands where the recogniser gave nothing
DIALECT = re.compile(r"(?:^|\.)([A-Za-z_]+-[a-z]{2,3}-[A-Z]{2})\.")
ID = re.compile(r"-?[0-9]+")
FORMS = (
    "a table with the columns ID and …-gold, tab-separated lines example_id<TAB>transcript, a tab-separated table with"
    " example_id, model, region and transcript, or JSON lines with example_id and question_text or question"
)


@dataclass(frozen=True)
class Transcript:
    """What was heard of a question ("" for nothing); `gold` is the question as written, where the file tells it.

    `dialect` is `<region>-<locale>`, `gold` for a question as written, or "" where neither file nor its name tells.
    """

    example_id: str
    dialect: str
    text: str
    gold: str | None = None


def told_by_name(file: Path | str) -> str:
    """The dialect in a file's name, such as swahili.dev.kenya-sw-KE.txt; "" where there is none."""
    found = DIALECT.search(Path(file).name)
    return found[1] if found else ""


def read_sdqa(file: Path | str) -> Iterator[Transcript]:
    """The transcripts of a file in its order; of a table with several dialects, those of each row together.

    An empty file holds none.  Raises InputError for a file of another form and for a line that is not of its form.
    """
    with open_bytes(file) as opened:
        first = opened.readline().decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r\n")
    if first.startswith("{"):
        return _records(file)
    if not read_text(file).strip():
        return iter(())
    tabs, commas = first.split("\t"), first.split(",")
    if {"ID", "sentence"} <= set(tabs):
        return _listed(file)
    if {"example_id", "model", "region", "transcript"} <= set(tabs):
        return _with_metadata(file)
    if len(tabs) == 2 and ID.fullmatch(tabs[0]):
        return _pairs(file)
    if "ID" in commas and any(name.endswith("-gold") for name in commas):
        return _columns(file)
    raise InputError(f"{file}: not a file of SD-QA, which is {FORMS}")


def _heard(text: str) -> str:
    return "" if text.strip() == NOT_FOUND else text.strip()


def _rows(file: Path | str, delimiter: str, quoted: bool = True) -> Iterator[dict[str, str]]:
    table = csv.DictReader(
        io.StringIO(read_text(file), newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
    )
    while True:
        try:
            row = next(table, None)
        except csv.Error as error:
            raise InputError(
                f"{file} line {table.line_num}: not a row of a table ({error}); is a quotation mark left open before?"
            ) from None
        if row is None:
            return
        if None in row or None in row.values():
            cells = [cell for cell in row.values() if isinstance(cell, str)]
            hint = "; is a quotation mark left open before?" if any("\n" in cell for cell in cells) else ""
            raise InputError(
                f"{file} line {table.line_num}: as many columns as in the first line are needed, which are"
                f" {', '.join(name or '(index)' for name in table.fieldnames or ())}{hint}"
            )
        for key in ("ID", "example_id"):
            # in the table with metadata, ID is the question with its speaker
            if (
                key in row
                and not (key == "ID" and "example_id" in row)
                and not ID.fullmatch(row[key].strip())
            ):
                raise InputError(
                    f"{file} line {table.line_num}: {key} is {row[key]!r}, which is no number of an example"
                )
        yield row


def _columns(file: Path | str) -> Iterator[Transcript]:
    for row in _rows(file, ","):
        gold = next(name for name in row if name.endswith("-gold"))
        name = row["ID"].strip()
        yield Transcript(name, GOLD, row[gold].strip(), row[gold].strip())
        for dialect in row:
            if DIALECT.search(f"{dialect}."):
                yield Transcript(name, dialect, _heard(row[dialect]), row[gold].strip())


def _listed(file: Path | str) -> Iterator[Transcript]:
    for row in _rows(file, "\t", quoted=False):
        yield Transcript(row["ID"].strip(), GOLD, row["sentence"].strip(), row["sentence"].strip())


def _with_metadata(file: Path | str) -> Iterator[Transcript]:
    for row in _rows(file, "\t"):
        dialect = f"{row['region'].strip()}-{row['model'].strip()}"
        gold = row["gold"].strip() if "gold" in row else None
        yield Transcript(row["example_id"].strip(), dialect, _heard(row["transcript"]), gold)


def _pairs(file: Path | str) -> Iterator[Transcript]:
    dialect = told_by_name(file)
    for number, line in enumerate(read_lines(file), 1):
        name, *rest = line.removesuffix("\r").split("\t")
        if len(rest) != 1 or not ID.fullmatch(name.strip()):
            raise InputError(f"{file} line {number}: {line[:80]!r} is not example_id<TAB>transcript")
        yield Transcript(name.strip(), dialect, _heard(rest[0]))


def _records(file: Path | str) -> Iterator[Transcript]:
    dialect = told_by_name(file)
    for number, record in read_jsonl(file):
        text = question_of(record)
        if text is None:
            raise InputError(f"{file} line {number}: a record has example_id and question_text or question")
        yield Transcript(str(record["example_id"]), dialect, _heard(text))


def question_of(record: Any) -> str | None:
    """The question of a TyDi QA record or of a triple; None where it is neither."""
    if not isinstance(record, dict) or not ID.fullmatch(str(record.get("example_id", ""))):
        return None
    text = record.get("question_text", record.get("question"))
    return text if isinstance(text, str) else None
