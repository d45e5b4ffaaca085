"""Transcribe recorded questions with Google Cloud Speech-to-Text, as SD-QA's were (Faisal et al. 2021).

Recordings are listed by SD-QA's triples (JSON lines with example_id and audio_path), by its metadata.csv (example_id,
audio_file) or by lines `example_id<TAB>path`.  Each distinct recording is sent once and belongs to one shard; what the
cache holds is taken from there, without a network, and every transcript is kept before the next recording leaves, so
that a job that is killed loses at most the one on its way.  What comes out has SD-QA's form, a line
`example_id<TAB>transcript` with nothing after the tab where nothing was heard; `acquire.sdqa` makes questions of it.

Recordings that are missing, empty, damaged or longer than a minute, the service's limit
(https://cloud.google.com/speech-to-text/docs/quotas), are left out with a reason.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.api_core import exceptions
from google.cloud import speech_v1
from google.cloud.speech_v1.services.speech.transports import SpeechGrpcTransport

from workflow_scripts.augment.audio import Sound, Unusable, read_sound
from workflow_scripts.augment.cache import Cache, LimitReached, Lost, digest, owns, parse_shard, place
from workflow_scripts.augment.google import Service, quotable
from workflow_scripts.cli import InputError, Progress, parser, read_recipe, run
from workflow_scripts.corpus import write_dropped
from workflow_scripts.files import read_jsonl, read_lines, read_text, write_jsonl, write_text
from workflow_scripts.recipes.speech import Speech

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
MOST_BYTES, MOST_MILLISECONDS = 10_000_000, 60_000
# Jobs with recordings of one locale take turns; what comes later waits, or does so in vain after a day.
LONGEST_WAIT = 86_400.0
ID = re.compile(r"-?[0-9]+")


class Refused(InputError):
    """The service will not recognise this recording; others it may."""


@dataclass(frozen=True)
class Recording:
    """A question that was read aloud: the file as listed, its content's digest and what its header says."""

    example_id: str
    file: str
    path: Path
    digest: str
    sound: Sound


def listed(file: str) -> list[tuple[str, str]]:
    """(example id, path) for every line of a list, in its order.  Raises InputError naming a line that has neither."""
    first = read_text(file).partition("\n")[0].rstrip("\r")
    found: list[tuple[int, object, object]]
    if first.startswith("{"):
        records = (
            (number, record if isinstance(record, dict) else {}) for number, record in read_jsonl(file)
        )
        found = [(number, record.get("example_id"), record.get("audio_path")) for number, record in records]
    elif {"example_id", "audio_file"} <= set(first.split(",")):
        table = csv.DictReader(io.StringIO(read_text(file), newline=""))
        found = [(table.line_num, row["example_id"], row["audio_file"]) for row in table]
    else:
        found = []
        for number, line in enumerate(read_lines(file), 1):
            cells = line.removesuffix("\r").split("\t", 1)
            found.append((number, cells[0], cells[1] if len(cells) == 2 else None))
    pairs = []
    for number, name, path in found:
        if not ID.fullmatch(str(name).strip()) or not isinstance(path, str):
            raise InputError(
                f"{file} line {number}: give example_id<TAB>path, SD-QA's triples (JSON lines with example_id and"
                " audio_path) or its metadata.csv (example_id, audio_file)"
            )
        pairs.append((str(name).strip(), path.strip()))
    return pairs


def read_recordings(
    lists: Sequence[str], root: Path | None, shard: str
) -> tuple[list[Recording], list[tuple[str, str]]]:
    """The shard's recordings, and (id, reason) for those that cannot be recognised, which belong to shard 0.

    Paths are relative to `root`, without it to the list's folder.
    """
    number, _ = parse_shard(shard)
    found: list[Recording] = []
    dropped: list[tuple[str, str]] = []
    for file in lists:
        for name, path in listed(file):
            whole = (root or Path(file).parent) / path
            try:
                if not path:
                    raise Unusable("the list names no recording")
                content = whole.read_bytes()
                sound = read_sound(content)
                if sound.milliseconds > MOST_MILLISECONDS or len(content) > MOST_BYTES:
                    raise Unusable(
                        f"it lasts {sound.milliseconds / 1000:.1f} s ({len(content):,} bytes); the service takes"
                        f" {MOST_MILLISECONDS // 1000} s and {MOST_BYTES:,} bytes"
                    )
            except OSError as error:
                reason = f"{path}: cannot be read ({error.strerror})"
            except Unusable as error:
                reason = f"{path}: {error}" if path else str(error)
            else:
                if owns(shard, digest(content)):
                    found.append(Recording(name, path, whole, digest(content), sound))
                continue
            if number == 0:
                dropped.append((name, reason))
    return found, dropped


class Recogniser:
    """Google's service for one locale; announces in the cache what it sends and keeps what it hears there."""

    def __init__(self, recipe: Speech, cache: Cache) -> None:
        self.recipe, self.cache = recipe, cache
        self.sent = 0  # milliseconds
        self.service = Service(
            f"Google's speech recognition in {recipe.locale}",
            recipe,
            SCOPE,
            speech_v1.SpeechClient,
            SpeechGrpcTransport,
        )

    def transcribe(self, recording: Recording) -> None:
        """Have a recording recognised and keep the transcript.

        Raises Refused where the service does not take this one, InputError where it takes none or `max_minutes` would
        be exceeded.
        """
        config = speech_v1.RecognitionConfig(
            encoding=recording.sound.encoding,
            sample_rate_hertz=recording.sound.rate,
            audio_channel_count=recording.sound.channels,
            language_code=self.recipe.locale,
            model=self.recipe.model,
        )
        audio = speech_v1.RecognitionAudio(content=recording.path.read_bytes())
        items = {recording.digest: recording.sound.milliseconds}
        refusal: list[str] = []

        def explain(error: exceptions.GoogleAPICallError) -> str | None:
            match error:
                case exceptions.Forbidden():
                    return (
                        "it is not permitted to these credentials; enable the Cloud Speech-to-Text API in their project"
                        " and give the account the role Cloud Speech Client"
                    )
                case exceptions.BadRequest() if re.search(r"\blanguage\b|\bmodel\b", str(error.message)):
                    return (
                        f"locale {self.recipe.locale} with model {self.recipe.model} is not supported"
                        f" ({quotable(error)})"
                    )
                case exceptions.BadRequest():
                    refusal.append(f"{recording.file}: the service refused it ({quotable(error)})")
            return None

        try:
            response = self.service.ask(
                lambda timeout: self.service.client.recognize(
                    config=config, audio=audio, retry=None, timeout=timeout
                ),
                lambda: self._sending(items),
                lambda: self._refused(items),
                explain,
            )
        except InputError as error:
            if refusal:
                raise Refused(refusal[0]) from None
            raise error from None
        heard = [result.alternatives[0].transcript for result in response.results if result.alternatives]
        self.cache.add({recording.digest: " ".join(" ".join(heard).split())})

    def _sending(self, items: Mapping[str, int]) -> None:
        limit = None if self.recipe.max_minutes is None else int(self.recipe.max_minutes * 60_000)
        try:
            self.cache.sending(items, limit)
        except LimitReached as error:
            raise over_limit(str(error)) from None
        self.sent += sum(items.values())

    def _refused(self, items: Mapping[str, int]) -> None:
        self.cache.refused(items)
        self.sent -= sum(items.values())


def over_limit(counts: str) -> InputError:
    """The sentence that stops a run at `max_minutes`."""
    return InputError(
        f"max_minutes: {counts} milliseconds of sound; raise it to go on, what has been heard is kept in the cache"
    )


def cost(recipe: Speech, milliseconds: int) -> str:
    """So much sound with its estimated price."""
    minutes, price = milliseconds / 60_000, recipe.price_per_minute
    return f"{minutes:.1f} minutes, about {minutes * price:.2f} at {price:g} a minute"


def transcribe(recordings: Sequence[Recording], recipe: Speech, cache: Cache) -> dict[str, str]:
    """Have what the cache lacks recognised; digest -> reason for recordings that the service refused.

    Raises InputError where the service takes none or `max_minutes` would be exceeded: then before anything is sent.
    """
    todo = list({one.digest: one for one in recordings if cache.get(one.digest) is None}.values())
    held = len({one.digest for one in recordings}) - len(todo)
    print(f"{held} recordings from the cache; {len(todo)} to transcribe", flush=True)
    refused: dict[str, str] = {}
    if todo:
        milliseconds = sum(one.sound.milliseconds for one in todo)
        print(f"to send: {cost(recipe, milliseconds)}", flush=True)
        if recipe.max_minutes is not None and cache.announced + milliseconds > recipe.max_minutes * 60_000:
            raise over_limit(
                f"{cache.announced:,} have been sent, {milliseconds:,} more would exceed the limit of"
                f" {recipe.max_minutes * 60_000:,.0f}"
            )
        recogniser = Recogniser(recipe, cache)
        progress = Progress("recordings", len(todo), "recordings")
        for one in todo:
            try:
                recogniser.transcribe(one)
            except Refused as error:
                refused[one.digest] = str(error)
            progress.advance()
        print(f"sent {cost(recipe, recogniser.sent)}")
    return refused


def tell_lost(lost: Sequence[Lost], recordings: Sequence[Recording]) -> list[dict[str, str | int]]:
    """A record a recording that may have been paid for twice."""
    files = {one.digest: one.file for one in recordings}
    return [
        {
            "digest": entry.digest,
            "file": files.get(entry.digest, ""),
            "milliseconds": entry.size,
            "times": entry.times,
        }
        for entry in lost
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Speech)
    arguments.add_argument("--recordings", required=True, nargs="+", help="lists of recordings")
    arguments.add_argument(
        "--root", type=Path, help="folder that the lists' paths start from; without it, each list's own"
    )
    arguments.add_argument(
        "--shard", default="0/1", help="this job's number/number of jobs, from 0: 0/8 to 7/8"
    )
    arguments.add_argument("--cache", required=True, type=Path, help="folder that keeps transcripts for good")
    arguments.add_argument("--out", required=True, help="transcripts to write, example_id<TAB>transcript")
    arguments.add_argument(
        "--dropped", required=True, help="recordings without transcript, with reasons (.jsonl)"
    )
    arguments.add_argument("--resent", help="recordings that may have been paid for twice (.jsonl)")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Speech)
    recordings, dropped = read_recordings(given.recordings, given.root, given.shard)
    if not recordings and parse_shard(given.shard)[1] == 1:
        raise InputError(
            f"{', '.join(given.recordings)}: none of {len(dropped)} recordings can be used"
            + (f" ({dropped[0][1]})" if dropped else "")
        )
    # The limit counts all locales.
    settings = recipe.settings()
    account = place(given.cache, "speech", settings)
    with Cache(
        account / recipe.locale,
        settings | {"locale": recipe.locale},
        given.shard,
        account=account,
        wait=LONGEST_WAIT,
    ) as cache:
        lost = tell_lost(cache.lost, recordings)
        if lost:
            print(
                f"{len(lost)} recordings were on their way when an earlier job ended; they may be paid for twice:"
            )
            for entry in lost:
                print(f"  {entry['file']} ({entry['digest']}, {entry['milliseconds']} ms)")
        refused = transcribe(recordings, recipe, cache)
        if refused and len(refused) == len({one.digest for one in recordings}):
            raise InputError(next(iter(refused.values())))
        resent = tell_lost(cache.lost, recordings)
        heard = {one.digest: cache.get(one.digest) or "" for one in recordings}
    lines = []
    for one in recordings:
        if one.digest in refused:
            dropped.append((one.example_id, refused[one.digest]))
        else:
            text = heard[one.digest].lower() if recipe.lowercase else heard[one.digest]
            lines.append(f"{one.example_id}\t{text}\n")
    write_text(given.out, "".join(lines))
    write_dropped(given.dropped, dropped)
    if given.resent:
        write_jsonl(given.resent, resent)
    empty = sum(line.endswith("\t\n") for line in lines)
    print(f"{len(lines)} transcripts, {empty} of them empty; {len(dropped)} dropped, see {given.dropped}")


if __name__ == "__main__":
    run(main)
