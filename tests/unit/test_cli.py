"""What every command line shares."""

import io

import pytest

from workflow_scripts.cli import InputError, named_files, read_recipe
from workflow_scripts.recipes.figures import RelocatedCorpus


def test_named_files_keep_their_order_and_equals_signs():
    given = named_files(["sw=b", "ar=folder=1/a"], "--pairs")
    assert list(given.items()) == [("sw", "b"), ("ar", "folder=1/a")]


@pytest.mark.parametrize("argument", ["foo", "=file", "en="])
def test_what_is_no_named_file_is_told(argument):
    with pytest.raises(InputError, match=f"--pairs {argument}: give name=file"):
        named_files([argument], "--pairs")


def test_a_name_given_twice_is_told():
    with pytest.raises(InputError, match="--links ar=b: ar has a file already, a"):
        named_files(["ar=a", "ar=b"], "--links")


def test_a_recipe_of_any_length_comes_on_standard_input(monkeypatch):
    name = "n" * (1 << 18)  # twice what an argument may have
    monkeypatch.setattr("sys.stdin", io.StringIO(f'{{"name": "{name}", "of": "o"}}'))
    assert read_recipe("-", RelocatedCorpus).name == name
    monkeypatch.setattr("sys.stdin", io.StringIO('{"name": "n"}'))
    with pytest.raises(InputError, match=r"^--recipe.*of"):
        read_recipe("-", RelocatedCorpus)
