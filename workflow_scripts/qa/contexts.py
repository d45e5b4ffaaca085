"""Tokenise every document of a corpus once: `[ContextId=0] passage 0 [ContextId=1] passage 1 …`."""

from pathlib import Path

import numpy as np
import regex
from tokenizers import Tokenizer

from workflow_scripts.cli import Progress, parser, read_recipe, run
from workflow_scripts.corpus import Document, read_documents
from workflow_scripts.markers import PASSAGES
from workflow_scripts.qa.features import (
    Contexts,
    load_tokenizer,
    piece_id,
    save,
    unknown_piece,
    vocabulary_digest,
)
from workflow_scripts.recipes.features import Features

TOGETHER = 256  # documents handed to the tokeniser at a time
KINDS = (np.int32, np.int32, np.int32, np.int16)  # of pieces, starts, ends, passages
# How SentencePiece writes the blank before a word: a piece of its own where no piece of the word begins with it.
BLANK = "▁"
IS_BLANK = np.array([chr(code).isspace() for code in range(0x3002)])  # there are none behind
# What is composed with the letter before it, or dropped behind it: marks, joiners, conjoining Hangul, halfwidth kana's
# voicing marks and halfwidth Hangul.
MARKS = regex.compile(r"[\p{M}\u200c\u200d\u1160-\u11ff\ud7b0-\ud7ff\uff9e-\uffdc]+")


def without_blanks(offsets: np.ndarray, text: str) -> np.ndarray:
    """Offsets int32 [pieces, 2] that neither begin nor end with blanks; equal ones where a piece is blanks only."""
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    blank = IS_BLANK[np.minimum(codes, len(IS_BLANK) - 1)]
    place = np.arange(len(text) + 1, dtype=np.int32)
    # By character, where the next one stands that is no blank, and where the one before it ends.
    following, preceding = place.copy(), place.copy()
    following[:-1][blank] = len(text)
    following = np.minimum.accumulate(following[::-1])[::-1]
    preceding[1:][blank] = 0
    preceding = np.maximum.accumulate(preceding)
    starts = following[offsets[:, 0]]
    return np.column_stack([starts, np.maximum(preceding[offsets[:, 1]], starts)])


def with_marks(offsets: np.ndarray, text: str) -> np.ndarray:
    """Offsets int32 [pieces, 2] whose ends take in the marks that belong to a piece's last letter.

    A tokeniser that composes "e" + U+0301 to "é" reports the place of the letter alone.
    """
    reach = np.arange(
        len(text) + 1, dtype=np.int32
    )  # where the run of marks that begins at or before a character ends
    for match in MARKS.finditer(text):
        reach[match.start() : match.end()] = match.end()
    after = np.append(offsets[1:, 0], len(text))
    offsets[:, 1] = np.minimum(reach[offsets[:, 1]], np.maximum(after, offsets[:, 1]))
    return offsets


def characters(ids: np.ndarray, offsets: np.ndarray, text: str, blank: int | None) -> np.ndarray:
    """The characters of `text` that each piece stands for, int32 [pieces, 2]; -1, -1 where it stands for none.

    ids, offsets: int32 [pieces] and [pieces, 2] as the tokeniser gives them.  blank: the piece of a lone "▁", which the
    tokeniser puts where the word's first character is; None where the vocabulary has none, and then no piece has
    blanks in it.
    """
    if blank is None:
        return with_marks(offsets, text)
    exact = with_marks(without_blanks(offsets, text), text)
    exact[(ids == blank) | (exact[:, 0] == exact[:, 1])] = -1
    return exact


def tokenise(documents: list[Document], tokenizer: Tokenizer, max_passages: int) -> Contexts:
    """The contexts of `documents`; passages from number `max_passages` on are left out (TyDi QA baseline: 45)."""
    markers = [piece_id(tokenizer, name) for name in PASSAGES[:max_passages]]
    unknown, blank = unknown_piece(tokenizer), tokenizer.token_to_id(BLANK)
    # A list for each array, so that no more than one of them is in memory twice.
    blocks: tuple[list[np.ndarray], ...] = ([], [], [], [])
    lengths = []
    progress = Progress("contexts", len(documents), "documents")
    for at in range(0, len(documents), TOGETHER):
        some = documents[at : at + TOGETHER]
        passages = [d.text[start:end] for d in some for start, end in d.passages[:max_passages]]
        encodings = iter(tokenizer.encode_batch(passages, add_special_tokens=False))
        for document in some:
            rows = [np.empty((0, 4), dtype=np.int32)]
            for number, (start, end) in enumerate(document.passages[:max_passages]):
                encoding = next(encodings)
                rows.append(np.array([[markers[number], -1, -1, number]], dtype=np.int32))
                if encoding.ids:
                    ids = np.array(encoding.ids, dtype=np.int32)
                    offsets = np.array(encoding.offsets, dtype=np.int32)
                    place = characters(ids, offsets, document.text[start:end], blank)
                    place = np.where(place < 0, -1, place + start)
                    rows.append(np.column_stack([ids, place, np.full(len(ids), number, dtype=np.int32)]))
            block = np.concatenate(rows)
            for array, column, kind in zip(blocks, block.T, KINDS, strict=True):
                array.append(column.astype(kind))
            lengths.append(len(block))
        progress.advance(len(some))
    arrays = []
    for array, kind in zip(blocks, KINDS, strict=True):
        arrays.append(np.concatenate(array) if array else np.empty(0, dtype=kind))
        array.clear()
    pieces = arrays[0]
    print(f"{len(pieces)} pieces, {100 * (pieces == unknown).mean() if len(pieces) else 0:.2f} % unknown")
    return Contexts(
        [document.doc_id for document in documents],
        vocabulary_digest(tokenizer),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        *arrays,
    )


def main() -> None:
    arguments_parser = parser(__doc__, Features)
    arguments_parser.add_argument("--documents", type=Path, required=True, help="documents table (Parquet)")
    arguments_parser.add_argument(
        "--tokenizer", type=Path, required=True, help="tokenizer.json of the encoder"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="safetensors file of contexts")
    arguments = arguments_parser.parse_args()
    recipe = read_recipe(arguments.recipe, Features)
    documents = list(read_documents(arguments.documents).values())
    contexts = tokenise(documents, load_tokenizer(arguments.tokenizer), recipe.max_passages)
    save(arguments.out, contexts, "doc_ids", {"max_passages": recipe.max_passages})


if __name__ == "__main__":
    run(main)
