"""Fetch one public file that resources/datasets.yaml lists, and make sure that it is the right one.

    python -m workflow_scripts.acquire.download squad/dev-v1.1.json --out data/squad/dev-v1.1.json

A file that is there already is checked and left alone, so this works offline.  Otherwise a folder of your own is
looked into first (--mirror DIR, laid out like data/: DIR/squad/dev-v1.1.json), then the file's address is asked.
A broken download is continued by the next attempt or the next run from FILE.part.  Size and SHA-256 are compared with
the manifest; where it does not know them, those of the first copy obtained are kept in FILE.sha256.json and every later
copy is compared with them.  Proxies are taken from the environment (http_proxy, https_proxy, no_proxy).
"""

import difflib
import errno
import http.client
import json
import math
import os
import re
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workflow_scripts.cli import InputError, Progress, explain, parser, run
from workflow_scripts.files import atomic, sha256, write_text

MANIFEST = Path(__file__).parents[2] / "resources" / "datasets.yaml"
ATTEMPTS = 5  # in a row without a byte gained
FIRST_PAUSE = 1.0  # seconds before the second attempt; doubles with each
SILENCE = 60.0  # seconds without a byte before a connection counts as broken
CHUNK = 1 << 18
PAIR = "{pair}"  # in a manifest's file names and addresses: any pair of languages, such as en-sw
MEGABYTE = 1_000_000


class File(BaseModel):
    """One file of a data set: where it is to be had, and what it must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    url: str | None = Field(description="address; null for a file that only a mirror folder can supply")
    bytes: int | None = Field(ge=0, description="size; null: that of the first copy obtained")
    sha256: str | None = Field(
        pattern="^[0-9a-f]{64}$", description="of the content; null: that of the first copy obtained"
    )
    note: str | None = Field(default=None, description="what someone who has to find the file must know")


class Dataset(BaseModel):
    """A published data set; its files are named as they lie under data/<data set>/."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    description: str
    licence: str
    homepage: str | None
    files: dict[str, File]


@dataclass(frozen=True)
class Expected:
    """What a file must be, as far as that is known, and who says so."""

    bytes: int | None
    sha256: str | None
    source: str


def read_manifest(path: Path = MANIFEST) -> dict[str, Dataset]:
    """Data set name -> data set.  Raises InputError where the file is absent or not of this form."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        return TypeAdapter(dict[str, Dataset]).validate_python(content)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; it lists the files that can be downloaded") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        raise InputError(explain(error, str(path))) from None


def find_file(manifest: dict[str, Dataset], name: str) -> File:
    """The manifest's entry of "<data set>/<file>".  Raises InputError that suggests what may have been meant."""
    dataset, _, file = name.partition("/")
    files = manifest[dataset].files if dataset in manifest else {}
    if file in files:
        return files[file]
    for template, entry in files.items():
        before, placed, after = template.partition(PAIR)
        found = re.fullmatch(f"{re.escape(before)}([A-Za-z_]+-[A-Za-z_]+){re.escape(after)}", file)
        if placed and found and entry.url:
            return entry.model_copy(update={"url": entry.url.replace(PAIR, found[1])})
    names = [f"{known}/{each}" for known, entry in manifest.items() for each in entry.files]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"its data sets are {', '.join(manifest)}"
    raise InputError(f"{name} is not in the manifest of data sets (resources/datasets.yaml); {hint}")


def obtain(name: str, file: File, out: Path, mirror: Path | None = None) -> None:
    """Have `file`, called `name` in the manifest, at `out`: found there, copied from the mirror, or downloaded.

    Raises InputError where it cannot be had or is not what it must be; `out` is then as it was.
    """
    if mirror is not None and not mirror.is_dir():
        raise InputError(f"the mirror {mirror} is not a folder; name one laid out like data/, or none")
    record = out.with_name(f"{out.name}.sha256.json")
    expected = what_is_expected(file, record)
    if out.is_file():
        check(out, expected, f"remove {out} to get it anew")
        keep_record(record, file, out)
        print(f"{out}: there already, and right", file=sys.stderr)
    elif mirror is not None and (mirror / name).is_file():
        check(mirror / name, expected, f"put the right file there or leave the mirror out to use {file.url}")
        with atomic(out) as temporary:
            shutil.copyfile(mirror / name, temporary)
            keep_record(record, file, temporary)
        print(f"{out}: copied from {mirror / name}", file=sys.stderr)
    elif file.url is None:
        looked = f"not in the mirror {mirror} and " if mirror else ""
        raise InputError(
            f"{name}: {looked}not to be downloaded ({file.note or 'it has no public address'}); put it at {out}"
        )
    else:
        download(name, file, out, expected)
        keep_record(record, file, out)


def what_is_expected(file: File, record: Path) -> Expected:
    """The manifest's size and checksum; where it has none, those recorded when the file was first obtained."""
    if (file.bytes is not None and file.sha256 is not None) or not record.is_file():
        return Expected(file.bytes, file.sha256, "resources/datasets.yaml")
    try:
        kept = json.loads(record.read_text("utf-8"))
        return Expected(file.bytes or kept["bytes"], file.sha256 or kept["sha256"], str(record))
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{record}: not a record of a download; remove it to record the file's checksum anew"
        ) from None


def keep_record(record: Path, file: File, obtained: Path) -> None:
    """Record size and checksum of a file that the manifest does not fully know, unless they are on record."""
    if (file.bytes is None or file.sha256 is None) and not record.is_file():
        facts = {"url": file.url, "bytes": obtained.stat().st_size, "sha256": sha256(obtained)}
        write_text(record, json.dumps(facts, indent=1) + "\n")


def check(path: Path, expected: Expected, remedy: str) -> None:
    """Raise InputError if the file at `path` has not the expected size and checksum."""
    size = path.stat().st_size
    if expected.bytes is not None and size != expected.bytes:
        raise InputError(f"{path} has {size} bytes, not {expected.bytes} ({expected.source}); {remedy}")
    if expected.sha256 is not None and (found := sha256(path)) != expected.sha256:
        raise InputError(f"{path} has SHA-256 {found}, not {expected.sha256} ({expected.source}); {remedy}")


class Interrupted(Exception):
    """A download stopped for a reason that may pass."""


class Refused(Exception):
    """A download cannot succeed, now or a moment later."""


def download(name: str, file: File, out: Path, expected: Expected) -> None:
    """Download to `out` by way of `out`.part, which outlives a failure and is continued where that is safe.

    Raises InputError when the address cannot be reached, refuses, or sends something else.
    """
    assert file.url is not None
    part, version = out.with_name(f"{out.name}.part"), out.with_name(f"{out.name}.part.version")
    out.parent.mkdir(parents=True, exist_ok=True)
    by_hand = f"fetch it by hand and put it at {out}, or name a folder that holds {name} as the mirror"
    if expected.sha256 is None and not version.is_file():
        part.unlink(missing_ok=True)  # nothing could tell whether what comes now continues it
    failures = 0
    while expected.bytes is None or size_of(part) != expected.bytes:
        before = size_of(part)
        try:
            transfer(name, file.url, part, version, expected)
            break
        except Interrupted as problem:
            failures = 1 if size_of(part) > before else failures + 1
            if failures == ATTEMPTS:
                raise InputError(f"{file.url}: {problem}, {ATTEMPTS} times in a row; {by_hand}") from None
            pause = FIRST_PAUSE * 2 ** (failures - 1)
            print(f"{name}: {problem}; trying again in {pause:.0f} s", file=sys.stderr, flush=True)
            time.sleep(pause)
        except Refused as problem:
            raise InputError(f"{file.url}: {problem}; {by_hand}") from None
    try:
        check(part, expected, f"it came from {file.url} and was removed; {by_hand}")
    except InputError:
        part.unlink()
        version.unlink(missing_ok=True)
        raise
    os.replace(part, out)
    version.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Bytes in a file, 0 if there is none."""
    return path.stat().st_size if path.is_file() else 0


def transfer(name: str, url: str, part: Path, version: Path, expected: Expected) -> None:
    """One connection: append to `part` what it lacks of the file, or write it anew if the server won't continue.

    `version` keeps the server's name for this state of the file (entity tag or date), so that a later connection
    continues the same state only.  Raises Interrupted when it is worth trying again, Refused when it is not.
    """
    have = size_of(part)
    request = urllib.request.Request(url, headers={"User-Agent": "xlqa", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        if version.is_file():
            request.add_header("If-Range", version.read_text("utf-8"))
    try:
        response = urllib.request.urlopen(request, timeout=SILENCE)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # there is nothing after what we have: whole, or of another state of the file
            whole = error.headers.get("Content-Range") == f"bytes */{have}"
            if whole:
                return
            part.unlink()
            raise Interrupted("what was there of it does not fit") from None
        answer = f"the server answers {error.code} {error.reason}"
        raise (Interrupted if error.code in (408, 425, 429) or error.code >= 500 else Refused)(
            answer
        ) from None
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", error)
        offline = isinstance(cause, socket.gaierror) or getattr(cause, "errno", None) == errno.ENETUNREACH
        raise (Refused if offline else Interrupted)(f"cannot be reached ({cause})") from None
    with response:
        if response.status == 206:
            if not (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
                part.unlink()
                raise Interrupted("the server continues at another place than was asked for")
        else:
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else expected.bytes
        if total and expected.bytes and total != expected.bytes:
            raise Refused(f"the server offers {total} bytes, not {expected.bytes} ({expected.source})")
        keep_version(response.headers, version)
        with part.open("ab" if have else "wb") as file:
            receive(name, response, file, have, total)
    if total and size_of(part) < total:
        raise Interrupted(f"the connection ended after {size_of(part)} of {total} bytes")


def keep_version(headers: http.client.HTTPMessage, version: Path) -> None:
    """Write the server's strong entity tag, else its date, of the file being sent to `version`; remove that if none."""
    tag = headers.get("ETag", "")
    state = tag if tag.startswith('"') else headers.get("Last-Modified")
    if state:
        version.write_text(state, "utf-8")
    else:
        version.unlink(missing_ok=True)


def receive(
    name: str, response: http.client.HTTPResponse, file: BinaryIO, have: int, total: int | None
) -> None:
    """Write what the connection brings to `file`, with progress in megabytes where the size is known."""
    megabytes = math.ceil(total / MEGABYTE) if total else 0
    progress = Progress(name, megabytes, "MB", start=have // MEGABYTE) if total else None
    while True:
        try:
            chunk = response.read(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise Interrupted(f"the connection broke ({error})") from None
        if not chunk:
            return
        file.write(chunk)
        have += len(chunk)
        if progress:
            now = megabytes if have == total else have // MEGABYTE
            progress.advance(now - progress.count)


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    arguments = parser(__doc__)
    arguments.add_argument("name", help="which file: DATASET/FILE as in the manifest")
    arguments.add_argument("--out", type=Path, required=True, help="where it is to be: data/DATASET/FILE")
    arguments.add_argument("--mirror", default="", help="a folder laid out like data/ to look into first")
    arguments.add_argument("--manifest", type=Path, default=MANIFEST, help="the list of data sets")
    given = arguments.parse_args(argv)
    file = find_file(read_manifest(given.manifest), given.name)
    obtain(given.name, file, given.out, Path(given.mirror) if given.mirror else None)


if __name__ == "__main__":
    run(main)
