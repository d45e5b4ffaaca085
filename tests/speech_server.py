"""A server on this machine that speaks Google's Speech v1, for tests that must not pay."""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import grpc
from google.cloud import speech_v1

Refusal = tuple[grpc.StatusCode, str]


def heard(content: bytes) -> str:
    """What the server hears of a recording: its digest, as a word."""
    return f"Heard {hashlib.sha256(content).hexdigest()[:12]}"


@dataclass
class Call:
    """One request that arrived: what it asked for, from when to when, and whether its sender went away meanwhile."""

    request: speech_v1.RecognizeRequest
    start: float
    end: float | None = None
    cancelled: bool = False

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.request.audio.content).hexdigest()


@dataclass
class SpeechServer:
    """Google's Speech v1 on a local port, without TLS.

    `delay` seconds pass before an answer; `refuse` may turn a request away with a status; `answer` gives the stretches
    that are heard of a recording.
    """

    delay: float = 0.0
    refuse: Callable[[speech_v1.RecognizeRequest], Refusal | None] = lambda request: None
    answer: Callable[[bytes], Sequence[str]] = lambda content: [heard(content)]
    log: list[Call] = field(default_factory=list)

    def __enter__(self) -> Self:
        handler = grpc.unary_unary_rpc_method_handler(
            self._recognize,
            request_deserializer=speech_v1.RecognizeRequest.deserialize,
            response_serializer=speech_v1.RecognizeResponse.serialize,
        )
        self._server = grpc.server(ThreadPoolExecutor(32))
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("google.cloud.speech.v1.Speech", {"Recognize": handler})]
        )
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(None).wait()

    def settled(self) -> Sequence[Call]:
        """The log once every call has ended."""
        while any(call.end is None for call in self.log):
            time.sleep(0.01)
        return self.log

    def _recognize(
        self, request: speech_v1.RecognizeRequest, context: grpc.ServicerContext
    ) -> speech_v1.RecognizeResponse:
        call = Call(request, time.monotonic())
        self.log.append(call)
        gone = threading.Event()

        def ended() -> None:
            call.end = time.monotonic()
            gone.set()

        if not context.add_callback(ended):  # it was over before it began
            ended()
        refusal = self.refuse(request)
        if refusal is not None:
            context.abort(*refusal)
        call.cancelled = gone.wait(self.delay) if self.delay else gone.is_set()
        return speech_v1.RecognizeResponse(
            results=[
                speech_v1.SpeechRecognitionResult(
                    alternatives=[
                        speech_v1.SpeechRecognitionAlternative(transcript=text, confidence=0.9),
                        speech_v1.SpeechRecognitionAlternative(transcript="something else"),
                    ]
                )
                for text in self.answer(request.audio.content)
            ]
        )
