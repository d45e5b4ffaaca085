"""Google Cloud Translation, version 3 (Advanced), over gRPC.

A request holds at most 1,024 texts and 30,000 code points; Google advises 5,000
(https://cloud.google.com/translate/quotas).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.api_core import exceptions
from google.cloud import translate_v3
from google.cloud.translate_v3.services.translation_service.transports import TranslationServiceGrpcTransport

from workflow_scripts.augment.cut import cut
from workflow_scripts.augment.google import Service, quotable
from workflow_scripts.augment.translators import Journal, Translated
from workflow_scripts.cli import InputError
from workflow_scripts.recipes.translators import Google, code

MOST_CHARACTERS = 30_000
SCOPE = "https://www.googleapis.com/auth/cloud-translation"


def requests(lengths: Sequence[int], characters: int, texts: int) -> Iterator[list[int]]:
    """Numbers of the texts of each request, in order, within both limits; a text that exceeds them goes alone."""
    batch: list[int] = []
    total = 0
    for number, length in enumerate(lengths):
        if batch and (len(batch) == texts or total + length > characters):
            yield batch
            batch, total = [], 0
        batch.append(number)
        total += length
    if batch:
        yield batch


class GoogleTranslator:
    """Implements `Translator`."""

    def __init__(self, recipe: Google, source: str, target: str) -> None:
        self.recipe = recipe
        parent = f"projects/{recipe.project}/locations/{recipe.location}"
        self.request: dict[str, Any] = {
            "parent": parent,
            "mime_type": "text/plain",
            "source_language_code": code(recipe, source),
            "target_language_code": code(recipe, target),
            "model": recipe.model
            if recipe.model.startswith("projects/")
            else f"{parent}/models/{recipe.model}",
        }
        if recipe.glossary is not None:
            self.request["glossary_config"] = {
                "glossary": recipe.glossary
                if recipe.glossary.startswith("projects/")
                else f"{parent}/glossaries/{recipe.glossary}"
            }
        self.service = Service(
            f"Google's translation from {source} to {target}",
            recipe,
            SCOPE,
            translate_v3.TranslationServiceClient,
            TranslationServiceGrpcTransport,
        )

    def cut(self, text: str) -> list[str]:
        """Parts of at most 30,000 characters."""
        return cut(text, lambda part: len(part) <= MOST_CHARACTERS)

    def translate(self, texts: Sequence[str], journal: Journal) -> Iterator[Mapping[int, Translated]]:
        """One mapping a request."""
        limits = self.recipe.request_characters, self.recipe.request_texts
        for numbers in requests([len(text) for text in texts], *limits):
            answers = self._send([texts[number] for number in numbers], numbers, journal)
            yield {
                number: Translated(answer.translated_text)
                for number, answer in zip(numbers, answers, strict=True)
            }

    def _send(self, texts: list[str], numbers: list[int], journal: Journal) -> Sequence[Any]:
        response = self.service.ask(
            lambda timeout: self.service.client.translate_text(
                {**self.request, "contents": texts}, retry=None, timeout=timeout
            ),
            lambda: journal.sending(numbers),
            lambda: journal.refused(numbers),
            self._explained,
        )
        answers = response.glossary_translations if self.recipe.glossary else response.translations
        if len(answers) != len(texts):
            raise InputError(
                f"{self.service.name}: {len(answers)} answers to {len(texts)} texts, and which is whose is not told;"
                " with request_texts: 1 it is"
            )
        return answers

    def _explained(self, error: exceptions.GoogleAPICallError) -> str | None:
        """The end of the sentence for an error that no further attempt would mend."""
        match error:
            case exceptions.Forbidden():
                return (
                    f"project {self.recipe.project} does not permit it to these credentials; enable the Cloud"
                    " Translation API there and give the account the role Cloud Translation API User"
                )
            case exceptions.NotFound():
                return (
                    f"model {self.recipe.model}"
                    + (f" or glossary {self.recipe.glossary}" if self.recipe.glossary else "")
                    + f" is not known in {self.request['parent']} ({quotable(error)})"
                )
            case exceptions.BadRequest():
                return (
                    f"the request was refused ({quotable(error)}); it was asked for"
                    f" {self.request['source_language_code']} to {self.request['target_language_code']}, which `codes`"
                    " may change"
                )
        return None
