"""Sentence pairs `foreign words ||| English words` and their links, as word aligners exchange them.

Links are Pharaoh's `i-j`, both zero-based: word i of the first sentence with word j of the second.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.cli import InputError
from workflow_scripts.files import each_line, read_lines, write_text

Pair = tuple[list[str], list[str]]
Links = list[tuple[int, int]]


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
    """The pairs of a file, one at a time.

    Raises InputError naming a line that is not two non-empty sides with one separator, or whose words are not separated
    by one blank each: an empty word would shift what links count.
    """
    for number, line in enumerate(each_line(path), 1):
        sides = line.split(" ||| ")
        if len(sides) != 2 or not all(side.strip() for side in sides):
            raise InputError(f"{path} line {number}: not 'words ||| words'")
        first, second = (side.split(" ") for side in sides)
        if "" in first or "" in second:
            raise InputError(f"{path} line {number}: an empty word; separate words by one blank")
        yield first, second


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
    for number, (line, (first, second)) in enumerate(zip(lines, pairs, strict=True), 1):
        links = []
        for link in line.split():
            i, dash, j = link.partition("-")
            if not (dash and i.isdecimal() and j.isdecimal()):
                raise InputError(
                    f"{path} line {number}: {link!r} is no link; links are written i-j, counted from 0"
                )
            if int(i) >= len(first) or int(j) >= len(second):
                raise InputError(
                    f"{path} line {number}: link {link} reaches outside sentences of {len(first)} and {len(second)}"
                    " words; links count from 0"
                )
            links.append((int(i), int(j)))
        read.append(links)
    return read
