"""The languages, by code and by the names that data sets call them (table in resources/languages.tsv)."""

import functools
from dataclasses import dataclass, fields
from pathlib import Path

from workflow_scripts.cli import InputError

TABLE = Path(__file__).parent.parent / "resources" / "languages.tsv"
KNOWN = "known are the rows of resources/languages.tsv, and a row more makes another language known"


@dataclass(frozen=True)
class Language:
    """One row of the table: ISO 639-1 code (639-3 where there is none), ISO 639-3 code, names, script, family.

    `name` is the English name, `tydi` what TyDi QA's files call the language.
    """

    code: str
    iso3: str
    name: str
    tydi: str
    script: str
    family: str


@functools.cache
def languages() -> dict[str, Language]:
    """All known languages by code."""
    header, *rows = (line.split("\t") for line in TABLE.read_text("utf-8").splitlines())
    assert header == [field.name for field in fields(Language)], f"{TABLE}: unexpected columns {header}"
    return {row[0]: Language(*row) for row in rows}


def language(code: str) -> Language:
    """The language of a code; InputError says which code may have been meant and where the known ones stand."""
    if code not in languages():
        meant = [row.code for row in languages().values() if code.lower() in (row.iso3, row.name.lower())]
        hint = f"did you mean {meant[0]!r}? " if meant else ""
        raise InputError(f"unknown language {code!r}; {hint}{KNOWN}")
    return languages()[code]


def from_tydi(name: str, where: str) -> Language:
    """The language that TyDi files call `name`; `where` (file and line) goes into the error."""
    for row in languages().values():
        if row.tydi == name:
            return row
    raise InputError(f"{where}: unknown language {name!r}; {KNOWN}")
