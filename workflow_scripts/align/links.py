"""Link the words of sentence pairs: by counting (fast_align), or by an encoder's hidden states (awesome-align).

Every line of the pairs has its line of links `i-j`, counted from 0 and sorted, and of scores; it is empty where nothing
is linked, where the line is no pair ("malformed"), where the linker cannot read the pair, or where the pair fails a
filter.  --dropped names the last three, with their line, counted from 1, and the reason.  The neural linker gives every
link a score from 0 to 1 (see neural.py); fast_align gives none that would compare, so there are none.

--report tells what became of all pairs, and the level of either side: "characters" where most words are one character
of a script without blanks (Han, kana, Thai, …), as words.py cuts it, and else "words".
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

from workflow_scripts.align import statistical
from workflow_scripts.cli import InputError, Progress, parser, read_recipe, run
from workflow_scripts.files import atomic, write_text
from workflow_scripts.pairs import Linked, Pair, each_pair, each_pair_or_reason, one_to_one, written
from workflow_scripts.recipes.links import LinkFilter
from workflow_scripts.recipes.links import Links as Recipe
from workflow_scripts.words import single


def linked(pairs: Iterable[Pair], recipe: Recipe, encoder: Path | None) -> Iterator[Linked]:
    """The links of each pair, in order; the neural linker holds some thousand pairs at a time, the other all."""
    if recipe.linker == "statistical":
        return (Linked(sorted(found), []) for found in statistical.link(list(pairs), recipe))
    # By a name that code_hash does not see: torch stays out of the statistical linker, and what it depends on too.
    neural = import_module("workflow_scripts.align.neural")
    found: Iterator[Linked] = neural.from_recipe(encoder, recipe).link(pairs)
    return found


def sift(pair: Pair, found: Linked, keep: LinkFilter) -> Linked:
    """What the filters leave of a pair's links: those that are kept, or none and a reason that begins with the key."""
    if found.skipped:
        return found
    first, second = pair
    if keep.drop_identical and first == second:
        return Linked([], [], "drop_identical: both sentences are the same")
    lengths = sorted((len(first), len(second)))
    if keep.max_length_ratio is not None and lengths[1] > keep.max_length_ratio * lengths[0]:
        return Linked([], [], f"max_length_ratio: {lengths[1]} words beside {lengths[0]}")
    links, scores = found.links, found.scores
    if keep.one_to_one:
        kept = set(one_to_one(links))
        scores = [score for link, score in zip(links, scores, strict=False) if link in kept]
        links = [link for link in links if link in kept]
        if found.links and not links:
            return Linked([], [], "one_to_one: every link shares a word with another")
    words = len({i for i, _ in links}) + len({j for _, j in links})
    if words < keep.min_coverage * sum(lengths):
        return Linked([], [], f"min_coverage: {words} of {sum(lengths)} words are linked")
    if keep.min_score:
        mean = sum(scores) / len(scores) if scores else 0.0
        if mean < keep.min_score:
            return Linked([], [], f"min_score: the mean of {len(scores)} links is {mean:.6f}")
    return Linked(links, scores)


class Level:
    """Whether a side's words are words or, in scripts without blanks, characters."""

    def __init__(self) -> None:
        self.words = self.single = 0

    def add(self, words: Iterable[str]) -> None:
        """Count a sentence."""
        for word in words:
            self.words += 1
            self.single += single(word)

    def told(self) -> dict[str, Any]:
        """For the report."""
        level = "characters" if self.single * 2 > self.words else "words"
        return {"words": self.words, "single_characters": self.single, "level": level}


def write(
    pairs: Path,
    recipe: Recipe,
    encoder: Path | None,
    out: Path,
    scores: Path | None,
    dropped: Path,
    more: Path | None = None,
) -> dict[str, Any]:
    """Link a file's pairs and write the three files line by line; what is returned is for the report.

    A linker by counting counts the pairs of `more` as well.
    """
    total, readable = 0, 0  # told before hours of work, and needed for the time that is left
    for line in each_pair_or_reason(pairs):
        total += 1
        readable += not isinstance(line, str)
    if not readable and (total or recipe.linker == "statistical"):
        raise InputError(
            f"{pairs}: none of {total} lines is a pair, words ||| words; a word aligner needs some hundreds"
        )
    counts = {"pairs": total, "with_links": 0, "without_links": 0, "links": 0}
    reasons = Counter[str]()
    levels = Level(), Level()
    progress = Progress("link", total, "pairs")
    # the linker reads ahead; tee keeps what it has read and we have not, never more than its chunk
    lines, linkers = itertools.tee(each_pair_or_reason(pairs))
    with ExitStack() as stack:
        links_file, dropped_file, *scores_file = (
            stack.enter_context(open(stack.enter_context(atomic(path)), "w", encoding="utf-8", newline="\n"))
            for path in (out, dropped, scores)
            if path is not None
        )
        given = (line for line in linkers if not isinstance(line, str))
        results = linked(itertools.chain(given, each_pair(more) if more else ()), recipe, encoder)
        for number, line in enumerate(lines, 1):
            if isinstance(line, str):
                kept = Linked([], [], f"malformed: {line}")
            else:
                kept = sift(line, next(results), recipe.filter)
                for level, side in zip(levels, line, strict=True):
                    level.add(side)
            links_file.write(written(kept.links) + "\n")
            for file in scores_file:
                file.write(" ".join(f"{score:.6f}" for score in kept.scores) + "\n")
            if kept.skipped:
                reasons[kept.skipped.partition(":")[0]] += 1
                dropped_file.write(json.dumps({"line": number, "reason": kept.skipped}) + "\n")
            else:
                counts["with_links" if kept.links else "without_links"] += 1
            counts["links"] += len(kept.links)
            progress.advance()
    first, second = (level.told() for level in levels)
    return counts | {"dropped": dict(sorted(reasons.items())), "first": first, "second": second}


def main() -> None:
    arguments_parser = parser(__doc__, Recipe)
    arguments_parser.add_argument(
        "--pairs", type=Path, required=True, help="file of 'foreign words ||| English words'"
    )
    arguments_parser.add_argument("--encoder", type=Path, help="neural: folder of the encoder")
    arguments_parser.add_argument(
        "--more",
        type=Path,
        help="statistical: further pairs that words are counted in, their links not written",
    )
    arguments_parser.add_argument(
        "--out", type=Path, required=True, help="file of links i-j, one line a pair"
    )
    arguments_parser.add_argument(
        "--scores", type=Path, help="neural: file of the links' scores, in the same order"
    )
    arguments_parser.add_argument(
        "--dropped", type=Path, required=True, help="file of pairs that were left out, with reasons"
    )
    arguments_parser.add_argument(
        "--report", type=Path, required=True, help="file of what became of the pairs"
    )
    arguments = arguments_parser.parse_args()
    recipe = read_recipe(arguments.recipe, Recipe)
    if recipe.linker == "neural" and arguments.encoder is None:
        raise InputError("--encoder is missing; linker neural reads an encoder's folder")
    for name in ("encoder", "scores"):
        if recipe.linker == "statistical" and getattr(arguments, name) is not None:
            raise InputError(f"--{name} belongs to linker neural, but linker is statistical")
    if recipe.linker == "neural" and arguments.more is not None:
        raise InputError("--more belongs to linker statistical, but linker is neural")
    made = write(
        arguments.pairs,
        recipe,
        arguments.encoder,
        arguments.out,
        arguments.scores,
        arguments.dropped,
        arguments.more,
    )
    write_text(arguments.report, json.dumps({"linker": recipe.linker, **made}, indent=1) + "\n")
    print(json.dumps(made))


if __name__ == "__main__":
    run(main)
