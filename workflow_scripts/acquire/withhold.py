"""Keep sentence pairs of a Moses corpus back from every alignment, so that they can be measured.

Which ones is told by a digest of the English side alone: all translations of one English sentence are kept back
together, neither the order of the files nor another key changes the choice, and what is kept back in one language tends
to be kept back in the others.  Only pairs that are fit to align on by default (see acquire/parallel.py) count, and of a
small corpus no more than a fifth is kept back.

Writes `foreign words ||| english words`, in the order of the files, and gold links of just these pairs where the whole
corpus has some: Pharaoh's i-j, a line for each line of the files, over the words that words.py cuts.
"""

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np

from workflow_scripts.acquire.parallel import compared, reason_against
from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.files import each_line_or_none, write_text
from workflow_scripts.languages import language
from workflow_scripts.pairs import read_links, write_links
from workflow_scripts.recipes.parallel import Parallel
from workflow_scripts.words import words

MOST = 1 / 5  # of a language's pairs
FIT = Parallel()


def digest(sentence: list[str]) -> int:
    """A number from 0 to 2⁶⁴ - 1 that a sentence has in every file, whatever its capitals."""
    return int.from_bytes(hashlib.blake2b(compared(sentence).encode("utf-8"), digest_size=8).digest(), "big")


def each_both(foreign: str, english: str) -> Iterator[tuple[list[str], list[str]]]:
    """The words of both sides, line by line; raises InputError where one file ends before the other.

    A line that is not UTF-8 has no words, so that its pair is not fit.
    """
    files = each_line_or_none(foreign), each_line_or_none(english)
    for number, (theirs, ours) in enumerate(zip_longest(*files, fillvalue=...), 1):
        if theirs is ... or ours is ...:
            shorter = foreign if theirs is ... else english
            raise InputError(
                f"{shorter} has {number - 1} lines, fewer than its other side; each line must translate the same line"
                " of the other file"
            )
        yield words(theirs or ""), words(ours or "")


def highest(foreign: str, english: str, sentences: int) -> tuple[int, int, int]:
    """The highest digest that is held out, and how many pairs are fit, of how many lines.

    Of the fit pairs, in the order of their digests, the first `sentences` are held out, or a fifth if that is less, and
    all others of the last one's English sentence.  Raises InputError where that is none.
    """
    digests, lines = array("Q"), 0
    for theirs, ours in each_both(foreign, english):
        lines += 1
        if reason_against(theirs, ours, FIT) is None:
            digests.append(digest(ours))
    count = min(sentences, int(len(digests) * MOST))
    if not count:
        raise InputError(
            f"{foreign}, {english}: {len(digests)} of {lines} pairs are fit to use; to hold out a fifth, there must be"
            " 5 or more"
        )
    return int(np.partition(np.frombuffer(digests, np.uint64), count - 1)[count - 1]), len(digests), lines


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--foreign", required=True, help="sentences of the language, one a line")
    arguments.add_argument("--english", required=True, help="the same sentences in English")
    arguments.add_argument("--language", required=True, help="the code of the language")
    arguments.add_argument("--sentences", type=int, required=True, help="how many pairs to hold out")
    arguments.add_argument("--gold", help="gold links of all lines, i-j counted from 0")
    arguments.add_argument("--out", required=True, help="the tokenised pairs to write")
    arguments.add_argument("--links", help="with --gold: the gold links of these pairs to write")
    given = arguments.parse_args(argv)
    if (given.gold is None) != (given.links is None):
        raise InputError("--gold and --links: give both or neither")
    name = language(given.language).name
    last, fit, lines = highest(given.foreign, given.english, given.sentences)
    rows, text = [], []
    for row, (theirs, ours) in enumerate(each_both(given.foreign, given.english)):
        if digest(ours) <= last and reason_against(theirs, ours, FIT) is None:
            rows.append(row)
            text.append(f"{' '.join(theirs)} ||| {' '.join(ours)}\n")
    if given.gold is not None:
        gold = read_links(given.gold, list(each_both(given.foreign, given.english)))
        write_links(given.links, (gold[row] for row in rows))
    write_text(given.out, "".join(text))
    asked = "" if len(rows) >= given.sentences else f" of the {given.sentences} asked for"
    print(f"{len(rows)} pairs{asked} in {name} and English held out, from {fit} that are fit, of {lines}")


if __name__ == "__main__":
    run(main)
