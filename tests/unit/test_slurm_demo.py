"""What `make slurm-demo` runs is a slice of the embedded default: fewer entries, smaller sizes, all else alike."""

from collections.abc import Iterator
from typing import Any

import yaml

from tests.conftest import ROOT
from workflow_scripts.config import load

SIZES = {
    "microworld": {
        "train_articles",
        "dev_articles",
        "test_articles",
        "hard_articles",
        "documents",
        "sentence_pairs",
        "text_names",
        "squad_articles",
    },
    "encoders": {"size", "steps", "held_out", "min_masked_accuracy"},
    "tuning": {"steps"},
    "splits": {"per_language"},  # of a sample that neither draws: both have lists
    "tables": {"rows", "stars", "printed"},
}
LANGUAGES = {"languages", "source", "target", "columns"}


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value in a tree of mappings with the keys that lead to it."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, str(key)))
    else:
        yield path, value


def test_it_differs_from_the_default_in_sizes_and_languages_only() -> None:
    demo, default = (
        load(yaml.safe_load((ROOT / file).read_text("utf-8"))).model_dump()
        for file in ("config/slurm_demo.yaml", "config.yaml")
    )
    assert len(demo["models"]) == 2
    for section in ("corpora", "encoders", "models", "evaluations", "training_sets", "tables"):
        assert demo[section].keys() <= default[section].keys()
    of_default = dict(leaves(default))
    for path, value in leaves(demo):
        if of_default.get(path) != value:
            assert path[-1] in SIZES.get(path[0], set()) | LANGUAGES, ".".join(path)
