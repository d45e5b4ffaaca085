"""Choose and tokenise sentence pairs of a Moses corpus (two files, line by line the same) for alignment.

Writes `foreign words ||| english words`, the form of awesome-align and of Cao et al. (2020), whose limit of 64 words a
side is the default.  Pairs keep the order of the files, which are read line by line; what is fit waits on the disk.  A
pair is left out where either of its sides is a sentence of --held-out, so that nothing that is measured is trained on.
"""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.corpus import write_dropped
from workflow_scripts.files import LinesOnDisk, each_line_or_none, write_lines
from workflow_scripts.languages import language
from workflow_scripts.pairs import each_pair
from workflow_scripts.recipes.parallel import Parallel
from workflow_scripts.words import words


def reason_against(foreign: list[str], english: list[str], recipe: Parallel) -> str | None:
    """Why a pair of tokenised sentences is not used, or None."""
    for side, sentence in (("foreign", foreign), ("English", english)):
        if not recipe.min_words <= len(sentence) <= recipe.max_words:
            return (
                f"{len(sentence)} {side} words; {recipe.min_words} to {recipe.max_words} are allowed"
                if sentence
                else f"no {side} words"
            )
    shorter, longer = sorted((len(foreign), len(english)))
    if longer > recipe.max_length_ratio * shorter:
        return f"{longer} words beside {shorter}; {recipe.max_length_ratio:g} times as many are allowed"
    if recipe.drop_identical and foreign == english:
        return "both sides are the same"
    return None


def compared(sentence: list[str]) -> str:
    """A sentence as it is compared with others: capitals and the blanks between words don't matter."""
    return " ".join(sentence).casefold()


def held_out(files: Iterable[str]) -> tuple[set[str], set[str]]:
    """The foreign and the English sentences of files of held-out pairs, as `compared` has them."""
    foreign, english = set(), set()
    for theirs, ours in (pair for file in files for pair in each_pair(file)):
        foreign.add(compared(theirs))
        english.add(compared(ours))
    return foreign, english


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Parallel)
    arguments.add_argument("--foreign", required=True, help="sentences of the language, one a line")
    arguments.add_argument("--english", required=True, help="the same sentences in English")
    arguments.add_argument("--language", required=True, help="the code of the language")
    arguments.add_argument(
        "--held-out",
        nargs="*",
        default=[],
        metavar="FILE",
        help="tokenised pairs that must not be among these",
    )
    arguments.add_argument("--out", required=True, help="the tokenised pairs to write")
    arguments.add_argument(
        "--dropped", required=True, help="line numbers that were not fit, with reasons (.jsonl)"
    )
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Parallel)
    name = language(given.language).name
    measured = held_out(given.held_out)
    fit = LinesOnDisk()
    dropped: list[tuple[str, str]] = []
    counts = [0, 0]
    files = each_line_or_none(given.foreign), each_line_or_none(given.english)
    for number, (theirs, ours) in enumerate(itertools.zip_longest(*files, fillvalue=...), 1):
        counts[0] += theirs is not ...
        counts[1] += ours is not ...
        if theirs is ... or ours is ...:
            continue
        if theirs is None or ours is None:
            side = "foreign" if theirs is None else "English"
            dropped.append((str(number), f"the {side} side is not UTF-8"))
            continue
        # words() makes a word of every sign, so that no word holds the separator.
        sides = words(theirs), words(ours)
        reason = reason_against(*sides, recipe)
        if reason is None and any(compared(side) in of for side, of in zip(sides, measured, strict=True)):
            reason = "held out to be measured"
        if reason:
            dropped.append((str(number), reason))
        else:
            fit.append(f"{' '.join(sides[0])} ||| {' '.join(sides[1])}\n")
    if counts[0] != counts[1]:
        raise InputError(
            f"{given.foreign} has {counts[0]} lines, {given.english} {counts[1]}; each line must translate the same"
            " line of the other file"
        )
    if not fit:
        raise InputError(f"{given.foreign}, {given.english}: none of {counts[0]} pairs is fit to use")
    chosen = list(range(len(fit)))
    if recipe.sentences != "all" and recipe.sentences < len(fit):
        # The first so many of one permutation, so that a smaller sample is part of a larger.
        shuffled = np.random.default_rng(recipe.seed).permutation(len(fit))
        chosen = sorted(shuffled[: recipe.sentences].tolist())
    write_lines(given.out, (fit[number] for number in chosen))
    write_dropped(given.dropped, dropped)
    asked = "" if recipe.sentences == "all" else f" of the {recipe.sentences} asked for"
    print(
        f"{len(chosen)} pairs{asked} in {name} and English, from {len(fit)} that are fit;"
        f" {len(dropped)} dropped, see {given.dropped}"
    )


if __name__ == "__main__":
    run(main)
