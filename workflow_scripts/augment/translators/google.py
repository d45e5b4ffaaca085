"""Google Cloud Translation, version 3 (Advanced), over gRPC.

A request holds at most 1,024 texts and 30,000 code points; Google advises 5,000
(https://cloud.google.com/translate/quotas).  Every request is announced before it leaves.  One that failed on its way
may have been paid for all the same, and is announced again; one that quota turned away was not.  What the service says
is quoted only where it cannot hold a credential.
"""

import random
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import google.auth
import google.auth.transport.requests
import grpc
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import translate_v3
from google.cloud.translate_v3.services.translation_service.transports import TranslationServiceGrpcTransport

from workflow_scripts.augment.cut import cut
from workflow_scripts.augment.translators import Journal, Translated
from workflow_scripts.cli import InputError
from workflow_scripts.recipes.translators import Google, code

MOST_CHARACTERS = 30_000
LONGEST_WAIT = 60.0
SCOPES = ("https://www.googleapis.com/auth/cloud-translation",)
# These may have been served, and charged for, although the answer did not arrive.
UNCERTAIN = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.Aborted,
    exceptions.Unknown,
)


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


def quotable(error: exceptions.GoogleAPICallError) -> str:
    """What the service said, without anything that may be a key or token, and short."""
    message = " ".join(re.sub(r"[\w+=.-]{20,}", "…", str(error.message)).split())
    return message if len(message) <= 200 else message[:199] + "…"


def out_of_quota(error: exceptions.GoogleAPICallError) -> bool:
    """Whether a quota turned the request away; daily and per-minute limits come as a refusal of permission, too."""
    return isinstance(error, exceptions.TooManyRequests) or (
        isinstance(error, exceptions.Forbidden) and "limit exceeded" in str(error.message).lower()
    )


class GoogleTranslator:
    """Implements `Translator`."""

    def __init__(self, recipe: Google, source: str, target: str) -> None:
        self.recipe = recipe
        self.where = f"Google's translation from {source} to {target}"
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
        self.channel, self.client = self._connect()

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

    def _connect(self) -> tuple[grpc.Channel, translate_v3.TranslationServiceClient]:
        if self.recipe.endpoint is not None:
            channel = grpc.insecure_channel(self.recipe.endpoint, options=[("grpc.enable_retries", 0)])
            transport = TranslationServiceGrpcTransport(channel=channel, credentials=AnonymousCredentials())
        else:
            try:
                credentials, _ = google.auth.default(scopes=SCOPES)
                credentials.refresh(google.auth.transport.requests.Request())
            except TransportError:
                raise InputError(
                    f"{self.where}: Google's sign-in cannot be reached from here; run this where there is internet"
                ) from None
            except (GoogleAuthError, ValueError, OSError):
                # What the library says may quote the credentials.
                raise InputError(
                    f"{self.where}: no credentials that Google accepts; let GOOGLE_APPLICATION_CREDENTIALS name the key"
                    " file of a service account, or run `gcloud auth application-default login`"
                ) from None
            transport = TranslationServiceGrpcTransport(credentials=credentials)
            channel = transport.grpc_channel
        return channel, translate_v3.TranslationServiceClient(transport=transport)

    def _reach(self) -> None:
        """Wait until the service can be reached, so that nothing is announced that cannot leave."""
        seconds = max(self.recipe.timeout, 1.0)
        try:
            grpc.channel_ready_future(self.channel).result(timeout=seconds)
        except grpc.FutureTimeoutError:
            raise InputError(
                f"{self.where}: {self.recipe.endpoint or 'the service'} could not be reached within {seconds:.0f} s"
            ) from None

    def _send(self, texts: list[str], numbers: list[int], journal: Journal) -> Sequence[Any]:
        """The answers to one request, tried again while quota or service fail."""
        for attempt in range(1, self.recipe.attempts + 1):
            self._reach()
            journal.sending(numbers)
            try:
                response = self.client.translate_text(
                    {**self.request, "contents": texts}, retry=None, timeout=self.recipe.timeout
                )
            except exceptions.GoogleAPICallError as error:
                if not isinstance(error, UNCERTAIN):
                    journal.refused(numbers)
                if not isinstance(error, UNCERTAIN) and not out_of_quota(error):
                    raise self._explained(error) from None
                reason = "out of quota" if out_of_quota(error) else type(error).__name__
                if attempt == self.recipe.attempts:
                    raise InputError(
                        f"{self.where}: {reason}, {attempt} times in a row; try again later, what has been translated"
                        " is kept"
                    ) from None
                wait = min(self.recipe.backoff * 2 ** (attempt - 1), LONGEST_WAIT) * random.uniform(
                    0.75, 1.25
                )
                print(
                    f"{self.where}: {reason}; attempt {attempt + 1} in {wait:.1f} s",
                    file=sys.stderr,
                    flush=True,
                )
                time.sleep(wait)
            except GoogleAuthError:
                journal.refused(numbers)
                raise InputError(
                    f"{self.where}: the credentials are no longer accepted; sign in again"
                ) from None
            else:
                answers = response.glossary_translations if self.recipe.glossary else response.translations
                if len(answers) != len(texts):
                    raise InputError(f"{self.where}: {len(answers)} answers to {len(texts)} texts")
                return answers
        raise AssertionError("unreachable")

    def _explained(self, error: exceptions.GoogleAPICallError) -> InputError:
        """The sentence for an error that no further attempt would mend."""
        match error:
            case exceptions.Unauthorized():
                return InputError(
                    f"{self.where}: the credentials were not accepted; let GOOGLE_APPLICATION_CREDENTIALS name a valid"
                    " key file"
                )
            case exceptions.Forbidden():
                return InputError(
                    f"{self.where}: project {self.recipe.project} does not permit it to these credentials; enable the"
                    " Cloud Translation API there and give the account the role Cloud Translation API User"
                )
            case exceptions.NotFound():
                return InputError(
                    f"{self.where}: model {self.recipe.model}"
                    + (f" or glossary {self.recipe.glossary}" if self.recipe.glossary else "")
                    + f" is not known in {self.request['parent']} ({quotable(error)})"
                )
            case exceptions.BadRequest():
                return InputError(
                    f"{self.where}: the request was refused ({quotable(error)}); it was asked for"
                    f" {self.request['source_language_code']} to {self.request['target_language_code']}, which `codes`"
                    " may change"
                )
        return InputError(
            f"{self.where}: the service refused with {type(error).__name__} ({quotable(error)})"
        )
