"""The arrays between text and model: each context tokenised once, windows as index arithmetic over its pieces.

A context is `[ContextId=0] passage 0 [ContextId=1] passage 1 …` (TyDi QA baseline).  Its pieces are stored once for all
questions about it; a window is a stretch of them.  Positions in the text are characters of the document, exact through
any normalisation, because they come from the tokeniser's own alignment; markers and blanks' pieces have none (-1).
The arrays are safetensors files, which are mapped into memory, not read.
"""

import hashlib
import json
import mmap
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import IO

import numpy as np
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer, models

from workflow_scripts.cli import InputError, absent
from workflow_scripts.files import atomic

NO_ANSWER, SPAN, PASSAGE, YES, NO = range(5)  # answer types, in the order of the answer-type head's outputs
KINDS = {"I16": np.int16, "I32": np.int32, "I64": np.int64}  # by their names in safetensors files
CONTEXT_ARRAYS: dict[str, type[np.integer]] = {
    "bounds": np.int64,
    "pieces": np.int32,
    "starts": np.int32,
    "ends": np.int32,
    "passages": np.int16,
}
WINDOW_ARRAYS: dict[str, type[np.integer]] = {
    "question_bounds": np.int64,
    "question_pieces": np.int32,
    **dict.fromkeys(("question", "first", "length", "answer_type", "start", "end"), np.int64),
}
ANSWER_TYPES = ("NO_ANSWER", "SPAN", "PASSAGE", "YES", "NO")


@dataclass(frozen=True)
class Contexts:
    """Tokenised contexts of a documents table.

    doc_ids: the documents in order.  bounds: int64 [documents + 1], where each one's pieces begin.
    pieces: int32 [pieces]; starts, ends: int32 [pieces], characters of the document, -1 where a piece stands for none:
    no answer begins or ends there; passages: int16 [pieces], the passage that each piece (its marker included) belongs
    to.  vocabulary: whose pieces these are, as `vocabulary_digest` says.
    """

    doc_ids: list[str]
    vocabulary: str
    bounds: np.ndarray
    pieces: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    passages: np.ndarray


@dataclass(frozen=True)
class Windows:
    """Windows of a questions table over its contexts.

    question_ids: the questions in order.  question_bounds: int64 [questions + 1] into question_pieces, int32, which
    begin with `[Q]`.  Per window, int64 [windows]: question (row), first (piece of the contexts file) and length
    (pieces).  The answer, by window: answer_type (as the annotation says it), and start and end, the first and last
    piece of the answer counted from `first`; -1, -1 where the window does not hold all of it, and answer_type is then
    NO_ANSWER.  vocabulary: as in Contexts.
    """

    question_ids: list[str]
    vocabulary: str
    question_bounds: np.ndarray
    question_pieces: np.ndarray
    question: np.ndarray
    first: np.ndarray
    length: np.ndarray
    answer_type: np.ndarray
    start: np.ndarray
    end: np.ndarray


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokeniser of a `tokenizer.json`; text such as "[SEP]" in a document is text, not a special piece.

    Raises InputError where the file is absent or the vocabulary lacks the markers of QA inputs.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the tokenizer.json of an encoder folder")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def piece_id(tokenizer: Tokenizer, name: str) -> int:
    """The id of a special piece; InputError where the vocabulary has none of that name."""
    number = tokenizer.token_to_id(name)
    if number is None:
        raise InputError(
            f"the vocabulary has no piece {name}; use an encoder folder that this workflow wrote"
        )
    return number


def unknown_piece(tokenizer: Tokenizer) -> int | None:
    """The id of the piece that stands for text outside the vocabulary; None where all text can be written in pieces."""
    model = tokenizer.model
    if isinstance(model, models.Unigram):
        return json.loads(tokenizer.to_str())["model"]["unk_id"]
    name = getattr(model, "unk_token", None)
    return None if name is None else tokenizer.token_to_id(name)


def vocabulary_digest(tokenizer: Tokenizer) -> str:
    """A digest of every piece and its number: features of one vocabulary mean nothing to an encoder with another."""
    pieces = tokenizer.get_vocab(with_added_tokens=True)
    # as json.dumps writes the pairs, without making an object of each
    pairs = ", ".join(f"[{encode_basestring_ascii(name)}, {pieces[name]}]" for name in sorted(pieces))
    return hashlib.sha256(f"[{pairs}]".encode()).hexdigest()


class Arrays:
    """Arrays that grow on the disk, to become a safetensors file; none of them is in memory."""

    def __init__(self, folder: Path, kinds: Mapping[str, type[np.integer]]) -> None:
        self.kinds = {name: np.dtype(kind) for name, kind in kinds.items()}
        self.counts = dict.fromkeys(kinds, 0)
        self.files: dict[str, IO[bytes]] = {
            name: tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (`writing` closes them)
            for name in kinds
        }

    def append(self, **arrays: np.ndarray) -> None:
        """Add to the arrays of these names."""
        for name, array in arrays.items():
            array = np.ascontiguousarray(array, dtype=self.kinds[name])
            self.files[name].write(array.data)
            self.counts[name] += len(array)

    def finish(self, path: Path, metadata: dict[str, str]) -> None:
        """Write the file, its bytes the same every time; the library writes metadata in the order of a hash table."""
        names = sorted(self.kinds, key=lambda name: (-self.kinds[name].itemsize, name))
        header: dict[str, object] = {"__metadata__": metadata}
        reached = 0
        for name in names:
            begin, reached = reached, reached + self.counts[name] * self.kinds[name].itemsize
            kind = next(key for key, value in KINDS.items() if value == self.kinds[name])
            header[name] = {"dtype": kind, "shape": [self.counts[name]], "data_offsets": [begin, reached]}
        octets = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        octets += b" " * (-len(octets) % 8)
        with open(path, "wb") as out:
            out.write(len(octets).to_bytes(8, "little") + octets)
            for name in names:
                self.files[name].seek(0)
                shutil.copyfileobj(self.files[name], out, 2**20)


@contextmanager
def writing(path: Path, kinds: Mapping[str, type[np.integer]], metadata: dict[str, str]) -> Iterator[Arrays]:
    """Arrays to append to, written to `path` with `metadata` (filled by then) when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = Arrays(path.parent, kinds)
    try:
        yield arrays
        with atomic(path) as temporary:
            arrays.finish(temporary, metadata)
    finally:
        for file in arrays.files.values():
            file.close()


def header(vocabulary: str, ids: str, names: list[str], about: dict[str, object]) -> dict[str, str]:
    """What a file of features says of itself; `ids` is what it calls the list of `names`."""
    return {ids: json.dumps(names), "vocabulary": vocabulary, "about": json.dumps(about)}


def save(path: Path, features: Contexts | Windows, ids: str, about: dict[str, object]) -> None:
    """Write the arrays, with the list named `ids` and facts for the reader in the header."""
    kinds = CONTEXT_ARRAYS if isinstance(features, Contexts) else WINDOW_ARRAYS
    with writing(path, kinds, header(features.vocabulary, ids, getattr(features, ids), about)) as arrays:
        arrays.append(**{name: getattr(features, name) for name in kinds})


def release(features: Contexts | Windows) -> None:
    """Let go of the pages of a mapped file that were read; they are read again when they are needed."""
    whole: object = features.bounds if isinstance(features, Contexts) else features.question_bounds
    while isinstance(whole, np.ndarray):
        whole = whole.base
    if isinstance(whole, mmap.mmap):
        whole.madvise(mmap.MADV_DONTNEED)


def load_contexts(path: Path) -> Contexts:
    """The contexts of a file, their arrays mapped into memory.  Raises InputError where it is no such file."""
    doc_ids, vocabulary, arrays = _load(path, "doc_ids", "contexts")
    return Contexts(doc_ids, vocabulary, **arrays)


def load_windows(path: Path) -> Windows:
    """The windows of a file, their arrays mapped into memory.  Raises InputError where it is no such file."""
    question_ids, vocabulary, arrays = _load(path, "question_ids", "windows")
    return Windows(question_ids, vocabulary, **arrays)


def _load(path: Path, ids: str, step: str) -> tuple[list[str], str, dict[str, np.ndarray]]:
    """The list named `ids`, the vocabulary's digest and the arrays of a file that `qa.<step>` wrote."""
    try:
        with safe_open(path, framework="np") as file:  # which checks the header
            about = file.metadata() or {}
    except FileNotFoundError:
        raise InputError(absent(path)) from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a whole safetensors file ({error})") from None
    if ids not in about or "vocabulary" not in about:
        raise InputError(f"{path}: not {step} of this workflow; give a file that qa.{step} wrote")
    return json.loads(about[ids]), about["vocabulary"], _mapped(path)


def _mapped(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file as views of the mapped file; the library's own reader copies them.

    The format: the header's length in 8 bytes, the header as JSON, then the arrays at the offsets that it names.
    """
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    octets = np.asarray(np.memmap(path, np.uint8, "r"))[8 + length :]
    arrays = {}
    for name, array in header.items():
        if name != "__metadata__":
            begin, end = array["data_offsets"]
            arrays[name] = octets[begin:end].view(KINDS[array["dtype"]]).reshape(array["shape"])
    return arrays
