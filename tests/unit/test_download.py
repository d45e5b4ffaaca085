"""Downloads end with the right file or with a sentence, whatever the server does; a right file needs no server."""

import hashlib
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT
from workflow_scripts.acquire import download
from workflow_scripts.acquire.download import Dataset, File, find_file, obtain, read_manifest
from workflow_scripts.cli import InputError

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """A server on this machine, what it does to the next requests, and what it was asked."""

    content: bytes = CONTENT
    tag: str | None = '"one"'
    ranges: bool = True
    faults: list[int | str] = field(default_factory=list)  # a status, or "cut": half of what was promised
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""

    @property
    def url(self) -> str:
        return f"{self.address}/file.json"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            state.asked.append(dict(self.headers))
            fault = state.faults.pop(0) if state.faults else None
            if isinstance(fault, int):
                return self.send_error(fault)
            start = int(re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-"))[1])
            if not state.ranges or self.headers.get("If-Range", state.tag) != state.tag:
                start = 0
            if start and start >= len(state.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(state.content)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            body = state.content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}"
                )
            if state.tag:
                self.send_header("ETag", state.tag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "FIRST_PAUSE", 0.001)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.address = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        running.shutdown()
        thread.join()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "data" / "set" / "file.json"


def known(server: Server) -> File:
    """A manifest entry that knows size and checksum."""
    return File(url=server.url, bytes=len(CONTENT), sha256=SHA256)


def unknown(server: Server) -> File:
    """A manifest entry that knows neither."""
    return File(url=server.url, bytes=None, sha256=None)


def files_in(out: Path) -> list[str]:
    """What lies beside the file."""
    return sorted(path.name for path in out.parent.iterdir())


def test_a_file_is_fetched_once_and_then_needs_no_server(server: Server, out: Path) -> None:
    obtain("set/file.json", known(server), out)
    assert out.read_bytes() == CONTENT
    assert files_in(out) == ["file.json"]
    before = out.stat()
    obtain("set/file.json", known(server), out)
    assert len(server.asked) == 1
    assert out.stat() == before


@pytest.mark.parametrize("ranges", [True, False], ids=["continues", "begins again"])
def test_a_broken_connection_is_mended(server: Server, out: Path, ranges: bool) -> None:
    server.ranges, server.faults = ranges, ["cut", 503, "cut"]
    obtain("set/file.json", known(server), out)
    assert out.read_bytes() == CONTENT
    assert files_in(out) == ["file.json"]
    half, quarter = len(CONTENT) // 2, len(CONTENT) // 4
    assert [asked.get("Range") for asked in server.asked] == [
        None,
        f"bytes={half}-",
        f"bytes={half}-",
        f"bytes={half + quarter if ranges else half}-",
    ]


def test_a_later_run_continues_where_an_earlier_one_gave_up(
    server: Server, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    server.faults = ["cut"]
    with pytest.raises(
        InputError, match=r"the connection ended after 524288 of 1048576 bytes, 1 times in a row"
    ):
        obtain("set/file.json", unknown(server), out)
    assert files_in(out) == ["file.json.part", "file.json.part.version"]
    obtain("set/file.json", unknown(server), out)
    assert server.asked[1]["Range"] == "bytes=524288-"
    assert out.read_bytes() == CONTENT
    assert files_in(out) == ["file.json", "file.json.sha256.json"]


def test_two_states_of_a_file_are_never_joined(
    server: Server, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    server.faults = ["cut"]
    with pytest.raises(InputError, match="the connection ended"):
        obtain("set/file.json", unknown(server), out)
    server.content, server.tag = CONTENT[::-1], '"two"'
    obtain("set/file.json", unknown(server), out)
    assert out.read_bytes() == CONTENT[::-1]


def test_without_checksum_or_tag_a_broken_download_begins_again(
    server: Server, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    server.tag, server.faults = None, ["cut"]
    with pytest.raises(InputError, match="the connection ended"):
        obtain("set/file.json", unknown(server), out)
    server.content = CONTENT[::-1]
    obtain("set/file.json", unknown(server), out)
    assert "Range" not in server.asked[1]
    assert out.read_bytes() == CONTENT[::-1]


def test_a_whole_part_file_only_needs_its_name(server: Server, out: Path) -> None:
    out.parent.mkdir(parents=True)
    part = out.with_name("file.json.part")
    part.write_bytes(CONTENT)
    obtain("set/file.json", known(server), out)
    assert (out.read_bytes(), server.asked) == (CONTENT, [])
    out.rename(part)
    out.with_name("file.json.part.version").write_text('"one"')
    obtain("set/file.json", unknown(server), out)
    assert out.read_bytes() == CONTENT


def test_a_part_file_longer_than_the_file_is_dropped(server: Server, out: Path) -> None:
    out.parent.mkdir(parents=True)
    out.with_name("file.json.part").write_bytes(CONTENT + b"more")
    obtain("set/file.json", known(server), out)
    assert out.read_bytes() == CONTENT


def test_a_server_that_stays_broken_is_given_up(server: Server, out: Path) -> None:
    server.faults = [500] * download.ATTEMPTS
    with pytest.raises(
        InputError, match=rf"^{server.url}: the server answers 500 .*, 5 times in a row; .*put it at"
    ):
        obtain("set/file.json", known(server), out)
    assert len(server.asked) == download.ATTEMPTS


def test_a_file_that_is_gone_is_told_at_once(server: Server, out: Path) -> None:
    server.faults = [404]
    with pytest.raises(
        InputError, match=rf"^{server.url}: the server answers 404 Not Found; .* put it at {out}"
    ):
        obtain("set/file.json", known(server), out)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            CONTENT[::-1],
            rf"has SHA-256 [0-9a-f]{{64}}, not {SHA256} \(resources/datasets.yaml\); it came from http",
        ),
        (b"<html>log in</html>", r"the server offers 19 bytes, not 1048576 \(resources/datasets.yaml\)"),
    ],
    ids=["other content", "other size"],
)
def test_another_file_is_not_kept(server: Server, out: Path, content: bytes, sentence: str) -> None:
    server.content = content
    with pytest.raises(InputError, match=sentence):
        obtain("set/file.json", known(server), out)
    assert files_in(out) == []


def test_the_first_copy_is_recorded_and_later_ones_compared(server: Server, out: Path) -> None:
    obtain("set/file.json", unknown(server), out)
    record = out.with_name("file.json.sha256.json")
    assert json.loads(record.read_text()) == {"url": server.url, "bytes": len(CONTENT), "sha256": SHA256}
    out.unlink()
    server.content = CONTENT[::-1]
    with pytest.raises(InputError, match=re.escape(f"not {SHA256} ({record})")):
        obtain("set/file.json", unknown(server), out)
    assert files_in(out) == [record.name]
    record.write_text("{}")
    with pytest.raises(InputError, match="not a record of a download; remove it"):
        obtain("set/file.json", unknown(server), out)


def test_a_file_put_there_by_hand_is_checked_and_left_alone(server: Server, out: Path) -> None:
    out.parent.mkdir(parents=True)
    out.write_bytes(b"mine")
    with pytest.raises(InputError, match=rf"^{out} has 4 bytes, not 1048576 .*; remove {out} to get it anew"):
        obtain("set/file.json", known(server), out)
    assert out.read_bytes() == b"mine"
    obtain("set/file.json", unknown(server), out)
    assert (out.read_bytes(), server.asked) == (b"mine", [])


def test_a_mirror_comes_before_the_address(server: Server, out: Path, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    (mirror / "set").mkdir(parents=True)
    (mirror / "set" / "file.json").write_bytes(CONTENT)
    obtain("set/file.json", known(server), out, mirror)
    assert (out.read_bytes(), server.asked) == (CONTENT, [])
    obtain("set/other.json", known(server), out.with_name("other.json"), mirror)
    assert len(server.asked) == 1


def test_a_wrong_mirror_is_told(server: Server, out: Path, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "file.json").write_bytes(b"short")
    with pytest.raises(InputError, match=r"file.json has 5 bytes, not 1048576 .*; put the right file there"):
        obtain("set/file.json", known(server), out, tmp_path)
    assert not out.exists()
    with pytest.raises(InputError, match=r"the mirror .*/nowhere is not a folder"):
        obtain("set/file.json", known(server), out, tmp_path / "nowhere")


def test_offline_the_sentence_says_the_address_and_the_place(
    out: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    url = "http://data.invalid/file.json"
    with pytest.raises(
        InputError, match=rf"^{url}: cannot be reached \(.*\); fetch it by hand and put it at {out}"
    ):
        obtain("set/file.json", File(url=url, bytes=None, sha256=None), out)
    assert "trying again" not in capfd.readouterr().err


def test_a_file_without_an_address_must_come_from_a_mirror(out: Path, tmp_path: Path) -> None:
    file = File(url=None, bytes=None, sha256=None, note="put together by hand")
    with pytest.raises(
        InputError, match=rf"^set/file.json: not to be downloaded \(put together .*put it at {out}$"
    ):
        obtain("set/file.json", file, out)
    with pytest.raises(
        InputError, match=rf"^set/file.json: not in the mirror {tmp_path} and not to be downloaded"
    ):
        obtain("set/file.json", file, out, tmp_path)


def test_the_command_line_and_its_error(server: Server, out: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "datasets.yaml"
    manifest.write_text(
        "set:\n  description: a set\n  licence: CC0-1.0\n  homepage: null\n  files:\n"
        f"    file.json: {{url: '{server.url}', bytes: {len(CONTENT)}, sha256: {SHA256}}}\n"
    )
    command = [
        sys.executable,
        "-m",
        "workflow_scripts.acquire.download",
        "--manifest",
        manifest,
        "--out",
        out,
    ]
    done = subprocess.run(
        [*command, "set/file.json", "--mirror", ""], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, out.read_bytes()) == (0, CONTENT)
    assert "set/file.json: 2/2 MB, 100 %, took" in done.stderr
    failed = subprocess.run([*command, "set/fil.json"], cwd=ROOT, capture_output=True, text=True)
    assert failed.returncode == 2
    assert failed.stderr == (
        "error: set/fil.json is not in the manifest of data sets (resources/datasets.yaml); "
        "did you mean set/file.json?\n"
    )


def test_one_entry_stands_for_the_files_of_all_pairs(server: Server, tmp_path: Path) -> None:
    """Each file is recorded by itself; an entry of its own comes before one with a placeholder."""
    manifest = tmp_path / "datasets.yaml"
    manifest.write_text(
        "set:\n  description: a set\n  licence: CC0-1.0\n  homepage: null\n  files:\n"
        f"    '{{pair}}.txt.zip': {{url: '{server.address}/moses/{{pair}}.txt.zip', bytes: null, sha256: null}}\n"
        f"    en-xx.txt.zip: {{url: '{server.address}/own', bytes: 3, sha256: {SHA256}}}\n"
    )
    read = read_manifest(manifest)
    for name in ("en-sw", "en-zh_CN", "ar-en"):
        out = tmp_path / "data" / "set" / f"{name}.txt.zip"
        obtain(f"set/{out.name}", find_file(read, f"set/{out.name}"), out)
        record = json.loads(out.with_name(f"{out.name}.sha256.json").read_text())
        assert record == {
            "url": f"{server.address}/moses/{name}.txt.zip",
            "bytes": len(CONTENT),
            "sha256": SHA256,
        }
    assert find_file(read, "set/en-xx.txt.zip").bytes == 3
    for name in ("set/ensw.txt.zip", "set/en-sw.zip", "set/a/en-sw.txt.zip", "other/en-sw.txt.zip"):
        with pytest.raises(InputError, match="is not in the manifest"):
            find_file(read, name)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "set: {description: a, licence: b, homepage: null, files: {f: {url: null, bytes: 1}}}",
            "set.files.f.sha256",
        ),
        ("set: {description: a, licence: b, homepage: null, files: {}, size: 3}", "unknown key set.size"),
        ("set: [", "not YAML"),
    ],
)
def test_a_manifest_with_a_mistake_is_told_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "datasets.yaml").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_manifest(tmp_path / "datasets.yaml")


def named_files(manifest: dict[str, Dataset]) -> dict[str, File]:
    """Every file of a manifest by its full name."""
    return {f"{name}/{file}": entry for name, data in manifest.items() for file, entry in data.files.items()}


def test_the_manifest_pins_what_does_not_move() -> None:
    manifest = read_manifest()
    for name, file in named_files(manifest).items():
        assert find_file(manifest, name) == file
        assert file.url or file.note, f"{name}: neither an address nor a note that says what it is"
        if file.url and "raw.githubusercontent.com" in file.url:
            assert re.search(r"/[0-9a-f]{40}/", file.url), f"{name}: the address names no commit"
        assert (file.bytes is None) == (file.sha256 is None), name


def test_the_manifest_is_right_about_the_files_of_the_pack(pack: Path, tmp_path: Path) -> None:
    there = {name: file for name, file in named_files(read_manifest()).items() if (pack / name).is_file()}
    assert {"squad/dev-v1.1.json", "xquad/xquad.ar.json", "tydiqa_primary/tiny_dev.jsonl.gz"} <= there.keys()
    assert "parallel/moses/ar-en.ar" in there
    for name, file in there.items():
        assert file.sha256, name
        out = tmp_path / name
        obtain(name, file, out, mirror=pack)
        assert out.stat().st_size == file.bytes
    shutil.rmtree(tmp_path)
