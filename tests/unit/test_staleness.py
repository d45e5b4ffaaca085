"""A digest changes with the meaning of a module or of one it imports, and with nothing else."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from workflow_scripts.cli import InputError
from workflow_scripts.staleness import code_hash, import_closure, meaning, read_module, source_file

PROJECT = {
    "steps/__init__.py": "",
    "steps/files.py": "def read(path):\n    return open(path).read()\n",
    "steps/words.py": "import re\n\nfrom steps import files\n\n\ndef words(text):\n    return re.findall('x', text)\n",
    "steps/links/__init__.py": "from . import table\n",
    "steps/links/table.py": "SIZE = 3\n",
    "steps/links/make.py": "from ..words import words\n\n\ndef make():\n    return words('a')\n",
    "steps/tune.py": "import steps.files\n\n\ndef tune():\n    return steps.files.read('a')\n",
    "steps/alone.py": "import json\nimport numpy as np\n",
}
STEPS = ("steps.links.make", "steps.words", "steps.tune", "steps.alone")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def digests(root: Path) -> dict[str, str]:
    """Every step's digest, from the sources as they are now."""
    for cached in (read_module, import_closure, code_hash, source_file):
        cached.cache_clear()
    return {step: code_hash(step, root) for step in STEPS}


def changed(root: Path, file: str, text: str) -> set[str]:
    """The steps whose digest changes when `file` is rewritten."""
    before = digests(root)
    (root / file).write_text(text)
    after = digests(root)
    return {step for step in STEPS if before[step] != after[step]}


@pytest.mark.parametrize(
    "same",
    [
        "# why\ndef read(path):  # how\n    return open(path).read()\n",
        '"""What."""\n\n\ndef read(path):\n    """That."""\n    return open(path).read()\n',
        "def read(\n    path,\n):\n    return (open(path)\n        .read())\n",
        "def read(path):\n    'That.'\n    pass\n    return open(path).read()\n\n\n...\n",
    ],
    ids=["comments", "docstrings", "layout", "idle statements"],
)
def test_what_means_the_same_makes_nothing_stale(project: Path, same: str) -> None:
    assert changed(project, "steps/files.py", same) == set()


@pytest.mark.parametrize(
    "other",
    [
        "def read(path):\n    return open(path).read(1)\n",
        "def fetch(path):\n    return open(path).read()\n",
        "def read(path: str):\n    return open(path).read()\n",
        "def read(path=None):\n    return open(path).read()\n",
        "def read(path):\n    return not open(path).read()\n",
        PROJECT["steps/files.py"] + "\n\nLIMIT = None\n",
    ],
    ids=["constant", "name", "annotation", "default", "operator", "statement"],
)
def test_a_change_makes_exactly_its_dependants_stale(project: Path, other: str) -> None:
    assert changed(project, "steps/files.py", other) == {"steps.links.make", "steps.words", "steps.tune"}


def test_a_package_around_a_step_and_what_it_imports_count(project: Path) -> None:
    assert changed(project, "steps/links/table.py", "SIZE = 4\n") == {"steps.links.make"}
    assert changed(project, "steps/links/__init__.py", "from . import table\n\nDEPTH = 1\n") == {
        "steps.links.make"
    }
    assert changed(project, "steps/__init__.py", "LEVEL = 1\n") == set(STEPS)


def test_a_module_nobody_imports_makes_nothing_stale(project: Path) -> None:
    assert changed(project, "steps/new.py", "X = 1\n") == set()


def test_imports_are_followed_wherever_and_however_they_are_written(project: Path) -> None:
    (project / "steps/all.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "from .links.make import make\n"
        "if TYPE_CHECKING:\n    from steps.alone import json\n"
        "def late():\n    import steps.tune as tune\n    return tune\n"
    )
    assert import_closure("steps.all", project) == (
        "steps",
        "steps.all",
        "steps.alone",
        "steps.files",
        "steps.links",
        "steps.links.make",
        "steps.links.table",
        "steps.tune",
        "steps.words",
    )


def test_modules_that_import_each_other_are_all_in_the_closure(project: Path) -> None:
    (project / "steps/one.py").write_text("from steps import two\n")
    (project / "steps/two.py").write_text("from steps import one\n")
    assert import_closure("steps.one", project) == import_closure("steps.two", project)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("from steps.gone import x\n", "steps.broken line 1: imports steps.gone, which does not exist"),
        ("import steps.gone\n", "steps.broken line 1: imports steps.gone, which does not exist"),
        ("\nfrom ...far import x\n", "steps.broken line 2: a relative import leads out of steps"),
        ("def f(:\n", "broken.py line 1: not valid Python"),
    ],
)
def test_what_cannot_be_followed_is_told_in_a_sentence(project: Path, text: str, sentence: str) -> None:
    (project / "steps/broken.py").write_text(text)
    with pytest.raises(InputError, match=sentence):
        code_hash("steps.broken", project)


def test_an_unknown_step_is_told_in_a_sentence() -> None:
    with pytest.raises(InputError, match=r"^workflow_scripts\.nowhere: no such module under"):
        code_hash("workflow_scripts.nowhere")


def test_parts_a_later_python_may_add_do_not_count_while_empty() -> None:
    tree = ast.parse("def f(x):\n    return x\n")
    before = meaning(tree)
    function = tree.body[0]
    function._fields = (*function._fields, "type_params", "news")  # as Python 3.12 did
    function.type_params, function.news = [], None
    assert meaning(tree) == before


def test_what_sources_say_is_kept_by_their_bytes(project: Path) -> None:
    """A second process parses what changed and nothing else, and what another version has kept counts for nothing."""
    command = (
        "import pathlib, sys; from workflow_scripts.staleness import code_hash;"
        " print(code_hash(sys.argv[1], pathlib.Path(sys.argv[2])))"
    )

    def told() -> str:
        run = [sys.executable, "-c", command, "steps.tune", str(project)]
        return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    first, kept = told(), project / "steps/__pycache__/meanings.json"
    assert first == digests(project)["steps.tune"]
    content = json.loads(kept.read_text())
    assert len(content["sources"]) == 3  # the package, the step, what it imports
    assert told() == first
    planted = {key: ["of another", imports] for key, (_, imports) in content["sources"].items()}
    kept.write_text(json.dumps(content | {"sources": planted}))
    assert told() != first
    kept.write_text(json.dumps({"version": "another", "sources": planted}))
    assert told() == first
    kept.write_text("{")
    assert told() == first
    (project / "steps/files.py").write_text("def read(path):\n    return ''\n")
    assert told() == digests(project)["steps.tune"] != first
