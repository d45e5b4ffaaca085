"""The translate step against a real server: what was paid is not paid again, and every trouble is one sentence."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import Credentials
from google.auth.exceptions import RefreshError
from google.auth.transport.grpc import AuthMetadataPlugin
from google.auth.transport.requests import Request
from google.cloud import translate_v3
from google.cloud.translate_v3.services.translation_service.transports import TranslationServiceGrpcTransport

from tests.conftest import ROOT
from tests.servers import Call, TranslationServer
from workflow_scripts.augment import translate
from workflow_scripts.augment.cache import Cache, digest, owns, place
from workflow_scripts.augment.google import Service
from workflow_scripts.augment.texts import read_texts, write_texts
from workflow_scripts.augment.translations import Translation, read_translations
from workflow_scripts.cli import InputError
from workflow_scripts.recipes.translators import Google

TEXTS = ["What is it?", "Who?", "12 345.", "", "  ", "१९४७?", "Ja \u200d!"]


def google(endpoint: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "google",
        "project": "p",
        "endpoint": endpoint,
        "max_characters": None,
        "backoff": 0.01,
        "timeout": 5,
        **more,
    }


def step(
    folder: Path, recipe: dict[str, Any], texts: list[str] | None = None, *more: str
) -> list[Translation]:
    """Run the step on `texts`, or on what the table of an earlier call held, and return what it wrote."""
    if texts is not None:
        write_texts(folder / "texts", [("en", text) for text in texts])
    options = {
        "texts": folder / "texts",
        "from": "en",
        "to": "ar",
        "recipe": json.dumps(recipe),
        "cache": folder / "cache",
        "out": folder / "out",
        "dropped": folder / "dropped",
        "resent": folder / "resent",
    }
    given = {word.partition("=")[0] for word in more}
    translate.main(
        [f"--{name}={value}" for name, value in options.items() if f"--{name}" not in given] + [*more]
    )
    out = next((word.partition("=")[2] for word in more if word.startswith("--out=")), folder / "out")
    return read_translations(out)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_texts_are_written_once(tmp_path: Path) -> None:
    write_texts(tmp_path / "t", [("en", "a"), ("ar", "a"), ("en", "a"), ("en", "\0\n")])
    assert read_texts(tmp_path / "t") == [("en", "a"), ("ar", "a"), ("en", "\0\n")]
    with pytest.raises(InputError, match="no such file"):
        read_texts(tmp_path / "nowhere")


def test_every_text_is_translated_once_and_for_all(tmp_path: Path, capsys) -> None:
    write_texts(tmp_path / "more", [("en", "Who?"), ("ko", "누구?"), ("en", "More.")])
    with TranslationServer() as server:
        both = "--texts", f"{tmp_path}/texts", f"{tmp_path}/more"
        table = step(tmp_path, google(server.endpoint), TEXTS, *both)
        assert sorted(server.texts()) == ["Ja \u200d!", "More.", "What is it?", "Who?"]
        assert [row.source_text for row in table] == sorted({*TEXTS, "More."}, key=digest)
        for row in table:
            changed = any(letter.isalpha() for letter in row.source_text)
            assert row == Translation(
                "",
                "en",
                "ar",
                row.source_text,
                f"ar({row.source_text})" if changed else row.source_text,
                "google nmt" if changed else "unchanged",
            )
        assert lines(tmp_path / "dropped") == lines(tmp_path / "resent") == []
        said = capsys.readouterr().out
        assert "0 of 4 texts from the cache" in said
        assert "4 texts to translate: 25 characters, about 0.00 at 20 a million" in said
        assert "sent 25 characters, about 0.00 at 20 a million; 25 with these settings so far" in said
        first = (tmp_path / "out").read_bytes()
        assert "authorization" not in server.log[0].metadata  # no token goes where there is no TLS
        assert (request := server.log[0].request).parent == "projects/p/locations/global"
        assert request.mime_type == "text/plain"
        assert request.model == "projects/p/locations/global/models/general/nmt"
        assert (request.source_language_code, request.target_language_code) == ("en", "ar")
    # the server is gone
    step(tmp_path, google(server.endpoint), None, *both)
    assert (tmp_path / "out").read_bytes() == first
    assert "4 of 4 texts from the cache (25 characters)" in capsys.readouterr().out
    elsewhere = google("127.0.0.1:9", request_texts=1, max_characters=3, price_per_million_characters=1.0)
    step(tmp_path, elsewhere, None, *both)
    assert (tmp_path / "out").read_bytes() == first
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9 could not be reached within 1 s"):
        step(tmp_path, google("127.0.0.1:9", timeout=0.1), ["new"])


@pytest.mark.parametrize(
    "change", [{"model": "general/other"}, {"glossary": "g"}, {"codes": {"ar": "ar-EG"}}]
)
def test_other_settings_are_other_translations(tmp_path: Path, change: dict[str, Any]) -> None:
    with TranslationServer() as server:
        step(tmp_path, google(server.endpoint), ["one"])
        (row,) = step(tmp_path, google(server.endpoint, **change))
        assert server.texts() == ["one", "one"]
        if "glossary" in change:
            assert row.text == "glossary ar(one)"
            assert (
                server.log[1].request.glossary_config.glossary == "projects/p/locations/global/glossaries/g"
            )


def test_shards_share_the_texts_out(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(50)]
    with TranslationServer() as server:
        tables = [
            step(tmp_path, google(server.endpoint, request_texts=7), texts, f"--shard={n}/3")
            for n in range(3)
        ]
        assert sorted(server.texts()) == sorted(texts)
        assert max(len(call.texts) for call in server.log) == 7
    assert sorted(row.source_text for table in tables for row in table) == sorted(texts)
    for number, table in enumerate(tables):
        assert all(owns(f"{number}/3", digest(row.source_text)) for row in table)
        assert len(table) > 5


def test_requests_stay_within_their_characters(tmp_path: Path) -> None:
    with TranslationServer() as server:
        step(
            tmp_path,
            google(server.endpoint, request_characters=100),
            [c * 40 for c in "abcdefg"] + ["x" * 500],
        )
        sizes = [[len(text) for text in call.texts] for call in server.log]
    assert sorted(size for request in sizes for size in request) == [40] * 7 + [500]
    assert all(sum(request) <= 100 or len(request) == 1 for request in sizes)
    assert all(sum(one) + other[0] > 100 for one, other in itertools.pairwise(sizes))


def test_a_very_long_text_is_cut_where_sentences_end(tmp_path: Path) -> None:
    sentence = "It is a long story, told again. "
    long = (sentence * (100_000 // len(sentence))).strip()
    with TranslationServer(answer=lambda text, target: text.replace("long", "LONG")) as server:
        (row,) = step(tmp_path, google(server.endpoint), [long])
        assert row.text == long.replace("long", "LONG")
        assert row.made_by == "google nmt (in 4 parts)"
        assert all(len(text) <= 30_000 and text.endswith("again.") for text in server.texts())
    assert step(tmp_path, google(server.endpoint)) == [row]
    (segment,) = tmp_path.glob("cache/**/*.segment")
    content = segment.read_text("utf-8")  # a kill in between must not take the note from the answer
    assert content.index(f'["result","{digest(long)}.note"') < content.index(f'["result","{digest(long)}",')
    blanks = "x" * 100_000  # no place is good
    with TranslationServer() as server:
        (row,) = step(tmp_path, google(server.endpoint), [blanks])
        assert server.texts() == ["x" * 25_000]  # four equal parts are one
        assert row.text == f"ar({'x' * 25_000})" * 4


def test_parts_of_a_text_are_not_sent_again(tmp_path: Path) -> None:
    long = " ".join(f"Sentence number {n} of many." for n in range(4_000))
    later = [None, None, (grpc.StatusCode.UNAUTHENTICATED, "")]
    with TranslationServer(refuse=lambda request: later.pop(0) if later else None) as server:
        with pytest.raises(InputError, match="the credentials were not accepted"):
            step(tmp_path, google(server.endpoint), [long])
        turned_away = server.texts()[2]
        (row,) = step(tmp_path, google(server.endpoint))
        sent = server.texts()
    assert Counter(sent) == {text: 1 + (text == turned_away) for text in sent}
    assert row.text == " ".join(f"ar({part})" for part in sorted(set(sent), key=long.index))
    assert lines(tmp_path / "resent") == []


def test_null_characters_are_not_sent_and_told(tmp_path: Path, capsys) -> None:
    with TranslationServer() as server:
        (row,) = step(tmp_path, google(server.endpoint), ["a\0b\0"])
        assert server.texts() == ["a b"]
    assert (row.source_text, row.text) == ("a\0b\0", "ar(a b)")
    assert "1 texts hold NUL characters, translated as blanks" in capsys.readouterr().out


def test_an_empty_translation_is_dropped_with_a_reason(tmp_path: Path) -> None:
    with TranslationServer(answer=lambda text, target: "" if text == "b" else text * 2) as server:
        table = step(tmp_path, google(server.endpoint), ["a", "b"])
        assert [row.source_text for row in table] == ["a"]
        assert lines(tmp_path / "dropped") == [{"id": digest("b"), "reason": "its translation is empty: 'b'"}]
        step(tmp_path, google(server.endpoint))
        assert len(server.texts()) == 2  # it was paid for, and is not asked for again


REFUSALS = {
    (
        grpc.StatusCode.UNAUTHENTICATED,
        "ya29.tokentokentokentoken is bad",
    ): "the credentials were not accepted; let GOOGLE_APPLICATION_CREDENTIALS name a valid key file",
    (
        grpc.StatusCode.PERMISSION_DENIED,
        "key AIzatokentokentokentoken",
    ): "project p does not permit it to these credentials; enable the Cloud Translation API",
    (
        grpc.StatusCode.INVALID_ARGUMENT,
        "Unsupported language pair ya29.tokentokentokentoken",
    ): r"the request was refused \(Unsupported language pair …\); it was asked for en to ar",
    (grpc.StatusCode.NOT_FOUND, "Glossary not found."): r"model general/nmt or glossary g is not known in"
    r" projects/p/locations/global \(Glossary not found\.\)",
    (grpc.StatusCode.FAILED_PRECONDITION, "Billing is off"): r"the request was refused \(Billing is off\)",
    (grpc.StatusCode.UNIMPLEMENTED, "what?"): r"the service refused with MethodNotImplemented \(what\?\)",
}


@pytest.mark.parametrize(("refusal", "sentence"), REFUSALS.items(), ids=lambda x: getattr(x, "name", ""))
def test_what_no_attempt_would_mend_is_one_sentence(tmp_path: Path, refusal: Any, sentence: str) -> None:
    with TranslationServer(refuse=lambda request: refusal) as server:
        with pytest.raises(InputError, match=f"Google's translation from en to ar: {sentence}") as caught:
            step(tmp_path, google(server.endpoint, glossary="g"), ["one"])
        assert len(server.log) == 1
        assert "tokentoken" not in str(caught.value)
        assert "\n" not in str(caught.value)
        server.refuse = lambda request: None
        step(tmp_path, google(server.endpoint, glossary="g", max_characters=3))  # nothing was paid
    assert lines(tmp_path / "resent") == []


@pytest.mark.parametrize(
    ("refusal", "billed"),
    [
        ((grpc.StatusCode.RESOURCE_EXHAUSTED, "quota"), False),
        ((grpc.StatusCode.PERMISSION_DENIED, "User Rate Limit Exceeded"), False),
        ((grpc.StatusCode.UNAVAILABLE, "busy"), True),
        ((grpc.StatusCode.INTERNAL, "oops"), True),
        ((grpc.StatusCode.CANCELLED, "restarted"), True),
    ],
)
def test_what_passes_is_tried_again(tmp_path: Path, refusal: Any, billed: bool, capsys) -> None:
    left = [refusal] * 3
    with TranslationServer(refuse=lambda request: left.pop() if left else None) as server:
        (row,) = step(tmp_path, google(server.endpoint, attempts=4), ["one"])
        assert row.text == "ar(one)"
        assert server.texts() == ["one"] * 4
    assert "; attempt 2 in 0.0 s" in capsys.readouterr().err
    # What the service may have done before it failed may have been paid for.
    expected = {"digest": digest("one"), "text": "one", "characters": 3, "times": 3}
    assert lines(tmp_path / "resent") == ([expected] if billed else [])


def test_attempts_end(tmp_path: Path) -> None:
    with TranslationServer(refuse=lambda request: (grpc.StatusCode.RESOURCE_EXHAUSTED, "no")) as server:
        with pytest.raises(InputError, match="out of quota, 3 times in a row; try again later"):
            step(tmp_path, google(server.endpoint, attempts=3), ["one"])
        assert len(server.log) == 3
    with TranslationServer(delay=60) as server:
        with pytest.raises(InputError, match="DeadlineExceeded, 2 times in a row"):
            step(tmp_path, google(server.endpoint, attempts=2, timeout=0.3), ["one"])
        assert [call.cancelled for call in server.settled()] == [True, True]


def test_too_few_answers_are_told(tmp_path: Path) -> None:
    with TranslationServer(some=1) as server:
        with pytest.raises(InputError, match="1 answers to 2 texts, and which is whose is not told; with"):
            step(tmp_path, google(server.endpoint), ["one", "two"])
        table = step(tmp_path, google(server.endpoint, request_texts=1))
    assert {row.source_text: row.text for row in table} == {"one": "ar(one)", "two": "ar(two)"}
    assert {line["times"] for line in lines(tmp_path / "resent")} == {1}


def test_a_server_nearby_is_not_asked_by_way_of_a_proxy(tmp_path: Path) -> None:
    write_texts(tmp_path / "texts", [("en", "one")])
    proxy = "http://someone:planted-password@127.0.0.1:9"
    names = ("http_proxy", "https_proxy", "grpc_proxy")
    with TranslationServer() as server:
        process = job(tmp_path, google(server.endpoint), "0/1", **dict.fromkeys(names, proxy))
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "planted" not in out + err + everything(tmp_path)


def test_max_characters_stops_before_it_is_exceeded(tmp_path: Path) -> None:
    with TranslationServer() as server:
        with pytest.raises(
            InputError, match="0 have been sent, 10 more would exceed the limit of 9 characters"
        ):
            step(tmp_path, google(server.endpoint, max_characters=9), ["abcdefghij"])
        assert server.log == []
        step(tmp_path, google(server.endpoint, max_characters=10))
        with pytest.raises(InputError, match="10 have been sent, 1 more would exceed the limit of 10"):
            step(tmp_path, google(server.endpoint, max_characters=10), ["k"], "--to=bn")  # one account
        step(tmp_path, google(server.endpoint, max_characters=10), ["abcdefghij"])  # nothing more to send
        assert server.texts() == ["abcdefghij"]


def test_a_damaged_answer_is_told_and_paid_for_again(tmp_path: Path, capsys) -> None:
    with TranslationServer() as server:
        before = step(tmp_path, google(server.endpoint), ["one", "two"])
        (segment,) = tmp_path.glob("cache/**/*.segment")
        segment.write_bytes(segment.read_bytes().replace(b"ar(two)", b"ar(twq)"))
        capsys.readouterr()
        assert step(tmp_path, google(server.endpoint)) == before
        assert sorted(server.texts()) == ["one", "two", "two"]
        said = capsys.readouterr()
    assert f"{segment} line " in said.err
    assert "1 texts were on their way when an earlier job ended; they may be paid for twice:" in said.out
    assert f"  two ({digest('two')}, 3 characters)" in said.out
    expected = [{"digest": digest("two"), "text": "two", "characters": 3, "times": 1}]
    assert lines(tmp_path / "resent") == expected
    step(tmp_path, google("127.0.0.1:9"))
    assert lines(tmp_path / "resent") == expected  # once is for ever


def job(folder: Path, recipe: dict[str, Any], shard: str, **environment: str) -> subprocess.Popen[str]:
    """The step as a process of its own."""
    name = shard.replace("/", "-")
    command = [sys.executable, "-m", "workflow_scripts.augment.translate", f"--texts={folder}/texts"]
    command += ["--from=en", "--to=ar", f"--shard={shard}", f"--recipe={json.dumps(recipe)}"]
    command += [f"--cache={folder}/cache", f"--out={folder}/out-{name}", f"--dropped={folder}/dropped-{name}"]
    command += [f"--resent={folder}/resent-{name}"]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_jobs_that_run_together_stay_within_the_limit(tmp_path: Path) -> None:
    """Each alone would: the limit holds for what they announce together."""
    write_texts(tmp_path / "texts", [("en", f"text {n:03}") for n in range(60)])
    with TranslationServer(delay=0.02) as server:
        recipe = google(server.endpoint, max_characters=240, request_texts=1)
        jobs = [job(tmp_path, recipe, f"{n}/3") for n in range(3)]
        errors = [process.communicate(timeout=120)[1] for process in jobs]
        assert 0 < sum(map(len, server.texts())) <= 240
    assert all(process.returncode in (0, 2) for process in jobs)
    stopped = [error for error in errors if "would exceed the limit of 240 characters" in error]
    assert stopped
    assert all(error.count("error:") == 1 for error in stopped)


def committed(folder: Path, recipe: dict[str, Any], shard: str, texts: list[str]) -> set[str]:
    """Those of the texts whose answers the cache holds.  The shard's job must not be alive."""
    settings = Google(**recipe).settings()
    (place_,) = place(folder / "cache", "google", settings).glob("en-ar")
    with Cache(place_, settings | {"from": "en", "to": "ar"}, shard) as cache:
        return {text for text in texts if cache.get(digest(text)) is not None}


@pytest.mark.slow
def test_ten_jobs_killed_ten_times_pay_for_nothing_twice_but_what_was_on_its_way(tmp_path: Path) -> None:
    texts = [f"Text number {n} has {'very ' * (n % 7)}few words." for n in range(600)]
    write_texts(tmp_path / "texts", [("en", text) for text in texts])
    shards = [f"{n}/10" for n in range(10)]
    kept: list[tuple[float, set[str]]] = []  # what was committed by a time
    on_their_way: Counter[str] = Counter()  # texts of requests that a kill left without a kept answer
    with TranslationServer(delay=0.25) as server:
        recipe = google(server.endpoint, request_texts=2, timeout=60)
        jobs = {shard: job(tmp_path, recipe, shard) for shard in shards}
        for _ in range(10):
            arrived = len(server.log)
            while len(server.log) < arrived + 5:  # some of the jobs are at it
                assert any(process.poll() is None for process in jobs.values()), (
                    "all done before the last kill"
                )
                time.sleep(0.01)
            time.sleep(random.uniform(0, 0.6))
            shard = random.choice([shard for shard, process in jobs.items() if process.poll() is None])
            jobs[shard].kill()
            assert jobs[shard].wait() == -signal.SIGKILL
            now = time.monotonic()
            owned = [text for text in texts if owns(shard, digest(text))]
            there = committed(tmp_path, recipe, shard, owned)
            kept.append((now, there))
            sent = {text for text in server.texts() if text in set(owned) - there}
            on_their_way.update(sent)
            jobs[shard] = job(tmp_path, recipe, shard)
        for process in jobs.values():
            _, err = process.communicate(timeout=300)
            assert process.returncode == 0, err
        log = server.settled()
    calls: dict[str, list[Call]] = {text: [] for text in texts}
    for call in log:
        for text in call.texts:
            calls[text].append(call)
    for when, there in kept:
        assert not any(
            call.start > when for text in there for call in calls[text]
        )  # kept is never sent again
    for several in calls.values():
        assert several  # all were sent
        for one, other in itertools.pairwise(several):
            assert one.end < other.start  # and never twice at once
    twice = {text: len(several) - 1 for text, several in calls.items() if len(several) > 1}
    assert all(times <= on_their_way[text] for text, times in twice.items())
    resent = {
        line["digest"]: line
        for shard in shards
        for line in lines(tmp_path / f"resent-{shard.replace('/', '-')}")
    }
    for text, times in twice.items():
        assert resent[digest(text)]["times"] >= times
        assert resent[digest(text)]["text"][:50] == text[:50]
    rebilled = sum(len(text) * times for text, times in twice.items())
    assert rebilled <= sum(len(text) * times for text, times in on_their_way.items())
    assert 0 < len(twice) <= 10 * 2  # the kills did hit requests
    print(
        f"{len(log)} requests, {len(twice)} texts and {rebilled} characters sent twice, {len(resent)} listed"
    )

    undisturbed = tmp_path / "undisturbed"
    write_texts(undisturbed / "texts", [("en", text) for text in texts])
    with TranslationServer() as server:
        for shard in shards:
            name = shard.replace("/", "-")
            step(
                undisturbed,
                google(server.endpoint),
                None,
                f"--shard={shard}",
                f"--out={undisturbed}/out-{name}",
            )
            assert (undisturbed / f"out-{name}").read_bytes() == (tmp_path / f"out-{name}").read_bytes()


class TokenServer(BaseHTTPRequestHandler):
    """A sign-in that refuses, and says in its answer everything that it was told."""

    told: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.told.append(body)
        answer = json.dumps({"error": "invalid_grant", "error_description": f"no: {body}"}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        pass


def everything(folder: Path) -> str:
    return "".join(
        path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("key", ["none", "missing", "broken", "refused"])
def test_wrong_credentials_are_one_sentence_without_a_secret(tmp_path: Path, key: str) -> None:
    secret = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    sign_in = HTTPServer(("127.0.0.1", 0), TokenServer)
    threading.Thread(target=sign_in.serve_forever, daemon=True).start()
    account = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "planted-key-id",
        "private_key": secret.decode() if key == "refused" else "planted-private-key",
        "client_email": "someone@p.iam.gserviceaccount.com",
        "token_uri": f"http://127.0.0.1:{sign_in.server_port}/token",
    }
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "key.json").write_text(json.dumps(account))
    environment = {
        "HOME": str(tmp_path / "nobody"),
        "CLOUDSDK_CONFIG": str(tmp_path / "nobody"),
        "NO_GCE_CHECK": "true",
        "GOOGLE_API_KEY": "AIza-planted-api-key",
    }
    if key != "none":
        environment["GOOGLE_APPLICATION_CREDENTIALS"] = str(keys / ("x" if key == "missing" else "key.json"))
    work = tmp_path / "work"
    write_texts(work / "texts", [("en", "one")])
    process = job(work, {"kind": "google", "project": "p", "max_characters": None}, "0/1", **environment)
    out, err = process.communicate(timeout=120)
    sign_in.shutdown()
    assert process.returncode == 2, err
    assert err == (
        "error: Google's translation from en to ar: no credentials that Google accepts; let"
        " GOOGLE_APPLICATION_CREDENTIALS name the key file of a service account, or run `gcloud auth"
        " application-default login`\n"
    )
    if key == "refused":
        assert "assertion=" in TokenServer.told[-1]  # it came as far as that
    for planted in ("planted", "assertion", "PRIVATE", *secret.decode().splitlines()[1:-1]):
        assert planted not in out + err + everything(work)


class Revoked(Credentials):
    """Credentials that have been valid; Google's sign-in says no now, and repeats what it was told."""

    def refresh(self, request: Any) -> None:
        raise RefreshError("invalid_grant", {"error_description": "no: assertion=planted-assertion"})


def test_credentials_that_end_during_a_run(tmp_path: Path, capsys) -> None:
    """gRPC tells it like a service that is down; but nothing has left, and what it quotes is not told."""
    local = grpc.LocalConnectionType.UDS
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_secure_port(f"unix:{tmp_path}/socket", grpc.local_server_credentials(local))
    server.start()
    token = grpc.metadata_call_credentials(AuthMetadataPlugin(Revoked(), Request()))
    credentials = grpc.composite_channel_credentials(grpc.local_channel_credentials(local), token)
    channel = grpc.secure_channel(f"unix:{tmp_path}/socket", credentials)
    client = translate_v3.TranslationServiceClient(transport=TranslationServiceGrpcTransport(channel=channel))
    told: list[str] = []
    with TranslationServer() as reachable:
        service = Service(
            "Google",
            Google(**google(reachable.endpoint, attempts=2)),
            "",
            type(client),
            TranslationServiceGrpcTransport,
        )
        with pytest.raises(InputError, match=r"Google: signing in failed .*, 2 times in a row"):
            service.ask(
                lambda timeout: client.translate_text(
                    {"parent": "projects/p", "contents": ["one"], "target_language_code": "ar"},
                    retry=None,
                    timeout=timeout,
                ),
                lambda: told.append("sending"),
                lambda: told.append("refused"),
                lambda error: None,
            )
    channel.close()
    server.stop(None).wait()
    assert told == ["sending", "refused"] * 2
    said = capsys.readouterr()
    assert "attempt 2 in" in said.err
    assert "planted" not in said.out + said.err


def test_malformed_arguments_are_one_sentence(tmp_path: Path) -> None:
    recipe = google("x")
    write_texts(tmp_path / "texts", [("en", "one")])
    for wrong, sentence in {
        "--from=ko": "no text in ko",
        "--from=xx": "unknown language 'xx'",
        "--to=en": "nothing to translate",
        "--shard=3/3": "give number/total",
        "--recipe={}": "--recipe",
        '--recipe={"kind":"google","project":"p"}': "google.max_characters is missing",
        '--recipe={"kind":"deepl"}': "'google', 'seq2seq', 'ctranslate2'",
    }.items():
        with pytest.raises(InputError, match=sentence):
            step(tmp_path, recipe, None, wrong)
