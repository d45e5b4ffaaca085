"""Links of words by counting: fast_align (Dyer et al. 2013) in both directions, joined, through systran-align.

The model is trained on the very pairs that it links, which are therefore in memory together.
"""

import tempfile
from collections.abc import Sequence

import systran_align

from workflow_scripts.files import write_text
from workflow_scripts.joined import NO_JOINS, learn_joins
from workflow_scripts.pairs import Links, Pair
from workflow_scripts.recipes.links import Links as Recipe
from workflow_scripts.stems import stem


def link(pairs: Sequence[Pair], recipe: Recipe) -> list[Links]:
    """Links of the words of each pair; with `stems`, words that share one count as the same (see stems).

    With `stems`, characters of scripts without blanks are linked as the words that they form (see joined).
    A pair with a side that has no words has no links.
    """
    sides = [[pair[side] for pair in pairs if all(pair)] for side in (0, 1)]
    joins = [learn_joins(side) if recipe.stems else NO_JOINS for side in sides]
    groups = [[join.groups(words) for words in side] for join, side in zip(joins, sides, strict=True)]
    form = stem if recipe.stems else str
    # the aligner splits its lines at "|", and reads beyond the end of one that has no words on a side
    counted = [
        [
            [form("".join(words[held.start : held.stop])).replace("|", "¦") for held in held_words]
            for words, held_words in zip(side, held_side, strict=True)
        ]
        for side, held_side in zip(sides, groups, strict=True)
    ]
    if not sides[0]:
        return [[] for _ in pairs]
    with tempfile.TemporaryDirectory() as folder:
        file, forward, backward = (f"{folder}/{name}" for name in ("pairs", "forward", "backward"))
        write_text(
            file,
            "".join(
                f"{' '.join(first)} ||| {' '.join(second)}\n" for first, second in zip(*counted, strict=True)
            ),
        )
        systran_align.generate_alignment_probabilities(
            file,
            forward,
            backward,
            iterations=recipe.iterations,
            favor_diagonal=True,
            optimize_tension=True,
            variational_bayes=True,
        )
        aligner = systran_align.Aligner(forward, backward)
        found = aligner.align_batch(*counted)
    lines = (
        [(i, j) for a, b in line["alignments"] for i in first[int(a)] for j in second[int(b)]]
        for line, first, second in zip(found, *groups, strict=True)
    )
    return [next(lines) if all(pair) else [] for pair in pairs]
