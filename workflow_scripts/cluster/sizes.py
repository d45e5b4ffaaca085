"""How large corpora, texts and encoders will be, before any of them is there.

Of the generated world the configuration says it; of files, their bytes, on the disk or by the list of data sets
(resources/datasets.yaml).  These are estimates: a plan says how long something takes, not to the minute.  A file of
which nothing is known counts as nothing, and is told (`Sizes.unknown`).
"""

import functools
import math
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.acquire.download import Dataset, find_file, read_manifest
from workflow_scripts.bitexts import archives
from workflow_scripts.cli import InputError
from workflow_scripts.config import (
    MICROWORLD,
    ChaiiCorpus,
    Config,
    MatchedCorpus,
    PartCorpus,
    SquadCorpus,
    TranscribedQuestions,
    TranslatedQuestions,
    TydiCorpus,
    VersionsCorpus,
    encoder_chain,
    question_pairs,
    root_of,
    translated_from,
)
from workflow_scripts.recipes.microworld import Microworld

CHARACTERS_A_PIECE = 3.3  # of the pieces of multilingual encoders, over many languages
QUESTION = 45  # characters
SENTENCE = 50  # characters, in the generated world
# What files hold, counted in published ones: bytes for each question, and characters of a document.
TYDI_LANGUAGES = 11  # of which a configuration takes some, all about as large
BYTES_A_QUESTION = {"tydi": 10_000, "squad": 400, "chaii": 25_000, "versions": 25_000}
PACKED = 5  # bytes for each one of a file that ends in .gz; TyDi QA's are counted packed
DOCUMENT = {"tydi": 20_000, "squad": 750, "chaii": 10_000, "versions": 10_000}
QUESTIONS_A_DOCUMENT = {"tydi": 1.0, "squad": 4.6, "chaii": 1.3, "versions": 1.3}
BYTES_A_PAIR = 190  # of sentence pairs, both sides


@dataclass(frozen=True)
class Size:
    """A corpus: questions of each pair of question and context language, documents and their characters on average."""

    questions: dict[str, float]
    documents: float
    characters: float

    @property
    def total(self) -> float:
        """All questions."""
        return sum(self.questions.values())


@dataclass(frozen=True)
class Shape:
    """An encoder: blocks, their width and that of their feed-forward layer, and the pieces of its vocabulary."""

    layers: int
    width: int
    inner: int
    vocabulary: int

    @property
    def block_weights(self) -> float:
        """Weights that every piece is multiplied by."""
        return float(self.layers * (4 * self.width**2 + 2 * self.width * self.inner))

    @property
    def weights(self) -> float:
        """All weights."""
        return self.block_weights + (self.vocabulary + 512) * self.width

    def forward(self, pieces: float, length: float) -> float:
        """Floating-point operations that it takes to read pieces in rows of so many."""
        return pieces * (2 * self.block_weights + 4 * self.layers * self.width * length)


# Published encoders, by the last part of their names.
PUBLISHED = {
    "bert-base-multilingual-cased": Shape(12, 768, 3072, 119_547),
    "xlm-roberta-base": Shape(12, 768, 3072, 250_002),
    "xlm-roberta-large": Shape(24, 1024, 4096, 250_002),
}


@functools.cache
def _published() -> dict[str, Dataset]:
    return read_manifest()


class Sizes:
    """The sizes of everything in a configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.unknown: dict[str, None] = {}  # files and encoders of which nothing is known
        self._corpora: dict[str, Size] = {}

    def corpus(self, name: str) -> Size:
        """The size of a corpus."""
        if name not in self._corpora:
            self._corpora[name] = self._corpus(name)
        return self._corpora[name]

    def _corpus(self, name: str) -> Size:
        entry = self.config.corpora[name]
        pairs = question_pairs(self.config, name)
        match entry:
            case TydiCorpus() | ChaiiCorpus() | SquadCorpus():
                return self._read(entry, pairs)
            case PartCorpus():
                whole = self.corpus(entry.of)
                aside = self._set_aside(entry.split, whole)
                shares = {
                    pair: aside.get(pair, 0.0)
                    if entry.part == "dev"
                    else whole.questions[pair] - aside.get(pair, 0.0)
                    for pair in pairs
                }
                return Size(shares, whole.documents, whole.characters)
            case MatchedCorpus():
                of, others = self.corpus(entry.of), [self.corpus(other) for other in entry.others]
                share = min([of.total, *(other.total for other in others)]) / max(of.total, 1)
                return Size(
                    {pair: n * share for pair, n in of.questions.items()}, of.documents, of.characters
                )
            case TranslatedQuestions():
                of = self.corpus(entry.of)
                asked = {
                    f"{target}-{pair.split('-')[1]}": n
                    for target in entry.target
                    for pair, n in of.questions.items()
                    if pair.split("-")[0] in entry.source and pair.split("-")[0] != target
                }
                return Size({pair: asked.get(pair, 0.0) for pair in pairs}, of.documents, of.characters)
            case TranscribedQuestions():
                of = self.corpus(entry.of)
                return Size({pair: of.questions[pair] for pair in pairs}, of.documents, of.characters)
            case VersionsCorpus():
                of = self.corpus(entry.of)
                return Size({pairs[0]: of.total}, of.documents, of.characters)
        of = self.corpus(entry.of)
        kept = {pair: n for pair, n in of.questions.items() if pair.split("-")[1] != entry.target}
        return Size({pairs[0]: sum(kept.values())}, of.documents, of.characters)

    def _read(self, entry: TydiCorpus | ChaiiCorpus | SquadCorpus, pairs: list[str]) -> Size:
        """A corpus that is read from files."""
        world = self.config.microworld
        if world is not None and all(file.startswith(f"{MICROWORLD}/") for file in entry.files):
            found = [generated(world, file) for file in entry.files]
            questions = {pair: sum(one.get(pair.split("-")[1], 0.0) for one in found) for pair in pairs}
            asked = world.squad_questions if entry.kind == "squad" else 1
            return Size(questions, sum(questions.values()) / asked, article(world))
        count = sum(self.bytes_of(file) for file in entry.files) / BYTES_A_QUESTION[entry.kind]
        each = QUESTIONS_A_DOCUMENT[entry.kind]
        if entry.kind == "squad" and entry.max_paragraphs:
            count = min(count, entry.max_paragraphs * each)
        share = 1 / TYDI_LANGUAGES if entry.kind == "tydi" else 1 / len(pairs)
        return Size(
            dict.fromkeys(pairs, count * share),
            count * share * len(pairs) / each,
            float(DOCUMENT[entry.kind]),
        )

    def _set_aside(self, split: str, whole: Size) -> dict[str, float]:
        """Questions of each pair on the dev side of a split."""
        entry = self.config.splits[split]
        if entry.size is not None:
            share = min(entry.size / max(whole.total, 1), 1.0)
            return {pair: n * share for pair, n in whole.questions.items()}
        world = self.config.microworld
        if (
            entry.ids
            and world is not None
            and all(file.startswith(MICROWORLD) for file in entry.ids.values())
        ):
            each = float(world.dev_articles)
        else:
            each = 1000.0 if entry.ids else float(entry.per_language or 0)  # SD-QA's lists
        return {pair: min(each, n) for pair, n in whole.questions.items()}

    def bytes_of(self, file: str) -> float:
        """A file's size, as it lies here, in the mirror, or by the list of data sets; packed files count unpacked,
        but for TyDi QA's."""
        places = [Path(file)]
        name = file.removeprefix("data/")
        if self.config.mirror and name != file:
            places.append(Path(self.config.mirror) / name)
        size: float | None = next((float(place.stat().st_size) for place in places if place.is_file()), None)
        if size is None and name != file:
            try:
                size = find_file(_published(), name).bytes
            except InputError:
                size = None
        if size is None:
            self.unknown[file] = None
            return 0.0
        return size * PACKED if file.endswith(".gz") and "tydiqa" not in file else size

    def document_bytes(self, files: list[str]) -> float:
        """Characters of text in files that hold a document a line."""
        world = self.config.microworld
        total = 0.0
        for file in files:
            if world is not None and file.startswith(f"{MICROWORLD}/text/"):
                total += world.documents_of(Path(file).stem) * (article(world, text=True) + 1)
            else:
                total += self.bytes_of(file)
        return total

    def sentence_pairs(self, source: str, language: str) -> float:
        """Sentence pairs of a language with English in an entry of parallel."""
        entry, world = self.config.parallel[source], self.config.microworld
        if entry.sources:
            return (
                sum(self.bytes_of(file) for file in archives(entry.sources, language).values()) / BYTES_A_PAIR
            )
        files = entry.files(language)
        if world is not None and all(file.startswith(f"{MICROWORLD}/") for file in files):
            return float(world.sentence_pairs)
        return sum(self.bytes_of(file) for file in files) / BYTES_A_PAIR

    def chosen_pairs(self, alignment: str, language: str) -> float:
        """Sentence pairs of a language that an alignment is trained on."""
        entry = self.config.alignments[alignment]
        assert entry.pairs is not None
        there = self.sentence_pairs(entry.pairs, language) - self.config.parallel[entry.pairs].held_out
        wanted = entry.filter.sentences
        return max(there if wanted == "all" else min(there, float(wanted)), 0.0)

    def encoder(self, name: str) -> Shape:
        """The shape of an encoder; that of a checkpoint which nothing is known of counts as multilingual BERT's."""
        entry = self.config.encoders[encoder_chain(self.config, name)[-1]]
        if entry.pretrain is not None:
            shape = entry.pretrain.architecture
            return Shape(
                shape.layers, shape.hidden_size, shape.intermediate_size, entry.pretrain.vocabulary.size
            )
        assert entry.checkpoint is not None
        known = Path(entry.checkpoint).name
        if known not in PUBLISHED:
            self.unknown[entry.checkpoint] = None
        return PUBLISHED.get(known, PUBLISHED["bert-base-multilingual-cased"])

    def window(self, size: Size) -> tuple[float, float]:
        """(windows for each question of a corpus, pieces of a window on average)."""
        features = self.config.features
        question = min(QUESTION / CHARACTERS_A_PIECE, features.question_length) + 3
        room = features.max_length - question
        pieces = size.characters / CHARACTERS_A_PIECE
        if pieces <= room:
            return 1.0, pieces + question
        step = features.step or max(room - (features.stride or 0), 1)
        return 1 + math.ceil((pieces - room) / step), float(features.max_length)

    def translated(self, corpus: str, what: str, source: str) -> float:
        """Characters of a corpus's questions, or of all of it, in a language."""
        size = self.corpus(corpus)
        asked = sum(n for pair, n in size.questions.items() if pair.split("-")[0] == source)
        if what == "questions":
            return asked * QUESTION
        here = sum(n for pair, n in size.questions.items() if pair.split("-")[1] == source)
        return asked * QUESTION + here / max(size.total, 1) * size.documents * size.characters

    def root(self, corpus: str) -> Size:
        """The size of the corpus whose documents a corpus stands on."""
        return self.corpus(root_of(self.config, corpus))

    def sources(self, corpus: str) -> int:
        """How many languages a translated corpus is translated from."""
        return len(translated_from(self.config, corpus))


def article(world: Microworld, text: bool = False) -> float:
    """Characters of an article of the generated world, or of one of its monolingual documents."""
    facts, more = (
        (world.document_facts, world.document_distractor_facts)
        if text
        else (world.facts, world.distractor_facts)
    )
    return SENTENCE * (sum(facts) / 2 + sum(more) / 2) + (
        QUESTION * world.documents_with_question if text else 0
    )


def generated(world: Microworld, file: str) -> dict[str, float]:
    """Language of contexts -> questions in a file that the generated world writes."""
    name = Path(file).name
    if name.startswith("tydiqa-v1.0-train"):
        return {code: float(world.train_articles_of(code) + world.dev_articles) for code in world.languages}
    if name.startswith("tydiqa-v1.0-dev"):
        return dict.fromkeys(world.languages, float(world.test_articles))
    if name.startswith("tydiqa-v1.0-hard"):
        return dict.fromkeys(world.languages, float(world.hard_articles))
    part = 0 if "train" in name else 1
    if "/squad/" in file:
        return dict.fromkeys(world.squad_languages, float(world.squad_articles[part] * world.squad_questions))
    return {code: float(articles[part]) for code, articles in world.chaii_articles.items()}
