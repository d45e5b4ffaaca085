"""The languages, by code and by the names that data sets call them (table in resources/languages.tsv)."""

import functools
from dataclasses import dataclass, fields
from pathlib import Path

from workflow_scripts.cli import InputError

TABLE = Path(__file__).parent.parent / "resources" / "languages.tsv"


@dataclass(frozen=True)
class Language:
    """One row of the table: ISO 639-1 and 639-3 codes, English name, name in TyDi files, script, family."""

    code: str
    iso3: str
    name: str
    tydi: str
    script: str
    family: str


@functools.cache
def languages() -> dict[str, Language]:
    """All known languages by ISO 639-1 code."""
    header, *rows = (line.split("\t") for line in TABLE.read_text("utf-8").splitlines())
    assert header == [field.name for field in fields(Language)], f"{TABLE}: unexpected columns {header}"
    return {row[0]: Language(*row) for row in rows}


def language(code: str) -> Language:
    """The language of a code; InputError names the codes there are."""
    if code not in languages():
        raise InputError(
            f"unknown language {code!r}; known are {', '.join(languages())} (resources/languages.tsv)"
        )
    return languages()[code]


def from_tydi(name: str, where: str) -> Language:
    """The language that TyDi files call `name`; `where` (file and line) goes into the error."""
    for row in languages().values():
        if row.tydi == name:
            return row
    known = ", ".join(row.tydi for row in languages().values())
    raise InputError(f"{where}: unknown language {name!r}; known are {known} (resources/languages.tsv)")
