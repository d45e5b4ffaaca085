"""Translators: texts in one language go in, texts in another come out, in batches as they are ready.

To add one, write a recipe (`recipes/translators.py`) and a module here with a class of the interface below, and name
both in `open_translator`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from workflow_scripts.recipes.translators import AnyTranslator, CTranslate2, Google, Seq2Seq


@dataclass(frozen=True)
class Translated:
    """A translation; `note` tells what a reader should know about how it came about."""

    text: str
    note: str = ""


class Journal(Protocol):
    """Told by a translator that costs money what it is about to do; numbers are those of the texts."""

    def sending(self, numbers: Sequence[int]) -> None:
        """A request with these texts leaves when this returns.  May raise, then it must not leave."""

    def refused(self, numbers: Sequence[int]) -> None:
        """The service did nothing with the request that was announced last, and charges nothing."""


class Translator(Protocol):
    """From one language to another; the languages are given when it is opened."""

    def cut(self, text: str) -> list[str]:
        """Parts that joined give the text, each short enough for `translate`; one part if the text is."""

    def translate(self, texts: Sequence[str], journal: Journal) -> Iterator[Mapping[int, Translated]]:
        """Every text's translation by its number, in batches, each as soon as it is there.

        Raises InputError where the service or model cannot do it, and says why.
        """


def open_translator(recipe: AnyTranslator, source: str, target: str) -> Translator:
    """The translator of a recipe, from and to a language (codes of resources/languages.tsv).

    Raises InputError where its model is missing or does not know a language.  Imports what only this one needs.
    """
    match recipe:
        case Google():
            from workflow_scripts.augment.translators.google import GoogleTranslator

            return GoogleTranslator(recipe, source, target)
        case Seq2Seq():
            from workflow_scripts.augment.translators.seq2seq import Seq2SeqTranslator

            return Seq2SeqTranslator(recipe, source, target)
        case CTranslate2():
            from workflow_scripts.augment.translators.ctranslate import CTranslate2Translator

            return CTranslate2Translator(recipe, source, target)
        case _:
            assert_never(recipe)
