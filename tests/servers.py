"""Servers on this machine that speak Google's protocols without TLS, for tests that must not pay."""

import hashlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ClassVar, Self

import grpc
from google.cloud import speech_v1, translate_v3

Refusal = tuple[grpc.StatusCode, str]


@dataclass
class Call:
    """One request that arrived: what it asked for, from when to when, and whether its sender went away meanwhile."""

    request: Any
    metadata: dict[str, str]
    start: float
    end: float | None = None
    cancelled: bool = False
    handled: bool = False

    @property
    def texts(self) -> list[str]:
        """What a request for translations holds."""
        return list(self.request.contents)

    @property
    def digest(self) -> str:
        """The digest of the sound that a request for a transcript holds."""
        return hashlib.sha256(self.request.audio.content).hexdigest()


@dataclass
class Server(ABC):
    """A service with one method on a local port.

    `delay` seconds pass before an answer; `refuse` may turn a request away with a status.
    """

    delay: float = 0.0
    refuse: Callable[[Any], Refusal | None] = lambda request: None
    log: list[Call] = field(default_factory=list)
    service: ClassVar[str]
    method: ClassVar[str]
    types: ClassVar[tuple[Any, Any]]  # of request and response

    @abstractmethod
    def respond(self, request: Any) -> Any:
        """The response to a request."""

    def __enter__(self) -> Self:
        asked, answered = self.types
        handler = grpc.unary_unary_rpc_method_handler(
            self._handle, request_deserializer=asked.deserialize, response_serializer=answered.serialize
        )
        self._server = grpc.server(ThreadPoolExecutor(32))
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(self.service, {self.method: handler})]
        )
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(None).wait()

    def settled(self) -> Sequence[Call]:
        """The log once every call has ended, and what it saw is written down."""
        while any(call.end is None or not call.handled for call in self.log):
            time.sleep(0.01)
        return self.log

    def _handle(self, request: Any, context: grpc.ServicerContext) -> Any:
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        call = Call(request, metadata, time.monotonic())
        self.log.append(call)
        gone = threading.Event()

        def ended() -> None:
            call.end = time.monotonic()
            gone.set()

        if not context.add_callback(ended):  # it was over before it began
            ended()
        try:
            refusal = self.refuse(request)
            if refusal is not None:
                context.abort(*refusal)
            call.cancelled = gone.wait(self.delay) if self.delay else gone.is_set()
            return self.respond(request)
        finally:
            call.handled = True


@dataclass
class TranslationServer(Server):
    """Translation v3; `answer` translates a text; of a request's translations the first `some` are given, None: all."""

    answer: Callable[[str, str], str] = lambda text, target: f"{target}({text})"
    some: int | None = None
    service: ClassVar[str] = "google.cloud.translation.v3.TranslationService"
    method: ClassVar[str] = "TranslateText"
    types: ClassVar[tuple[Any, Any]] = (translate_v3.TranslateTextRequest, translate_v3.TranslateTextResponse)

    def texts(self) -> list[str]:
        """All texts that were sent to it, in the order of their arrival."""
        return [text for call in self.log for text in call.texts]

    def respond(self, request: Any) -> Any:
        target = request.target_language_code
        made = [self.answer(text, target) for text in request.contents[: self.some]]
        glossary = [f"glossary {text}" for text in made] if request.glossary_config.glossary else []
        translations, with_glossary = (
            [translate_v3.Translation(translated_text=text) for text in texts] for texts in (made, glossary)
        )
        return translate_v3.TranslateTextResponse(
            translations=translations, glossary_translations=with_glossary
        )


def heard(content: bytes) -> str:
    """What the server hears of a recording: its digest, as a word."""
    return f"Heard {hashlib.sha256(content).hexdigest()[:12]}"


@dataclass
class SpeechServer(Server):
    """Speech v1; `answer` gives the stretches that are heard of a recording."""

    answer: Callable[[bytes], Sequence[str]] = lambda content: [heard(content)]
    service: ClassVar[str] = "google.cloud.speech.v1.Speech"
    method: ClassVar[str] = "Recognize"
    types: ClassVar[tuple[Any, Any]] = (speech_v1.RecognizeRequest, speech_v1.RecognizeResponse)

    def respond(self, request: Any) -> Any:
        guess = speech_v1.SpeechRecognitionAlternative
        return speech_v1.RecognizeResponse(
            results=[
                speech_v1.SpeechRecognitionResult(
                    alternatives=[
                        guess(transcript=text, confidence=0.9),
                        guess(transcript="something else"),
                    ]
                )
                for text in self.answer(request.audio.content)
            ]
        )
