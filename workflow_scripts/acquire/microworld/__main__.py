"""Generate the micro-world and write it in the official file formats, so that it takes the place of downloads.

The folder gets
  tydi/          TyDi QA's primary task: tydiqa-v1.0-train.jsonl.gz, …-dev… (the public test), …-hard… (a harder test:
                 third wording of questions, held-out wording of statements)
  sdqa/          SD-QA: lists of its dev questions (of the train file) and test questions, and their transcripts; and
                 what was heard of test questions that are read aloud in English
  translations/  every question of the files in tydi/, from and into English: `example_id<TAB>text`
  squad/         SQuAD 1.1, train and dev
  chaii/         ChAII, train and test, and its training rows in other languages (see chaii_files)
  text/          monolingual documents, one a line
  parallel/      sentence pairs with English, with gold links
Training, development and test have no names in common, nor any with text/ and parallel/.
The same recipe gives the same bytes; leaving a language out changes no other language.
"""

import random
from pathlib import Path
from typing import get_args

from workflow_scripts.acquire.microworld.articles import Part
from workflow_scripts.acquire.microworld.chaii_files import write_chaii
from workflow_scripts.acquire.microworld.grammar import Grammar, read_grammar
from workflow_scripts.acquire.microworld.names import invent
from workflow_scripts.acquire.microworld.sdqa_files import (
    write_questions,
    write_readings,
    write_transcripts,
)
from workflow_scripts.acquire.microworld.squad_files import write_squad
from workflow_scripts.acquire.microworld.text_files import write_documents, write_parallel
from workflow_scripts.acquire.microworld.tydi_files import (
    FILES,
    PIVOT,
    Example,
    examples,
    write_records,
    write_translations,
)
from workflow_scripts.acquire.microworld.world import split_names
from workflow_scripts.cli import Progress, parser, read_recipe, run
from workflow_scripts.recipes.microworld import Microworld


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Microworld)
    arguments.add_argument("--out", type=Path, required=True, help="folder to write into")
    given = arguments.parse_args(argv)
    write_world(read_recipe(given.recipe, Microworld), given.out)


def write_world(recipe: Microworld, out: Path) -> None:
    """Write every file of the world under `out`."""
    grammars: dict[str, Grammar] = {code: read_grammar(code) for code in recipe.languages}
    pools, text_pool = name_pools(recipe)
    counts: dict[str, dict[Part, int]] = {
        code: {
            "train": recipe.train_articles_of(code),
            "dev": recipe.dev_articles,
            "test": recipe.test_articles,
            "hard": recipe.hard_articles,
        }
        for code in grammars
    }
    total = sum(sum(counts[code].values()) + recipe.documents_of(code) for code in grammars)
    total += (len(grammars) - 1) * recipe.sentence_pairs
    progress = Progress("micro-world", total, "documents and sentence pairs")

    made: dict[Part, list[Example]] = {part: [] for part in get_args(Part)}
    for code, grammar in grammars.items():
        for part, count in counts[code].items():
            found = list(examples(grammar, pools[part], recipe, part, count))
            made[part] += found
            if part in ("dev", "test"):
                write_questions(out, part, code, found)
                if code in recipe.asr_noise:
                    write_transcripts(out, part, grammar, found, recipe.asr_noise[code], recipe.seed)
            if part == "test" and code in recipe.read_in_english:
                rate = recipe.read_in_english[code]
                write_readings(out, part, code, found, grammars[PIVOT], rate, recipe)
            progress.advance(count)
    for name, parts in FILES.items():
        # Ids are random: their order mixes languages and parts, as the real files do.
        together = sorted((one for part in parts for one in made[part]), key=lambda one: one.example_id)
        write_records(out, name, together)
        write_translations(out, name, together, grammars, recipe)
    for code in recipe.squad_languages:
        write_squad(out, grammars[code], "train", pools["train"], recipe)
        write_squad(out, grammars[code], "dev", pools["dev"], recipe)
    write_chaii(out, grammars, pools, recipe)
    for code, grammar in grammars.items():
        write_documents(out, grammar, text_pool, recipe)
        progress.advance(recipe.documents_of(code))
        if code != PIVOT:
            write_parallel(out, grammar, grammars[PIVOT], text_pool, recipe)
            progress.advance(recipe.sentence_pairs)


def name_pools(recipe: Microworld) -> tuple[dict[Part, dict[str, list[str]]], dict[str, list[str]]]:
    """The names of each part of the world, and those of the text; the harder test has those of the ordinary one."""
    names = invent(random.Random(f"{recipe.seed} names"), recipe.names)
    train, dev, test = split_names(names, recipe.name_shares)
    of_text = invent(random.Random(f"{recipe.seed} names of the text"), recipe.text_names, apart_from=names)
    return {"train": train, "dev": dev, "test": test, "hard": test}, of_text


if __name__ == "__main__":
    run(main)
