"""The whole configuration: what config.yaml may say, and what it may not.

Each section is a pydantic model; the parts that a step reads come from `workflow_scripts.recipes`, so that a step can
be run by hand with the same keys.  `load` turns the dictionary that Snakemake read into a `Config`, or raises an
InputError with one sentence that names the key, what was found and what is allowed.  Only the Snakefile and its rules
import this module: a step gets the keys it uses, and a change of any other key leaves its results as they are.

The functions after the models answer what the rules ask: which documents a corpus stands on, which pairs of question
and context language an evaluation has, which evaluations a model is shown in.

`python -m workflow_scripts.config --schema` writes resources/config.schema.json, which lets editors complete and
check configuration files.
"""

import argparse
import difflib
import functools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError, model_validator
from pydantic.functional_validators import AfterValidator, BeforeValidator

from workflow_scripts.acquire.download import Dataset, find_file, read_manifest
from workflow_scripts.bitexts import archives
from workflow_scripts.cli import InputError, run
from workflow_scripts.files import write_text
from workflow_scripts.for_each import combinations, expanded, filled, variables
from workflow_scripts.languages import language, languages
from workflow_scripts.recipes.alignment import Alignment
from workflow_scripts.recipes.base import Positive, Recipe
from workflow_scripts.recipes.bitext import Bitext
from workflow_scripts.recipes.calibration import Calibration, CalibrationTable
from workflow_scripts.recipes.descriptions import (
    AlignmentsTable,
    DescribedAlignment,
    Setting,
    SettingsTable,
)
from workflow_scripts.recipes.effects import Effect, EffectsTable
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.linker import LinkerTraining
from workflow_scripts.recipes.links import Links
from workflow_scripts.recipes.microworld import Microworld
from workflow_scripts.recipes.outcomes import OutcomesTable, Side
from workflow_scripts.recipes.parallel import Parallel
from workflow_scripts.recipes.pretraining import Pretraining
from workflow_scripts.recipes.relocation import Label
from workflow_scripts.recipes.retrieval import Retrieval
from workflow_scripts.recipes.retrieval_table import Aligned, RetrievalTable
from workflow_scripts.recipes.sections import Block, Section, SectionsTable, Source
from workflow_scripts.recipes.speech import Speech
from workflow_scripts.recipes.splits import Splits
from workflow_scripts.recipes.table import (
    Heading,
    Metric,
    PairsColumn,
    PairsTable,
    Printed,
    ReadColumn,
    RecordsCorpus,
    RecordsSet,
    RecordsTable,
    Row,
    Spread,
    Table,
    Task,
)
from workflow_scripts.recipes.translators import AnyTranslator, CTranslate2, Google, Seq2Seq, Translator
from workflow_scripts.recipes.transliteration import Transliteration
from workflow_scripts.recipes.trimming import Trimming
from workflow_scripts.recipes.tuning import Prediction, Selected, Tuning

SCHEMA = Path(__file__).parent.parent / "resources" / "config.schema.json"
MICROWORLD = "results/microworld"


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", text):
        raise ValueError("names are used in file names: lower-case letters, digits and hyphens only")
    return text


def _table_name(text: str) -> str:
    _name(text.replace("_", "-"))
    return text


def _template(text: str) -> str:
    _name(re.sub(r"\{[a-z]+\}", "x", text))
    return text


def _quoted(given: object) -> object:
    if given is False:
        raise ValueError('YAML reads no without quotes as false; for Norwegian, write "no"')
    return given


def _value(given: object) -> object:
    if isinstance(_quoted(given), str) and re.fullmatch(r"[a-z0-9-]+", str(given)):
        return given
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    raise ValueError("values are parts of names: lower-case letters, digits and hyphens, or whole numbers")


def _code(text: str) -> str:
    return language(text).code


def _pair(text: str) -> str:
    first, _, second = text.partition("-")
    if not first or not second:
        raise ValueError("a pair is two language codes joined by a hyphen, such as en-ar")
    for code in (first, second):
        _code(code)
    return text


Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": "^[a-z0-9-]+$"})]
TableName = Annotated[str, AfterValidator(_table_name), Field(json_schema_extra={"pattern": "^[a-z0-9_-]+$"})]
Template = Annotated[
    str, AfterValidator(_template), Field(json_schema_extra={"pattern": r"^([a-z0-9-]|\{[a-z]+\})+$"})
]
Code = Annotated[
    str,
    BeforeValidator(_quoted),
    AfterValidator(_code),
    Field(json_schema_extra={"enum": sorted(languages())}),
]
Pair = Annotated[str, AfterValidator(_pair), Field(json_schema_extra={"pattern": "^[a-z]{2,3}-[a-z]{2,3}$"})]


class TydiCorpus(Recipe):
    """Questions and articles from files in TyDi QA's official primary-task format."""

    kind: Literal["tydi"] = Field(description="tydi: TyDi QA primary-task files (JSON lines, gzip or not)")
    files: list[str] = Field(min_length=1, description="the files, together one corpus")
    languages: list[Code] = Field(
        min_length=1, description="languages to keep; records in others are dropped"
    )


class SquadCorpus(Recipe):
    """Questions and paragraphs from files in SQuAD's format (SQuAD, XQuAD, MLQA, GoldP, ARCD)."""

    kind: Literal["squad"] = Field(
        description="squad: files in SQuAD's format, one pair of question and context language a corpus"
    )
    files: list[str] = Field(min_length=1, description="the files, together one corpus")
    language: Code = Field(description="language of the paragraphs")
    question_language: Code | None = Field(
        None, description="language of the questions (MLQA); null: that of the paragraphs"
    )
    exclude_contexts: list[str] = Field(
        [], description="SQuAD-format files whose paragraphs, and all questions on them, are left out"
    )
    max_paragraphs: Positive | None = Field(None, description="use the first N paragraphs; null: all")


class ChaiiCorpus(Recipe):
    """Questions and contexts from files with the columns of ChAII's training file."""

    kind: Literal["chaii"] = Field(
        description="chaii: CSV files with the columns of ChAII's training file, a question a row"
    )
    files: list[str] = Field(min_length=1, description="the files, together one corpus")
    languages: list[Code] = Field(min_length=1, description="languages to keep; rows in others are dropped")


class MatchedCorpus(Recipe):
    """Those questions of another corpus whose records other corpora have, too, over the same documents."""

    kind: Literal["matched"] = Field(
        description="matched: those questions of a corpus whose records other corpora have, too"
    )
    of: Name = Field(description="the corpus whose questions are taken")
    others: list[Name] = Field(
        alias="with",
        min_length=1,
        description="corpora that must all have the record: the question itself, or a version of it",
    )


class PartCorpus(Recipe):
    """One side of a split: some of another corpus's questions, over the same documents."""

    kind: Literal["part"] = Field(description="part: the train or the dev side of a split")
    of: Name = Field(description="the corpus that was split")
    split: Name = Field(description="an entry of splits")
    part: Literal["train", "dev"] = Field(description="which side")


class TranslatedQuestions(Recipe):
    """Another corpus's questions asked in other languages; documents and answers stay (aligned_qa's augmentation)."""

    kind: Literal["translated-questions"] = Field(
        description="translated-questions: a corpus's questions in other languages, over the same documents"
    )
    of: Name = Field(description="the corpus whose questions are translated")
    source: list[Code] = Field(alias="from", min_length=1, description="take questions in these languages")
    target: list[Code] = Field(alias="to", min_length=1, description="ask each in each of these languages")
    translations: Name = Field(description="an entry of translations")


class LinksOf(Links):
    """How words are linked, and by which of the configuration's encoders."""

    encoder: Name | None = Field(None, description="neural: an entry of encoders, whose hidden states link")

    @model_validator(mode="after")
    def _an_encoder_where_one_reads(self) -> Self:
        if self.linker == "neural" and self.encoder is None:
            raise ValueError("linker neural needs encoder, the name of an entry of encoders")
        if self.linker == "statistical" and self.encoder is not None:
            raise ValueError("encoder belongs to linker neural, but linker is statistical")
        return self


class TranslatedCorpus(Recipe):
    """A whole corpus in another language: documents, questions, and answers found again (MuCoT's augmentation)."""

    kind: Literal["translated"] = Field(
        description="translated: a whole corpus in another language, documents and all"
    )
    of: Name = Field(description="the corpus to translate; one that is translated itself makes a chain")
    target: Code = Field(alias="to", description="the language; what is in it already is left out")
    translations: Name | None = Field(
        None, description="an entry of translations that holds a translator, or"
    )
    records: dict[Code, str] = Field(
        {}, description="files of whole translated records, one for each language of contexts"
    )
    links: LinksOf | None = Field(
        LinksOf(stems=True),
        description="how words are linked, which helps to find answers again; null: not at all",
    )
    least_label: Label = Field(
        "sentence",
        description="leave out questions whose answer is found again with less certainty than this",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.translations is None) == (not self.records):
            raise ValueError("give exactly one of translations (a translator) and records (translated files)")
        return self


class TransliteratedCorpus(Transliteration):
    """A whole corpus in another language's script."""

    kind: Literal["transliterated"] = Field(
        description="transliterated: a whole corpus in another script, documents and all"
    )
    of: Name = Field(description="the corpus to write in another script")
    target: Code = Field(alias="to", description="a language with this script; what is in it is left out")


class VersionsCorpus(Recipe):
    """Versions of another corpus's records that others published whole, in one language (MuCoT's files)."""

    kind: Literal["versions"] = Field(
        description="versions: MuCoT's files of translated or transliterated records, in one language"
    )
    of: Name = Field(description="the corpus whose records these are versions of")
    files: list[str] = Field(min_length=1, description="the files, together one corpus")
    target: Code = Field(alias="to", description="the language to take; rows in others are left out")
    made: Literal["translated", "transliterated"] = Field(
        description="what the files hold: translated (column language), transliterated (columns src and tgt)"
    )


class TranscribedQuestions(Recipe):
    """Another corpus's questions as a speech recogniser heard them, over the same documents (SD-QA)."""

    kind: Literal["transcribed"] = Field(
        description="transcribed: a corpus's questions as they were heard in a dialect, over the same documents"
    )
    of: Name = Field(description="the corpus whose questions were read aloud")
    dialect: str = Field(
        pattern="^[A-Za-z_]+-[a-z]{2,3}-[A-Z]{2}$",
        description="region of the speakers and locale of the recogniser, such as kenya-sw-KE",
    )
    transcripts: list[str] = Field(
        [], description="files of SD-QA that hold the dialect, or of lines `example_id<TAB>text`; or"
    )
    recordings: Name | None = Field(None, description="an entry of speech, whose recordings are transcribed")
    qmark: Literal["add", "keep"] = Field(
        "add", description="end texts in ' ?', as written questions do; keep: leave them as they were heard"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.recordings is None) == (not self.transcripts):
            raise ValueError(
                "give exactly one of transcripts (files) and recordings (to be transcribed here)"
            )
        return self

    def language(self) -> str:
        """The code of the language that is spoken."""
        return self.dialect.split("-")[1]


Corpus = Annotated[
    TydiCorpus
    | SquadCorpus
    | ChaiiCorpus
    | PartCorpus
    | MatchedCorpus
    | TranslatedQuestions
    | TranslatedCorpus
    | TransliteratedCorpus
    | VersionsCorpus
    | TranscribedQuestions,
    Field(discriminator="kind"),
]
DERIVED = (
    PartCorpus,
    MatchedCorpus,
    TranslatedQuestions,
    TranslatedCorpus,
    TransliteratedCorpus,
    VersionsCorpus,
    TranscribedQuestions,
)
# Corpora in another language or script, which have documents of their own
WHOLE = (TranslatedCorpus, TransliteratedCorpus, VersionsCorpus)
# Those that select or derive questions and stand on the documents of another corpus
ON_OTHERS = (PartCorpus, MatchedCorpus, TranslatedQuestions, TranscribedQuestions)


class Split(Splits):
    """How a training corpus without a dev set is cut into train and dev."""

    of: Name = Field(description="the corpus to split")
    ids: dict[Code, str] = Field(
        {}, description="SD-QA id lists, one file a language, naming the dev questions; empty: draw a sample"
    )

    @model_validator(mode="after")
    def _listed_or_drawn(self) -> Self:
        if self.ids and self.size is not None:
            raise ValueError(
                "size belongs to a sample, but ids names the questions that are set aside; leave one out"
            )
        return self


class ImportedTranslations(Recipe):
    """Question translations from files, whoever made them."""

    kind: Literal["imported"] = Field(description="imported: files of `example_id<TAB>text`")
    of: Name = Field(description="the corpus with the original questions")
    files: dict[Pair, str] = Field(
        min_length=1, description="one file for each source-target pair, such as en-ar"
    )


class ParallelTranslations(Recipe):
    """Question translations from a corpus that asks the same questions, under the same ids, in another language."""

    kind: Literal["parallel-corpora"] = Field(
        description="parallel-corpora: the questions of the same ids in another corpus (XQuAD, MLQA)"
    )
    of: Name = Field(description="the corpus with the original questions")
    questions: list[Name] = Field(
        min_length=1, description="corpora with the same questions, each in a target language"
    )


class GoogleTranslations(Google):
    """What Google's service makes of the texts of every corpus that asks for these translations."""

    kind: Literal["google"] = Field(
        description="google: Google Cloud Translation, version 3, paid by character"
    )
    shards: Positive = Field(1, description="jobs for each pair of languages, which run side by side")


class Seq2SeqTranslations(Seq2Seq):
    """What a Hugging Face model makes of the texts of every corpus that asks for these translations."""

    kind: Literal["seq2seq"] = Field(
        description="seq2seq: a Hugging Face model (NLLB, M2M-100, MADLAD, OPUS-MT)"
    )
    shards: Positive = Field(1, description="jobs for each pair of languages, which run side by side")


class CTranslate2Translations(CTranslate2):
    """What a converted model makes of the texts of every corpus that asks for these translations."""

    kind: Literal["ctranslate2"] = Field(description="ctranslate2: a model converted for CTranslate2")
    shards: Positive = Field(1, description="jobs for each pair of languages, which run side by side")


Translations = Annotated[
    ImportedTranslations
    | ParallelTranslations
    | GoogleTranslations
    | Seq2SeqTranslations
    | CTranslate2Translations,
    Field(discriminator="kind"),
]
TRANSLATORS = (GoogleTranslations, Seq2SeqTranslations, CTranslate2Translations)


class Recordings(Speech):
    """Recordings of questions that are read aloud, transcribed by Google's service, paid by minute."""

    files: list[str] = Field(
        min_length=1,
        description="lists of recordings: SD-QA's triples or metadata.csv, or lines `example_id<TAB>path`",
    )
    root: str | None = Field(
        None, description="folder that the lists' paths start from; null: each list's own"
    )
    shards: Positive = Field(1, description="jobs, which run side by side")


class Trimmed(Trimming):
    """An encoder whose vocabulary keeps what the text of some languages uses."""

    held_out: dict[Code, list[str]] = Field(
        {},
        description="text on which unknown pieces are counted: files for each language; none: the text itself",
    )


class Encoder(Recipe):
    """A multilingual encoder: pretrained here, a published checkpoint, or another one, tuned or trimmed."""

    pretrain: Pretraining | None = Field(None, description="pretrain one from scratch with these settings")
    text: dict[Code, list[str]] = Field(
        {},
        description="text to pretrain on, or whose pieces are kept: files for each language, a document a line",
    )
    checkpoint: str | None = Field(
        None, description="Hugging Face name (bert-base-multilingual-cased) or folder of a pretrained encoder"
    )
    tune: LinkerTraining | None = Field(
        None,
        description="train another encoder on sentence pairs with these settings, so that it links words",
    )
    trim: Trimmed | None = Field(
        None, description="leave out the pieces of another encoder that text does not use"
    )
    of: Name | None = Field(None, description="tune, trim: the entry of encoders that is tuned or trimmed")
    pairs: Name | None = Field(
        None, description="tune: an entry of parallel, where the sentence pairs come from"
    )
    languages: Annotated[list[Code], Field(min_length=1)] | Literal["all"] = Field(
        "all", description="tune: languages whose pairs with English are used; all: every one that pairs has"
    )
    filter: Parallel = Field(Parallel(), description="tune: which sentence pairs are used")

    @model_validator(mode="after")
    def _one_of_four(self) -> Self:
        if [self.pretrain, self.checkpoint, self.tune, self.trim].count(None) != 3:
            raise ValueError(
                "give exactly one of pretrain (from scratch), checkpoint (name or folder), tune and trim (of another"
                " entry)"
            )
        if (self.pretrain is None and self.trim is None) == bool(self.text):
            raise ValueError(
                "text belongs to pretrain and trim: give files for each language there, and only there"
            )
        for key in ("pairs", "languages", "filter"):
            if self.tune is None and key in self.model_fields_set:
                raise ValueError(f"{key} belongs to tune, which trains another entry of encoders")
        if self.tune is None and self.trim is None and self.of is not None:
            raise ValueError("of belongs to tune and trim, which make an encoder of another entry")
        if self.tune is not None and (self.of is None or self.pairs is None):
            raise ValueError("tune needs of (an entry of encoders) and pairs (an entry of parallel)")
        if self.trim is not None and self.of is None:
            raise ValueError("trim needs of (an entry of encoders)")
        return self


class SentencePairs(Bitext):
    """Parallel text of several languages with English: files of one's own, or public corpora, which are downloaded."""

    languages: list[Code] = Field(min_length=1, description="the languages beside English")
    foreign: str | None = Field(
        None, description="a language's side, a sentence a line; {language} stands for its code"
    )
    english: str | None = Field(None, description="the English side, line by line the same, or")
    sources: list[Literal["wikimatrix", "wikimatrix-tsv", "wikimedia", "ccaligned", "opus-100"]] = Field(
        [], description="public corpora, joined; of a pair that several have, the first one's counts"
    )
    held_out: Annotated[int, Field(ge=0)] = Field(
        0,
        description="pairs of each language, a fifth of them at most, that no encoder is aligned on and that retrieval"
        " measures",
    )
    links: str | None = Field(
        None, description="gold links of the pairs, likewise; null: there are none, linkers link"
    )

    @model_validator(mode="after")
    def _a_file_each(self) -> Self:
        if len({self.foreign is None, self.english is None, bool(self.sources)}) != 1:
            raise ValueError("give either foreign and english (files) or sources (public corpora)")
        if self.foreign is None or self.english is None:
            if self.links is not None:
                raise ValueError("links belongs to foreign and english; public corpora have no gold links")
            return self
        if len(self.languages) > 1 and not ("{language}" in self.foreign and "{language}" in self.english):
            raise ValueError(
                "foreign and english must hold {language}, so that every language has files of its own"
            )
        if len(self.languages) > 1 and "{language}" not in (self.links or "{language}"):
            raise ValueError("links must hold {language}, so that every language has a file of its own")
        return self

    @model_validator(mode="after")
    def _a_margin_where_there_are_scores(self) -> Self:
        if "margin" in self.model_fields_set and "wikimatrix-tsv" not in self.sources:
            raise ValueError("margin belongs to wikimatrix-tsv, the only source with scores")
        return self

    def joined(self) -> str:
        """The folder of the joined sources, which tells all that their sentences depend on; empty without sources."""
        names = (f"{name}-{self.margin:g}" if name == "wikimatrix-tsv" else name for name in self.sources)
        return "+".join(names)

    def files(self, code: str) -> tuple[str, str]:
        """The two files of a language: its own side and the English one."""
        if self.foreign is None or self.english is None:
            stem = f"results/bitexts/{self.joined()}/{code}-en"
            return f"{stem}.{code}", f"{stem}.en"
        return self.foreign.replace("{language}", code), self.english.replace("{language}", code)

    def gold(self, code: str) -> list[str]:
        """The file of a language's gold links, if there are any."""
        return [self.links.replace("{language}", code)] if self.links else []


class AlignmentRun(Recipe):
    """An alignment of an encoder: fine-tuned here on sentence pairs, or an aligned encoder that others published."""

    languages: Annotated[list[Code], Field(min_length=1)] | Literal["all"] = Field(
        description="languages to align with English; all: those of pairs whose sentences are there or can be had"
    )
    pairs: Name | None = Field(None, description="an entry of parallel: where the sentence pairs come from")
    filter: Parallel = Field(Parallel(), description="which sentence pairs are used")
    links: LinksOf = Field(LinksOf(), description="how words are linked")
    objective: Alignment = Field(Alignment(), description="how the encoder is trained on the links")
    checkpoint: str | None = Field(
        None,
        description="folder of a published aligned encoder, instead of pairs; where it is absent, tables say n/a",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.pairs is None) == (self.checkpoint is None):
            raise ValueError(
                "give exactly one of pairs (to align here) and checkpoint (folder of an encoder)"
            )
        if self.checkpoint is not None:
            if given := sorted(self.model_fields_set & {"filter", "links", "objective"}):
                raise ValueError(f"{given[0]} belongs to pairs; a checkpoint is taken as it is")
            if self.languages == "all":
                raise ValueError("languages: name those that the checkpoint was aligned in")
        return self


class TrainingSet(Recipe):
    """The corpora that a model is task-tuned on, all in one shuffled order."""

    label: str = Field(description="what tables print under Tr. Data")
    corpora: list[Name] = Field(min_length=1, description="entries of corpora")
    drop_leaks: bool = Field(
        False,
        description="leave out questions that are evaluated, or whose context is; false: such a question stops the run",
    )


class Model(Recipe):
    """A QA model: an encoder, perhaps aligned, task-tuned on a training set, once for each seed."""

    label: str = Field(description="what tables print under Model")
    encoder: Name = Field(description="an entry of encoders")
    alignment: Name | None = Field(None, description="an entry of alignments; null: the encoder as it is")
    after: Name | None = Field(
        None,
        description="another model of this encoder and alignment, whose tuned weights are started from; null: none",
    )
    training_set: Name = Field(description="an entry of training_sets")
    tuning: Name = Field("default", description="an entry of tuning")
    devices: Positive = Field(
        1,
        description="GPUs on each node that share the tuning's steps; changes a result by rounding only, and makes"
        " none anew",
    )
    nodes: Positive = Field(1, description="nodes of a SLURM cluster that share them")


class SelectedOn(Selected):
    """Which of a run's weights become the model, by an entry of evaluations that no table shows for it."""

    evaluation: Name = Field(description="an entry of evaluations; nothing may be reported on its corpora")
    reported: Name | None = Field(
        None,
        description="another entry of evaluations, scored beside it for tables with chosen: columns; it changes no"
        " weights; null: none",
    )


class TuningOf(Tuning):
    """Task-tuning, and the questions that its weights are selected on."""

    selection: SelectedOn | None = Field(
        None, description="keep the weights that do best on a development set; null: the last ones"
    )


class Evaluation(Recipe):
    """Questions to answer; every pair of question and context language is scored by itself."""

    corpora: list[Name] = Field(min_length=1, description="entries of corpora; no two with the same pair")
    annotators: Positive = Field(
        description="annotators who must agree that there is an answer: 2 for TyDi's 3-way dev file, 1 for 1-way files"
    )
    thresholds_from: Name | None = Field(
        None,
        description="another evaluation, whose best thresholds are used here, too; null: only the best ones here",
    )
    answered_from: Name | None = Field(
        None,
        description="another evaluation, which asks these questions in translation (translate-test): its answers are"
        " found again here; null: the questions are answered as they are",
    )


class TranslatedRow(Recipe):
    """A row with scores of another evaluation, such as one whose questions are translated at test time."""

    model: Template = Field(description="an entry of models")
    evaluation: Template = Field(
        description="an entry of evaluations with the same questions in the same pairs"
    )
    label: str | None = Field(None, description="printed under Model; null: the model's label")


def _kind_of_row(given: Any) -> str:
    if isinstance(given, Heading) or (isinstance(given, dict) and not {"model", "evaluation"} & set(given)):
        return "Heading"
    return "TranslatedRow" if isinstance(given, TranslatedRow | dict) else "str"


AnyRow = Annotated[
    Annotated[Template, Tag("str")]
    | Annotated[Heading, Tag("Heading")]
    | Annotated[TranslatedRow, Tag("TranslatedRow")],
    Discriminator(_kind_of_row),
]


def _check_score(task: Task | None, metric: Metric | list[Metric] | None, average: str) -> None:
    """What a table shows is TyDi QA's F1 or scores of texts, and only these have a mean over questions."""
    if (task is None) == (metric is None):
        raise ValueError("give exactly one of task (TyDi QA's F1) and metric (scores of the answers' texts)")
    if task is not None and average == "questions":
        raise ValueError(
            "average: questions belongs to metric; an F1 at a threshold is no mean over questions"
        )


class TableOf(Recipe):
    """A table of scores in percent: a row for each model, a column for each pair, an average for each block of them."""

    kind: Literal["scores"] = Field("scores", description="scores: those of models")
    title: str = Field(description="first words of the caption")
    evaluation: Template = Field(description="an entry of evaluations")
    task: Task | None = Field(
        None, description="TyDi QA's F1, of passage selection or of the minimal answer, or"
    )
    metric: Metric | Annotated[list[Metric], Field(min_length=1)] | None = Field(
        None,
        description="what texts of answers score, one or several: em and f1 (SQuAD's), jaccard (ChAII's), mucot_f1",
    )
    threshold: Literal["swept", "dev"] = Field(
        "swept",
        description="task: best F1 on the evaluated questions, or at the thresholds of thresholds_from",
    )
    rows: list[AnyRow] = Field(
        min_length=1,
        description="models, perhaps with another evaluation, and headings between them; with a variable of for_each in"
        " its name, a row is the mean of its models",
    )
    columns: list[Annotated[list[Pair], Field(min_length=1)]] = Field(
        min_length=1, description="blocks of question-context pairs; each block ends with its average"
    )
    printed: Printed | None = Field(
        None,
        description="the published table beside it, in results/tables/<name>.compare.csv, .md, .tex; null: none",
    )
    stars: TableName | None = Field(
        None,
        description="a table of effects on the same columns: cells of its systems are starred where these are better"
        " than their bases, one-sided p below .05; null: no stars",
    )
    spread: Spread = Field(
        "deviation",
        description="what stands behind the mean of several runs: their standard deviation, or half of a 95 % interval",
    )
    average: Literal["pairs", "questions"] = Field(
        "pairs",
        description="metric: mean over the pairs of a block, or over all of their questions (overall)",
    )
    chosen: Literal["weights", "columns"] = Field(
        "weights",
        description="weights: scores of each model as it is; columns: each cell is of the step that is best in its own"
        " column on the questions that the model is selected on, as MuCoT's published code chooses",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        _check_score(self.task, self.metric, self.average)
        if self.metric is not None and self.threshold == "dev":
            raise ValueError("threshold belongs to task; texts are scored whatever their score")
        if self.chosen == "columns" and (self.metric is None or self.average != "questions"):
            raise ValueError("chosen: columns needs metric (not task) and average: questions")
        return self

    def metrics(self) -> list[Metric]:
        """The metrics that it shows; none where it shows a task."""
        return [] if self.metric is None else self.metric if isinstance(self.metric, list) else [self.metric]


class LabelledRow(Recipe):
    """A model under another name than its own."""

    model: Name = Field(description="an entry of models")
    label: str = Field(description="printed under Model")


def _kind_of_model_row(given: Any) -> str:
    kinds = {"Heading": Heading, "LabelledRow": LabelledRow}
    if isinstance(given, dict):
        return "Heading" if "heading" in given else "LabelledRow"
    return next((name for name, kind in kinds.items() if isinstance(given, kind)), "str")


ModelRow = Annotated[
    Annotated[Name, Tag("str")]
    | Annotated[Heading, Tag("Heading")]
    | Annotated[LabelledRow, Tag("LabelledRow")],
    Discriminator(_kind_of_model_row),
]


class ColumnOf(Recipe):
    """A column of a section."""

    pair: Pair = Field(description="a question-context pair")
    evaluation: Name | None = Field(None, description="an entry of evaluations; null: the section's")
    task: Task | None = Field(None, description="passage or minimal; null: the section's")
    source: Source = Field(
        "text",
        description="how questions came, for the head: text, or spoken and written down by people (gold) or by a"
        " recogniser (asr)",
    )


AnyColumn = Annotated[
    Annotated[Annotated[list[Pair], Field(min_length=1)], Tag("list")] | Annotated[ColumnOf, Tag("ColumnOf")],
    Discriminator(lambda given: "list" if isinstance(given, list | tuple) else "ColumnOf"),
]


class SectionOf(Recipe):
    """Some rows of a table with columns of their own."""

    heading: str | None = Field(None, description="above the section")
    evaluation: Name | None = Field(None, description="an entry of evaluations; null: the table's")
    task: Task | None = Field(None, description="passage or minimal; null: the table's")
    rows: list[ModelRow] = Field(min_length=1, description="models, and headings between them")
    columns: list[AnyColumn] = Field(
        min_length=1,
        description="blocks of question-context pairs, each with its average, or single columns that say more",
    )


class SectionsTableOf(Recipe):
    """A table of sections below each other, whose columns may be of several evaluations and tasks."""

    kind: Literal["sections"] = Field(
        description="sections: rows with columns of their own, of several evaluations and tasks"
    )
    title: str = Field(description="first words of the caption")
    evaluation: Name | None = Field(None, description="an entry of evaluations, of sections that name none")
    task: Task | None = Field(None, description="passage or minimal, of sections that name none")
    sections: list[SectionOf] = Field(min_length=1, description="from top to bottom")
    printed: Printed | None = Field(None, description="as in tables of scores")
    spread: Spread = Field("deviation", description="as in tables of scores")

    @model_validator(mode="after")
    def _each_column_is_of_something(self) -> Self:
        for section in self.sections:
            for column in section.columns:
                for key in ("evaluation", "task"):
                    if not any(getattr(one, key, None) for one in (column, section, self)):
                        shown = column.pair if isinstance(column, ColumnOf) else column[0]
                        raise ValueError(
                            f"column {shown} has no {key}; give one to the table, the section or the column"
                        )
        return self


class SideOf(Recipe):
    """One way of asking questions."""

    evaluation: Name = Field(description="an entry of evaluations")
    pairs: list[Pair] = Field(
        min_length=1, description="question-context pairs, each beside that at its place on the other side"
    )
    source: Source = Field("text", description="as in tables of sections")


def _kind_of_named(given: Any) -> str:
    return "str" if isinstance(given, str) else "LabelledRow"


class OutcomesTableOf(Recipe):
    """A table of how many questions models answer rightly when they are asked in one way, and in another."""

    kind: Literal["outcomes"] = Field(
        description="outcomes: how many questions are answered rightly in two ways of asking (aligned_qa's Table 6)"
    )
    title: str = Field(description="first words of the caption")
    task: Task = Field("minimal", description="whose answers are right or wrong")
    models: list[
        Annotated[
            Annotated[Name, Tag("str")] | Annotated[LabelledRow, Tag("LabelledRow")],
            Discriminator(_kind_of_named),
        ]
    ] = Field(min_length=1, description="entries of models, beside each other")
    rows: SideOf = Field(description="one way of asking")
    columns: SideOf = Field(description="the other")
    printed: Printed | None = Field(None, description="as in tables of scores; rows: numbers of systems")

    @model_validator(mode="after")
    def _in_pairs(self) -> Self:
        if len(self.rows.pairs) != len(self.columns.pairs):
            raise ValueError(
                f"{len(self.rows.pairs)} pairs in rows and {len(self.columns.pairs)} in columns; each needs another"
            )
        return self


class PairsTableOf(Recipe):
    """A table of sentence pairs: a row for each language, with what encoders have read of it (aligned_qa's Table 9)."""

    kind: Literal["pairs"] = Field(
        description="pairs: how many sentence pairs alignments have of each language"
    )
    title: str = Field(description="first words of the caption")
    alignments: list[Name] = Field(
        min_length=1, description="entries of alignments that have pairs, a column each"
    )
    encoders: dict[str, Name] = Field(
        {}, description="entries of encoders, by the head of the column that says what they have not read"
    )


class AlignmentRow(Recipe):
    """An alignment in a table of them."""

    alignment: Name = Field(description="an entry of alignments")
    label: str = Field(description="printed under Model")
    description: str = Field(description="printed under Description")
    printed: Positive | None = Field(
        None, description="number of the row in aligned_qa's Table 1 beside it; null: it has none"
    )


class AlignmentsTableOf(Recipe):
    """A table of what encoders are aligned on, beside the paper's numbers (aligned_qa's Table 1)."""

    kind: Literal["alignments"] = Field(
        description="alignments: their languages, sentence pairs and encoders, beside the paper's numbers"
    )
    title: str = Field(description="first words of the caption")
    rows: list[AlignmentRow] = Field(min_length=1, description="alignments")
    encoders: dict[str, Name] = Field(
        min_length=1,
        description="entries of encoders, by the head of the column that says which alignments models have it with",
    )


class SettingsTableOf(Recipe):
    """A table of a model's hyper-parameters, beside the paper's (MuCoT's Table 1)."""

    kind: Literal["settings"] = Field(
        description="settings: hyper-parameters of a model, beside those of MuCoT's paper"
    )
    title: str = Field(description="first words of the caption")
    model: Template = Field(description="an entry of models, whose tuning has contrast; of several the first")


class RecordsTableOf(Recipe):
    """A table of what training sets are made of: a row for each of their corpora."""

    kind: Literal["records"] = Field(
        description="records: how many questions the corpora of training sets have, and how many records they lack"
    )
    title: str = Field(description="first words of the caption")
    training_sets: list[Template] = Field(min_length=1, description="entries of training_sets")


class EffectOf(Recipe):
    """What systems gain over others."""

    label: str = Field(description="what the row is called")
    system: list[Template] = Field(
        min_length=1, description="entries of models; of several, the mean of the differences is shown"
    )
    base: list[Template] = Field(min_length=1, description="as many: what each is compared with")

    @model_validator(mode="after")
    def _in_pairs(self) -> Self:
        if len(self.system) != len(self.base):
            raise ValueError(
                f"{len(self.system)} in system and {len(self.base)} in base; each system needs its own base"
            )
        return self


class EffectsTableOf(Recipe):
    """A table of differences between models, with intervals and p-values: a row for each effect."""

    kind: Literal["effects"] = Field(
        description="effects: differences between models, with intervals and p-values by paired bootstrap"
    )
    title: str = Field(description="first words of the caption")
    evaluation: Template = Field(description="an entry of evaluations")
    task: Task | None = Field(
        None, description="TyDi QA's F1, of passage selection or the minimal answer, or"
    )
    metric: Metric | None = Field(None, description="what texts of answers score")
    thresholds: Literal["best", "resampled", "dev"] = Field(
        "best",
        description="task: those of each system's best F1 on all questions, found anew in every resample, or those of"
        " the evaluation's thresholds_from",
    )
    columns: list[Annotated[list[Pair], Field(min_length=1)]] = Field(
        min_length=1, description="as in tables of scores"
    )
    average: Literal["pairs", "questions"] = Field("pairs", description="as in tables of scores")
    resamples: Positive = Field(10_000, description="of the bootstrap; 1,000 as in aligned_qa")
    effects: list[EffectOf] = Field(min_length=1, description="the rows")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        _check_score(self.task, self.metric, self.average)
        if self.metric is not None and self.thresholds != "best":
            raise ValueError(f"thresholds: {self.thresholds} belongs to task; scores of texts have none")
        return self

    def models(self) -> list[str]:
        """The models as they are written, each once."""
        sides = (name for effect in self.effects for name in (*effect.system, *effect.base))
        return list(dict.fromkeys(sides))


def _kind_of_table(given: Any) -> str:
    kind = given.get("kind", "scores") if isinstance(given, dict) else getattr(given, "kind", "scores")
    return str(kind)


AnyTable = Annotated[
    Annotated[TableOf, Tag("scores")]
    | Annotated[PairsTableOf, Tag("pairs")]
    | Annotated[RecordsTableOf, Tag("records")]
    | Annotated[EffectsTableOf, Tag("effects")]
    | Annotated[SectionsTableOf, Tag("sections")]
    | Annotated[OutcomesTableOf, Tag("outcomes")]
    | Annotated[AlignmentsTableOf, Tag("alignments")]
    | Annotated[SettingsTableOf, Tag("settings")],
    Discriminator(_kind_of_table),
]


class RetrievalRun(Retrieval):
    """How well words and sentences of two languages find one another before and after alignments of an encoder."""

    pairs: Name = Field(description="an entry of parallel, of which held-out pairs are measured")
    languages: Annotated[list[Code], Field(min_length=1)] | Literal["all"] = Field(
        "all",
        description="languages to measure beside English, aligned or not; all: every language that pairs has",
    )
    encoder: Name = Field(description="an entry of encoders: before")
    alignments: list[Name] = Field(min_length=1, description="entries of alignments: after")
    links: LinksOf = Field(
        LinksOf(), description="how words are linked; only where the entry of parallel has no gold links"
    )
    counted: Positive | Literal["all"] = Field(
        20000, description="statistical: further pairs of each language that words are counted in"
    )


class CalibrationRun(Calibration):
    """How sure models are of their answers, and how often these are right."""

    models: list[Name] = Field(min_length=1, description="entries of models")
    fitted_on: Name = Field(description="an entry of evaluations: where each model's temperature is fitted")
    evaluation: Name = Field(description="another entry of evaluations: where it is tried")


class Examples(Recipe):
    """Questions of an evaluation with what models answered, to be looked through on the page of results."""

    models: list[Name] = Field(
        min_length=1, description="entries of models; of several seeds, the first is shown"
    )
    per_pair: Positive = Field(30, description="questions of each pair of languages, a sample")


class Variables(Recipe):
    """What entries with a variable in their name stand for."""

    for_each: dict[
        Annotated[str, Field(pattern="^[a-z]+$")],
        Annotated[
            list[Annotated[Annotated[int, Field(ge=0)] | Name, BeforeValidator(_value)]], Field(min_length=1)
        ],
    ] = Field(
        {},
        description="values of variables: an entry whose name holds {k} stands for one for each value of k",
    )


class Config(Variables):
    """Everything that config.yaml can say."""

    mirror: str | None = Field(
        None, description="folder with the same layout as data/, looked in before anything is downloaded"
    )
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        [0], min_length=1, description="each model is task-tuned once for each; tables show the mean"
    )
    microworld: Microworld | None = Field(
        None, description=f"a generated world, written in the official formats to {MICROWORLD}/"
    )
    corpora: dict[Name, Corpus] = Field(min_length=1, description="questions with their documents")
    splits: dict[Name, Split] = Field({}, description="train/dev splits")
    translations: dict[Name, Translations] = Field(
        {}, description="tables of question translations, and translators"
    )
    speech: dict[Name, Recordings] = Field({}, description="recordings of questions, to be transcribed")
    features: Features = Field(Features(), description="how question and context become windows")
    encoders: dict[Name, Encoder] = Field(min_length=1, description="pretrained encoders")
    parallel: dict[Name, SentencePairs] = Field({}, description="sentence pairs with English, by source")
    alignments: dict[Name, AlignmentRun] = Field({}, description="alignment fine-tunings")
    training_sets: dict[Name, TrainingSet] = Field(min_length=1, description="what models are task-tuned on")
    tuning: dict[Name, TuningOf] = Field({"default": TuningOf()}, description="task-tuning settings, by name")
    prediction: Prediction = Field(Prediction(), description="how answers are read off the logits")
    models: dict[Name, Model] = Field(min_length=1, description="QA models")
    evaluations: dict[Name, Evaluation] = Field(min_length=1, description="what models are scored on")
    tables: dict[TableName, AnyTable] = Field(
        min_length=1, description="what comes out: results/tables/<name>.csv, .md, .tex"
    )
    retrieval: dict[Name, RetrievalRun] = Field(
        {}, description="how well languages find one another: results/retrieval/<name>.csv, .md"
    )
    examples: dict[Name, Examples] = Field(
        {}, description="what models answered, on the page results/report.html, by entry of evaluations"
    )
    calibration: dict[Name, CalibrationRun] = Field(
        {},
        description="how sure models are, and how often they are right: results/calibration/<name>.csv, .md",
    )


def load(raw: Mapping[str, Any]) -> Config:
    """The configuration in a dictionary of sections.

    Raises InputError for the first mistake: unknown keys and values first, then names that refer to nothing, then
    combinations that cannot work.
    """
    try:
        given = Variables.model_validate({key: raw[key] for key in Variables.model_fields if key in raw})
        for variable, values in given.for_each.items():
            _distinct(f"for_each.{variable}", values)
        config = Config.model_validate(expanded(raw, given.for_each))
    except ValidationError as error:
        raise InputError(_sentence(error)) from None
    _check(config)
    return config


def question_pairs(config: Config, corpus: str) -> list[str]:
    """The pairs of question and context language of a corpus, such as ["en-ar", "en-bn"]."""
    entry = config.corpora[corpus]
    match entry:
        case TydiCorpus() | ChaiiCorpus():
            return [f"{code}-{code}" for code in entry.languages]
        case SquadCorpus():
            return [f"{entry.question_language or entry.language}-{entry.language}"]
        case PartCorpus() | MatchedCorpus():
            return question_pairs(config, entry.of)
        case TranslatedCorpus() | TransliteratedCorpus() | VersionsCorpus():
            return [f"{entry.target}-{entry.target}"]
        case TranscribedQuestions():
            pairs = question_pairs(config, entry.of)
            return [pair for pair in pairs if pair.split("-")[0] == entry.language()]
    sides = [pair.split("-") for pair in question_pairs(config, entry.of)]
    return [
        f"{target}-{context}"
        for target in entry.target
        for source, context in sides
        if source in entry.source and source != target
    ]


def ancestors(config: Config, corpus: str) -> list[str]:
    """A corpus, the one it is made from, and so on, down to the one that was read from files."""
    chain = [corpus]
    while isinstance(entry := config.corpora[chain[-1]], DERIVED):
        chain.append(entry.of)
    return chain


def with_questions_of(config: Config, some: Collection[str], others: Collection[str]) -> list[str]:
    """Those of the corpora `some` that may have questions, or versions of questions, of `others`.

    They do where both are made of one corpus, unless one is made of one side of a split and the other of the other, or
    both of questions in different languages.
    """
    return [one for one in some if any(_share_questions(config, one, other) for other in others)]


def _share_questions(config: Config, one: str, other: str) -> bool:
    mine, theirs = _made_of(config, one), _made_of(config, other)
    if not mine & theirs:
        return False
    return not any(_apart(config.corpora[a], config.corpora[b]) for a in mine for b in theirs)


def _apart(one: Corpus, other: Corpus) -> bool:
    """Whether two corpora are made of different questions: sides of one split, or one corpus's in other languages."""
    if isinstance(one, PartCorpus) and isinstance(other, PartCorpus):
        return one.split == other.split and one.part != other.part
    if (
        isinstance(one, TranslatedQuestions | TranscribedQuestions)
        and isinstance(other, TranslatedQuestions | TranscribedQuestions)
        and one.of == other.of
    ):
        mine, theirs = (
            set(entry.source) if isinstance(entry, TranslatedQuestions) else {entry.language()}
            for entry in (one, other)
        )
        return not mine & theirs
    return False


def root_of(config: Config, corpus: str) -> str:
    """The corpus whose documents a corpus stands on: one that was read from files, or is in another language."""
    chain = ancestors(config, corpus)
    return next(name for name in chain if not isinstance(config.corpora[name], ON_OTHERS))


def translated_from(config: Config, corpus: str) -> list[str]:
    """The languages that a translated corpus's questions or contexts are translated from, contexts' first."""
    entry = config.corpora[corpus]
    assert isinstance(entry, TranslatedCorpus)
    pairs = [pair.split("-") for pair in question_pairs(config, entry.of)]
    pairs = [pair for pair in pairs if pair[1] != entry.target]
    codes = [context for _, context in pairs] + [question for question, _ in pairs]
    return [code for code in dict.fromkeys(codes) if code != entry.target]


def directions(config: Config, corpus: str) -> list[str]:
    """The pairs of languages that a corpus needs of a translator, such as ["hi-en", "ta-en"]."""
    match entry := config.corpora[corpus]:
        case TranslatedQuestions():
            return [f"{source}-{target}" for source in entry.source for target in entry.target]
        case TranslatedCorpus():
            return [f"{source}-{entry.target}" for source in translated_from(config, corpus)]
    return []


def translator(entry: GoogleTranslations | Seq2SeqTranslations | CTranslate2Translations) -> AnyTranslator:
    """What the step that translates needs to know of an entry: all but how many jobs share the work."""
    return Translator.model_validate(entry.model_dump(exclude={"shards"})).root


def texts_for(config: Config, translations: str, pair: str) -> list[tuple[str, str]]:
    """What a translator is given in a pair of languages: of which corpora, and whether "questions" or "corpus"."""
    found: dict[tuple[str, str], None] = {}
    for name, entry in config.corpora.items():
        if not isinstance(entry, TranslatedQuestions | TranslatedCorpus):
            continue
        if entry.translations == translations and pair in directions(config, name):
            found[entry.of, "questions" if isinstance(entry, TranslatedQuestions) else "corpus"] = None
    return list(found)


def pairs_of(config: Config, evaluation: str) -> list[str]:
    """The pairs of question and context language of an evaluation."""
    return [
        pair for corpus in config.evaluations[evaluation].corpora for pair in question_pairs(config, corpus)
    ]


def chain_of(config: Config, model: str) -> list[str]:
    """A model, the one that it is tuned after, and so on, down to the one that starts from an encoder."""
    chain = [model]
    while (before := config.models[chain[-1]].after) is not None:
        chain.append(before)
    return chain


def training_sets_of(config: Config, models: Sequence[str]) -> list[str]:
    """The training sets of some models and of those that they are tuned after, each once."""
    chains = (chain_of(config, model) for model in models)
    return list(dict.fromkeys(config.models[model].training_set for chain in chains for model in chain))


def score_tables(config: Config) -> dict[str, TableOf]:
    """The tables that show scores of models."""
    return {name: table for name, table in config.tables.items() if isinstance(table, TableOf)}


def rows_of(config: Config, table: str) -> list[TranslatedRow]:
    """The rows of a table of scores that show some: models and evaluations as they are written, with variables."""
    entry = score_tables(config)[table]
    return [
        TranslatedRow(model=row, evaluation=entry.evaluation) if isinstance(row, str) else row
        for row in entry.rows
        if not isinstance(row, Heading)
    ]


def runs_of(config: Config, table: str, row: TranslatedRow) -> list[tuple[str, str, str]]:
    """(values of its variables, model, evaluation) of everything that a row is the mean of, apart from seeds."""
    found = variables(row.model, row.evaluation)
    # in one order in all rows, whatever theirs is in names; unknown ones are told of by `combinations`
    names = [name for name in dict.fromkeys([*config.for_each, *found]) if name in found]
    return [
        (
            ", ".join(f"{name} = {value}" for name, value in chosen.items()),
            filled(row.model, chosen),
            filled(row.evaluation, chosen),
        )
        for chosen in combinations(names, f"tables.{table}", config.for_each)
    ]


def effects_tables(config: Config) -> dict[str, EffectsTableOf]:
    """The tables that show differences between models."""
    return {name: table for name, table in config.tables.items() if isinstance(table, EffectsTableOf)}


def compared_runs(config: Config, table: str) -> dict[str, list[tuple[str, str, str]]]:
    """Model as it is written -> (values of its variables, model, evaluation) of a table of effects."""
    entry = effects_tables(config)[table]
    return {
        name: runs_of(config, table, TranslatedRow(model=name, evaluation=entry.evaluation))
        for name in entry.models()
    }


def sections_table(config: Config, table: str) -> SectionsTableOf:
    """The entry of a table of sections."""
    entry = config.tables[table]
    assert isinstance(entry, SectionsTableOf)
    return entry


def blocks_of(entry: SectionsTableOf, section: SectionOf) -> list[Block]:
    """The blocks of columns of a section, each with its evaluation and task."""
    found = []
    for column in section.columns:
        own = column if isinstance(column, ColumnOf) else None
        pairs = [own.pair] if own else column
        evaluation = (own and own.evaluation) or section.evaluation or entry.evaluation
        task = (own and own.task) or section.task or entry.task
        block = {
            "evaluation": evaluation,
            "task": task,
            "pairs": pairs,
            "source": own.source if own else "text",
        }
        found.append(Block.model_validate(block))
    return found


def models_of(rows: Sequence[str | Heading | LabelledRow]) -> list[tuple[str, str | None]]:
    """(model, the label that it is given here) of each row that is one."""
    return [
        (row, None) if isinstance(row, str) else (row.model, row.label)
        for row in rows
        if not isinstance(row, Heading)
    ]


def reported(config: Config) -> Iterator[tuple[str, str, str]]:
    """(where, model, evaluation) of everything that tables and the page of results report."""
    for name in config.tables:
        yield from ((f"tables.{name}", model, evaluation) for model, evaluation in table_rows(config, name))
    for evaluation in config.examples:
        models = shown_models(config, evaluation)
        yield from ((f"examples.{evaluation}", model, evaluation) for model in models)


def table_rows(config: Config, table: str) -> list[tuple[str, str]]:
    """(model, evaluation) of all that a table shows of models, in the order of its rows."""
    match config.tables[table]:
        case TableOf():
            runs = [run for row in rows_of(config, table) for run in runs_of(config, table, row)]
            return [(model, evaluation) for _, model, evaluation in runs]
        case EffectsTableOf():
            compared = compared_runs(config, table).values()
            return [(model, evaluation) for runs in compared for _, model, evaluation in runs]
        case SectionsTableOf() as entry:
            shown = [
                (model, block.evaluation)
                for section in entry.sections
                for model, _ in models_of(section.rows)
                for block in blocks_of(entry, section)
            ]
            return list(dict.fromkeys(shown))
        case OutcomesTableOf() as entry:
            sides = dict.fromkeys(side.evaluation for side in (entry.rows, entry.columns))
            return [(model, evaluation) for model, _ in models_of(entry.models) for evaluation in sides]
    return []


def table_models(config: Config, table: str) -> list[str]:
    """The models in a table, each once, in the order of its rows."""
    return list(dict.fromkeys(model for model, _ in table_rows(config, table)))


def row_name(config: Config, table: str, row: TranslatedRow) -> str:
    """What the step that writes a table calls a row: the model, with the evaluation where it is not the table's."""
    own = row.evaluation == score_tables(config)[table].evaluation
    return row.model if own else f"{row.model}@{row.evaluation}"


def evaluations_in(config: Config, table: str) -> list[str]:
    """The evaluations of a table of scores, one for each combination of values that its name leaves open."""
    entry = score_tables(config)[table].evaluation
    chosen = combinations(variables(entry), f"tables.{table}.evaluation", config.for_each)
    return [str(filled(entry, values)) for values in chosen]


def translated_contexts(config: Config, evaluation: str) -> str | None:
    """The corpus of an evaluation whose contexts were translated whole, from which answers must be found again."""
    other = config.evaluations[evaluation].answered_from
    here = {root_of(config, corpus) for corpus in config.evaluations[evaluation].corpora}
    if other is None:
        return None
    roots = [root_of(config, corpus) for corpus in config.evaluations[other].corpora]
    return next((root for root in roots if root not in here), None)


def missing_checkpoint(config: Config, model: str) -> str | None:
    """The folder that a model's alignment should be in and is not; None where nothing is missing."""
    alignment = config.models[model].alignment
    return missing_alignment(config, alignment) if alignment else None


def missing_alignment(config: Config, alignment: str) -> str | None:
    """The folder that an alignment should be in and is not; None where nothing is missing."""
    folder = config.alignments[alignment].checkpoint
    return folder if folder and not (Path(folder) / "config.json").is_file() else None


def present_models(config: Config, table: str) -> list[str]:
    """The models in a table that can be made: all but those whose alignment is a checkpoint that is not there."""
    return [model for model in table_models(config, table) if not missing_checkpoint(config, model)]


def aligned_languages(config: Config, alignment: str) -> list[str]:
    """The languages that an alignment aligns with English."""
    return _languages_of(config, config.alignments[alignment])


def linker_languages(config: Config, encoder: str) -> list[str]:
    """The languages that an encoder is trained to link with English."""
    return _languages_of(config, config.encoders[encoder])


def _languages_of(config: Config, entry: AlignmentRun | Encoder) -> list[str]:
    """The languages that an entry names, or all that its sentence pairs have."""
    if entry.languages != "all":
        return entry.languages
    assert entry.pairs is not None
    return languages_there(config, entry.pairs)


def encoder_chain(config: Config, encoder: str) -> list[str]:
    """An encoder, the one it is trained from, and so on, down to one that is pretrained or a checkpoint."""
    chain = [encoder]
    while (before := config.encoders[chain[-1]].of) is not None:
        chain.append(before)
    return chain


def languages_there(config: Config, pairs: str) -> list[str]:
    """The languages of an entry of `parallel` whose sentences are there or can be had.

    Where that is none, all: what asks for their files then says what is missing.
    """
    entry = config.parallel[pairs]
    there = [
        code
        for code in entry.languages
        if archives(entry.sources, code)
        or (not entry.sources and all(_to_be_had(config, file) for file in entry.files(code)))
    ]
    return there or entry.languages


@functools.cache
def _manifest() -> dict[str, Dataset]:
    return read_manifest()


def _to_be_had(config: Config, file: str) -> bool:
    """Whether a file is there, is made by the workflow, lies in the mirror or has an address."""
    if file.startswith("results/") or Path(file).is_file():
        return True
    name = file.removeprefix("data/")
    if name == file:
        return False
    if config.mirror is not None and (Path(config.mirror) / name).is_file():
        return True
    try:
        return find_file(_manifest(), name).url is not None
    except InputError:
        return False


def measured_languages(config: Config, retrieval: str) -> list[str]:
    """The languages of which retrieval measures pairs with English."""
    entry = config.retrieval[retrieval]
    return languages_there(config, entry.pairs) if entry.languages == "all" else entry.languages


def measured_alignments(config: Config, retrieval: str) -> list[str]:
    """The alignments that are measured: all but those of which the checkpoint is not there."""
    return [name for name in config.retrieval[retrieval].alignments if not missing_alignment(config, name)]


def held_out_from(config: Config, alignment: str, code: str) -> list[str]:
    """The entries of parallel whose held-out pairs of a language an alignment must not see.

    Its own, and those that it is measured on.
    """
    asked = [entry.pairs for entry in config.retrieval.values() if alignment in entry.alignments]
    names = [name for name in (config.alignments[alignment].pairs, *asked) if name is not None]
    sources = {name: config.parallel[name] for name in names}
    return [name for name, source in sources.items() if source.held_out and code in source.languages]


def linker_held_out(config: Config, encoder: str, code: str) -> list[str]:
    """The entries of parallel whose held-out pairs of a language an encoder must not be trained to link on.

    Its own, and all that are measured: any alignment may be made of it, or by its links.
    """
    names = [config.encoders[encoder].pairs, *(entry.pairs for entry in config.retrieval.values())]
    sources = {name: config.parallel[name] for name in names if name is not None}
    return [name for name, source in sources.items() if source.held_out and code in source.languages]


def evaluations_of(config: Config, training_set: str) -> list[str]:
    """The evaluations of those tables that show a model tuned on a training set, itself or by way of one before it.

    With them go those of calibrations of such models, those that thresholds or answers are taken from, and those that
    such models are selected on.  They come in the order of the configuration.
    """
    shown = {
        evaluation
        for _, model, evaluation in reported(config)
        if training_set in training_sets_of(config, [model])
    }
    for entry in config.calibration.values():
        if training_set in training_sets_of(config, entry.models):
            shown |= {entry.fitted_on, entry.evaluation}
    shown |= {other for name in shown if (other := config.evaluations[name].thresholds_from)}
    shown |= {other for name in shown if (other := config.evaluations[name].answered_from)}
    shown |= {
        name
        for model in config.models
        if (selection := config.tuning[config.models[model].tuning].selection)
        and training_set in training_sets_of(config, [model])
        for name in (selection.evaluation, selection.reported)
        if name is not None
    }
    return [name for name in config.evaluations if name in shown]


def training_label(config: Config, model: str) -> str:
    """What tables print under Tr. Data: the training sets of a model and of those that it is tuned after."""
    stages = [config.models[name].training_set for name in reversed(chain_of(config, model))]
    return " → ".join(config.training_sets[stage].label for stage in stages)


def table_recipe(config: Config, name: str) -> Table:
    """What the step that writes a table of scores needs to know of its models and its evaluation."""
    table = score_tables(config)[name]
    asked = iter(rows_of(config, name))
    rows: list[Row | Heading] = []
    for entry in table.rows:
        if isinstance(entry, Heading):
            rows.append(entry)
            continue
        row = next(asked)
        models = list(dict.fromkeys(model for _, model, _ in runs_of(config, name, row)))
        missing = [folder for model in models if (folder := missing_checkpoint(config, model))]
        rows.append(
            Row(
                model=row_name(config, name, row),
                label=row.label or _each_once(config.models[model].label for model in models),
                training=_each_once(training_label(config, model) for model in models),
                alignment=_alignment_of(config, models[0]),
                missing=missing[0] if missing else None,
            )
        )
    evaluations = evaluations_in(config, name)
    others = [config.evaluations[evaluation].thresholds_from for evaluation in evaluations]
    return Table(
        title=table.title,
        evaluation=", ".join(evaluations),
        annotators=config.evaluations[evaluations[0]].annotators,
        seeds=config.seeds,
        repeats=[values for values, _, _ in runs_of(config, name, rows_of(config, name)[0])],
        task=table.task,
        metrics=table.metrics(),
        threshold=table.threshold,
        thresholds_from=_each_once(filter(None, others)) or None,
        columns=table.columns,
        spread=table.spread,
        average=table.average,
        chosen=table.chosen,
        chosen_on=chosen_on(config, name),
        starred=[effect.system[0] for effect in starring(config, name)],
        over=list(dict.fromkeys(base_label(config, effect.base[0]) for effect in starring(config, name))),
        rows=rows,
    )


def _each_once(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


def _alignment_of(config: Config, model: str) -> list[str] | None:
    """The languages that a model's encoder was aligned in; None where it was not."""
    alignment = config.models[model].alignment
    return aligned_languages(config, alignment) if alignment else None


def starring(config: Config, table: str) -> list[EffectOf]:
    """The effects by which cells of a table of scores are starred."""
    name = score_tables(config)[table].stars
    return [] if name is None else effects_tables(config)[name].effects


def base_label(config: Config, model: str) -> str:
    """What a caption calls a model that others are better than."""
    first = next(iter(combinations(variables(model), "tables", config.for_each)))
    name = str(filled(model, first))
    return f"{config.models[name].label} {training_label(config, name)}"


def model_row(config: Config, model: str, label: str | None) -> Row:
    """A model as a row of a table."""
    entry = config.models[model]
    return Row(
        model=model,
        label=label or entry.label,
        training=training_label(config, model),
        alignment=aligned_languages(config, entry.alignment) if entry.alignment else None,
        missing=missing_checkpoint(config, model),
    )


def sections_recipe(config: Config, name: str) -> SectionsTable:
    """What the step that writes a table of sections needs to know of its models and evaluations."""
    table = sections_table(config, name)
    sections = []
    for section in table.sections:
        found = iter(models_of(section.rows))
        rows = [row if isinstance(row, Heading) else model_row(config, *next(found)) for row in section.rows]
        sections.append(Section(heading=section.heading, columns=blocks_of(table, section), rows=rows))
    return SectionsTable(
        title=table.title,
        annotators=config.evaluations[sections[0].columns[0].evaluation].annotators,
        seeds=config.seeds,
        spread=table.spread,
        sections=sections,
    )


def outcomes_recipe(config: Config, name: str) -> OutcomesTable:
    """What the step that writes a table of outcomes needs to know of its models and evaluations."""
    table = config.tables[name]
    assert isinstance(table, OutcomesTableOf)
    return OutcomesTable(
        title=table.title,
        task=table.task,
        seeds=config.seeds,
        rows=Side(**table.rows.model_dump()),
        columns=Side(**table.columns.model_dump()),
        models=[model_row(config, *row) for row in models_of(table.models)],
    )


def chosen_on(config: Config, table: str) -> list[str]:
    """The evaluations by which a table chooses a step for each column, each once; none where it shows weights."""
    if score_tables(config)[table].chosen == "weights":
        return []
    selections = [
        config.tuning[config.models[model].tuning].selection for model in table_models(config, table)
    ]
    return list(dict.fromkeys(selection.evaluation for selection in selections if selection is not None))


def effects_recipe(config: Config, name: str) -> EffectsTable:
    """What the step that writes a table of effects needs to know."""
    table = effects_tables(config)[name]
    runs = next(iter(compared_runs(config, name).values()))
    others = [config.evaluations[evaluation].thresholds_from for _, _, evaluation in runs]
    return EffectsTable(
        title=table.title,
        evaluation=", ".join(dict.fromkeys(evaluation for _, _, evaluation in runs)),
        seeds=config.seeds,
        repeats=[values for values, _, _ in runs],
        task=table.task,
        metric=table.metric,
        thresholds=table.thresholds,
        thresholds_from=_each_once(filter(None, others)) or None if table.thresholds == "dev" else None,
        columns=table.columns,
        average=table.average,
        resamples=table.resamples,
        effects=[Effect(label=row.label, system=row.system, base=row.base) for row in table.effects],
    )


def shown_models(config: Config, evaluation: str) -> list[str]:
    """The models whose answers the page shows: all but those whose alignment is a checkpoint that is not there."""
    return [model for model in config.examples[evaluation].models if not missing_checkpoint(config, model)]


# The encoders whose languages resources/read_by_encoders.tsv knows, by the last part of a checkpoint's name.
PUBLISHED = {"bert-base-multilingual-cased": "mbert", "xlm-roberta-base": "xlmr", "xlm-roberta-large": "xlmr"}


def pairs_table_recipe(config: Config, name: str) -> PairsTable:
    """What the step that writes a table of sentence pairs needs to know of its alignments and encoders."""
    table = config.tables[name]
    assert isinstance(table, PairsTableOf)
    columns, languages = [], []
    for alignment in table.alignments:
        entry = config.alignments[alignment]
        assert entry.pairs is not None
        asked = config.parallel[entry.pairs].languages if entry.languages == "all" else entry.languages
        there = aligned_languages(config, alignment)
        missing = [code for code in asked if code not in there]
        columns.append(PairsColumn(alignment=alignment, languages=there, missing=missing))
        languages += asked
    encoders = []
    for head, encoder_name in table.encoders.items():
        encoder = config.encoders[encoder_chain(config, encoder_name)[-1]]
        read = PUBLISHED.get(Path(encoder.checkpoint).name) if encoder.checkpoint else sorted(encoder.text)
        encoders.append(ReadColumn.model_validate({"head": head, "encoder": read}))
    return PairsTable(
        title=table.title, languages=list(dict.fromkeys(languages)), encoders=encoders, columns=columns
    )


def alignments_recipe(config: Config, name: str) -> AlignmentsTable:
    """What the step that writes a table of alignments needs to know of them."""
    table = config.tables[name]
    assert isinstance(table, AlignmentsTableOf)
    made = {(model.alignment, model.encoder) for model in config.models.values()}
    return AlignmentsTable(
        title=table.title,
        encoders=list(table.encoders),
        rows=[
            DescribedAlignment(
                name=row.alignment,
                label=row.label,
                description=row.description,
                languages=aligned_languages(config, row.alignment),
                published=config.alignments[row.alignment].checkpoint is not None,
                encoders=[
                    head for head, encoder in table.encoders.items() if (row.alignment, encoder) in made
                ],
                printed=row.printed,
            )
            for row in table.rows
        ],
    )


def counted_alignments(config: Config, name: str) -> list[str]:
    """The alignments of which a table counts the sentence pairs."""
    table = config.tables[name]
    if isinstance(table, PairsTableOf):
        return table.alignments
    assert isinstance(table, AlignmentsTableOf)
    return [row.alignment for row in table.rows if config.alignments[row.alignment].pairs is not None]


def settings_model(config: Config, name: str) -> str:
    """The model whose hyper-parameters a table of settings shows."""
    table = config.tables[name]
    assert isinstance(table, SettingsTableOf)
    chosen = combinations(variables(table.model), f"tables.{name}.model", config.for_each)
    return str(filled(table.model, chosen[0]))


def settings_recipe(config: Config, name: str) -> SettingsTable:
    """What the step that writes a table of settings needs to know."""
    model = settings_model(config, name)
    tuning, features = config.tuning[config.models[model].tuning], config.features
    contrast = tuning.contrast
    assert contrast is not None
    first, _, steps = contrast.schedule.partition(":")
    values = {
        "Maximum feature length": features.max_length,
        "Document stride": features.stride or f"windows start every {features.step}",
        "Batch size": tuning.batch_size or f"{tuning.batch_pieces} pieces",
        "Maximum optimization steps": tuning.steps if tuning.epochs is None else f"{tuning.epochs:g} epochs",
        "Learning rate": tuning.learning_rate,
        "Weight decay": tuning.weight_decay,
        "Contrastive loss layer": contrast.layer,
        "Contrastive loss weight": contrast.weight,
        "Maximum contrastive steps": steps if first == "until" else contrast.schedule,
    }
    settings = [
        Setting(name=key, value=f"{Decimal(str(value)):f}" if isinstance(value, float) else str(value))
        for key, value in values.items()
    ]
    return SettingsTable(title=config.tables[name].title, model=model, settings=settings)


def shown_training_sets(config: Config, name: str) -> list[str]:
    """The training sets in a table of records."""
    table = config.tables[name]
    assert isinstance(table, RecordsTableOf)
    return [
        str(filled(entry, chosen))
        for entry in table.training_sets
        for chosen in combinations(variables(entry), f"tables.{name}.training_sets", config.for_each)
    ]


def how_made(config: Config, corpus: str) -> str:
    """How a corpus's questions came about: by what was done last to the questions that were read from files."""
    for name in ancestors(config, corpus):
        match config.corpora[name]:
            case TranslatedQuestions():
                return "questions translated"
            case TranslatedCorpus():
                return "translated"
            case TransliteratedCorpus():
                return "transliterated"
            case VersionsCorpus() as entry:
                return f"{entry.made} by others"
            case TranscribedQuestions():
                return "transcribed"
    return "as published"


def records_table_recipe(config: Config, name: str) -> RecordsTable:
    """What the step that writes a table of records needs to know of its training sets."""
    return RecordsTable(
        title=config.tables[name].title,
        sets=[
            RecordsSet(
                name=training_set,
                label=config.training_sets[training_set].label,
                corpora=[
                    RecordsCorpus(name=corpus, made=how_made(config, corpus))
                    for corpus in config.training_sets[training_set].corpora
                ],
            )
            for training_set in shown_training_sets(config, name)
        ],
    )


def retrieval_table(config: Config, name: str) -> RetrievalTable:
    """What the step that writes the tables of retrieval needs to know of its alignments."""
    entry = config.retrieval[name]
    return RetrievalTable(
        encoder=entry.encoder,
        links="gold" if config.parallel[entry.pairs].links else entry.links.linker,
        alignments=[
            Aligned(
                name=alignment,
                languages=aligned_languages(config, alignment),
                missing=missing_alignment(config, alignment),
            )
            for alignment in entry.alignments
        ],
    )


def calibrated_models(config: Config, name: str) -> list[str]:
    """The models that are calibrated: all but those whose alignment is a checkpoint that is not there."""
    return [model for model in config.calibration[name].models if not missing_checkpoint(config, model)]


def calibration_table(config: Config, name: str) -> CalibrationTable:
    """What the step that writes tables of calibration needs to know of its models."""
    entry = config.calibration[name]
    return CalibrationTable(
        labels={
            model: f"{config.models[model].label} {training_label(config, model)}"
            for model in calibrated_models(config, name)
        },
        fitted_on=entry.fitted_on,
        evaluation=entry.evaluation,
    )


def microworld_files(recipe: Microworld) -> list[str]:
    """Every file that the micro-world's generator writes, in the layout of the official releases."""
    foreign = [code for code in recipe.languages if code != "en"]
    directions = [f"en-{code}" for code in foreign] + [f"{code}-en" for code in foreign]
    sources = [code for code in recipe.chaii_articles if code in recipe.languages]
    targets = [code for code in recipe.chaii_targets if code in recipe.languages]
    return [
        f"{MICROWORLD}/{file}"
        for file in (
            *(f"tydi/tydiqa-v1.0-{name}.jsonl.gz" for name in ("train", "dev", "hard")),
            *(
                file
                for code in recipe.languages
                for file in _sdqa_files(code, recipe.asr_noise.get(code, {}))
            ),
            *(
                f"sdqa/test/{language(code).iso3}/english.test.bilingual-en-US.txt"
                for code in recipe.read_in_english
                if code in foreign
            ),
            *(f"translations/{name}.{pair}.tsv" for name in ("train", "dev", "hard") for pair in directions),
            *(
                f"squad/squad-{code}-{part}.json"
                for code in recipe.squad_languages
                for part in ("train", "dev")
            ),
            *(f"chaii/{part}.csv" for part in ("train", "test") if sources),
            *(f"chaii/translations/{a}-{b}.jsonl" for a in sources for b in targets if a != b),
            *(f"text/{code}.txt" for code in recipe.languages),
            *(f"parallel/{code}-en.{end}" for code in foreign for end in (code, "en", "links")),
        )
    ]


def _sdqa_files(code: str, dialects: Collection[str]) -> Iterator[str]:
    """SD-QA's files of a language: lists of questions, and transcripts where it has dialects."""
    row = language(code)
    for split in ("dev", "test"):
        stem = f"sdqa/{split}/{row.iso3}"
        yield f"{stem}/{row.tydi}.{split}.txt"
        if dialects:
            yield f"{stem}/{row.tydi}.{split}.csv"
        for region in dict.fromkeys(dialect.partition("-")[0] for dialect in dialects):
            yield f"{stem}/{region}/metadata.csv"
        for dialect in dialects:
            for end in ("txt", "jsonl.gz", "triples.jsonl"):
                yield f"{stem}/{dialect.partition('-')[0]}/{row.tydi}.{split}.{dialect}.{end}"


def _check(config: Config) -> None:
    """Raise InputError for the first name that refers to nothing or combination that cannot work."""
    if config.mirror is not None and not Path(config.mirror).is_dir():
        raise InputError(
            f"mirror: there is no folder {config.mirror}; name one with the layout of data/, or null"
        )
    _distinct("seeds", config.seeds)
    for name, corpus in config.corpora.items():
        _check_corpus(config, f"corpora.{name}", name, corpus)
    for name, split in config.splits.items():
        _check_split(config, f"splits.{name}", name, split)
    _check_translators(config)
    for name in config.encoders:
        _check_made(config, name)
    for name in config.encoders:
        _check_tuned(config, name)
    for name, translations in config.translations.items():
        if isinstance(translations, TRANSLATORS):
            continue
        _known(f"translations.{name}.of", "corpus", translations.of, config.corpora)
        if isinstance(translations, ImportedTranslations):
            for pair in translations.files:
                if len(set(pair.split("-"))) == 1:
                    raise InputError(
                        f"translations.{name}.files: {pair} is no direction; the two languages must differ"
                    )
        if isinstance(translations, ParallelTranslations):
            _distinct(f"translations.{name}.questions", translations.questions)
            for corpus_name in translations.questions:
                _known(f"translations.{name}.questions", "corpus", corpus_name, config.corpora)
    for name, corpus in config.corpora.items():
        if isinstance(corpus, TranslatedQuestions):
            _check_directions(config, f"corpora.{name}", corpus)
        if isinstance(corpus, WHOLE):
            _check_whole(config, f"corpora.{name}", corpus)
        if isinstance(corpus, TranscribedQuestions):
            _check_transcribed(config, f"corpora.{name}", corpus)
    for name, encoder in config.encoders.items():
        _check_lengths(config, f"encoders.{name}.pretrain", encoder)
    for name, source in config.parallel.items():
        _distinct(f"parallel.{name}.languages", source.languages)
        _distinct(f"parallel.{name}.sources", source.sources)
    for name, alignment in config.alignments.items():
        where = f"alignments.{name}"
        if alignment.languages != "all":
            _distinct(f"{where}.languages", alignment.languages)
        if alignment.pairs is None:
            continue
        _known(f"{where}.pairs", "source of sentence pairs", alignment.pairs, config.parallel)
        _check_languages(config, where, alignment.pairs, aligned_languages(config, name))
        _check_links(config, f"{where}.links", alignment.links)
    for name, training_set in config.training_sets.items():
        _distinct(f"training_sets.{name}.corpora", training_set.corpora)
        for corpus_name in training_set.corpora:
            _known(f"training_sets.{name}.corpora", "corpus", corpus_name, config.corpora)
    for name, model in config.models.items():
        where = f"models.{name}"
        _known(f"{where}.encoder", "encoder", model.encoder, config.encoders)
        if model.alignment is not None:
            _known(f"{where}.alignment", "alignment", model.alignment, config.alignments)
        _known(f"{where}.training_set", "training set", model.training_set, config.training_sets)
        _known(f"{where}.tuning", "tuning", model.tuning, config.tuning)
        if model.after is not None:
            _known(f"{where}.after", "model", model.after, config.models)
    for name in config.models:
        _check_chain(config, name)
    for name, evaluation in config.evaluations.items():
        for corpus_name in evaluation.corpora:
            _known(f"evaluations.{name}.corpora", "corpus", corpus_name, config.corpora)
        _check_pairs(config, name)
    for name in config.evaluations:
        _check_thresholds(config, name)
        _check_answered_from(config, name)
    for name, table in config.tables.items():
        where = f"tables.{name}"
        if isinstance(table, PairsTableOf):
            _distinct(f"{where}.alignments", table.alignments)
            with_pairs = [alignment for alignment, entry in config.alignments.items() if entry.pairs]
            for alignment_name in table.alignments:
                _known(f"{where}.alignments", "alignment with pairs", alignment_name, with_pairs)
            for encoder_name in table.encoders.values():
                _known(f"{where}.encoders", "encoder", encoder_name, config.encoders)
            continue
        if isinstance(table, RecordsTableOf):
            for training_set_name in shown_training_sets(config, name):
                _known(f"{where}.training_sets", "training set", training_set_name, config.training_sets)
            _distinct(f"{where}.training_sets", shown_training_sets(config, name))
            continue
        if isinstance(table, EffectsTableOf):
            _check_effects(config, where, name, table)
            continue
        if isinstance(table, SectionsTableOf):
            _check_sections(config, where, name, table)
            continue
        if isinstance(table, OutcomesTableOf):
            _check_outcomes(config, where, name, table)
            continue
        if isinstance(table, AlignmentsTableOf):
            for row in table.rows:
                _known(f"{where}.rows", "alignment", row.alignment, config.alignments)
            _distinct(f"{where}.rows", [row.alignment for row in table.rows])
            for encoder_name in table.encoders.values():
                _known(f"{where}.encoders", "encoder", encoder_name, config.encoders)
            continue
        if isinstance(table, SettingsTableOf):
            model_name = settings_model(config, name)
            _known(f"{where}.model", "model", model_name, config.models)
            if config.tuning[config.models[model_name].tuning].contrast is None:
                raise InputError(
                    f"{where}.model: tuning.{config.models[model_name].tuning} of {model_name} has no contrast; name a"
                    " model that is tuned with it"
                )
            continue
        _check_table(config, where, name, table)
    for name, shown in config.examples.items():
        _known("examples", "evaluation", name, config.evaluations)
        for model_name in shown.models:
            _known(f"examples.{name}.models", "model", model_name, config.models)
        if not shown_models(config, name):
            missing = missing_checkpoint(config, shown.models[0])
            raise InputError(
                f"examples.{name}.models: none of them can be made; put the checkpoint into {missing}, or add a model"
            )
        _distinct(f"examples.{name}.models", shown.models)
    for name in config.retrieval:
        _check_retrieval(config, f"retrieval.{name}", name)
    for name in config.calibration:
        _check_calibration(config, f"calibration.{name}", name)
    for name in config.models:
        _check_selection(config, name)
    for name in score_tables(config):
        _check_chosen(config, f"tables.{name}", name)
    for name, table in config.tables.items():
        if isinstance(table, RecordsTableOf):
            _check_records(config, f"tables.{name}", name)
    _check_microworld(config)


def _check_records(config: Config, where: str, name: str) -> None:
    """Training sets in a table of records are of models that are evaluated: it says what is left out for that."""
    for training_set in shown_training_sets(config, name):
        if not evaluations_of(config, training_set):
            raise InputError(
                f"{where}.training_sets: no table shows a model tuned on {training_set}, so nothing says which of its"
                " questions are evaluated; show one, or leave it out"
            )


def _check_effects(config: Config, where: str, name: str, table: EffectsTableOf) -> None:
    """Models, evaluations and columns of a table of effects are there, and all models are of the same runs."""
    of_models = compared_runs(config, name)
    first, runs = next(iter(of_models.items()))
    for model, found in of_models.items():
        if [values for values, _, _ in found] != [values for values, _, _ in runs]:
            raise InputError(
                f"{where}.effects: {model} and {first} do not hold the same variables of for_each, so they are means of"
                " different runs"
            )
        for _, one, evaluation in found:
            _known(f"{where}.effects", "model", one, config.models)
            if missing := missing_checkpoint(config, one):
                raise InputError(f"{where}.effects: {one} cannot be made; put the checkpoint into {missing}")
            _known(f"{where}.evaluation", "evaluation", evaluation, config.evaluations)
            present = pairs_of(config, evaluation)
            for pair in (pair for block in table.columns for pair in block):
                _known(f"{where}.columns", f"pair of evaluation {evaluation}", pair, present)
            if table.thresholds == "dev" and config.evaluations[evaluation].thresholds_from is None:
                raise InputError(
                    f"{where}.thresholds is dev, but evaluations.{evaluation}.thresholds_from names no evaluation"
                )
            asked, others = (config.evaluations[one].annotators for one in (evaluation, runs[0][2]))
            if asked != others:
                raise InputError(
                    f"{where}.evaluation: evaluations.{evaluation}.annotators is {asked}, but that of {runs[0][2]} is"
                    f" {others}; they must be the same"
                )
    _distinct(f"{where}.columns", [pair for block in table.columns for pair in block])
    _distinct(f"{where}.effects", [effect.label for effect in table.effects])


def _check_table(config: Config, where: str, name: str, table: TableOf) -> None:
    """Models, evaluations and columns of a table of scores are there, and all rows are of the same runs."""
    for evaluation in evaluations_in(config, name):
        _known(f"{where}.evaluation", "evaluation", evaluation, config.evaluations)
        present = pairs_of(config, evaluation)
        for pair in (pair for block in table.columns for pair in block):
            _known(f"{where}.columns", f"pair of evaluation {evaluation}", pair, present)
        if table.threshold == "dev" and config.evaluations[evaluation].thresholds_from is None:
            raise InputError(
                f"{where}.threshold is dev, but evaluations.{evaluation}.thresholds_from names no evaluation"
            )
    rows = rows_of(config, name)
    if not rows:
        raise InputError(f"{where}.rows: there are headings only; name at least one entry of models")
    for model in table_models(config, name):
        _known(f"{where}.rows", "model", model, config.models)
    made = present_models(config, name)
    if not any(all(model in made for _, model, _ in runs_of(config, name, row)) for row in rows):
        missing = next(
            filter(None, (missing_checkpoint(config, model) for model, _ in table_rows(config, name)))
        )
        raise InputError(
            f"{where}.rows: none of the models can be made; put the checkpoint into {missing}, or add a model"
        )
    for row in rows:
        models = [model for _, model, _ in runs_of(config, name, row)]
        if any(_alignment_of(config, model) != _alignment_of(config, models[0]) for model in models):
            raise InputError(
                f"{where}.rows: the models of {row.model} are not aligned in the same languages, so that no mark can"
                " stand behind their means; name them one by one"
            )
    runs = [[values for values, _, _ in runs_of(config, name, row)] for row in rows]
    for row, values in zip(rows, runs, strict=True):
        if values != runs[0]:
            raise InputError(
                f"{where}.rows: {row.model} on {row.evaluation} and {rows[0].model} on {rows[0].evaluation} do not hold"
                " the same variables of for_each, so they are means of different runs"
            )
        for _, _, evaluation in runs_of(config, name, row):
            _check_other_evaluation(config, where, name, evaluation)
    _distinct(f"{where}.rows", [row_name(config, name, row) for row in rows])
    _distinct(f"{where}.columns", [pair for block in table.columns for pair in block])
    _distinct(f"{where}.metric", table.metrics())
    _check_printed(where, table.printed, len(rows))
    _check_stars(config, where, name, table)


def _check_stars(config: Config, where: str, name: str, table: TableOf) -> None:
    """The table of effects that stars come from has this table's evaluation, scores and columns, one model a side."""
    if table.stars is None:
        return
    compared = effects_tables(config)
    _known(f"{where}.stars", "table of effects", table.stars, compared)
    effects = compared[table.stars]
    metrics = [effects.metric] if effects.metric else []
    if table.task and (table.threshold == "dev") != (effects.thresholds == "dev"):
        raise InputError(
            f"{where}.stars: thresholds of tables.{table.stars} are others; they must be the same"
        )
    for key, mine, theirs in (
        ("evaluation", table.evaluation, effects.evaluation),
        ("task", table.task, effects.task),
        ("metric", table.metrics(), metrics),
        ("average", table.average, effects.average),
        ("columns", table.columns, effects.columns),
    ):
        if mine != theirs:
            raise InputError(f"{where}.stars: {key} of tables.{table.stars} is another; it must be the same")
    names = [row_name(config, name, row) for row in rows_of(config, name)]
    for effect in effects.effects:
        if len(effect.system) > 1:
            raise InputError(
                f"{where}.stars: '{effect.label}' of tables.{table.stars} has several systems; stars are of one each"
            )
        _known(f"{where}.stars", "row", effect.system[0], names)
    _distinct(f"{where}.stars", [effect.system[0] for effect in effects.effects])


def _check_sections(config: Config, where: str, name: str, table: SectionsTableOf) -> None:
    """Models, evaluations and columns of a table of sections are there, and all count as many annotators."""
    annotators: dict[int, str] = {}
    for number, section in enumerate(table.sections):
        here = f"{where}.sections.{number}"
        blocks = blocks_of(table, section)
        for block in blocks:
            _known(f"{here}.columns", "evaluation", block.evaluation, config.evaluations)
            annotators.setdefault(config.evaluations[block.evaluation].annotators, block.evaluation)
            for pair in block.pairs:
                present = pairs_of(config, block.evaluation)
                _known(f"{here}.columns", f"pair of evaluation {block.evaluation}", pair, present)
        _distinct(
            f"{here}.columns",
            [" ".join((pair, block.task, block.source)) for block in blocks for pair in block.pairs],
        )
        models = models_of(section.rows)
        if not models:
            raise InputError(f"{here}.rows: there are headings only; name at least one entry of models")
        for model, _ in models:
            _known(f"{here}.rows", "model", model, config.models)
    if len(annotators) > 1:
        one, other = list(annotators.values())[:2]
        raise InputError(
            f"{where}.sections: evaluations.{one}.annotators is {config.evaluations[one].annotators}, but that of"
            f" {other} is {config.evaluations[other].annotators}; they must be the same"
        )
    _check_present(config, f"{where}.sections", name)
    rows = [model for section in table.sections for model in models_of(section.rows)]
    _check_printed(where, table.printed, len(rows))


def _check_outcomes(config: Config, where: str, name: str, table: OutcomesTableOf) -> None:
    """Models and evaluations of a table of outcomes are there, and both sides ask the same questions."""
    for key, side in (("rows", table.rows), ("columns", table.columns)):
        _known(f"{where}.{key}.evaluation", "evaluation", side.evaluation, config.evaluations)
        for pair in side.pairs:
            present = pairs_of(config, side.evaluation)
            _known(f"{where}.{key}.pairs", f"pair of evaluation {side.evaluation}", pair, present)
    roots = [corpora_roots(config, side) for side in (table.rows, table.columns)]
    for row, column, mine, others in zip(table.rows.pairs, table.columns.pairs, *roots, strict=True):
        if mine != others:
            raise InputError(
                f"{where}: {row} of {table.rows.evaluation} stands on the documents of {mine}, but {column} of"
                f" {table.columns.evaluation} on those of {others}; both must ask about the same"
            )
    models = [model for model, _ in models_of(table.models)]
    for model in models:
        _known(f"{where}.models", "model", model, config.models)
    _distinct(f"{where}.models", models)
    _check_present(config, f"{where}.models", name)
    called = [(row.label, row.training) for row in outcomes_recipe(config, name).models]
    for label, training in called:
        if called.count((label, training)) > 1:
            raise InputError(
                f"{where}.models: two are called {label} {training}; give one another label, as {{model: …, label: …}}"
            )
    _check_printed(where, table.printed, len(models))


def corpora_roots(config: Config, side: SideOf) -> list[str]:
    """The corpus whose documents each pair of a side stands on."""
    corpora = config.evaluations[side.evaluation].corpora
    owner = {pair: root_of(config, corpus) for corpus in corpora for pair in question_pairs(config, corpus)}
    return [owner[pair] for pair in side.pairs]


def _check_present(config: Config, where: str, name: str) -> None:
    if not present_models(config, name):
        missing = missing_checkpoint(config, table_models(config, name)[0])
        raise InputError(
            f"{where}: none of the models can be made; put the checkpoint into {missing}, or add a model"
        )


def _check_printed(where: str, printed: Printed | None, models: int) -> None:
    if printed is not None and len(printed.rows) != models:
        raise InputError(
            f"{where}.printed.rows has {len(printed.rows)} numbers for {models} models; give one, or null, for each"
        )


def _check_corpus(config: Config, where: str, name: str, corpus: BaseModel) -> None:
    if isinstance(corpus, TydiCorpus | ChaiiCorpus):
        _distinct(f"{where}.languages", corpus.languages)
    if isinstance(corpus, PartCorpus):
        _known(f"{where}.split", "split", corpus.split, config.splits)
        if config.splits[corpus.split].of != corpus.of:
            raise InputError(
                f"{where}.of is {corpus.of}, but splits.{corpus.split} splits {config.splits[corpus.split].of}"
            )
    if isinstance(corpus, MatchedCorpus):
        _distinct(f"{where}.with", corpus.others)
        for other in corpus.others:
            _known(f"{where}.with", "corpus", other, config.corpora)
            if name in _made_of(config, other):
                raise InputError(f"{where}.with: {other} is made of {name} itself; name another corpus")
    chain = [name]
    while isinstance(entry := config.corpora[chain[-1]], DERIVED):
        _known(f"corpora.{chain[-1]}.of", "corpus", entry.of, config.corpora)
        if entry.of in chain:
            circle = " of ".join([*chain[chain.index(entry.of) :], entry.of])
            raise InputError(
                f"corpora.{chain[-1]}.of: a circle, {circle}; one of them must be read from files"
            )
        chain.append(entry.of)


def _made_of(config: Config, corpus: str) -> set[str]:
    """All corpora that a corpus is made of or matched with, itself included."""
    found: set[str] = set()
    pending = [corpus]
    while pending:
        if (name := pending.pop()) in found or name not in config.corpora:
            continue
        found.add(name)
        entry = config.corpora[name]
        pending += [entry.of] if isinstance(entry, DERIVED) else []
        pending += entry.others if isinstance(entry, MatchedCorpus) else []
    return found


def _check_split(config: Config, where: str, name: str, split: Split) -> None:
    _known(f"{where}.of", "corpus", split.of, config.corpora)
    for part in ("train", "dev"):
        parts = [
            corpus
            for corpus, entry in config.corpora.items()
            if isinstance(entry, PartCorpus) and (entry.split, entry.part) == (name, part)
        ]
        if len(parts) != 1:
            found = f"there are {' and '.join(parts)}" if parts else "there is none"
            raise InputError(
                f"{where}: its {part} part must be exactly one entry of corpora (kind part), but {found}"
            )
    present = {pair.split("-")[0] for pair in question_pairs(config, split.of)}
    for code in split.ids:
        _known(f"{where}.ids", f"language of corpora.{split.of}", code, present)


def _check_directions(config: Config, where: str, corpus: TranslatedQuestions) -> None:
    """Each question language exists, and there is a translation from each `from` to each `to`."""
    for name in ancestors(config, corpus.of):
        if isinstance(config.corpora[name], (TranslatedQuestions, *WHOLE)):
            raise InputError(
                f"{where}.of: the questions of {name} are translations already; name original ones"
            )
    _distinct(f"{where}.from", corpus.source)
    _distinct(f"{where}.to", corpus.target)
    present = {pair.split("-")[0] for pair in question_pairs(config, corpus.of)}
    for source in corpus.source:
        _known(f"{where}.from", f"question language of corpora.{corpus.of}", source, present)
        if source in corpus.target:
            raise InputError(
                f"{where}: {source} is both in from and in to; a question is not translated to itself"
            )
    _known(f"{where}.translations", "table of translations", corpus.translations, config.translations)
    table = config.translations[corpus.translations]
    if isinstance(table, TRANSLATORS):
        return
    if table.of not in ancestors(config, corpus.of):
        raise InputError(
            f"{where}.translations: {corpus.translations} translates the questions of {table.of}, but these are"
            f" questions of {corpus.of}"
        )
    match table:
        case ImportedTranslations():
            directions = list(table.files)
        case ParallelTranslations():
            sources = {pair.split("-")[0] for pair in question_pairs(config, table.of)}
            targets = {
                pair.split("-")[0] for side in table.questions for pair in question_pairs(config, side)
            }
            directions = [f"{source}-{target}" for source in sources for target in targets]
    for direction in (f"{source}-{target}" for source in corpus.source for target in corpus.target):
        _known(
            f"{where}.translations", f"direction of translations.{corpus.translations}", direction, directions
        )


def _check_whole(
    config: Config, where: str, corpus: TranslatedCorpus | TransliteratedCorpus | VersionsCorpus
) -> None:
    """What is translated whole is in another language, and its questions are not asked in several."""
    for name in ancestors(config, corpus.of):
        entry = config.corpora[name]
        if isinstance(entry, TranslatedQuestions):
            raise InputError(
                f"{where}.of: the questions of {name} are translated and its contexts are not; name {entry.of}"
            )
    contexts = {pair.split("-")[1] for pair in question_pairs(config, corpus.of)}
    if contexts == {corpus.target}:
        raise InputError(
            f"{where}.to is {corpus.target}, but {corpus.of} is in it already; name another language"
        )
    if not isinstance(corpus, TranslatedCorpus):
        return
    for code in corpus.records:
        _known(f"{where}.records", f"context language of corpora.{corpus.of}", code, contexts)
    if corpus.translations is not None:
        _known(f"{where}.translations", "translator", corpus.translations, _translators(config))
    if corpus.links is not None:
        _check_links(config, f"{where}.links", corpus.links)


def _check_links(config: Config, where: str, links: LinksOf) -> None:
    """A linker's encoder exists and, where it is pretrained here, has the block that links are read from."""
    if links.encoder is None:
        return
    _known(f"{where}.encoder", "encoder", links.encoder, config.encoders)
    _check_blocks(config, f"{where}.layer is {links.layer}", links.encoder, links.layer)


def _check_blocks(config: Config, found: str, encoder: str, block: int) -> None:
    """An encoder that comes of one pretrained here has the block that is read."""
    root = encoder_chain(config, encoder)[-1]
    pretrain = config.encoders[root].pretrain
    if pretrain is not None and block > pretrain.architecture.layers:
        raise InputError(
            f"{found}, but encoders.{root}.pretrain.architecture.layers is {pretrain.architecture.layers}; it must"
            " not be more"
        )


def _check_languages(config: Config, where: str, pairs: str, codes: Sequence[str]) -> None:
    """An entry of `parallel` has sentence pairs of some languages."""
    sources = config.parallel[pairs].sources
    for code in codes:
        _known(f"{where}.languages", f"language of parallel.{pairs}", code, config.parallel[pairs].languages)
        if sources and not archives(sources, code):
            raise InputError(
                f"{where}.languages: none of {', '.join(sources)} has {code} (resources/bitexts.tsv); add a source to"
                f" parallel.{pairs}, or leave the language out"
            )


def _check_made(config: Config, encoder: str) -> None:
    """An encoder that is made of another one comes of one that is not, by way of others that there are."""
    chain = [encoder]
    while (before := config.encoders[chain[-1]].of) is not None:
        _known(f"encoders.{chain[-1]}.of", "encoder", before, config.encoders)
        if before in chain:
            circle = " of ".join([*chain[chain.index(before) :], before])
            raise InputError(
                f"encoders.{chain[-1]}.of: a circle, {circle}; one of them must be pretrained or a checkpoint"
            )
        chain.append(before)


def _check_tuned(config: Config, encoder: str) -> None:
    """An encoder that is trained to link words comes of another one that can learn it, and of pairs that there are."""
    entry, where = config.encoders[encoder], f"encoders.{encoder}"
    if entry.tune is None or entry.pairs is None:
        return
    _known(f"{where}.pairs", "source of sentence pairs", entry.pairs, config.parallel)
    _distinct(f"{where}.languages", linker_languages(config, encoder))
    _check_languages(config, where, entry.pairs, linker_languages(config, encoder))
    more = " and psi reads the next one" if "psi" in entry.tune.objectives else ""
    _check_blocks(config, f"{where}.tune.layer is {entry.tune.layer}{more}", encoder, entry.tune.blocks())


def _check_retrieval(config: Config, where: str, name: str) -> None:
    """Pairs are held out, alignments can be made, and there is one source of links."""
    entry = config.retrieval[name]
    _known(f"{where}.pairs", "source of sentence pairs", entry.pairs, config.parallel)
    source = config.parallel[entry.pairs]
    if not source.held_out:
        raise InputError(
            f"{where}.pairs: parallel.{entry.pairs}.held_out is 0; set it to the number of pairs to measure"
        )
    _distinct(f"{where}.languages", measured_languages(config, name))
    for code in measured_languages(config, name):
        _known(f"{where}.languages", f"language of parallel.{entry.pairs}", code, source.languages)
    _known(f"{where}.encoder", "encoder", entry.encoder, config.encoders)
    _distinct(f"{where}.alignments", entry.alignments)
    for alignment in entry.alignments:
        _known(f"{where}.alignments", "alignment", alignment, config.alignments)
        if alignment == entry.encoder:
            raise InputError(
                f"{where}.alignments: {alignment} is the name of the encoder, too; rename one of the two"
            )
    if not measured_alignments(config, name):
        raise InputError(
            f"{where}.alignments: none of them can be made; put the checkpoint into"
            f" {missing_alignment(config, entry.alignments[0])}, or add an alignment"
        )
    if source.links and (given := sorted(entry.model_fields_set & {"links", "counted"})):
        raise InputError(
            f"{where}.{given[0]}: parallel.{entry.pairs}.links names gold links, which need no linker; leave one out"
        )
    _check_links(config, f"{where}.links", entry.links)
    if entry.links.linker == "neural" and "counted" in entry.model_fields_set:
        raise InputError(f"{where}.counted belongs to linker statistical, but linker is neural")
    pretrain = config.encoders[encoder_chain(config, entry.encoder)[-1]].pretrain
    blocks = pretrain.architecture.layers if pretrain else abs(entry.layer)
    if not -blocks - 1 <= entry.layer <= blocks:
        raise InputError(
            f"{where}.layer is {entry.layer}, but encoders.{entry.encoder}.pretrain.architecture.layers is {blocks}"
        )


def _check_calibration(config: Config, where: str, name: str) -> None:
    """Models and two evaluations are there, and candidates are kept."""
    entry = config.calibration[name]
    for model in entry.models:
        _known(f"{where}.models", "model", model, config.models)
    _distinct(f"{where}.models", entry.models)
    if not calibrated_models(config, name):
        raise InputError(
            f"{where}.models: none of them can be made; put the checkpoint into"
            f" {missing_checkpoint(config, entry.models[0])}, or add a model"
        )
    _known(f"{where}.fitted_on", "evaluation", entry.fitted_on, config.evaluations)
    _known(f"{where}.evaluation", "evaluation", entry.evaluation, config.evaluations)
    for evaluation in (entry.fitted_on, entry.evaluation):
        if config.evaluations[evaluation].answered_from is not None:
            raise InputError(
                f"{where}: answers of evaluations.{evaluation} are found again and have no candidates; name another one"
            )
    if entry.fitted_on == entry.evaluation:
        raise InputError(
            f"{where}.evaluation is {entry.evaluation}, as fitted_on is; name another one to try temperatures on"
        )
    tried, fitted = (config.evaluations[key].corpora for key in (entry.evaluation, entry.fitted_on))
    if both := with_questions_of(config, tried, fitted):
        raise InputError(
            f"{where}.evaluation: questions of {min(both)} are among those of fitted_on, {entry.fitted_on}; try"
            " temperatures on others"
        )
    if not config.prediction.n_best:
        raise InputError(
            f"{where}: prediction.n_best is 0; set it to the number of candidates to keep, such as 20"
        )


def _check_transcribed(config: Config, where: str, corpus: TranscribedQuestions) -> None:
    """Questions are original or translated ones, some in the dialect's language, and recordings of its locale."""
    for name in ancestors(config, corpus.of):
        if not isinstance(
            config.corpora[name],
            TydiCorpus | SquadCorpus | ChaiiCorpus | PartCorpus | MatchedCorpus | TranslatedQuestions,
        ):
            raise InputError(
                f"{where}.of: the questions of {name} are not those of its own documents; name others"
            )
    present = {pair.split("-")[0] for pair in question_pairs(config, corpus.of)}
    _known(f"{where}.dialect", f"question language of corpora.{corpus.of}", corpus.language(), present)
    if corpus.recordings is None:
        return
    _known(f"{where}.recordings", "entry of speech", corpus.recordings, config.speech)
    locale = config.speech[corpus.recordings].locale
    if not corpus.dialect.endswith(f"-{locale}"):
        raise InputError(
            f"{where}.dialect is {corpus.dialect}, but speech.{corpus.recordings}.locale is {locale}; a dialect ends in"
            " the locale that it is recognised in"
        )


def _translators(config: Config) -> list[str]:
    return [name for name, entry in config.translations.items() if isinstance(entry, TRANSLATORS)]


def _check_translators(config: Config) -> None:
    """No two entries share a part of the cache: their jobs would own the same texts."""
    owner: dict[str, str] = {}
    for name in _translators(config):
        entry = config.translations[name]
        assert isinstance(entry, TRANSLATORS)
        settings = json.dumps(translator(entry).settings(), sort_keys=True)
        if settings in owner:
            raise InputError(
                f"translations.{name}: {owner[settings]} has the same settings, so a text would be translated by both;"
                " name one of them in all corpora"
            )
        owner[settings] = name


def _check_chain(config: Config, model: str) -> None:
    """No model is tuned after itself, and all that are tuned one after the other have one encoder."""
    chain = [model]
    while (before := config.models[chain[-1]].after) is not None:
        if before in chain:
            circle = " after ".join([*chain[chain.index(before) :], before])
            raise InputError(
                f"models.{chain[-1]}.after: a circle, {circle}; one of them must start from an encoder"
            )
        for key in ("encoder", "alignment"):
            mine, theirs = (getattr(config.models[name], key) for name in (chain[-1], before))
            if mine != theirs:
                raise InputError(
                    f"models.{chain[-1]}.{key} is {mine or 'null'}, but that of {before}, which it is tuned after, is"
                    f" {theirs or 'null'}; they must be the same"
                )
        chain.append(before)


def _check_selection(config: Config, model: str) -> None:
    """Nothing is trained on the questions that weights are selected on, or reported of this model or one after it."""
    tuning = config.models[model].tuning
    selection = config.tuning[tuning].selection
    if selection is None:
        return
    for key, asked in (("evaluation", selection.evaluation), ("reported", selection.reported)):
        if asked is None:
            continue
        where = f"tuning.{tuning}.selection.{key}"
        _known(where, "evaluation", asked, config.evaluations)
        if (other := config.evaluations[asked].answered_from) is not None:
            raise InputError(
                f"{where}: {asked} has answered_from, but while models are trained they answer themselves; name an"
                f" evaluation without it, such as {other}"
            )
    where = f"tuning.{tuning}.selection.evaluation"
    chosen = config.evaluations[selection.evaluation].corpora
    beside = config.evaluations[selection.reported].corpora if selection.reported else []
    if both := with_questions_of(config, beside, chosen):
        raise InputError(
            f"tuning.{tuning}.selection.reported: questions of {min(both)} are among those of {selection.evaluation};"
            " name an evaluation with other questions"
        )
    trained = config.training_sets[config.models[model].training_set].corpora
    if common := set(chosen) & set(trained):
        raise InputError(
            f"{where}: {min(common)} is trained on by models.{model}; select on questions apart from those"
        )
    shown = [*reported(config)]
    shown += [
        (f"calibration.{name}", row, entry.evaluation)
        for name, entry in config.calibration.items()
        for row in entry.models
    ]
    for name, row, evaluation in shown:
        if model not in chain_of(config, row):
            continue
        if both := with_questions_of(config, config.evaluations[evaluation].corpora, chosen):
            raise InputError(
                f"{where}: {name} shows scores of models.{row} on {min(both)}; select on questions that nothing is"
                " reported on"
            )


def _check_chosen(config: Config, where: str, table: str) -> None:
    """Where each column has a step of its own, all models are scored on the row's questions while they are trained."""
    entry = score_tables(config)[table]
    if entry.chosen == "weights":
        return
    for model, evaluation in table_rows(config, table):
        tuning = config.models[model].tuning
        selection = config.tuning[tuning].selection
        if selection is None or selection.reported != evaluation:
            found = selection.reported if selection else None
            raise InputError(
                f"{where}.chosen is columns, so selection.reported in tuning.{tuning} of models.{model} must be"
                f" {evaluation}, but it is {found or 'null'}"
            )
        dev = pairs_of(config, selection.evaluation)
        for pair in (pair for block in entry.columns for pair in block):
            _known(f"{where}.columns", f"pair of evaluation {selection.evaluation}", pair, dev)


def _check_lengths(config: Config, where: str, encoder: Encoder) -> None:
    """An encoder pretrained here has a position for every piece that it will be given."""
    if encoder.pretrain is None:
        return
    positions = encoder.pretrain.architecture.max_length
    for key, length in (
        (f"{where}.max_length", encoder.pretrain.max_length),
        ("features.max_length", config.features.max_length),
    ):
        if length > positions:
            raise InputError(
                f"{key} is {length}, but {where}.architecture.max_length is {positions}; it must not be more"
            )


def _check_pairs(config: Config, evaluation: str) -> None:
    corpora = config.evaluations[evaluation].corpora
    owner: dict[str, str] = {}
    for corpus in corpora:
        for pair in question_pairs(config, corpus):
            if pair in owner:
                raise InputError(
                    f"evaluations.{evaluation}.corpora: pair {pair} is in {owner[pair]} and in {corpus}; a pair is"
                    " scored as one file, so give it in one corpus (of several files) or in two evaluations"
                )
            owner[pair] = corpus


def _check_thresholds(config: Config, name: str) -> None:
    """Thresholds come from another evaluation, which has every pair, other questions, and sets its own."""
    other = config.evaluations[name].thresholds_from
    if other is None:
        return
    where = f"evaluations.{name}.thresholds_from"
    _known(where, "evaluation", other, config.evaluations)
    if other == name or config.evaluations[other].thresholds_from is not None:
        raise InputError(f"{where}: {other} must be another evaluation, without thresholds_from")
    for pair in pairs_of(config, name):
        _known(where, f"pair of evaluation {other}", pair, pairs_of(config, other))
    corpora = config.evaluations[name].corpora
    if both := with_questions_of(config, corpora, config.evaluations[other].corpora):
        raise InputError(
            f"{where}: questions of {min(both)} are among those of {other}; take thresholds from other questions"
        )


def _check_answered_from(config: Config, name: str) -> None:
    """Answers come from another evaluation, which models answer themselves, on these contexts or their translation."""
    other = config.evaluations[name].answered_from
    if other is None:
        return
    where = f"evaluations.{name}.answered_from"
    _known(where, "evaluation", other, config.evaluations)
    if other == name or config.evaluations[other].answered_from is not None:
        raise InputError(f"{where}: {other} must be another evaluation, without answered_from")
    here = {root_of(config, corpus) for corpus in config.evaluations[name].corpora}
    found: set[str] = set()
    for corpus in config.evaluations[other].corpora:
        root = root_of(config, corpus)
        entry = config.corpora[root]
        if root in here:
            continue
        if not isinstance(entry, TranslatedCorpus) or root_of(config, entry.of) not in here:
            raise InputError(
                f"{where}: the contexts of {corpus} are neither those of evaluations.{name}.corpora nor a translation"
                " (kind translated) of them"
            )
        found.add(root)
    if len(found) > 1:
        raise InputError(
            f"{where}: {' and '.join(sorted(found))} are both translated; name an evaluation with one"
        )


def _check_other_evaluation(config: Config, where: str, table: str, name: str) -> None:
    """A row's evaluation counts as many annotators as the table's, and has every pair that the table shows."""
    own, entry = evaluations_in(config, table), score_tables(config)[table]
    if name == own[0]:
        return
    _known(f"{where}.rows", "evaluation", name, config.evaluations)
    mine, asked = (config.evaluations[one] for one in (name, own[0]))
    if mine.annotators != asked.annotators:
        raise InputError(
            f"{where}.rows: evaluations.{name}.annotators is {mine.annotators}, but that of {own[0]} is"
            f" {asked.annotators}; they must be the same"
        )
    if entry.threshold == "dev" and mine.thresholds_from is None:
        raise InputError(
            f"{where}.threshold is dev, but evaluations.{name}.thresholds_from names no evaluation"
        )
    for pair in (pair for block in entry.columns for pair in block):
        _known(f"{where}.columns", f"pair of evaluation {name}", pair, pairs_of(config, name))


def _check_microworld(config: Config) -> None:
    """Every file that the configuration expects from the micro-world is one that the generator writes."""
    written = microworld_files(config.microworld) if config.microworld else []
    texts = _files(config.model_dump(by_alias=True, exclude={"microworld", "parallel"}), ())
    pairs = (
        (f"parallel.{name}", file)
        for name, source in config.parallel.items()
        for code in source.languages
        for file in (*source.files(code), *source.gold(code))
    )
    for key, file in (*texts, *pairs):
        if not file.startswith(f"{MICROWORLD}/") or file in written:
            continue
        if config.microworld is None:
            raise InputError(f"{key}: {file} belongs to the micro-world, but there is no section microworld")
        _known(
            key,
            f"file of the micro-world in {', '.join(config.microworld.languages)}",
            file,
            written,
            listed=False,
        )


def _files(value: Any, key: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(key, text) of every text in a configuration."""
    if isinstance(value, str):
        yield ".".join(key), value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _files(item, (*key, str(name)))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _files(item, key)


def _known(where: str, what: str, found: str, known: Collection[str], listed: bool = True) -> None:
    if found not in known:
        hint = _hint(found, sorted(known)) if listed else _guess(found, known)
        raise InputError(f"{where}: unknown {what} '{found}'{hint}")


SHOWN = 25  # known names that a sentence lists


def _hint(found: str, known: Collection[str], verb: str = "known") -> str:
    """What may have been meant, and what could be."""
    guess = _guess(found, known)
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"{guess}{'' if guess else ';'} {verb} are {', '.join(list(known)[:SHOWN]) or 'none'}{more}"


def _guess(found: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(found, known, n=1, cutoff=0.65)
    return f"; did you mean '{near[0]}'?" if near else ""


def _distinct(where: str, values: Collection[Any]) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise InputError(f"{where}: {value} is given twice; each may stand there once")
        seen.add(value)


def _sentence(error: ValidationError) -> str:
    """pydantic's first complaint as one sentence: key, what was found, what is allowed."""
    first, *others = error.errors(include_url=False)
    if first["type"] == "missing":  # perhaps because its name is misspelt
        there = (other for other in others if other["type"] == "extra_forbidden")
        first = next((other for other in there if other["loc"][:-1] == first["loc"][:-1]), first)
    owner, keys = _place(first["loc"])
    key, value, context = ".".join(keys), first["input"], first.get("ctx", {})
    found = json.dumps(value, ensure_ascii=False, default=str)
    found = found if len(found) <= 80 else f"{found[:77]}…"
    match first["type"]:
        case "extra_forbidden":
            known = [field.alias or name for name, field in owner.model_fields.items()]
            section = ".".join(keys[:-1]) or "configuration"
            return f"{section}: unknown key '{keys[-1]}'{_hint(keys[-1], known)}"
        case "missing":
            return f"{key} is missing"
        case "union_tag_not_found":
            return f"{key}.kind is missing; known are {', '.join(_KINDS[keys[0]])}"
        case "union_tag_invalid":
            known, kind = _KINDS[keys[0]], str(context["tag"])
            return f"{key}.kind: unknown kind '{kind}'{_hint(kind, known)}"
        case "literal_error":
            known = [str(choice) for choice in re.findall(r"'([^']*)'", context["expected"])]
            return f"{key} is {found}{_hint(str(value), known, 'allowed')}"
        case "value_error":
            return (
                f"{key}: {context['error']}"
                if isinstance(value, dict)
                else f"{key} is {found}: {context['error']}"
            )
    return f"{key} is {found}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _place(location: Sequence[str | int]) -> tuple[type[BaseModel], list[str]]:
    """The model that holds the last key of an error's location, and the location without pydantic's own marks."""
    owner: type[BaseModel] = Config
    here: Any = Config
    keys: list[str] = []
    for part in location:
        here = _plain(here)
        if part == "[key]":
            break
        if get_origin(here) in (Union, UnionType):
            # pydantic names the member of the union that it tried; no key of the file has that name
            members = [_plain(member) for member in get_args(here)]
            here = next((member for member in members if part in (_kind(member), member.__name__)), str)
            continue
        keys.append(str(part))
        if isinstance(here, type) and issubclass(here, BaseModel):
            owner = here
            fields = {field.alias or name: field.annotation for name, field in here.model_fields.items()}
            here = fields.get(str(part), str)
        else:
            here = (get_args(here) or (str,))[-1 if get_origin(here) is dict else 0]
    return owner, keys


def _plain(annotation: Any) -> Any:
    """A type without `Annotated` and without `| None`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return _plain(members[0]) if len(members) == 1 else annotation
    return annotation


def _kind(model: Any) -> str:
    """The value of `kind` that stands for a model in a union of models; empty for anything else."""
    field = getattr(model, "model_fields", {}).get("kind")
    return str(get_args(field.annotation)[0]) if field else ""


_KINDS = {
    section: [_kind(member) for member in get_args(_plain(union))]
    for section, union in (("corpora", Corpus), ("translations", Translations), ("tables", AnyTable))
}


def schema() -> dict[str, Any]:
    """The JSON schema of the configuration."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(by_alias=True),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=f"The configuration's JSON schema, {SCHEMA.name}.")
    parser.add_argument("--schema", action="store_true", required=True, help=f"write resources/{SCHEMA.name}")
    parser.parse_args(argv)
    write_text(SCHEMA, json.dumps(schema(), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    run(main)
