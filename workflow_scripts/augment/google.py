"""What Google's services share: signing in, waiting for a connection, trying again, and sentences for what goes wrong.

Every request is announced before it leaves.  One that failed on its way may have been paid for all the same, and is
announced again; one that quota turned away was not.  What a service says is quoted only where it cannot hold a
credential.
"""

import random
import re
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import google.auth
import google.auth.transport.requests
import grpc
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, TransportError

from workflow_scripts.cli import InputError

LONGEST_WAIT = 60.0
# These may have been served, and charged for, although the answer did not arrive.
UNCERTAIN = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.DataLoss,
    exceptions.Unknown,
)
NO_TOKEN = (
    "Getting metadata from plugin failed"  # gRPC's words for a sign-in that failed before a request left
)
Answer = TypeVar("Answer")


class Asking(Protocol):
    """The keys of a recipe that say where a service is and how often it is asked."""

    @property
    def endpoint(self) -> str | None:
        """host:port of another server that speaks the service's protocol without TLS; None: Google's."""

    @property
    def attempts(self) -> int:
        """Times that a request is tried while quota or service fail."""

    @property
    def backoff(self) -> float:
        """Seconds before the second attempt; doubled from then on."""

    @property
    def timeout(self) -> float:
        """Seconds that a request may take."""


def quotable(error: exceptions.GoogleAPICallError) -> str:
    """What the service said, without anything that may be a key or token, and short."""
    message = " ".join(re.sub(r"[\w+=.-]{20,}", "…", str(error.message)).split())
    return message if len(message) <= 200 else message[:199] + "…"


def out_of_quota(error: exceptions.GoogleAPICallError) -> bool:
    """Whether a quota turned the request away; daily and per-minute limits come as a refusal of permission, too."""
    return isinstance(error, exceptions.TooManyRequests) or (
        isinstance(error, exceptions.Forbidden) and "limit exceeded" in str(error.message).lower()
    )


def said(error: exceptions.GoogleAPICallError) -> str:
    """Why a request is tried again, in a few words that quote nothing."""
    if out_of_quota(error):
        return "out of quota"
    if NO_TOKEN in str(error.message):
        return "signing in failed (are the credentials still valid?)"
    return type(error).__name__


class Service:
    """One of Google's services; `name` begins every sentence about it, and `client` is the package's."""

    def __init__(self, name: str, recipe: Asking, scope: str, client: Any, transport: Any) -> None:
        """Sign in, with `scope`, and make the client, whose classes are given.

        Raises InputError where there are no credentials that Google accepts.
        """
        self.name, self.recipe = name, recipe
        if recipe.endpoint is not None:
            # Such a server is on this machine or beside it; HTTP proxies lead to Google.
            options = [("grpc.enable_retries", 0), ("grpc.enable_http_proxy", 0)]
            self.channel = grpc.insecure_channel(recipe.endpoint, options=options)
            made = transport(channel=self.channel, credentials=AnonymousCredentials())
        else:
            made = transport(credentials=self._credentials(scope))
            self.channel = made.grpc_channel
        self.client = client(transport=made)

    def ask(
        self,
        request: Callable[[float], Answer],
        sending: Callable[[], None],
        refused: Callable[[], None],
        explain: Callable[[exceptions.GoogleAPICallError], str | None],
    ) -> Answer:
        """The answer to a request, which is called with its timeout and tried again while quota or service fail.

        `sending` is called before each attempt, `refused` after one that the service did nothing for.  `explain` gives
        the end of a sentence for an error that no further attempt would mend, or None.  Raises InputError.
        """
        for attempt in range(1, self.recipe.attempts + 1):
            self._reach()
            sending()
            try:
                return request(self.recipe.timeout)
            except exceptions.GoogleAPICallError as error:
                if not isinstance(error, UNCERTAIN) or NO_TOKEN in str(error.message):
                    refused()
                if not isinstance(error, UNCERTAIN) and not out_of_quota(error):
                    raise InputError(f"{self.name}: {explain(error) or common(error)}") from None
                reason = said(error)
                if attempt == self.recipe.attempts:
                    raise InputError(
                        f"{self.name}: {reason}, {attempt} times in a row; try again later, what has been answered is"
                        " kept"
                    ) from None
                wait = min(self.recipe.backoff * 2 ** (attempt - 1), LONGEST_WAIT) * random.uniform(
                    0.75, 1.25
                )
                print(
                    f"{self.name}: {reason}; attempt {attempt + 1} in {wait:.1f} s",
                    file=sys.stderr,
                    flush=True,
                )
                time.sleep(wait)
            except GoogleAuthError:
                refused()
                raise InputError(
                    f"{self.name}: the credentials are no longer accepted; sign in again"
                ) from None
        raise AssertionError("unreachable")

    def _credentials(self, scope: str) -> Any:
        try:
            credentials, _ = google.auth.default(scopes=[scope])
            credentials.refresh(google.auth.transport.requests.Request())
        except TransportError:
            raise InputError(
                f"{self.name}: Google's sign-in cannot be reached from here; run this where there is internet"
            ) from None
        except (GoogleAuthError, ValueError, OSError):
            # What the library says may quote the credentials.
            raise InputError(
                f"{self.name}: no credentials that Google accepts; let GOOGLE_APPLICATION_CREDENTIALS name the key"
                " file of a service account, or run `gcloud auth application-default login`"
            ) from None
        return credentials

    def _reach(self) -> None:
        """Wait until the service can be reached, so that nothing is announced that cannot leave."""
        seconds = max(self.recipe.timeout, 1.0)
        try:
            grpc.channel_ready_future(self.channel).result(timeout=seconds)
        except grpc.FutureTimeoutError:
            raise InputError(
                f"{self.name}: {self.recipe.endpoint or 'the service'} could not be reached within {seconds:.0f} s"
            ) from None


def common(error: exceptions.GoogleAPICallError) -> str:
    """The end of the sentence for an error that no service has another one for."""
    if isinstance(error, exceptions.Unauthorized):
        return "the credentials were not accepted; let GOOGLE_APPLICATION_CREDENTIALS name a valid key file"
    return f"the service refused with {type(error).__name__} ({quotable(error)})"
