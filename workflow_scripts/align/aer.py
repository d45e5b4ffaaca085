"""Score links against gold ones: precision, recall and alignment error rate (Och & Ney 2003) over a whole corpus.

    P = |A∩Pos| / |A|      R = |A∩S| / |S|      AER = 1 − (|A∩S| + |A∩Pos|) / (|A| + |S|)

A are the links, written i-j and counted from 0; S are the sure gold links (i-j) and Pos all gold ones, possible ones
(ipj) too.  With --ignore-possible, possible links are left out, as if nobody had marked them.

Published gold often counts from one where programs count from zero, and rates of 40 to 80 % come of it; so what gold
counts from has to be said, and index 0 in gold that counts from one is an error.  With --pairs, so is a link that
reaches outside its sentences.  Without, it is a link like any other: gold that no program can find lowers recall, as
awesome-align's own script has it.
"""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import regex

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.files import read_lines

LINK = regex.compile(r"([0-9]+)([-p])([0-9]+)")
Marked = dict[tuple[int, int], bool]


@dataclass(frozen=True)
class Score:
    """Corpus-level scores; None where nothing is there to be divided by."""

    precision: float | None
    recall: float | None
    aer: float | None


def read_marked(path: Path, base: int, sizes: Sequence[tuple[int, int]] | None) -> list[Marked]:
    """The links of each line, counted from 0, and whether they are sure; `base` is what the file counts from.

    A link that is marked both ways is sure.  Raises InputError naming the line of what is no link, of an index below
    `base`, or, where the `sizes` of the sentences are given, of one outside them.
    """
    lines = read_lines(path)
    if sizes is not None and len(sizes) != len(lines):
        raise InputError(
            f"{path}: {len(lines)} lines for {len(sizes)} sentence pairs; there must be one line a pair"
        )
    made = []
    for number, line in enumerate(lines, 1):
        links: Marked = {}
        for text in line.split():
            match = LINK.fullmatch(text)
            if match is None:
                raise InputError(f"{path} line {number}: {text!r} is no link; links are written i-j or ipj")
            i, j = int(match[1]) - base, int(match[3]) - base
            if min(i, j) < 0:
                raise InputError(
                    f"{path} line {number}: link {text} has index 0, so links do not count from 1"
                )
            if sizes is not None and (i >= sizes[number - 1][0] or j >= sizes[number - 1][1]):
                first, second = sizes[number - 1]
                raise InputError(
                    f"{path} line {number}: link {text} reaches outside sentences of {first} and {second} words, if"
                    f" links count from {base}"
                )
            links[i, j] = match[2] == "-" or links.get((i, j), False)
        made.append(links)
    return made


def read_sizes(path: Path) -> list[tuple[int, int]]:
    """The numbers of words of both sentences of each line `words ||| words`; words are what blanks part."""
    sizes = []
    for number, line in enumerate(read_lines(path), 1):
        sides = line.split(" ||| ")
        if len(sides) != 2:
            raise InputError(f"{path} line {number}: not 'words ||| words'")
        sizes.append((len(sides[0].split()), len(sides[1].split())))
    return sizes


def score(gold: Sequence[Marked], links: Sequence[Marked], ignore_possible: bool = False) -> Score:
    """Precision, recall and AER of links, line by line beside gold."""
    found = sure = possible_hit = sure_hit = 0
    for marked, line in zip(gold, links, strict=True):
        certain = {link for link, is_sure in marked.items() if is_sure}
        found += len(line)
        sure += len(certain)
        sure_hit += len(certain & line.keys())
        possible_hit += len((certain if ignore_possible else marked.keys()) & line.keys())
    return Score(
        possible_hit / found if found else None,
        sure_hit / sure if sure else None,
        1 - (sure_hit + possible_hit) / (found + sure) if found + sure else None,
    )


def evaluate(arguments: Namespace) -> Score:
    """Read the files and score them."""
    sizes = read_sizes(arguments.pairs) if arguments.pairs else None
    gold = read_marked(arguments.gold, arguments.gold_base, sizes)
    links = read_marked(arguments.links, 0, sizes)
    if len(gold) != len(links):
        raise InputError(
            f"{arguments.links}: {len(links)} lines, but {len(gold)} in {arguments.gold}; there must be one line a pair"
        )
    for number, line in enumerate(links, 1):
        if not all(line.values()):
            raise InputError(
                f"{arguments.links} line {number}: a possible link; only gold links can be possible"
            )
    return score(gold, links, arguments.ignore_possible)


def main() -> None:
    arguments_parser = parser(__doc__)
    arguments_parser.add_argument(
        "--gold", type=Path, required=True, help="file of gold links i-j and ipj, one line a pair"
    )
    arguments_parser.add_argument("--links", type=Path, required=True, help="file of links to score")
    arguments_parser.add_argument(
        "--gold-base", type=int, choices=(0, 1), required=True, help="what the gold links count from"
    )
    arguments_parser.add_argument(
        "--pairs", type=Path, help="file of 'words ||| words', to find links that reach outside"
    )
    arguments_parser.add_argument(
        "--ignore-possible", action="store_true", help="leave possible gold links (ipj) out"
    )
    print(json.dumps(vars(evaluate(arguments_parser.parse_args()))))


if __name__ == "__main__":
    run(main)
