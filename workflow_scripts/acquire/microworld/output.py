"""What the writers of the world's files share."""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence


def number64(*what: object) -> int:
    """An unsigned 64-bit number that the arguments determine."""
    digest = hashlib.sha256(" ".join(map(str, what)).encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big")


def lines(texts: Iterable[str]) -> str:
    """One text a line."""
    return "".join(f"{text}\n" for text in texts)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as comma-separated values, quoted where they must be, lines ended by a line feed."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
