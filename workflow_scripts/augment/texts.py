"""Tables of texts that are to be translated: what corpora ask of translators."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from workflow_scripts.corpus import read_table, write_table

TEXTS = pa.schema([("language", pa.string()), ("text", pa.string())])


def write_texts(path: Path | str, texts: Iterable[tuple[str, str]]) -> None:
    """Write (language, text) rows, each once, in the order of their first occurrence."""
    rows = [{"language": language, "text": text} for language, text in dict.fromkeys(texts)]
    write_table(path, rows, TEXTS)


def read_texts(path: Path | str) -> list[tuple[str, str]]:
    """The (language, text) rows.  Raises InputError where there is no such table."""
    return [(row["language"], row["text"]) for row in read_table(path, TEXTS)]
