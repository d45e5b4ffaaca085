"""Join public corpora of a language's sentence pairs into two files, line i of one translating line i of the other.

A corpus comes as it is published: a zip archive of Moses files (OPUS: WikiMatrix, wikimedia, CCAligned), a tar archive
of them (OPUS-100, of which the training part is taken), or WikiMatrix's own table, score, tab, sentence, tab, sentence.
The corpora follow one another in the order in which they are given; a pair that came before is left out, so that the
first corpus that has it keeps it.

Archives are read as streams, twice: once for the digests of their pairs, by which those that come again are found, and
once for the pairs.  What is held in memory is one byte a pair.

--dropped names every line that was left out: corpus, lines from `line` to `to`, counted from 1, and the reason.  A
corpus whose two files are not equally long is left out as a whole: which of its lines belong together is not known.
"""

import gzip
import io
import json
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import regex

from workflow_scripts.bitexts import FILES, code_in, pair_of
from workflow_scripts.cli import InputError, Progress, named_files, parser, read_recipe, run
from workflow_scripts.files import BYTE_ORDER_MARK, atomic
from workflow_scripts.languages import language
from workflow_scripts.recipes.bitext import Bitext

# What programs take for the end of a line, or for nothing that is written.
CONTROL = regex.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SIDES = ("foreign", "English")
SCORED = ".tsv.gz"  # how WikiMatrix's own files end
PART = 1 << 20  # digests that are compared at once
MEGABYTE = 1 << 20
Pair = tuple[str, str]
RawPair = tuple[bytes | None, bytes | None]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@contextmanager
def whole(file: str) -> Iterator[None]:
    """Raise InputError where what is read in the block shows that an archive is broken."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"{file}: not a whole archive ({error}); to fetch it anew, remove it and {Path(file).name}.sha256.json"
        ) from None


@contextmanager
def opened(file: str, code: str) -> Iterator[tuple[Iterator[RawPair], int]]:
    """The lines of an archive, foreign side first, None where a side has ended; and about how many bytes they have.

    Raises InputError where the archive is broken, or does not hold one file of each side.
    """
    with ExitStack() as stack:
        stack.enter_context(whole(file))
        if file.endswith(SCORED):
            with open(file, "rb") as packed:
                packed.seek(max(0, packed.seek(0, io.SEEK_END) - 4))
                size = int.from_bytes(packed.read(), "little")  # as gzip keeps it, modulo 4 GiB
            yield of_table(cast(IO[bytes], stack.enter_context(gzip.open(file))), code), size
            return
        unpack = from_zip if file.endswith(".zip") else from_tar
        streams, size = unpack(stack, file, pair_of(code), code)
        yield cast(Iterator[RawPair], zip_longest(*streams)), size


def from_zip(stack: ExitStack, file: str, pair: str, code: str) -> tuple[list[IO[bytes]], int]:
    """The two sides in a zip archive, unpacked while they are read, and their size."""
    archive = stack.enter_context(zipfile.ZipFile(file))
    found = [archive.getinfo(member(file, archive.namelist(), pair, side)) for side in (code, "en")]
    try:
        members = [stack.enter_context(archive.open(info)) for info in found]
    except (RuntimeError, NotImplementedError) as error:  # zipfile's way with passwords and rare compressions
        raise InputError(f"{file}: cannot be unpacked ({error}); pack it as a plain zip archive") from None
    # zipfile's own lines are cut in Python, which takes long
    streams = [cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, one), MEGABYTE)) for one in members]
    return streams, sum(info.file_size for info in found)


def from_tar(stack: ExitStack, file: str, pair: str, code: str) -> tuple[list[IO[bytes]], int]:
    """The two sides in a packed tar archive, one of which follows the other, unpacked to the disk; and their size."""
    names: list[str] = []
    places: dict[str, IO[bytes]] = {}
    with tarfile.open(file, "r|*") as archive:
        for entry in archive:
            names.append(entry.name)
            content = archive.extractfile(entry)
            if content and entry.name.endswith((f".{pair}-train.{code}", f".{pair}-train.en")):
                places[entry.name] = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
                shutil.copyfileobj(content, places[entry.name])
    sides = [places[member(file, names, pair, side)] for side in (code, "en")]
    size = sum(side.tell() for side in sides)
    for side in sides:
        side.seek(0)
    return sides, size


def member(file: str, names: Sequence[str], pair: str, side: str) -> str:
    """The name of the one file of a side among an archive's; InputError where there is none, or are several."""
    ending = f".{pair}.{side}" if file.endswith(".zip") else f".{pair}-train.{side}"
    found = [name for name in names if name.endswith(ending)]
    if len(found) != 1:
        there = f"{', '.join(names[:5])}{', …' if len(names) > 5 else ''}" or "nothing"
        raise InputError(f"{file}: {len(found)} files in it end in {ending}, not one; it holds {there}")
    return found[0]


def of_table(lines: IO[bytes], code: str) -> Iterator[RawPair]:
    """WikiMatrix's own lines as pairs, score and tab before the foreign side; English is a tab where a line is none."""
    first = code < "en"  # columns are in alphabetical order
    for line in lines:
        score, *sentences = line.removesuffix(b"\n").split(b"\t")
        if len(sentences) < 2:
            yield line, b"\t"
        else:
            one, two = sentences[:2]
            yield score + b"\t" + (one if first else two), two if first else one


def read(lines: Iterator[RawPair], scored: bool, recipe: Bitext) -> Iterator[Pair | str]:
    """The pairs, and in the place of a line that is not taken the reason.

    `scored`: the foreign side begins with a margin score and a tab.  Stops where one of the sides does.
    """
    for number, (theirs, ours) in enumerate(lines):
        if theirs is None or ours is None:
            return
        if scored:
            score, _, theirs = theirs.partition(b"\t")
            try:
                margin = float(score)
            except ValueError:
                ours = b"\t"
            if ours == b"\t":
                yield "not score, tab, sentence, tab, sentence"
                continue
            if not margin >= recipe.margin:
                yield f"the margin is less than {recipe.margin:g}"
                continue
        yield pair_or_reason(theirs, ours, first=not number)


def pair_or_reason(theirs: bytes, ours: bytes, first: bool) -> Pair | str:
    """Two lines as texts without blanks around them, tabs as blanks; or why one of them is none that can be used."""
    texts = []
    for side, line in zip(SIDES, (theirs, ours), strict=True):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            return f"the {side} side is not UTF-8"
        text = text.removeprefix(BYTE_ORDER_MARK) if first else text
        text = text.replace("\t", " ").strip()
        if not text:
            return f"no {side} sentence"
        if found := CONTROL.search(text):
            return f"a control character (U+{ord(found[0]):04X}) on the {side} side"
        if "|||" in text:
            return f"||| on the {side} side, which separates the sides of a pair"
        texts.append(text)
    return texts[0], texts[1]


def watched(label: str, lines: Iterator[RawPair], size: int) -> Iterator[RawPair]:
    """The same lines, with progress in megabytes."""
    progress = Progress(label, max(size // MEGABYTE, 1), "MB")
    unseen = 0
    for pair in lines:
        unseen += sum(len(side) for side in pair if side is not None)
        if unseen >= MEGABYTE:
            # the size may be too small (see `opened`); Progress ends with its total
            progress.advance(max(0, min(unseen // MEGABYTE, progress.total - 1 - progress.count)))
            unseen %= MEGABYTE
        yield pair


class Digests:
    """Digests of pairs in a file, eight bytes each."""

    def __init__(self) -> None:
        self.file = tempfile.NamedTemporaryFile()  # noqa: SIM115 (it goes with the object)
        self.count = 0

    def add(self, pair: Pair) -> None:
        """Put a pair's digest down."""
        self.file.write(blake2b("\t".join(pair).encode("utf-8"), digest_size=8).digest())
        self.count += 1

    def back_to(self, count: int) -> None:
        """Forget all digests but the first so many."""
        self.file.truncate(8 * count)
        self.file.seek(8 * count)
        self.count = count

    def repeated(self, part: int = PART) -> Flags:
        """Whether each digest came before; about `part` of them are looked at together."""
        self.file.flush()
        again = np.zeros(self.count, bool)
        if not self.count:
            return again
        held = np.memmap(self.file.name, np.uint64, "r", shape=(self.count,))
        parts = -(-self.count // part)
        for number in range(parts):
            places = np.concatenate(
                [
                    start + np.flatnonzero(held[start : start + part] % np.uint64(parts) == number)
                    for start in range(0, self.count, part)
                ]
            )
            values = held[places]
            order = np.argsort(values, kind="stable")  # the first of those that are the same comes first
            same = values[order[1:]] == values[order[:-1]]
            again[places[order[1:][same]]] = True
        return again


class Dropped:
    """What is left out, written down; lines that follow one another for the same reason together."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.held: dict[str, Any] = {}
        self.count = 0

    def add(self, corpus: str, line: int, reason: str, to: int | None = None) -> None:
        """Leave out a line, or all from `line` to `to`."""
        to = to or line
        self.count += to - line + 1
        if self.held and self.held | {"corpus": corpus, "reason": reason, "to": line - 1} == self.held:
            self.held["to"] = to
        else:
            self.flush()
            self.held = {"corpus": corpus, "line": line, "to": to, "reason": reason}

    def flush(self) -> None:
        """Write down what is held back."""
        if self.held:
            self.file.write(json.dumps(self.held, ensure_ascii=False) + "\n")
        self.held = {}


def first_look(corpus: str, file: str, code: str, recipe: Bitext, digests: Digests) -> tuple[int, int]:
    """Put down the digests of a corpus's pairs; what is returned is how many lines its sides have.

    If these are not equally many, no digest is put down.
    """
    before, counts = digests.count, [0, 0]

    def counted(lines: Iterator[RawPair]) -> Iterator[RawPair]:
        for pair in lines:
            for side in (0, 1):
                counts[side] += pair[side] is not None
            yield pair

    with opened(file, code) as (lines, size):
        lines = counted(watched(f"{corpus}, what comes again", lines, size))
        for pair in read(lines, file.endswith(SCORED), recipe):
            if isinstance(pair, tuple):
                digests.add(pair)
        for _ in lines:  # what is left of the longer side
            pass
    if counts[0] != counts[1]:
        digests.back_to(before)
    return counts[0], counts[1]


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Bitext)
    arguments.add_argument(
        "--archives",
        nargs="+",
        required=True,
        metavar="CORPUS=FILE",
        help=f"the corpora, first come first served: {', '.join(FILES)}",
    )
    arguments.add_argument("--language", required=True, help="the code of the language")
    arguments.add_argument("--foreign", required=True, help="its sentences to write, one a line")
    arguments.add_argument("--english", required=True, help="the same sentences in English to write")
    arguments.add_argument("--dropped", required=True, help="lines that were left out, with reasons (.jsonl)")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Bitext)
    name = language(given.language).name
    archives = named_files(given.archives, "--archives")
    codes = {corpus: code_in(corpus, given.language) for corpus in archives}
    digests = Digests()
    sizes = {
        corpus: first_look(corpus, file, codes[corpus], recipe, digests) for corpus, file in archives.items()
    }
    again = iter(digests.repeated())
    total = 0
    with ExitStack() as stack:
        foreign, english, dropped_file = (
            stack.enter_context(open(stack.enter_context(atomic(path)), "w", encoding="utf-8", newline="\n"))
            for path in (given.foreign, given.english, given.dropped)
        )
        for corpus, file in archives.items():
            theirs, ours = sizes[corpus]
            dropped, kept = Dropped(dropped_file), 0
            if theirs != ours:
                reason = f"{theirs} foreign and {ours} English lines; which belong together is not known"
                dropped.add(corpus, 1, reason, to=max(theirs, ours))
            else:
                with opened(file, codes[corpus]) as (lines, size):
                    lines = watched(f"{corpus}, pairs", lines, size)
                    for number, pair in enumerate(read(lines, file.endswith(SCORED), recipe), 1):
                        if isinstance(pair, str):
                            dropped.add(corpus, number, pair)
                        elif next(again):
                            dropped.add(corpus, number, "the pair came before")
                        else:
                            kept += 1
                            foreign.write(pair[0] + "\n")
                            english.write(pair[1] + "\n")
            dropped.flush()
            total += kept
            print(f"{corpus}: {max(theirs, ours)} lines, {kept} pairs kept, {dropped.count} dropped")
        if not total:
            raise InputError(
                f"{', '.join(archives.values())}: no sentence pair of {name} and English that can be used"
            )
    print(f"{total} pairs in {name} and English; what was left out: {given.dropped}")


if __name__ == "__main__":
    run(main)
