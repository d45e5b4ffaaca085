"""What is declared, locked, installed and imported agree, and the files around the code are what they say."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT, require

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DEPENDENCIES = [Requirement(text) for text in PROJECT["dependencies"]]
DEVELOPMENT = [Requirement(text) for text in PROJECT["optional-dependencies"]["dev"]]
LOCK = {
    name: pinned
    for name, _, pinned in (
        line.partition("==")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
}


def test_the_lock_pins_every_dependency_but_torch() -> None:
    for wanted in DEPENDENCIES + DEVELOPMENT:
        if wanted.name == "torch":
            assert str(wanted.specifier) == "==2.13.*"
        else:
            assert wanted.specifier.contains(LOCK[canonicalize_name(wanted.name)]), wanted


def test_the_lock_holds_nothing_of_one_machine() -> None:
    for name, pinned in LOCK.items():
        assert re.fullmatch(r"[0-9][0-9a-z.]*", pinned), f"{name}=={pinned}"
        assert not re.match(r"torch|triton|nvidia|cuda|xlqa", name), name


def test_what_is_installed_is_what_the_lock_says() -> None:
    installed = {name: version(name) for names in packages_distributions().values() for name in names}
    installed = {canonicalize_name(name): number for name, number in installed.items()}
    assert {name: installed[name] for name in LOCK if name in installed} == {
        name: pinned for name, pinned in LOCK.items() if name in installed
    }
    assert {canonicalize_name(wanted.name) for wanted in DEPENDENCIES} <= installed.keys()


@pytest.mark.parametrize("name", ["Dockerfile", "xlqa.def"])
def test_images_are_the_lock(name: str) -> None:
    """They install what pyproject.toml wants at the versions of the lock, with the Python of the conda environment."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "envs" / name).read_text("utf-8"))
    installed = re.findall(r"pip install (.*)", text)
    assert [" ".join(line.split()[-4:]) for line in installed] == [
        "--constraint constraints.txt --editable ."
    ]
    python = PROJECT["requires-python"].removeprefix(">=")
    assert re.findall(r"^from:? python:(\S+?)-", text, re.I | re.M) == [python]
    copied = re.findall(
        r"^COPY (.*) \S+$" if name == "Dockerfile" else r"^    (\S+) /opt/xlqa/\S+$", text, re.M
    )
    files = {file for line in copied for file in line.split()}
    assert {"constraints.txt", "pyproject.toml", "README.md", "LICENSE", "workflow_scripts"} <= files
    assert all((ROOT / file).exists() for file in files)
    assert not re.search(r"==\d|conda", text)  # no version of its own


def test_the_conda_environment_is_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "envs" / "xlqa.yaml").read_text("utf-8"))
    python, pip, packages = environment["dependencies"]
    assert (python, pip) == ("python=" + PROJECT["requires-python"].removeprefix(">="), "pip")
    torch = next(str(wanted) for wanted in DEPENDENCIES if wanted.name == "torch")
    assert packages["pip"] == [*(f"{name}=={pinned}" for name, pinned in LOCK.items()), torch]


def test_every_import_is_declared() -> None:
    distributions = packages_distributions()
    declared = {canonicalize_name(wanted.name) for wanted in DEPENDENCIES}
    for file in (ROOT / "workflow_scripts").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            else:
                continue
            for top in {module.partition(".")[0] for module in modules} - sys.stdlib_module_names:
                if top != "workflow_scripts":
                    names = {canonicalize_name(name) for name in distributions[top]}
                    assert names & declared, f"{file.relative_to(ROOT)} imports {top}"


def test_the_profile_names_options_that_snakemake_has() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "snakemake", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for key in yaml.safe_load((ROOT / "profiles" / "default" / "config.yaml").read_text("utf-8")):
        assert re.search(rf"--{key}\b", told), key


def test_citation_and_changelog_know_the_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    assert headings[0] in ("Unreleased", PROJECT["version"])


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_what_is_missing_skips_here_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    require(True, "it is there")
    with pytest.raises(outcome, match="no pack"):
        require(False, "no pack")


def test_the_ci_script_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile and what its targets look at, without an environment."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_make_without_a_target_lists_the_targets(checkout: Path) -> None:
    make = ["make", "--no-print-directory"]  # said when the tests themselves run under make
    told = subprocess.run(make, cwd=checkout, capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in told.splitlines()][:3] == ["help", "demo", "report"]
    assert not (checkout / ".venv").exists()


def test_make_clean_spares_what_cost_time_or_money(checkout: Path) -> None:
    spared, removed = {"data", "cache", ".venv"}, {"results", "logs", "work", ".snakemake"}
    for name in spared | removed:
        (checkout / name).mkdir()
        (checkout / name / "file").touch()
    subprocess.run(["make", "clean"], cwd=checkout, capture_output=True, check=True)
    assert {path.name for path in checkout.iterdir() if path.is_dir()} == spared


def test_make_refuses_an_old_python_in_a_sentence(checkout: Path) -> None:
    old = checkout / "python3"
    old.write_text("#!/bin/sh\ncase $1 in --version) echo Python 3.9.2;; *) exit 1;; esac\n")
    old.chmod(0o755)
    failed = subprocess.run(
        ["make", "lint", f"PYTHON={old}"], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert failed.returncode == 2
    assert failed.stderr.startswith(
        "error: xlqa needs Python 3.11 or newer, found Python 3.9.2; name one: make PYTHON="
    )
    assert not (checkout / ".venv").exists()
