"""Recorded questions: headers read, nothing sent twice, and a sentence or a reason for whatever goes wrong."""

import io
import itertools
import json
import math
import os
import random
import signal
import struct
import subprocess
import sys
import time
import wave
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.conftest import ROOT
from tests.servers import Call, SpeechServer, heard
from workflow_scripts.acquire import sdqa
from workflow_scripts.augment import speech
from workflow_scripts.augment.audio import Sound, Unusable, read_sound
from workflow_scripts.augment.cache import Cache, digest, owns, place
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Document, Question, read_questions, write_documents, write_questions
from workflow_scripts.recipes.speech import Speech


def wav(number: int, seconds: float = 0.1, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    """A tone as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(width)
        count = int(seconds * rate)
        if width == 2:
            tone = (
                int(9000 * math.sin(at * (number + 1) / 50)) for at in range(count) for _ in range(channels)
            )
            file.writeframes(struct.pack(f"<{count * channels}h", *tone))
        else:
            file.writeframes(bytes(count * channels * width))
    return buffer.getvalue()


def flac(rate: int, channels: int, samples: int) -> bytes:
    """The beginning of a FLAC file."""
    packed = rate << 44 | channels - 1 << 41 | 15 << 36 | samples
    return b"fLaC\0\0\0\x22" + bytes(10) + packed.to_bytes(8, "big") + bytes(16) + b"\xff\xf8"


def opus(rate: int, channels: int, position: int, skip: int = 312) -> bytes:
    """The first and the last page of an Opus file."""
    head = b"OpusHead\x01" + struct.pack("<BHIhB", channels, skip, rate, 0, 0)

    def page(kind: int, at: int, content: bytes) -> bytes:
        return b"OggS\0" + struct.pack("<BqIIIBB", kind, at, 1, 0, 0, 1, len(content)) + content

    return page(2, 0, head) + page(4, position, b"\xfc\xff\xfe")


PIPED = bytearray(wav(0, 0.5))
PIPED[40:44] = b"\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav(0, 1.5), Sound("LINEAR16", 16_000, 1, 1500)),
        (wav(0, 0.25, 8_000, 2), Sound("LINEAR16", 8_000, 2, 250)),
        (bytes(PIPED), Sound("LINEAR16", 16_000, 1, 500)),
        (flac(44_100, 2, 88_200), Sound("FLAC", 44_100, 2, 2000)),
        (opus(16_000, 1, 48_312), Sound("OGG_OPUS", 16_000, 1, 1000)),
        (opus(44_100, 1, 48_312), Sound("OGG_OPUS", 48_000, 1, 1000)),
    ],
)
def test_headers(content: bytes, expected: Sound) -> None:
    assert read_sound(content) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"ID3\x03 some MP3", "neither WAV nor FLAC nor Ogg; convert it"),
        (wav(0, 0), "it holds no sound"),
        (wav(0)[:30], "not a whole WAV file"),
        (wav(0)[:-100], "it is cut off: 1550 of 1600 samples are there"),
        (b"RIFF1234nothing of the kind", "not a whole WAV file"),
        (wav(0, width=3), "its samples have 24 bits; 16 are recognised"),
        (wav(0, rate=4_000), "its sample rate is 4000 Hz; 8000 to 48000 are recognised"),
        (
            wav(0).replace(b"fmt \x10\0\0\0\x01", b"fmt \x10\0\0\0\x07"),
            "not a whole WAV file of uncompressed",
        ),
        (flac(16_000, 1, 1600)[:20], "not a whole FLAC file"),
        (flac(0, 1, 1600), "not a whole FLAC file"),
        (flac(16_000, 1, 0), "it holds no sound"),
        (b"OggS\0\x02 vorbis", "not a whole Ogg file with Opus sound"),
        (opus(16_000, 1, 48_312)[:40], "not a whole Ogg file"),
    ],
)
def test_what_is_no_sound(content: bytes, reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        read_sound(content)


def recipe(endpoint: str, **more: Any) -> dict[str, Any]:
    return {
        "locale": "sw-KE",
        "endpoint": endpoint,
        "max_minutes": None,
        "backoff": 0.01,
        "timeout": 20,
        **more,
    }


def record(folder: Path, *sounds: bytes) -> list[bytes]:
    """Write recordings and `list`, which names them 1, 2, …"""
    (folder / "wav").mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(sounds, 1):
        (folder / f"wav/{number}.wav").write_bytes(content)
    lines = [f"{number}\twav/{number}.wav\n" for number in range(1, len(sounds) + 1)]
    (folder / "list").write_text("".join(lines))
    return list(sounds)


def step(folder: Path, recipe: dict[str, Any], *more: str) -> dict[str, str]:
    """The step's transcripts by id."""
    outputs = [f"--{name}={folder / name}" for name in ("cache", "out", "dropped", "resent")]
    speech.main([f"--recordings={folder / 'list'}", f"--recipe={json.dumps(recipe)}", *outputs, *more])
    lines = (folder / "out").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def reasons(folder: Path) -> dict[str, str]:
    lines = map(json.loads, (folder / "dropped").read_text("utf-8").splitlines())
    return {line["id"]: line["reason"] for line in lines}


def test_every_recording_is_sent_once_and_for_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sounds = record(tmp_path, wav(1), wav(2, 0.2, 8_000, 2), wav(1), flac(16_000, 1, 16_000))
    expected = {str(n): heard(sound).lower() for n, sound in enumerate(sounds, 1)}
    with SpeechServer() as server:
        assert step(tmp_path, recipe(server.endpoint)) == expected
        assert [call.digest for call in server.log] == [digest(sounds[at]) for at in (0, 1, 3)]
        assert [call.request.audio.content for call in server.log] == [sounds[at] for at in (0, 1, 3)]
        asked = [call.request.config for call in server.log]
    assert [(one.encoding.name, one.sample_rate_hertz, one.audio_channel_count) for one in asked] == [
        ("LINEAR16", 16_000, 1),
        ("LINEAR16", 8_000, 2),
        ("FLAC", 16_000, 1),
    ]
    assert {(one.language_code, one.model) for one in asked} == {("sw-KE", "default")}
    assert "0 recordings from the cache; 3 to transcribe\nto send: 0.0 minutes" in capsys.readouterr().out
    # The server is gone, and nobody misses it.
    assert step(tmp_path, recipe(server.endpoint, timeout=0.1)) == expected
    assert step(tmp_path, recipe("127.0.0.1:1", lowercase=False))["1"] == heard(sounds[0])
    assert "3 recordings from the cache; 0 to transcribe" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"recognition in sw-TZ: 127\.0\.0\.1:1 could not be reached"):
        step(tmp_path, recipe("127.0.0.1:1", locale="sw-TZ", timeout=0.1))
    with pytest.raises(InputError, match="could not be reached within 1 s"):
        step(tmp_path, recipe("127.0.0.1:1", model="latest_short", timeout=0.1))


def test_transcripts_become_questions(tmp_path: Path) -> None:
    """What is heard in stretches is one text, and nothing heard is an empty transcript, as in SD-QA's files."""
    sounds = record(tmp_path, wav(1), wav(2))
    said = {sounds[0]: ["Rais wa\tkwanza ", " wa Kenya\n"], sounds[1]: []}
    with SpeechServer(answer=said.__getitem__) as server:
        assert step(tmp_path, recipe(server.endpoint)) == {"1": "rais wa kwanza wa kenya", "2": ""}
        assert step(tmp_path, recipe(server.endpoint)) == {"1": "rais wa kwanza wa kenya", "2": ""}
        assert len(server.log) == 2  # to hear nothing is an answer, too
    documents = {"d": Document("d", "sw", "", "", "text", ((0, 4),), "d")}
    write_documents(tmp_path / "documents", list(documents.values()))
    asked = [Question(name, name, "d", "sw", "?") for name in ("1", "2")]
    write_questions(tmp_path / "questions", asked, documents)
    options = [f"--{name}={tmp_path / name}" for name in ("documents", "questions", "dropped")]
    files = [f"--transcripts={tmp_path / 'out'}", f"--out={tmp_path / 'asked'}"]
    sdqa.main([*options, *files, "--dialect=kenya-sw-KE"])
    assert [one.text for one in read_questions(tmp_path / "asked")] == ["rais wa kwanza wa kenya ?"]
    assert reasons(tmp_path) == {"2~kenya-sw-KE": "its transcript is empty"}


def test_lists_in_every_form(tmp_path: Path) -> None:
    record(tmp_path, wav(1), wav(2))
    triples = [
        {"example_id": -5, "question": "?", "audio_path": "wav/1.wav", "audio_exists": True},
        {"example_id": 6, "question": "?", "audio_path": "wav/2.wav"},
    ]
    (tmp_path / "triples").write_text("".join(f"{json.dumps(one)}\n" for one in triples))
    (tmp_path / "metadata").write_text(
        ",example_id,user_id,audio_file\r\n0,-5,x,wav/1.wav\r\n1,6,y,wav/2.wav\r\n"
    )
    (tmp_path / "pairs").write_text("-5\twav/1.wav\r\n6\twav/2.wav\n")
    expected = [("-5", "wav/1.wav"), ("6", "wav/2.wav")]
    for name in ("triples", "metadata", "pairs"):
        assert speech.listed(str(tmp_path / name)) == expected
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        (elsewhere / name).write_bytes((tmp_path / name).read_bytes())
        found, dropped = speech.read_recordings([str(elsewhere / name)], tmp_path, "0/1")
        assert ([(one.example_id, one.file) for one in found], dropped) == (expected, [])
        assert not speech.read_recordings([str(elsewhere / name)], None, "0/1")[0]


@pytest.mark.parametrize(
    "content", ["1 wav/1.wav\n", "one\twav/1.wav\n", "[]\n", '{"example_id": 1}\n', '{"audio_path": "x"}\n']
)
def test_lists_that_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "list").write_text(content)
    with pytest.raises(InputError, match="list line 1: give example_id<TAB>path, SD-QA's triples"):
        step(tmp_path, recipe("127.0.0.1:1"))


def test_recordings_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    record(tmp_path, wav(1), b"", wav(2)[:-10], wav(3, 61), b"x")
    with (tmp_path / "list").open("a") as file:
        file.write("6\twav/none.wav\n7\t\n8\twav\n")
    with SpeechServer() as server:
        assert list(step(tmp_path, recipe(server.endpoint))) == ["1"]
        assert len(server.log) == 1
    assert reasons(tmp_path) == {
        "2": "wav/2.wav: it is empty",
        "3": "wav/3.wav: it is cut off: 1595 of 1600 samples are there",
        "4": "wav/4.wav: it lasts 61.0 s (1,952,044 bytes); the service takes 60 s and 10,000,000 bytes",
        "5": "wav/5.wav: it is neither WAV nor FLAC nor Ogg; convert it to one of them",
        "6": "wav/none.wav: cannot be read (No such file or directory)",
        "7": "the list names no recording",
        "8": "wav: cannot be read (Is a directory)",
    }
    (tmp_path / "list").write_text("6\twav/none.wav\n")
    with pytest.raises(InputError, match=r"none of 1 recordings can be used \(wav/none\.wav: cannot be read"):
        step(tmp_path, recipe("127.0.0.1:1"))


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (
            (grpc.StatusCode.UNAUTHENTICATED, "key AIzaSyPlantedPlantedPlanted"),
            "the credentials were not accepted",
        ),
        (
            (grpc.StatusCode.PERMISSION_DENIED, "no"),
            "not permitted to these credentials; enable the Cloud Speech",
        ),
        (
            (grpc.StatusCode.INVALID_ARGUMENT, "Invalid recognition 'config': bad language code."),
            r"locale sw-KE with model default is not supported \(Invalid recognition 'config': bad language code\.\)",
        ),
        (
            (
                grpc.StatusCode.INVALID_ARGUMENT,
                "The requested model is currently not supported for language : sw-KE",
            ),
            "locale sw-KE with model default is not supported",
        ),
        (
            (grpc.StatusCode.INVALID_ARGUMENT, "Audio channels must match"),
            r"wav/1\.wav: the service refused it \(Audio channels must match\)",
        ),
        (
            (grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded"),
            "out of quota, 2 times in a row; try again later",
        ),
        ((grpc.StatusCode.UNAVAILABLE, "busy"), "ServiceUnavailable, 2 times in a row"),
        ((grpc.StatusCode.UNIMPLEMENTED, "?"), r"the service refused with MethodNotImplemented \(\?\)"),
    ],
)
def test_refusals_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], refusal: Any, sentence: str
) -> None:
    record(tmp_path, wav(1))
    with SpeechServer(refuse=lambda request: refusal) as server:
        with pytest.raises(InputError, match=sentence) as raised:
            step(tmp_path, recipe(server.endpoint, attempts=2))
        again = refusal[0] in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
        assert len(server.log) == (2 if again else 1)
    assert "Planted" not in str(raised.value) + "".join(capsys.readouterr())
    assert not (tmp_path / "out").exists()


def test_one_that_is_refused_does_not_stop_the_others(tmp_path: Path) -> None:
    sounds = record(tmp_path, wav(1), wav(2), wav(3))

    def refuse(request: Any) -> Any:
        bad = request.audio.content == sounds[1]
        return (grpc.StatusCode.INVALID_ARGUMENT, "Invalid audio.") if bad else None

    with SpeechServer(refuse=refuse) as server:
        assert list(step(tmp_path, recipe(server.endpoint))) == ["1", "3"]
        assert reasons(tmp_path) == {"2": "wav/2.wav: the service refused it (Invalid audio.)"}
        assert (tmp_path / "resent").read_text() == ""  # it was not paid for


def test_what_passes_is_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sound,) = record(tmp_path, wav(1))
    refusals = iter(
        [(grpc.StatusCode.UNAVAILABLE, "busy"), (grpc.StatusCode.RESOURCE_EXHAUSTED, "quota"), None]
    )
    with SpeechServer(refuse=lambda request: next(refusals)) as server:
        assert step(tmp_path, recipe(server.endpoint)) == {"1": heard(sound).lower()}
    told = capsys.readouterr().err
    assert "ServiceUnavailable; attempt 2" in told
    assert "out of quota; attempt 3" in told
    (line,) = map(json.loads, (tmp_path / "resent").read_text().splitlines())
    assert line == {"digest": digest(sound), "file": "wav/1.wav", "milliseconds": 100, "times": 1}


def test_max_minutes_stops_before_it_is_exceeded(tmp_path: Path) -> None:
    record(tmp_path, wav(1, 3), wav(2, 3))
    with SpeechServer() as server:
        with pytest.raises(
            InputError, match="0 have been sent, 6,000 more would exceed the limit of 5,400 milli"
        ):
            step(tmp_path, recipe(server.endpoint, max_minutes=0.09))
        assert server.log == []
        step(tmp_path, recipe(server.endpoint, max_minutes=0.1))
        record(tmp_path, wav(3, 1))
        with pytest.raises(InputError, match="6,000 have been sent, 1,000 more"):
            step(tmp_path, recipe(server.endpoint, max_minutes=0.1, locale="sw-TZ"))  # one account
        assert len(server.log) == 2


def test_no_credentials_are_one_sentence(tmp_path: Path) -> None:
    record(tmp_path / "work", wav(1))
    key = {
        "type": "service_account",
        "private_key": "planted-key",
        "client_email": "planted@x",
        "token_uri": "x",
    }
    (tmp_path / "key.json").write_text(json.dumps(key))
    environment = {
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path),
        "NO_GCE_CHECK": "true",
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"),
    }
    process = job(tmp_path / "work", {"locale": "sw-KE", "max_minutes": None}, "0/1", **environment)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith(
        "error: Google's speech recognition in sw-KE: no credentials that Google accepts; let"
    )
    assert err.count("\n") == 1
    written = (path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file())
    assert b"planted" not in b"".join([out.encode(), err.encode(), *written])


def test_malformed_recipes_are_one_sentence(tmp_path: Path) -> None:
    record(tmp_path, wav(1))
    for wrong, sentence in (
        ({"locale": "sw"}, "locale is "),
        ({}, "locale is missing"),
        ({"locale": "sw-KE"}, "max_minutes is missing"),
    ):
        with pytest.raises(InputError, match=sentence):
            step(tmp_path, wrong)
    with pytest.raises(InputError, match="--shard 1/1: give number/total"):
        step(tmp_path, recipe("x"), "--shard=1/1")


def job(folder: Path, recipe: dict[str, Any], shard: str, **environment: str) -> subprocess.Popen[str]:
    """The step as a process of its own."""
    name = shard.replace("/", "-")
    command = [sys.executable, "-m", "workflow_scripts.augment.speech", f"--recordings={folder}/list"]
    command += [f"--shard={shard}", f"--recipe={json.dumps(recipe)}", f"--cache={folder}/cache"]
    command += [f"--{output}={folder}/{output}-{name}" for output in ("out", "dropped", "resent")]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_killed_jobs_pay_for_nothing_twice_but_what_was_on_its_way(tmp_path: Path) -> None:
    random_ = random.Random(1)
    sounds = record(tmp_path, *(wav(number, 0.05) for number in range(90)))
    shards = ["0/3", "1/3", "2/3"]
    kept: list[tuple[float, set[str]]] = []  # what was committed by a time
    on_their_way: Counter[str] = Counter()
    with SpeechServer(delay=0.15) as server:
        settings = Speech(**recipe(server.endpoint)).settings()
        folder = place(tmp_path / "cache", "speech", settings) / "sw-KE"
        jobs = {shard: job(tmp_path, recipe(server.endpoint), shard) for shard in shards}
        for _ in range(4):
            arrived = len(server.log)
            while len(server.log) < arrived + 4:
                time.sleep(0.01)
            time.sleep(random_.uniform(0, 0.3))
            shard = random_.choice([shard for shard, process in jobs.items() if process.poll() is None])
            jobs[shard].kill()
            assert jobs[shard].wait() == -signal.SIGKILL
            now = time.monotonic()
            owned = {digest(sound) for sound in sounds if owns(shard, digest(sound))}
            with Cache(folder, settings | {"locale": "sw-KE"}, shard) as cache:
                there = {name for name in owned if cache.get(name) is not None}
            kept.append((now, there))
            on_their_way.update({call.digest for call in server.log if call.digest in owned - there})
            jobs[shard] = job(tmp_path, recipe(server.endpoint), shard)
        for process in jobs.values():
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
        log = server.settled()
    calls: dict[str, list[Call]] = {digest(sound): [] for sound in sounds}
    for call in log:
        calls[call.digest].append(call)
    for when, there in kept:
        assert not any(call.start > when for name in there for call in calls[name])
    for several in calls.values():
        assert several
        assert all(one.end < other.start for one, other in itertools.pairwise(several))
    twice = {name: len(several) - 1 for name, several in calls.items() if len(several) > 1}
    assert 0 < sum(twice.values()) <= 4
    assert all(times <= on_their_way[name] for name, times in twice.items())
    resent = [
        json.loads(line)
        for shard in shards
        for line in (tmp_path / f"resent-{shard.replace('/', '-')}").read_text().splitlines()
    ]
    assert {line["digest"] for line in resent} >= set(twice)
    assert all(line["file"].startswith("wav/") and line["milliseconds"] == 50 for line in resent)
    lines = "".join((tmp_path / f"out-{shard.replace('/', '-')}").read_text() for shard in shards)
    expected = {f"{number}\t{heard(sound).lower()}" for number, sound in enumerate(sounds, 1)}
    assert sorted(lines.splitlines()) == sorted(expected)
