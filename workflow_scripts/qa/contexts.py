"""Tokenise every document of a corpus once: `[ContextId=0] passage 0 [ContextId=1] passage 1 …`.

Documents are read, tokenised and written a block at a time, so that a corpus may be larger than memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from workflow_scripts.cli import InputError, Progress, parser, read_recipe, run
from workflow_scripts.corpus import Document, Text, count_documents, each_text
from workflow_scripts.markers import PASSAGES
from workflow_scripts.qa.features import (
    CONTEXT_ARRAYS,
    Contexts,
    header,
    load_tokenizer,
    piece_id,
    unknown_piece,
    vocabulary_digest,
    writing,
)
from workflow_scripts.qa.pieces import Pieces
from workflow_scripts.recipes.features import Features

Readable = Document | Text
BLOCK = 2**20  # characters that are tokenised at a time


class Block(NamedTuple):
    """The contexts of some documents: int64 [documents] pieces of each, and the arrays of `Contexts` [pieces]."""

    doc_ids: list[str]
    lengths: np.ndarray
    pieces: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    passages: np.ndarray


def together(documents: Iterable[Readable], characters: int) -> Iterator[list[Readable]]:
    """Documents in lists of at least so many characters each, but for the last."""
    some: list[Readable] = []
    size = 0
    for document in documents:
        some.append(document)
        size += len(document.text)
        if size >= characters:
            yield some
            some, size = [], 0
    if some:
        yield some


def blocks(documents: Iterable[Readable], tokenizer: Tokenizer, max_passages: int) -> Iterator[Block]:
    """The contexts of documents; passages from number `max_passages` on are left out (TyDi QA baseline: 45)."""
    markers = [piece_id(tokenizer, name) for name in PASSAGES[:max_passages]]
    memory = Pieces(tokenizer)
    for some in together(documents, BLOCK):
        seen = [document.passages[:max_passages] for document in some]
        texts = [d.text[start:end] for d, spans in zip(some, seen, strict=True) for start, end in spans]
        numbers = [number for spans in seen for number in range(len(spans))]
        at = [start for spans in seen for start, _ in spans]
        ids, starts, ends, count = memory.cut(texts, at, [markers[number] for number in numbers])
        reached = np.concatenate([[0], np.cumsum(count)])
        document = np.concatenate([[0], np.cumsum([len(spans) for spans in seen])])
        passages = np.repeat(np.array(numbers, dtype=np.int16), count)
        yield Block([d.doc_id for d in some], np.diff(reached[document]), ids, starts, ends, passages)


def tokenise(documents: Sequence[Readable], tokenizer: Tokenizer, max_passages: int) -> Contexts:
    """The contexts of `blocks`, in memory."""
    made = list(blocks(documents, tokenizer, max_passages))
    lengths = np.concatenate([np.empty(0, np.int64), *(block.lengths for block in made)])
    return Contexts(
        [document.doc_id for document in documents],
        vocabulary_digest(tokenizer),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        *(
            np.concatenate([np.empty(0, kind), *(getattr(block, name) for block in made)])
            for name, kind in list(CONTEXT_ARRAYS.items())[1:]
        ),
    )


def write(out: Path, documents: Path, tokenizer: Tokenizer, vocabulary: str, max_passages: int) -> None:
    """Write the contexts of a documents table, block by block; `vocabulary` is the tokeniser's digest.

    Raises InputError where the tokeniser knows no piece of the text.
    """
    unknown = unknown_piece(tokenizer)
    progress = Progress("contexts", count_documents(documents), "documents")
    doc_ids: list[str] = []
    reached = unknowns = read = empty = 0
    about: dict[str, str] = {}
    with writing(out, CONTEXT_ARRAYS, about) as arrays:
        arrays.append(bounds=np.zeros(1))
        for block in blocks(each_text(documents), tokenizer, max_passages):
            bounds = reached + np.cumsum(block.lengths)
            arrays.append(
                bounds=bounds,
                **{name: getattr(block, name) for name in CONTEXT_ARRAYS if name != "bounds"},
            )
            doc_ids += block.doc_ids
            reached = int(bounds[-1])
            unknowns += int((block.pieces == unknown).sum())
            read += int((block.starts >= 0).sum())
            empty += int((block.lengths == 0).sum())
            progress.advance(len(block.doc_ids))
        if unknowns and unknowns == read:
            raise InputError(
                f"{documents}: all {unknowns} pieces are unknown to the tokenizer; give the tokenizer.json of an"
                " encoder that reads these languages"
            )
        about |= header(vocabulary, "doc_ids", doc_ids, {"max_passages": max_passages})
    if empty:
        print(f"{empty} of {len(doc_ids)} documents have no passages; questions about them go unanswered")
    print(f"{reached} pieces, {100 * unknowns / max(reached, 1):.2f} % unknown")


def main() -> None:
    arguments_parser = parser(__doc__, Features)
    arguments_parser.add_argument("--documents", type=Path, required=True, help="documents table (Parquet)")
    arguments_parser.add_argument(
        "--tokenizer", type=Path, required=True, help="tokenizer.json of the encoder"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="safetensors file of contexts")
    arguments = arguments_parser.parse_args()
    recipe = read_recipe(arguments.recipe, Features)
    tokenizer = load_tokenizer(arguments.tokenizer)
    write(arguments.out, arguments.documents, tokenizer, vocabulary_digest(tokenizer), recipe.max_passages)


if __name__ == "__main__":
    run(main)
