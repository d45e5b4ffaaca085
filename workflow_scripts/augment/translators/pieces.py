"""What the models of Hugging Face and their conversions share: how a language is asked for, and batches of pieces.

A multilingual tokeniser has a piece for each language, written in the manner of its authors: NLLB `eng_Latn`, M2M-100
`__en__`, mBART-50 `en_XX`; the target's piece is the first that the decoder is made to write.  MADLAD-400 (`<2en>`) and
OPUS-MT's models with several targets (`>>eng<<`) read the target's piece before the text.  A tokeniser without such
pieces belongs to a model of one pair.
"""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from workflow_scripts.augment.cut import cut
from workflow_scripts.cli import InputError
from workflow_scripts.languages import languages

# (pattern of a language's piece, whether the decoder begins with it)
MANNERS = (
    (re.compile(r"([a-z]{3}_[A-Z][a-z]{3})"), True),
    (re.compile(r"__([a-z]{2,3})__"), True),
    (re.compile(r"([a-z]{2}_[A-Z]{2})"), True),
    (re.compile(r"<2([a-z]{2,3}(?:_[A-Za-z]+)?)>"), False),
    (re.compile(r">>([a-z]{2,3}(?:_[A-Za-z]+)?)<<"), False),
)
# ISO 639-3: the member of a macrolanguage that translation models mean by it.
MEMBERS = {
    "ara": "arb",
    "aze": "azj",
    "fas": "pes",
    "kur": "kmr",
    "lav": "lvs",
    "mlg": "plt",
    "mon": "khk",
    "msa": "zsm",
    "nep": "npi",
    "nor": "nob",
    "ori": "ory",
    "pus": "pbt",
    "sqi": "als",
    "swa": "swh",
    "uzb": "uzn",
    "yid": "ydd",
    "zho": "cmn",
}


def load_tokenizer(name: str, revision: str | None) -> PreTrainedTokenizerBase:
    """The tokeniser of a folder or of the hub.  Raises InputError where there is none, or not whole."""
    # A folder's revision is the user's own name for its content.
    options: dict[str, Any] = {} if Path(name).is_dir() or revision is None else {"revision": revision}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Marian's asks for a package that only its training code uses
            tokenizer = AutoTokenizer.from_pretrained(name, **options)
            # Without its files T5's is made all the same, of special pieces alone, and everything is unknown to it.
            if tokenizer.get_vocab().keys() - tokenizer.get_added_vocab().keys() - {"▁"}:
                return tokenizer
    except Exception:  # files that are missing or damaged make it stumble anywhere
        pass
    raise InputError(
        f"{name}: no whole tokeniser there; give the folder of a sequence-to-sequence model or its name on the hub"
    )


@dataclass(frozen=True)
class Manner:
    """How a tokeniser's languages are asked for.

    `source` is what the tokeniser calls the source language (None where it takes none), `first` the piece that the
    decoder begins with, `tag` the one before the text.
    """

    source: str | None = None
    first: str | None = None
    tag: str | None = None


def manner(
    tokenizer: PreTrainedTokenizerBase, codes: Mapping[str, str], source: str, target: str, model: str
) -> Manner:
    """How to ask this tokeniser for a translation; `codes` say what is not to be deduced.

    Raises InputError for a language that it has no piece for, and for a model of another pair.
    """
    pieces = {*tokenizer.get_vocab(), *getattr(tokenizer, "lang_token_to_id", {})}
    for pattern, begins in MANNERS:
        known = {found[1]: piece for piece in sorted(pieces) if (found := pattern.fullmatch(piece))}
        if len(known) < 2:  # an ordinary piece may look like a language's
            continue
        wanted = _piece(known, codes, target, model)
        if not begins:
            return Manner(tag=wanted)
        asked = _piece(known, codes, source, model)
        return Manner(source=asked.strip("_") if asked.startswith("__") else asked, first=wanted)
    for code, own in (
        (source, getattr(tokenizer, "source_lang", None)),
        (target, getattr(tokenizer, "target_lang", None)),
    ):
        known_as = {name for row in languages().values() for name in (row.code, row.iso3)}
        if code not in codes and own in known_as and own not in _names(code):
            raise InputError(f"{model}: translates from or to {own}, not {code}; choose a model of this pair")
    return Manner()


def _names(code: str) -> list[str]:
    """What models call a language, the likeliest first."""
    row = languages().get(code)
    return [code] if row is None else [code, MEMBERS.get(row.iso3, row.iso3), row.iso3]


def _piece(known: Mapping[str, str], codes: Mapping[str, str], language: str, model: str) -> str:
    if language in codes:
        given = codes[language]
        if given in known or given in known.values():
            return known.get(given, given)
        raise InputError(
            f"{model}: codes say {given} for {language}, but the tokeniser has no such language; it has"
            f" {', '.join(sorted(known)[:5])}, …"
        )
    for name in _names(language):
        for asked, piece in sorted(known.items()):
            if asked == name or asked.startswith(f"{name}_"):
                return piece
    raise InputError(
        f"{model}: does not know {language}; it calls its languages {', '.join(sorted(known)[:5])}, …: say in codes"
        f" which one is meant, or choose another model"
    )


class Pieces:
    """A tokeniser that is set to one direction, and the limit on how many pieces a text may have."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        codes: Mapping[str, str],
        source: str,
        target: str,
        model: str,
        limit: int,
    ) -> None:
        self.tokenizer, self.limit = tokenizer, limit
        self.manner = manner(tokenizer, codes, source, target, model)
        if self.manner.source is not None:
            tokenizer.src_lang = self.manner.source
        # Text such as "</s>" is text; but a tag is seen only where special pieces are.
        tokenizer.split_special_tokens = self.manner.tag is None
        if self.manner.tag is not None and self.identify(self.manner.tag) not in self.encode("a")[:2]:
            raise InputError(f"{model}: its tokeniser does not read {self.manner.tag} as one piece")

    def identify(self, piece: str) -> int:
        """The number of a piece."""
        return int(self.tokenizer.convert_tokens_to_ids(piece))

    def encode(self, text: str) -> list[int]:
        """Numbers of a text's pieces, with all that the model expects around them."""
        tagged = text if self.manner.tag is None else f"{self.manner.tag} {text}"
        return list(self.tokenizer(tagged, verbose=False)["input_ids"])

    def decode(self, pieces: Sequence[int]) -> str:
        """The text of pieces, without special ones and the target language's."""
        first = None if self.manner.first is None else self.identify(self.manner.first)
        kept = [piece for piece in pieces if piece != first]
        return str(self.tokenizer.decode(kept, skip_special_tokens=True)).strip()

    def cut(self, text: str) -> list[str]:
        """Parts of at most `limit` pieces."""
        return cut(text, lambda part: len(self.encode(part.strip())) <= self.limit)


def batches(lengths: Sequence[int], pieces: int) -> Iterator[list[int]]:
    """Numbers of texts, longest first, in batches of at most `pieces` with padding, or of one text."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda number: (-lengths[number], number)):
        if batch and (len(batch) + 1) * lengths[batch[0]] > pieces:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
