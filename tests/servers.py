"""Servers on this machine that speak a service's protocol, for tests that must not pay."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import grpc
from google.cloud import translate_v3

Refusal = tuple[grpc.StatusCode, str]


@dataclass
class Call:
    """One request that arrived: what it asked for, from when to when, and whether its sender went away meanwhile."""

    request: translate_v3.TranslateTextRequest
    metadata: dict[str, str]
    start: float
    end: float | None = None
    cancelled: bool = False
    handled: bool = False

    @property
    def texts(self) -> list[str]:
        return list(self.request.contents)


@dataclass
class TranslationServer:
    """Google's Translation v3 on a local port, without TLS.

    `delay` seconds pass before an answer; `refuse` may turn a request away with a status; `answer` translates a text;
    of a request's translations the first `some` are given, None: all.
    """

    delay: float = 0.0
    refuse: Callable[[translate_v3.TranslateTextRequest], Refusal | None] = lambda request: None
    answer: Callable[[str, str], str] = lambda text, target: f"{target}({text})"
    some: int | None = None
    log: list[Call] = field(default_factory=list)

    def __enter__(self) -> Self:
        handler = grpc.unary_unary_rpc_method_handler(
            self._translate,
            request_deserializer=translate_v3.TranslateTextRequest.deserialize,
            response_serializer=translate_v3.TranslateTextResponse.serialize,
        )
        self._server = grpc.server(ThreadPoolExecutor(32))
        self._server.add_generic_rpc_handlers(
            [
                grpc.method_handlers_generic_handler(
                    "google.cloud.translation.v3.TranslationService", {"TranslateText": handler}
                )
            ]
        )
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(None).wait()

    def texts(self) -> list[str]:
        """All texts that were sent to it, in the order of their arrival."""
        return [text for call in self.log for text in call.texts]

    def settled(self) -> Sequence[Call]:
        """The log once every call has ended."""
        while any(call.end is None or not call.handled for call in self.log):
            time.sleep(0.01)
        return self.log

    def _translate(
        self, request: translate_v3.TranslateTextRequest, context: grpc.ServicerContext
    ) -> translate_v3.TranslateTextResponse:
        call = Call(
            request, {key: str(value) for key, value in context.invocation_metadata()}, time.monotonic()
        )
        self.log.append(call)
        gone = threading.Event()

        def ended() -> None:
            call.end = time.monotonic()
            gone.set()

        if not context.add_callback(ended):  # it was over before it began
            ended()
        try:
            return self._answer(request, context, call, gone)
        finally:
            call.handled = True

    def _answer(
        self,
        request: translate_v3.TranslateTextRequest,
        context: grpc.ServicerContext,
        call: Call,
        gone: threading.Event,
    ) -> translate_v3.TranslateTextResponse:
        refusal = self.refuse(request)
        if refusal is not None:
            context.abort(*refusal)
        call.cancelled = gone.wait(self.delay) if self.delay else gone.is_set()
        made = [
            translate_v3.Translation(translated_text=self.answer(text, request.target_language_code))
            for text in request.contents[: self.some]
        ]
        glossary = [
            translate_v3.Translation(translated_text=f"glossary {one.translated_text}") for one in made
        ]
        return translate_v3.TranslateTextResponse(
            translations=made,
            glossary_translations=glossary if request.glossary_config.glossary else [],
        )
