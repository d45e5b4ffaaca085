"""A Hugging Face hub on this machine, for tests: models are folders, and some want the right token."""

import hashlib
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlparse

COMMIT = "0" * 39 + "1"


class Hub:
    """`models`: name -> folder; `gated`: names that want the token `right`."""

    def __init__(
        self, models: Mapping[str, Path], gated: frozenset[str] = frozenset(), right: str = "hf_right"
    ) -> None:
        self.models, self.gated, self.right = models, gated, right
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def answer(self, code: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(code)
            for name, value in {"Content-Length": str(len(body)), "X-Repo-Commit": COMMIT, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            hub.asked.append(self.path)
            parts = urlparse(self.path).path.strip("/").split("/")
            about = parts[:2] == ["api", "models"]
            name = "/".join(parts[2:4] if about else parts[:2])
            folder = hub.models.get(name)
            if folder is None:
                return self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})
            given = self.headers.get("Authorization", "")
            if name in hub.gated and given != f"Bearer {hub.right}":
                code = 403 if given else 401
                told = {
                    "X-Error-Code": "GatedRepo",
                    "X-Error-Message": f"Access to model {name} is restricted",
                }
                return self.answer(code, b"", told)
            files = sorted(file.name for file in folder.iterdir())
            if about:
                known = [
                    {"type": "file", "path": file, "size": (folder / file).stat().st_size, "oid": "0"}
                    for file in files
                ]
                info = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]}
                body = json.dumps(known if "tree" in parts else info).encode()
                return self.answer(200, body, {"Content-Type": "application/json"})
            if parts[-1] not in files:
                return self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            body = (folder / parts[-1]).read_bytes()
            return self.answer(200, body, {"ETag": f'"{hashlib.sha256(body).hexdigest()}"'})

        do_HEAD = do_GET

    return Handler
