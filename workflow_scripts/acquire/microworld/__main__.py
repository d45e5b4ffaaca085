"""Generate the micro-world and write it in the official file formats, so that it takes the place of downloads.

The folder gets tydi/ (training and dev file of TyDi QA's primary task), sdqa/ (lists of the training questions set
aside as dev), translations/ (of every question, from and into English), text/ (monolingual) and parallel/ (with gold
links).
The same recipe gives the same bytes; leaving a language out changes no other language.
"""

import random
from collections.abc import Iterable
from pathlib import Path

from workflow_scripts.acquire.microworld.grammar import Grammar, read_grammar
from workflow_scripts.acquire.microworld.names import invent
from workflow_scripts.acquire.microworld.world import split_names
from workflow_scripts.acquire.microworld.write import (
    Example,
    documents,
    examples,
    sentence_pairs,
    translation,
)
from workflow_scripts.cli import Progress, parser, read_recipe, run
from workflow_scripts.files import write_jsonl, write_text
from workflow_scripts.languages import language
from workflow_scripts.recipes.microworld import Microworld

PIVOT = "en"


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Microworld)
    arguments.add_argument("--out", type=Path, required=True, help="folder to write into")
    given = arguments.parse_args(argv)
    write_world(read_recipe(given.recipe, Microworld), given.out)


def write_world(recipe: Microworld, out: Path) -> None:
    """Write every file of the world under `out`."""
    grammars: dict[str, Grammar] = {code: read_grammar(code) for code in recipe.languages}
    others: list[str] = [code for code in recipe.languages if code != PIVOT]
    train, dev, test = split_names(
        invent(random.Random(f"{recipe.seed} names"), recipe.names), recipe.name_shares
    )
    articles = recipe.train_articles + recipe.dev_articles + recipe.test_articles
    total = len(grammars) * (articles + recipe.documents) + len(others) * recipe.sentence_pairs
    progress = Progress("micro-world", total, "documents and sentence pairs")

    official: dict[str, list[Example]] = {"train": [], "dev": []}
    for code, grammar in grammars.items():
        aside = list(examples(grammar, dev, recipe, "dev", recipe.dev_articles))
        write_dev_list(out, code, aside)
        official["train"] += examples(grammar, train, recipe, "train", recipe.train_articles)
        official["train"] += aside
        official["dev"] += examples(grammar, test, recipe, "test", recipe.test_articles)
        progress.advance(articles)
    for name, found in official.items():
        # Ids are random: their order mixes languages and splits, as the real files do.
        found.sort(key=lambda example: example.example_id)
        write_jsonl(out / f"tydi/tydiqa-v1.0-{name}.jsonl.gz", (example.record for example in found))
        write_translations(out, name, found, grammars, others, recipe)
    for code, grammar in grammars.items():
        write_text(out / f"text/{code}.txt", lines(documents(grammar, train, recipe)))
        progress.advance(recipe.documents)
    for code in others:
        write_parallel(out, grammars[code], grammars[PIVOT], train, recipe)
        progress.advance(recipe.sentence_pairs)


def write_dev_list(out: Path, code: str, aside: list[Example]) -> None:
    """The list by which SD-QA names the training questions of its dev set."""
    row = language(code)
    listed = (f"{one.example_id}\tFalse\t{one.record['question_text']}" for one in aside)
    write_text(out / f"sdqa/dev/{row.iso3}/{row.tydi}.dev.txt", lines(["ID\tin XOR dev\tsentence", *listed]))


def write_translations(
    out: Path,
    name: str,
    found: list[Example],
    grammars: dict[str, Grammar],
    others: list[str],
    recipe: Microworld,
) -> None:
    """English questions in each other language, and each other language's in English, in the order of the file."""
    phrasings = recipe.test_question_phrasings if name == "dev" else recipe.question_phrasings
    for source, target in [*((PIVOT, code) for code in others), *((code, PIVOT) for code in others)]:
        translated = (
            f"{example.example_id}\t{translation(example, grammars[target], phrasings, recipe.seed)}"
            for example in found
            if example.language == source
        )
        write_text(out / f"translations/{name}.{source}-{target}.tsv", lines(translated))


def write_parallel(
    out: Path, source: Grammar, target: Grammar, pools: dict[str, list[str]], recipe: Microworld
) -> None:
    """Sentence pairs as Moses files, with their gold links (Pharaoh format) beside them."""
    stem = f"{source.language}-{target.language}"
    pairs = list(sentence_pairs(source, target, pools, recipe))
    write_text(out / f"parallel/{stem}.{source.language}", lines(pair[0] for pair in pairs))
    write_text(out / f"parallel/{stem}.{target.language}", lines(pair[1] for pair in pairs))
    gold = (" ".join(f"{i}-{j}" for i, j in pair[2]) for pair in pairs)
    write_text(out / f"parallel/{stem}.links", lines(gold))


def lines(texts: Iterable[str]) -> str:
    """One text a line."""
    return "".join(f"{text}\n" for text in texts)


if __name__ == "__main__":
    run(main)
