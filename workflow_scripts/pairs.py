"""Sentence pairs `foreign words ||| English words` and their links, as word aligners exchange them.

Links are Pharaoh's `i-j`, both zero-based: word i of the first sentence with word j of the second.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.cli import InputError
from workflow_scripts.files import each_line_or_none, read_lines, write_text

Pair = tuple[list[str], list[str]]
Links = list[tuple[int, int]]
OUTSIDE = "reaches outside sentences"


@dataclass(frozen=True)
class Linked:
    """The links of a pair, sorted; their scores where the linker gives any; or why the pair has no links."""

    links: Links
    scores: list[float]
    skipped: str = ""


def one_to_one(links: Links) -> Links:
    """The links both of whose words are linked once (Cao et al. 2020)."""
    first, second = Counter(i for i, _ in links), Counter(j for _, j in links)
    return [(i, j) for i, j in links if first[i] == 1 and second[j] == 1]


def read_pairs(path: Path | str) -> list[Pair]:
    """The pairs of a file, all at once; raises InputError as `each_pair` does."""
    return list(each_pair(path))


def each_pair(path: Path | str) -> Iterator[Pair]:
    """The pairs of a file, one at a time; raises InputError naming the first line that is none."""
    for number, pair in enumerate(each_pair_or_reason(path), 1):
        if isinstance(pair, str):
            raise InputError(f"{path} line {number}: {pair}")
        yield pair


def each_pair_or_reason(path: Path | str) -> Iterator[Pair | str]:
    """The pairs of a file, line by line, and in the place of a line that is none the reason why.

    A pair is two non-empty sides with one separator, whose words are separated by one blank each: an empty word would
    shift what links count.  Raises InputError where there is no such file.
    """
    for line in each_line_or_none(path):
        if line is None:
            yield "not UTF-8; convert the file to UTF-8"
            continue
        sides = line.split(" ||| ")
        if len(sides) != 2 or not all(side.strip() for side in sides):
            yield "not 'words ||| words'"
            continue
        first, second = (side.split(" ") for side in sides)
        if "" in first or "" in second:
            yield "an empty word; separate words by one blank"
        else:
            yield first, second


def each_linked(pairs: Path | str, links: Path | str) -> Iterator[tuple[Pair, Links] | str]:
    """Pairs and their links, line by line; in the place of a line that is no pair, or whose links are none, the reason.

    Raises InputError where one of the files is absent or, having read both, where their numbers of lines differ
    (nothing then tells which links are a pair's) or where links seem to count from one: some overflow, none has a 0.
    """
    counts = [0, 0]
    overflow, has_zero = "", False
    for pair, line in itertools.zip_longest(
        each_pair_or_reason(pairs), each_line_or_none(links), fillvalue=...
    ):
        counts[0] += pair is not ...
        counts[1] += line is not ...
        if pair is ... or line is ...:
            continue
        if isinstance(pair, str):
            yield pair
            continue
        found = links_or_reason(line, pair)
        if isinstance(found, str):
            if OUTSIDE in found and not overflow:
                overflow = f"line {counts[0]}: {found}"
            yield found
        else:
            has_zero = has_zero or any(0 in link for link in found)
            yield pair, found
    if counts[0] != counts[1]:
        raise InputError(
            f"{links}: {counts[1]} lines for {counts[0]} sentence pairs; there must be one line a pair"
        )
    if overflow and not has_zero:
        raise InputError(
            f"{links} {overflow}, and no link of the file has a 0; take 1 from both numbers of every link"
        )


def write_links(path: Path | str, links: Iterable[Links]) -> None:
    """One line a pair (empty where nothing is linked), links sorted."""
    write_text(path, "".join(written(line) + "\n" for line in links))


def written(links: Links) -> str:
    """A pair's links as a line, sorted, without its line feed."""
    return " ".join(f"{i}-{j}" for i, j in sorted(links))


def read_links(path: Path | str, pairs: list[Pair]) -> list[Links]:
    """The links of `pairs`, line by line.

    Raises InputError where the number of lines differs, a link is not `i-j`, or an index lies outside its sentence (as
    happens when links count from one).
    """
    lines = read_lines(path)
    if len(lines) != len(pairs):
        raise InputError(
            f"{path}: {len(lines)} lines for {len(pairs)} sentence pairs; there must be one line a pair"
        )
    read = []
    for number, (line, pair) in enumerate(zip(lines, pairs, strict=True), 1):
        found = links_or_reason(line, pair)
        if isinstance(found, str):
            raise InputError(f"{path} line {number}: {found}")
        read.append(found)
    return read


def links_or_reason(line: str | None, pair: Pair) -> Links | str:
    """The links in a line (None: it is not UTF-8), or the reason why they cannot be this pair's."""
    if line is None:
        return "links that are not UTF-8"
    first, second = pair
    links = []
    for link in line.split():
        i, dash, j = link.partition("-")
        if not (dash and i.isdecimal() and j.isdecimal()):
            return f"{link!r} is no link; links are written i-j, counted from 0"
        if int(i) >= len(first) or int(j) >= len(second):
            return f"link {link} {OUTSIDE} of {len(first)} and {len(second)} words; links count from 0"
        links.append((int(i), int(j)))
    return links
