"""The cache: nothing that was answered is lost, whatever a kill leaves; nobody sends what another owns."""

import contextlib
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow_scripts.augment import cache as cache_module
from workflow_scripts.augment.cache import Cache, LimitReached, Lost, digest, owns, parse_shard, place
from workflow_scripts.cli import InputError

SETTINGS = {"kind": "test", "languages": ["en", "ar"]}
TEXTS = [
    "",
    "a",
    "नमस्ते\u200d दुनिया",
    "a\0b",
    "line\nfeed\r\n\u2028\u0085",
    "x" * 100_000,
    '"\\',
    "\ufeff",
    "😀",
]


def opened(folder: Path, shard: str = "0/1", **more: float) -> Cache:
    return Cache(folder, SETTINGS, shard, **more)  # type: ignore[arg-type]


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.segment"))


def test_what_is_added_is_there_for_ever(tmp_path: Path) -> None:
    with opened(tmp_path / "c") as cache:
        assert cache.get(digest("a")) is None
        cache.sending({digest(text): len(text) for text in TEXTS})
        cache.add({digest(text): text[::-1] for text in TEXTS})
        assert [cache.get(digest(text)) for text in TEXTS] == [text[::-1] for text in TEXTS]
    with opened(tmp_path / "c") as cache:
        assert [cache.get(digest(text)) for text in TEXTS] == [text[::-1] for text in TEXTS]
        assert cache.lost == []
        assert cache.announced == sum(map(len, TEXTS))
    assert '"kind": "test"' in (tmp_path / "c" / "settings.json").read_text("utf-8")
    assert len(segments(tmp_path / "c")) == 1  # the second job wrote nothing


def test_digests_of_texts_and_recordings() -> None:
    assert digest("é") == digest("é".encode()) != digest("e")
    assert place("cache", "a", {"x": 1, "y": 2}) == place("cache", "a", {"y": 2, "x": 1})
    assert place("cache", "a", {"x": 1}) != place("cache", "a", {"x": 2})
    assert place("cache", "a", {}).parent == Path("cache/a")


def test_shards_own_each_text_once() -> None:
    for text in TEXTS:
        assert [owns(f"{n}/3", digest(text)) for n in range(3)].count(True) == 1
        assert owns("1/3", digest(text)) == owns("1/3", digest(text) + "." + digest("part"))
    for wrong in ("", "3", "3/3", "1/0", "-1/3", "a/b", "1/3/4"):
        with pytest.raises(InputError, match="give number/total"):
            parse_shard(wrong)


def test_what_is_not_owned_is_not_sent(tmp_path: Path) -> None:
    shard = next(f"{n}/2" for n in range(2) if not owns(f"{n}/2", digest("a")))
    with opened(tmp_path, shard) as cache, pytest.raises(ValueError, match="is not a text of shard"):
        cache.sending({digest("a"): 1})


def test_what_was_announced_in_vain_is_known_by_name(tmp_path: Path) -> None:
    a, b, c = (digest(text) for text in "abc")
    with opened(tmp_path) as cache:
        cache.sending({a: 10, b: 20, c: 30})
        cache.refused({c: 30})
        cache.add({a: "A"})
    with opened(tmp_path) as cache:
        assert cache.lost == [Lost(b, 20, 1)]
        assert cache.announced == 30
        cache.sending({b: 20})
        cache.add({b: "B"})
        assert cache.lost == [Lost(b, 20, 1)]  # it was sent twice, and stays known
    with opened(tmp_path) as cache:
        assert cache.lost == [Lost(b, 20, 1)]
        assert cache.get(b) == "B"


@pytest.mark.parametrize("cut", [1, 5, 20, 40, 90])
def test_a_torn_last_line_is_as_if_it_had_not_been(tmp_path: Path, cut: int, capsys) -> None:
    with opened(tmp_path) as cache:
        cache.add({digest("a"): "A"})
        cache.add({digest("b"): "B"})
    (segment,) = segments(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-cut])
    with opened(tmp_path) as cache:
        assert cache.get(digest("a")) == "A"
        assert cache.get(digest("b")) is None
    assert capsys.readouterr().err == ""


def test_a_damaged_line_is_told_and_the_others_are_read(tmp_path: Path, capsys) -> None:
    with opened(tmp_path) as cache:
        cache.add({digest(text): text.upper() for text in "abc"})
    (segment,) = segments(tmp_path)
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b'"B"', b'"Q"'))
    with opened(tmp_path) as cache:
        assert [cache.get(digest(text)) for text in "abc"] == ["A", None, "C"]
    assert f"{segment} line 2: damaged" in capsys.readouterr().err
    segment.write_bytes(content[:50] + b"\0\xff\n" + content[50:])
    with opened(tmp_path) as cache:
        assert [cache.get(digest(text)) for text in "abc"] == [None, "B", "C"]
    assert f"{segment} line 2: damaged" in capsys.readouterr().err


def test_other_settings_in_the_folder_are_refused(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    with pytest.raises(InputError, match=r"settings\.json: other settings"):
        Cache(tmp_path, {"kind": "other"}, "0/1")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/c: cannot be made \(Not a directory\); name another --cache"):
        opened(tmp_path / "file" / "c")


@contextlib.contextmanager
def room(size: int) -> Iterator[None]:
    """No file can grow beyond so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_spoils_nothing(tmp_path: Path, capsys) -> None:
    a, b, c = (digest(text) for text in "abc")
    with opened(tmp_path) as cache:
        cache.add({a: "A"})
        (segment,) = segments(tmp_path)
        told = (
            r"cannot be used \(File too large\); make it writable, with room on the disk, and run this again"
        )
        with room(segment.stat().st_size + 250):
            with pytest.raises(InputError, match=told):
                cache.add({b: "B" * 100, c: "C" * 100})
            with pytest.raises(InputError, match=told):
                cache.sending({c: 1})
        assert [cache.get(name) for name in (a, b, c)] == ["A", "B" * 100, None]
        assert cache.announced == 0
        cache.add({c: "C"})
    with opened(tmp_path) as cache:
        assert [cache.get(name) for name in (a, b, c)] == ["A", "B" * 100, "C"]
        assert cache.announced == 0
    assert capsys.readouterr().err == ""


def test_nothing_leaves_whose_answer_would_find_no_room(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(cache_module, "ROOM", 1 << 60)
    with opened(tmp_path) as cache, pytest.raises(InputError, match="No space left on device"):
        cache.sending({digest("a"): 1})
    with opened(tmp_path) as cache:
        assert cache.announced == 0


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "shard-0-of-1.lock").mkdir()
    with pytest.raises(InputError, match=r"shard-0-of-1\.lock: cannot be used \(Is a directory\); make it"):
        opened(tmp_path)


def hold(folder: Path, shard: str, ready, seconds: float) -> None:
    with opened(folder, shard):
        ready.set()
        time.sleep(seconds)


@pytest.fixture
def holder(tmp_path: Path):
    """A process that holds shard 1/4 for five minutes, or until the test ends."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(tmp_path, "1/4", ready, 300))
    process.start()
    assert ready.wait(60)
    yield process
    process.kill()
    process.join()


def test_a_shard_has_one_live_owner(tmp_path: Path, holder, capsys) -> None:
    with pytest.raises(
        InputError, match=f"shard 1/4 belongs to process {holder.pid} on .*; wait for it or stop"
    ):
        opened(tmp_path, "1/4", wait=0.2)
    with pytest.raises(InputError, match="jobs of another number of shards than 5 are at work"):
        opened(tmp_path, "1/5", wait=0.2)
    with opened(tmp_path, "2/4", wait=0.2):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    with opened(tmp_path, "1/4", wait=30), pytest.raises(InputError, match="another number of shards"):
        opened(tmp_path, "0/5", wait=0.2)
    with opened(tmp_path, "1/5", wait=0.2):
        pass


def test_whoever_waits_says_so(tmp_path: Path, holder, capsys) -> None:
    with pytest.raises(InputError, match="shard 1/4 belongs to"):
        opened(tmp_path, "1/4", wait=1.5)
    assert "waiting up to 2 s" in capsys.readouterr().err


def test_a_limit_counts_what_all_jobs_of_the_account_announced(tmp_path: Path) -> None:
    a, b = digest("a"), digest("b")
    with Cache(tmp_path / "en-ar", SETTINGS, "0/1", account=tmp_path) as cache:
        cache.sending({a: 60}, limit=100)
        with Cache(tmp_path / "en-bn", SETTINGS, "0/1", account=tmp_path) as other:
            with pytest.raises(
                LimitReached, match="60 have been sent, 41 more would exceed the limit of 100"
            ):
                other.sending({a: 41}, limit=100)
            other.sending({a: 40}, limit=100)
            assert other.get(a) is None
        with pytest.raises(LimitReached):
            cache.sending({b: 1}, limit=100)
        cache.refused({a: 60})
        cache.sending({b: 60}, limit=100)
        assert cache.announced == 100
    with Cache(tmp_path / "en-ar", SETTINGS, "0/1", account=tmp_path) as cache:
        assert cache.announced == 100


WRITER = """
import sys
import time
from pathlib import Path
from workflow_scripts.augment.cache import Cache, digest, owns
folder, shard, count = sys.argv[1:]
with Cache(Path(folder), {"kind": "kill"}, shard) as cache:
    for n in range(int(count)):
        name = digest(str(n))
        if owns(shard, name) and cache.get(name) is None:
            cache.sending({name: 1}, limit=10_000)
            time.sleep(0.003)
            cache.add({name: "x" * 5_000 + str(n)})
            print(n, flush=True)
"""


def test_killed_writers_lose_nothing_that_they_had_kept(tmp_path: Path) -> None:
    """Four processes, each killed twice: what a process said it had kept is there afterwards and was kept once."""
    kept: list[int] = []
    for attempt in range(3):
        jobs = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, tmp_path, f"{n}/4", "600"], stdout=subprocess.PIPE, text=True
            )
            for n in range(4)
        ]
        for job in jobs if attempt < 2 else ():
            kept += [int(job.stdout.readline()) for _ in range(10)]
            job.kill()
            assert job.wait() == -signal.SIGKILL
        kept += [int(line) for job in jobs for line in job.communicate()[0].splitlines()]
    assert sorted(set(kept)) == sorted(kept)
    with Cache(tmp_path, {"kind": "kill"}, "0/1") as cache:
        assert all(cache.get(digest(str(n))) == "x" * 5_000 + str(n) for n in range(600))
        assert cache.announced == 600 + sum(lost.times for lost in cache.lost)
        assert len(cache.lost) <= 8
