"""Public corpora of sentence pairs with English: what each calls the languages, and where a language's file lies.

resources/bitexts.tsv says which languages a corpus has and its own code of each (CCAligned's Cebuano is `cx`); a pair
is named by both codes in alphabetical order.  The files' addresses stand in resources/datasets.yaml, by the same names.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.cli import InputError

TABLE = Path(__file__).parent.parent / "resources" / "bitexts.tsv"
# Where a pair's file lies under data/; what it holds shows in its ending.
FILES = {
    "wikimatrix": "wikimatrix/{pair}.txt.zip",
    "wikimatrix-tsv": "wikimatrix/WikiMatrix.{pair}.tsv.gz",
    "wikimedia": "wikimedia/{pair}.txt.zip",
    "ccaligned": "ccaligned/{pair}.txt.zip",
    "opus-100": "opus_100/opus-100-corpus-{pair}-v1.0.tar.gz",
}


@functools.cache
def table() -> dict[str, dict[str, str]]:
    """Language -> corpus -> its code of the language; a corpus without the language is not there."""
    header, *rows = (line.split("\t") for line in TABLE.read_text("utf-8").splitlines())
    found = {
        row[0]: {name: code for name, code in zip(header[1:], row[1:], strict=True) if code} for row in rows
    }
    for codes in found.values():
        if "wikimatrix" in codes:
            codes["wikimatrix-tsv"] = codes["wikimatrix"]
    return found


def code_in(corpus: str, language: str) -> str:
    """A corpus's own code of a language; InputError where it has none."""
    if corpus not in FILES:
        raise InputError(f"unknown corpus of sentence pairs {corpus!r}; known are {', '.join(FILES)}")
    if corpus not in table().get(language, {}):
        raise InputError(f"{corpus} has no sentence pairs of {language} and English (resources/bitexts.tsv)")
    return table()[language][corpus]


def pair_of(code: str) -> str:
    """How corpora name the pair of a language, by their own code, with English."""
    return "-".join(sorted((code, "en")))


def archives(corpora: Sequence[str], language: str) -> dict[str, str]:
    """Corpus -> the file of a language with English, of those corpora that have it."""
    return {
        corpus: "data/" + FILES[corpus].replace("{pair}", pair_of(code_in(corpus, language)))
        for corpus in corpora
        if corpus in table().get(language, {})
    }
