"""The configuration: what it takes, what it says to what it does not take, and what the rules ask it."""

import copy
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from workflow_scripts import config as module
from workflow_scripts.acquire.microworld.__main__ import write_world
from workflow_scripts.augment.renderings import Record
from workflow_scripts.cli import InputError
from workflow_scripts.config import Config, LinksOf, TuningOf, load
from workflow_scripts.languages import languages
from workflow_scripts.recipes.alignment import Alignment
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.microworld import Microworld
from workflow_scripts.recipes.parallel import Parallel
from workflow_scripts.recipes.pretraining import Pretraining
from workflow_scripts.recipes.splits import PER_LANGUAGE
from workflow_scripts.recipes.table import Heading, Row
from workflow_scripts.recipes.tuning import Prediction

ROOT = Path(__file__).parents[2]
FILES = [
    ROOT / "config.yaml",
    *sorted((ROOT / "config").glob("*.yaml")),
    *sorted((ROOT / "tests/config").glob("*.yaml")),
]


def read(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text("utf-8"))


@pytest.fixture
def raw() -> dict[str, Any]:
    """The default as a dictionary that a test may spoil."""
    return read(ROOT / "config.yaml")


@pytest.fixture(scope="module")
def default() -> Config:
    return load(read(ROOT / "config.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_shipped_configuration_loads(file: Path) -> None:
    assert load(read(file)).tables


# A change of the default, and the whole sentence that it must bring.
def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Set a key, given as a dotted path."""

    def change(raw: dict[str, Any]) -> None:
        *sections, last = path.split(".")
        for section in sections:
            raw = raw[section]
        raw[last] = value

    return change


def drop(path: str) -> Callable[[dict[str, Any]], None]:
    """Remove a key, given as a dotted path."""

    def change(raw: dict[str, Any]) -> None:
        *sections, last = path.split(".")
        for section in sections:
            raw = raw[section]
        del raw[last]

    return change


def another_encoder(raw: dict[str, Any]) -> None:
    """Tune a model after one of another encoder."""
    raw["encoders"]["other"] = {"checkpoint": "some/folder"}
    raw["models"]["mbert-aug"] |= {"encoder": "other", "after": "mbert-mono"}


def in_public(*more: str) -> Callable[[dict[str, Any]], None]:
    """Align Asturian from public corpora that don't have it, beside languages that some of them have."""

    def change(raw: dict[str, Any]) -> None:
        codes = ["ar", "ast", *more]
        raw["parallel"]["public"] = {
            "languages": codes,
            "sources": ["opus-100", "wikimatrix-tsv"],
            "margin": 1.06,
        }
        raw["alignments"]["tydi-l"] |= {"pairs": "public", "languages": codes}

    return change


MISTAKES = {
    "unknown section": (
        put("modles", {}),
        "configuration: unknown key 'modles'; did you mean 'models'? known are for_each, mirror, seeds, microworld,"
        " corpora, splits, translations, speech, features, encoders, parallel, alignments, training_sets, tuning,"
        " prediction, models, evaluations, tables, retrieval, examples, calibration",
    ),
    "unknown key of a recipe": (
        put("features.strides", 1),
        "features: unknown key 'strides'; did you mean 'stride'? known are preset, max_length, stride, step,"
        " question_length, max_passages",
    ),
    "unknown key deep inside": (
        put("encoders.mbert.pretrain.vocabulary.sise", 1),
        "encoders.mbert.pretrain.vocabulary: unknown key 'sise'; did you mean 'size'? known are kind, size",
    ),
    "unknown key of a kind": (
        put("corpora.tydi-test.language", "en"),
        "corpora.tydi-test: unknown key 'language'; did you mean 'languages'? known are kind, files, languages",
    ),
    "unknown kind": (
        put("corpora.tydi-test.kind", "squat"),
        "corpora.tydi-test.kind: unknown kind 'squat'; did you mean 'squad'? known are tydi, squad, chaii,"
        " part, matched, translated-questions",
    ),
    "no kind": (
        drop("translations.microworld-test.kind"),
        "translations.microworld-test.kind is missing; known are imported, parallel-corpora",
    ),
    "missing key": (drop("models.mbert-aug.encoder"), "models.mbert-aug.encoder is missing"),
    "missing section": (drop("tables"), "tables is missing"),
    "wrong type": (
        put("tuning.default.steps", "many"),
        'tuning.default.steps is "many": input should be a valid integer, unable to parse string as an integer',
    ),
    "out of range": (
        put("evaluations.tydi-test.annotators", 0),
        "evaluations.tydi-test.annotators is 0: input should be greater than 0",
    ),
    "unknown choice": (
        put("tables.table3.task", "minimum"),
        "tables.table3.task is \"minimum\"; did you mean 'minimal'? allowed are passage, minimal",
    ),
    "unknown training set": (
        put("models.mbert-aug.training_set", "agu"),
        "models.mbert-aug.training_set: unknown training set 'agu'; did you mean 'aug'? known are aug, chaii-0,",
    ),
    "unknown encoder": (
        put("models.mbert-aug.encoder", "bert"),
        "models.mbert-aug.encoder: unknown encoder 'bert'; did you mean 'mbert'? known are mbert",
    ),
    "unknown alignment": (
        put("models.mbert-tydi-l.alignment", "222-s"),
        "models.mbert-tydi-l.alignment: unknown alignment '222-s'; known are 111-l, 111-s,"
        " cao-high, tydi-l, tydi-m, tydi-s, zhao-low, zhao-low-high",
    ),
    "unknown tuning": (
        put("models.mbert-aug.tuning", "fast"),
        "models.mbert-aug.tuning: unknown tuning 'fast'; known are chaii-0,",
    ),
    "tuned after an unknown model": (
        put("models.mbert-aug.after", "mbert-moon"),
        "models.mbert-aug.after: unknown model 'mbert-moon'; did you mean 'mbert-mono'? known are ",
    ),
    "tuned after itself": (
        put(
            "models",
            {
                name: {"label": name, "encoder": "mbert", "training_set": "aug", "after": before}
                for name, before in (("a", "b"), ("b", "c"), ("c", "b"))
            },
        ),
        "models.c.after: a circle, b after c after b; one of them must start from an encoder",
    ),
    "tuned after a model of another encoder": (
        another_encoder,
        "models.mbert-aug.encoder is other, but that of mbert-mono, which it is tuned after, is mbert; they must be the"
        " same",
    ),
    "tuned after a model of another alignment": (
        put("models.mbert-tydi-l.after", "mbert-mono"),
        "models.mbert-tydi-l.alignment is tydi-l, but that of mbert-mono, which it is tuned after, is null; they must"
        " be the same",
    ),
    "unknown row": (
        put("tables.table2.rows", ["mbert-moon"]),
        "tables.table2.rows: unknown model 'mbert-moon'; did you mean 'mbert-mono'? known are ",
    ),
    "stars of an unknown table": (
        put("tables.table2.stars", "table2"),
        "tables.table2.stars: unknown table of effects 'table2'; known are mucot-effects, table2-effects,",
    ),
    "stars of another task": (
        put("tables.table2.stars", "table3-effects"),
        "tables.table2.stars: task of tables.table3-effects is another; it must be the same",
    ),
    "stars of a mean": (
        put(
            "tables.table2-effects.effects",
            [
                {
                    "label": "both",
                    "system": ["mbert-tydi-l", "mbert-111-s"],
                    "base": ["mbert-aug", "mbert-aug"],
                }
            ],
        ),
        "tables.table2.stars: 'both' of tables.table2-effects has several systems; stars are of one each",
    ),
    "stars of a model without a row": (
        put("tables.combined.stars", "table3-effects"),
        "tables.combined.stars: unknown row 'mbert-tydi-l'",
    ),
    "unknown evaluation": (
        put("tables.table2.evaluation", "tydi"),
        "tables.table2.evaluation: unknown evaluation 'tydi'; did you mean 'tydi-own'? known are chaii,",
    ),
    "only headings": (
        put("tables.table2.rows", [{"heading": "nothing"}]),
        "tables.table2.rows: there are headings only; name at least one entry of models",
    ),
    "wrong heading": (
        put("tables.table2.rows", [{"headline": "mBERT"}]),
        "tables.table2.rows.0: unknown key 'headline'; did you mean 'heading'? known are heading",
    ),
    "column that the evaluation lacks": (
        put("tables.table2.columns", [["en-hi"]]),
        "tables.table2.columns: unknown pair of evaluation tydi-test 'en-hi'; known are ar-ar,"
        " ar-en, bn-bn, bn-en, en-ar, en-bn, en-en, en-ko, en-sw, ko-en, ko-ko, sw-en, sw-sw",
    ),
    "not a pair": (
        put("tables.table2.columns", [["english"]]),
        'tables.table2.columns.0.0 is "english": a pair is two language codes joined by a hyphen, such as en-ar',
    ),
    "column given twice": (
        put("tables.table2.columns", [["en-ar"], ["en-ar"]]),
        "tables.table2.columns: en-ar is given twice; each may stand there once",
    ),
    "seed given twice": (put("seeds", [1, 1]), "seeds: 1 is given twice; each may stand there once"),
    "name that is no file name": (
        put("models.mBERT", {}),
        'models.mBERT is "mBERT": names are used in file names: lower-case letters, digits and hyphens only',
    ),
    "pretrain and checkpoint": (
        put("encoders.mbert.checkpoint", "xlm-roberta-base"),
        "encoders.mbert: give exactly one of pretrain (from scratch), checkpoint (name or folder), tune and trim (of"
        " another entry)",
    ),
    "selection on what is reported": (
        put("tuning.default.selection", {"evaluation": "tydi-test"}),
        "tuning.default.selection.evaluation: tables.table2 shows scores of models.mbert-aug on test-en-to-xx; select"
        " on questions that nothing is reported on",
    ),
    "selection on what is reported in other words": (
        lambda raw: (
            put("evaluations.asked", {"corpora": ["test-en-to-xx"], "annotators": 2})(raw),
            put("tables.table2.evaluation", "ours")(raw),
            put("evaluations.ours", {"corpora": ["tydi-test"], "annotators": 2})(raw),
            put("tables.table2.columns", [["ar-ar"]])(raw),
            put("tables.table2.rows", ["mbert-aug"])(raw),
            [raw["tables"]["table2"].pop(key) for key in ("printed", "stars")],
            [raw["tables"].pop(name) for name in list(raw["tables"]) if name != "table2"],
            put("tuning.default.selection", {"evaluation": "asked"})(raw),
        ),
        "tuning.default.selection.evaluation: tables.table2 shows scores of models.mbert-aug on tydi-test; select",
    ),
    "selection, one model earlier, on what is reported": (
        lambda raw: (
            put("tuning.chosen", {"selection": {"evaluation": "tydi-test"}})(raw),
            put("models.first", {**raw["models"]["mbert-aug"], "tuning": "chosen"})(raw),
            put("models.mbert-aug.after", "first")(raw),
        ),
        "tuning.chosen.selection.evaluation: tables.table2 shows scores of models.mbert-aug on test-en-to-xx; select",
    ),
    "selection on what confidences are tried on": (
        lambda raw: (
            put("prediction.n_best", 5)(raw),
            put("evaluations.asked", {"corpora": ["chaii"], "annotators": 1})(raw),
            put("tuning.default.selection", {"evaluation": "asked"})(raw),
            put("tables", {"table2": {**raw["tables"]["table2"], "rows": ["mbert-aug"]}})(raw),
            [raw["tables"]["table2"].pop(key) for key in ("printed", "stars")],
            put(
                "calibration",
                {"m": {"models": ["mbert-aug"], "fitted_on": "tydi-dev", "evaluation": "chaii-test-0"}},
            )(raw),
        ),
        "tuning.default.selection.evaluation: calibration.m shows scores of models.mbert-aug on chaii-test-0; select",
    ),
    "selection on what is trained on": (
        lambda raw: (
            put("evaluations.train", {"corpora": ["tydi-train"], "annotators": 1})(raw),
            put("tuning.default.selection", {"evaluation": "train"})(raw),
        ),
        "tuning.default.selection.evaluation: tydi-train is trained on by models.",
    ),
    "selection on answers that are taken from another evaluation": (
        put("tuning.default.selection", {"evaluation": "tydi-translate-test"}),
        "tuning.default.selection.evaluation: tydi-translate-test has answered_from, but while models are trained they"
        " answer themselves; name an evaluation without it, such as tydi-own",
    ),
    "reported while training: unknown": (
        put("tuning.default.selection", {"evaluation": "tydi-own", "reported": "tydi-tset"}),
        "tuning.default.selection.reported: unknown evaluation 'tydi-tset'; did you mean 'tydi-test'?",
    ),
    "reported while training: answers that are taken from another evaluation": (
        put("tuning.default.selection", {"evaluation": "tydi-own", "reported": "tydi-translate-test"}),
        "tuning.default.selection.reported: tydi-translate-test has answered_from, but while models are trained they"
        " answer themselves; name an evaluation without it, such as tydi-own",
    ),
    "reported while training: what is selected on": (
        put("tuning.default.selection", {"evaluation": "tydi-test", "reported": "tydi-own"}),
        "tuning.default.selection.reported: questions of",
    ),
    "columns chosen of a task": (
        put("tables.table2.chosen", "columns"),
        "tables.table2: chosen: columns needs metric (not task) and average: questions",
    ),
    "columns chosen without scores of every step": (
        put("tables.baselines-chaii.chosen", "columns"),
        "tables.baselines-chaii.chosen is columns, so selection.reported in tuning.default of models.mbert-squad must"
        " be chaii, but it is null",
    ),
    "encoders trimmed in a circle": (
        lambda raw: raw["encoders"].update(
            a={"of": "b", "trim": {}, "text": {"en": ["text"]}},
            b={"of": "a", "trim": {}, "text": {"en": ["text"]}},
        ),
        "encoders.b.of: a circle, a of b of a; one of them must be pretrained or a checkpoint",
    ),
    "trim of nothing": (
        lambda raw: raw["encoders"].update(a={"trim": {}, "text": {"en": ["text"]}}),
        "encoders.a: trim needs of (an entry of encoders)",
    ),
    "pretrain without text": (
        put("encoders.mbert.text", {}),
        "encoders.mbert: text belongs to pretrain and trim: give files for each language there, and only there",
    ),
    "windows longer than the encoder": (
        put("features.max_length", 384),
        "features.max_length is 384, but encoders.mbert.pretrain.architecture.max_length is 256; it must not be more",
    ),
    "circle": (
        put(
            "corpora",
            {
                "a": {
                    "kind": "translated-questions",
                    "of": "b",
                    "from": ["en"],
                    "to": ["ar"],
                    "translations": "t",
                },
                "b": {
                    "kind": "translated-questions",
                    "of": "a",
                    "from": ["ar"],
                    "to": ["en"],
                    "translations": "t",
                },
            },
        ),
        "corpora.b.of: a circle, a of b of a; one of them must be read from files",
    ),
    "unknown parent": (
        put("corpora.train-en-to-xx.of", "tydi-trian"),
        "corpora.train-en-to-xx.of: unknown corpus 'tydi-trian'; did you mean 'tydi-train'? known are chaii,",
    ),
    "translation of translations": (
        put("corpora.test-xx-to-en.of", "test-en-to-xx"),
        "corpora.test-xx-to-en.of: the questions of test-en-to-xx are translations already; name original ones",
    ),
    "language without questions": (
        put("corpora.train-en-to-xx.from", ["hi"]),
        "corpora.train-en-to-xx.from: unknown question language of corpora.tydi-train 'hi'; known are ar, bn, en, ko,"
        " sw",
    ),
    "translated to itself": (
        put("corpora.train-xx-to-en.to", ["en", "ar"]),
        "corpora.train-xx-to-en: ar is both in from and in to; a question is not translated to itself",
    ),
    "direction without translations": (
        drop("translations.microworld-train.files.en-sw"),
        "corpora.train-en-to-xx.translations: unknown direction of translations.microworld-train 'en-sw'; known are"
        " ar-en, bn-en, en-ar, en-bn, en-ko, ko-en, sw-en",
    ),
    "translations of other questions": (
        put("corpora.train-en-to-xx.translations", "microworld-test"),
        "corpora.train-en-to-xx.translations: microworld-test translates the questions of tydi-test, but these are"
        " questions of tydi-train",
    ),
    "split of another corpus": (
        put("corpora.tydi-dev.of", "tydi-test"),
        "corpora.tydi-dev.of is tydi-test, but splits.custom-dev splits tydi-train-all",
    ),
    "split without a dev part": (
        put("corpora.tydi-dev.part", "train"),
        "splits.custom-dev: its train part must be exactly one entry of corpora (kind part), but there are tydi-train"
        " and tydi-dev",
    ),
    "translations into the same language": (
        put("translations.microworld-train.files.en-en", "mine.tsv"),
        "translations.microworld-train.files: en-en is no direction; the two languages must differ",
    ),
    "no sentence is that long": (
        put("alignments.tydi-l.filter.min_words", 65),
        "alignments.tydi-l.filter: min_words is 65, more than max_words 64",
    ),
    "alignment language without pairs": (
        put("alignments.tydi-l.languages", ["fi"]),
        "alignments.tydi-l.languages: unknown language of parallel.microworld 'fi'; known are ar, bn,"
        " hi, ko, ml, mr, sw, ta, te",
    ),
    "neither pairs nor a checkpoint": (
        drop("alignments.tydi-l.pairs"),
        "alignments.tydi-l: give exactly one of pairs (to align here) and checkpoint (folder of an encoder)",
    ),
    "a checkpoint that is trained": (
        put("alignments.tydi-l", {"checkpoint": "data/x", "languages": ["ar"], "links": {}}),
        "alignments.tydi-l: links belongs to pairs; a checkpoint is taken as it is",
    ),
    "a checkpoint in all languages": (
        put("alignments.tydi-l", {"checkpoint": "data/x", "languages": "all"}),
        "alignments.tydi-l: languages: name those that the checkpoint was aligned in",
    ),
    "several languages in one file": (
        put("parallel.microworld.english", "results/microworld/parallel/en.txt"),
        "parallel.microworld: foreign and english must hold {language}, so that every language has files of its own",
    ),
    "pairs that the micro-world lacks": (
        put("parallel.microworld.languages", ["ar", "bn", "sw", "ko", "fi"]),
        "parallel.microworld: unknown file of the micro-world in en, ar, bn, sw, ko, hi, ta, te, ml, mr"
        " 'results/microworld/parallel/fi-en.fi'",
    ),
    "sentences from files and from public corpora": (
        put("parallel.microworld.sources", ["wikimedia"]),
        "parallel.microworld: give either foreign and english (files) or sources (public corpora)",
    ),
    "sentences of one side": (
        drop("parallel.microworld.english"),
        "parallel.microworld: give either foreign and english (files) or sources (public corpora)",
    ),
    "an unknown public corpus": (
        put("parallel.public", {"languages": ["ar"], "sources": ["opus100"]}),
        "parallel.public.sources.0 is \"opus100\"; did you mean 'opus-100'? allowed are wikimatrix, wikimatrix-tsv,"
        " wikimedia, ccaligned, opus-100",
    ),
    "a margin of a corpus without scores": (
        put("parallel.public", {"languages": ["ar"], "sources": ["wikimatrix"], "margin": 1.06}),
        "parallel.public: margin belongs to wikimatrix-tsv, the only source with scores",
    ),
    "a language that no public corpus has": (
        in_public("ceb"),
        "alignments.tydi-l.languages: none of opus-100, wikimatrix-tsv has ast (resources/bitexts.tsv); add a source to"
        " parallel.public, or leave the language out",
    ),
    "a table of an unknown kind": (
        put("tables.dev.kind", "score"),
        "tables.dev.kind: unknown kind 'score'; did you mean 'scores'? known are scores, pairs",
    ),
    "pairs of an alignment that has none": (
        put("tables.table9.alignments", ["cao-high"]),
        "tables.table9.alignments: unknown alignment with pairs 'cao-high'; known are 111-l, 111-s, tydi-l",
    ),
    "an encoder that has read nothing": (
        put("tables.table9.encoders.mBERT", "mbret"),
        "tables.table9.encoders: unknown encoder 'mbret'; did you mean 'mbert'?",
    ),
    "links of several languages in one file": (
        put("parallel.microworld.links", "results/microworld/parallel/ar-en.links"),
        "parallel.microworld: links must hold {language}, so that every language has a file of its own",
    ),
    "links that the micro-world lacks": (
        put("parallel.microworld.links", "results/microworld/parallel/{language}.links"),
        "parallel.microworld: unknown file of the micro-world in en, ar, bn, sw, ko, hi, ta, te, ml, mr"
        " 'results/microworld/parallel/ar.links'",
    ),
    "nothing held out to be measured": (
        drop("parallel.microworld.held_out"),
        "retrieval.mbert.pairs: parallel.microworld.held_out is 0; set it to the number of pairs to measure",
    ),
    "measured language without pairs": (
        put("retrieval.mbert.languages", ["fi"]),
        "retrieval.mbert.languages: unknown language of parallel.microworld 'fi'; known are ar, bn,",
    ),
    "unknown alignment to measure": (
        put("retrieval.mbert.alignments", ["tydi-x"]),
        "retrieval.mbert.alignments: unknown alignment 'tydi-x'; did you mean 'tydi-s'?",
    ),
    "no alignment to measure": (
        put("retrieval.mbert.alignments", ["cao-high"]),
        "retrieval.mbert.alignments: none of them can be made; put the checkpoint into data/checkpoints/cao-high, or",
    ),
    "a linker beside gold links": (
        put("retrieval.mbert.counted", 100),
        "retrieval.mbert.counted: parallel.microworld.links names gold links, which need no linker; leave one out",
    ),
    "hidden states that the encoder lacks": (
        put("retrieval.mbert.layer", 3),
        "retrieval.mbert.layer is 3, but encoders.mbert.pretrain.architecture.layers is 2",
    ),
    "thresholds from nowhere": (
        put("evaluations.tydi-test.thresholds_from", "tidy-dev"),
        "evaluations.tydi-test.thresholds_from: unknown evaluation 'tidy-dev'; did you mean 'tydi-dev'?",
    ),
    "thresholds from where they are used": (
        put("evaluations.tydi-test.thresholds_from", "tydi-test"),
        "evaluations.tydi-test.thresholds_from: tydi-test must be another evaluation, without thresholds_from",
    ),
    "thresholds of fewer pairs": (
        lambda raw: raw["evaluations"].update(
            {
                "few": {"corpora": ["tydi-dev"], "annotators": 1},
                "tydi-test": raw["evaluations"]["tydi-test"] | {"thresholds_from": "few"},
            }
        ),
        "evaluations.tydi-test.thresholds_from: unknown pair of evaluation few 'ar-en'",
    ),
    "answers taken from themselves": (
        put("evaluations.tydi-own.answered_from", "tydi-own"),
        "evaluations.tydi-own.answered_from: tydi-own must be another evaluation, without answered_from",
    ),
    "answers on other contexts": (
        put("evaluations.tydi-translate-test.answered_from", "tydi-hard"),
        "evaluations.tydi-translate-test.answered_from: the contexts of tydi-hard are neither those of"
        " evaluations.tydi-translate-test.corpora nor a translation (kind translated) of them",
    ),
    "a row with other pairs": (
        put("tables.baselines.rows", ["mbert-mono", {"model": "mbert-mono", "evaluation": "tydi-own"}]),
        "tables.baselines.columns: unknown pair of evaluation tydi-own 'en-ar'",
    ),
    "a row with other annotators": (
        put("tables.baselines.rows", ["mbert-mono", {"model": "mbert-mono", "evaluation": "tydi-dev"}]),
        "tables.baselines.rows: evaluations.tydi-dev.annotators is 1, but that of tydi-test is 2; they must be the"
        " same",
    ),
    "a row twice": (
        put("tables.baselines.rows", ["mbert-mono", {"model": "mbert-mono", "evaluation": "tydi-test"}]),
        "tables.baselines.rows: mbert-mono is given twice; each may stand there once",
    ),
    "a row without its evaluation": (
        put("tables.baselines.rows", [{"model": "mbert-mono"}]),
        "tables.baselines.rows.0.evaluation is missing",
    ),
    "a table of two kinds of scores": (
        put("tables.table2.metric", "jaccard"),
        "tables.table2: give exactly one of task (TyDi QA's F1) and metric (scores of the answers' texts)",
    ),
    "average of thresholded F1": (
        put("tables.table2.average", "questions"),
        "tables.table2: average: questions belongs to metric; an F1 at a threshold is no mean over questions",
    ),
    "unknown metric": (
        put("tables.table2.metric", "jacard"),
        "tables.table2.metric is \"jacard\"; did you mean 'jaccard'? allowed are em, f1, jaccard, mucot_f1",
    ),
    "unknown metric among several": (
        put("tables.table2.metric", ["em", "bleu"]),
        'tables.table2.metric is ["em", "bleu"]; allowed are em, f1, jaccard, mucot_f1',
    ),
    "thresholds from the same questions": (
        lambda raw: raw["evaluations"].update(
            {
                "tydi-test": raw["evaluations"]["tydi-test"] | {"thresholds_from": "tydi-all"},
                "tydi-all": raw["evaluations"]["tydi-test"],
            }
        ),
        "evaluations.tydi-test.thresholds_from: questions of test-en-to-xx are among those of tydi-all; take",
    ),
    "confidences of the same questions": (
        lambda raw: (
            put("prediction.n_best", 5)(raw),
            put("evaluations.ours", {"corpora": ["tydi-test"], "annotators": 2})(raw),
            put("evaluations.asked", {"corpora": ["test-en-to-xx"], "annotators": 2})(raw),
            put(
                "calibration",
                {"m": {"models": ["mbert-aug"], "fitted_on": "asked", "evaluation": "ours"}},
            )(raw),
        ),
        "calibration.m.evaluation: questions of tydi-test are among those of fitted_on, asked; try temperatures on",
    ),
    "a table of thresholds that there are not": (
        put("tables.table2.threshold", "dev"),
        "tables.table2.threshold is dev, but evaluations.tydi-test.thresholds_from names no evaluation",
    ),
    "confidences without candidates": (
        put(
            "calibration",
            {"m": {"models": ["mbert-aug"], "fitted_on": "tydi-dev", "evaluation": "tydi-test"}},
        ),
        "calibration.m: prediction.n_best is 0; set it to the number of candidates to keep, such as 20",
    ),
    "confidences tried where they are fitted": (
        put(
            "calibration", {"m": {"models": ["mbert-aug"], "fitted_on": "tydi-dev", "evaluation": "tydi-dev"}}
        ),
        "calibration.m.evaluation is tydi-dev, as fitted_on is; name another one to try temperatures on",
    ),
    "confidences of nobody": (
        put(
            "calibration",
            {"m": {"models": ["mbert-cao-high"], "fitted_on": "tydi-dev", "evaluation": "tydi-test"}},
        ),
        "calibration.m.models: none of them can be made; put the checkpoint into data/checkpoints/cao-high, or",
    ),
    "pair in two corpora": (
        put("evaluations.tydi-test.corpora", ["tydi-test", "tydi-dev"]),
        "evaluations.tydi-test.corpora: pair en-en is in tydi-test and in tydi-dev; a pair is scored as one file, so"
        " give it in one corpus (of several files) or in two evaluations",
    ),
    "no such mirror": (
        put("mirror", "nowhere/at/all"),
        "mirror: there is no folder nowhere/at/all; name one with the layout of data/, or null",
    ),
    "no micro-world": (
        drop("microworld"),
        "corpora.tydi-train-all.files: results/microworld/tydi/tydiqa-v1.0-train.jsonl.gz belongs to the micro-world,"
        " but there is no section microworld",
    ),
    "language that the micro-world lacks": (
        put("microworld.languages", ["en", "ar", "bn", "sw", "hi", "ta", "te", "ml", "mr"]),
        "splits.custom-dev.ids.ko: unknown file of the micro-world in en, ar, bn, sw, hi, ta, te, ml, mr"
        " 'results/microworld/sdqa/dev/kor/korean.dev.txt'",
    ),
    "pairs for an encoder that is not trained on any": (
        put("encoders.mbert.pairs", "microworld"),
        "encoders.mbert: pairs belongs to tune, which trains another entry of encoders",
    ),
    "a linker of no encoder": (
        put("encoders.linker", {"tune": {"layer": 2}, "pairs": "microworld"}),
        "encoders.linker: tune needs of (an entry of encoders) and pairs (an entry of parallel)",
    ),
    "a linker of an encoder that is none": (
        put("encoders.linker", {"tune": {"layer": 2}, "pairs": "microworld", "of": "mbret"}),
        "encoders.linker.of: unknown encoder 'mbret'; did you mean 'mbert'?",
    ),
    "a linker of itself": (
        put("encoders.linker", {"tune": {"layer": 2}, "pairs": "microworld", "of": "linker"}),
        "encoders.linker.of: a circle, linker of linker; one of them must be pretrained or a checkpoint",
    ),
    "a linker of pairs that are none": (
        put("encoders.linker", {"tune": {"layer": 2}, "pairs": "mikroworld", "of": "mbert"}),
        "encoders.linker.pairs: unknown source of sentence pairs 'mikroworld'; did you mean 'microworld'?",
    ),
    "a linker of a language without pairs": (
        put(
            "encoders.linker",
            {"tune": {"layer": 2}, "pairs": "microworld", "of": "mbert", "languages": ["fi"]},
        ),
        "encoders.linker.languages: unknown language of parallel.microworld 'fi'; known are ar, bn,",
    ),
    "a linker whose encoder is too shallow": (
        put(
            "encoders.linker",
            {"tune": {"layer": 2, "objectives": ["psi"]}, "pairs": "microworld", "of": "mbert"},
        ),
        "encoders.linker.tune.layer is 2 and psi reads the next one, but encoders.mbert.pretrain.architecture.layers is"
        " 2; it must not be more",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_one_sentence(raw: dict[str, Any], mistake: str) -> None:
    change, sentence = MISTAKES[mistake]
    change(raw)
    with pytest.raises(InputError) as caught:
        load(raw)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_an_unknown_language_gives_the_known_ones(raw: dict[str, Any]) -> None:
    raw["corpora"]["tydi-test"]["languages"] = ["en", "xx"]
    with pytest.raises(
        InputError,
        match=r"^corpora.tydi-test.languages.1 is \"xx\": unknown language 'xx'; known are the rows of",
    ):
        load(raw)


def test_languages_of_the_test_sets_are_known() -> None:
    """TyDi QA's, XQuAD's, MLQA's, XNLI's and IndicQA's; names are told apart, since TyDi's files use them."""
    wanted = "ar bn en fi id ja ko ru sw te th el de es hi ro tr vi zh bg fr ur as gu kn ml mr or pa ta"
    assert set(wanted.split()) <= languages().keys()
    rows = languages().values()
    assert len({row.tydi for row in rows}) == len({row.iso3 for row in rows}) == len(rows)
    assert all(row.tydi == row.name.lower() for row in rows)
    assert list(languages()) == sorted(languages())


def test_languages_of_the_papers_are_known(shared: Path) -> None:
    """The 111 of aligned_qa's Table 9."""
    table = (shared / "paper_tables" / "aligned_qa_table9.csv").read_text("utf-8")
    codes = {row["code"] for row in csv.DictReader(io.StringIO(table))}
    assert len(codes) == 111
    assert codes <= languages().keys()


def test_a_language_by_another_name(raw: dict[str, Any]) -> None:
    for name, code in (("Portuguese", "pt"), ("por", "pt"), ("asturian", "ast")):
        raw["corpora"]["tydi-test"]["languages"] = [name]
        with pytest.raises(InputError, match=f"unknown language '{name}'; did you mean '{code}'"):
            load(raw)


def test_norwegian_must_be_quoted(raw: dict[str, Any]) -> None:
    """YAML 1.1 takes a bare no for false."""
    raw["corpora"]["tydi-test"]["languages"] = yaml.safe_load("[en, no]")
    with pytest.raises(InputError, match=r'languages.1 is false: YAML reads no .* write "no"$'):
        load(raw)
    raw["corpora"]["tydi-test"]["languages"] = ["en"]
    raw["encoders"]["mbert"]["text"] |= yaml.safe_load("{no: [text.txt]}")
    with pytest.raises(InputError, match=r'YAML reads no .* write "no"$'):
        load(raw)


def test_a_corpus_may_ask_in_another_language(raw: dict[str, Any]) -> None:
    raw["corpora"]["mlqa"] = {"kind": "squad", "files": ["x"], "language": "ar", "question_language": "en"}
    assert module.question_pairs(load(raw), "mlqa") == ["en-ar"]
    raw["corpora"]["mlqa"]["question_language"] = None
    assert module.question_pairs(load(raw), "mlqa") == ["ar-ar"]


def test_a_corpus_of_chaiis_rows_asks_in_the_languages_of_its_contexts(raw: dict[str, Any]) -> None:
    file = f"{module.MICROWORLD}/chaii/train.csv"
    raw["corpora"]["chaii"] = {"kind": "chaii", "files": [file], "languages": ["hi", "ta"]}
    assert module.question_pairs(load(raw), "chaii") == ["hi-hi", "ta-ta"]
    raw["corpora"]["chaii"]["languages"] = ["hi", "hi"]
    with pytest.raises(InputError, match=r"^corpora.chaii.languages: hi is given twice; "):
        load(raw)


def test_loading_leaves_the_dictionary_alone(raw: dict[str, Any]) -> None:
    before = copy.deepcopy(raw)
    load(raw)
    assert raw == before


def test_a_scalar_for_a_section_is_a_sentence_too(raw: dict[str, Any]) -> None:
    raw["models"] = "mbert"
    with pytest.raises(InputError, match=r'^models is "mbert": input should be a valid dictionary$'):
        load(raw)


# Whole corpora in other languages

GOOGLE = {"kind": "google", "project": "p", "max_characters": 10}


@pytest.fixture
def whole(raw: dict[str, Any]) -> dict[str, Any]:
    """ChAII's rows, translated to English from records and on to Bengali by a service, and in Bengali letters."""
    folder = f"{module.MICROWORLD}/chaii"
    records = {code: f"{folder}/translations/{code}-en.jsonl" for code in ("hi", "ta")}
    raw["translations"] |= {
        "google": GOOGLE | {"shards": 2},
        "nllb": {"kind": "seq2seq", "model": "nllb"},
        "fast": {"kind": "ctranslate2", "model": "folder", "tokenizer": "nllb"},
    }
    raw["corpora"] |= {
        "chaii": {"kind": "chaii", "files": [f"{folder}/train.csv"], "languages": ["hi", "ta"]},
        "chaii-en": {"kind": "translated", "of": "chaii", "to": "en", "records": records},
        "bengali": {"kind": "translated", "of": "chaii-en", "to": "bn", "translations": "google"},
        "marathi": {"kind": "translated", "of": "chaii", "to": "mr", "translations": "google"},
        "letters": {"kind": "transliterated", "of": "chaii", "to": "ta", "latin": "plain"},
        "published": {"kind": "versions", "of": "chaii", "files": ["x"], "to": "te", "made": "translated"},
        "asked": {
            "kind": "translated-questions",
            "of": "chaii",
            "from": ["hi"],
            "to": ["mr", "en"],
            "translations": "google",
        },
    }
    return raw


def test_corpora_with_documents_of_their_own(whole: dict[str, Any]) -> None:
    config = load(whole)
    assert module.question_pairs(config, "bengali") == ["bn-bn"]
    assert module.question_pairs(config, "letters") == ["ta-ta"]
    assert module.question_pairs(config, "asked") == ["mr-hi", "en-hi"]
    assert module.ancestors(config, "bengali") == ["bengali", "chaii-en", "chaii"]
    assert module.question_pairs(config, "published") == ["te-te"]
    assert module.ancestors(config, "published") == ["published", "chaii"]
    assert [module.root_of(config, name) for name in ("bengali", "letters", "published", "asked")] == [
        "bengali",
        "letters",
        "published",
        "chaii",
    ]
    made = [module.how_made(config, name) for name in ("chaii", "bengali", "letters", "published", "asked")]
    assert made == [
        "as published",
        "translated",
        "transliterated",
        "translated by others",
        "questions translated",
    ]


def test_what_translators_are_asked(whole: dict[str, Any]) -> None:
    config = load(whole)
    assert module.directions(config, "asked") == ["hi-mr", "hi-en"]
    assert module.directions(config, "marathi") == ["hi-mr", "ta-mr"]
    assert module.directions(config, "bengali") == ["en-bn"]
    assert module.directions(config, "letters") == []
    assert module.texts_for(config, "google", "hi-mr") == [("chaii", "corpus"), ("chaii", "questions")]
    assert module.texts_for(config, "google", "ta-mr") == [("chaii", "corpus")]
    assert module.texts_for(config, "google", "hi-en") == [("chaii", "questions")]
    assert module.texts_for(config, "google", "en-bn") == [("chaii-en", "corpus")]
    assert module.texts_for(config, "nllb", "hi-mr") == []


def test_the_step_that_translates_is_not_told_of_shards(whole: dict[str, Any]) -> None:
    entry = load(whole).translations["google"]
    assert isinstance(entry, module.GoogleTranslations)
    assert entry.shards == 2
    recipe = module.translator(entry)
    assert (recipe.kind, "shards" in recipe.model_dump()) == ("google", False)


def test_contexts_in_one_language_asked_in_another_are_translated_from_both(whole: dict[str, Any]) -> None:
    whole["corpora"]["mlqa"] = {"kind": "squad", "files": ["x"], "language": "ar", "question_language": "es"}
    whole["corpora"]["marathi"]["of"] = "mlqa"
    assert module.directions(load(whole), "marathi") == ["ar-mr", "es-mr"]
    whole["corpora"]["mlqa"]["question_language"] = "mr"
    assert module.directions(load(whole), "marathi") == ["ar-mr"]


WHOLE_MISTAKES = {
    "versions of nothing": (
        put("corpora.published.of", "chai"),
        "corpora.published.of: unknown corpus 'chai'; did you mean 'chaii'?",
    ),
    "versions in the language itself": (
        lambda raw: raw["corpora"]["published"].update({"of": "chaii-en", "to": "en"}),
        "corpora.published.to is en, but chaii-en is in it already; name another language",
    ),
    "versions of translated questions": (
        put("corpora.published.of", "asked"),
        "corpora.published.of: the questions of asked are translated and its contexts are not; name chaii",
    ),
    "versions as questions to be translated": (
        put("corpora.asked.of", "published"),
        "corpora.asked.of: the questions of published are translations already; name original ones",
    ),
    "neither": (
        drop("corpora.marathi.translations"),
        "corpora.marathi: give exactly one of translations (a translator) and records (translated files)",
    ),
    "both": (
        put("corpora.marathi.records", {"hi": "x"}),
        "corpora.marathi: give exactly one of translations (a translator) and records (translated files)",
    ),
    "not a translator": (
        put("corpora.marathi.translations", "microworld-train"),
        "corpora.marathi.translations: unknown translator 'microworld-train'; known are fast, google, nllb",
    ),
    "its own language": (
        put("corpora.bengali.to", "en"),
        "corpora.bengali.to is en, but chaii-en is in it already; name another language",
    ),
    "records of no context": (
        put("corpora.chaii-en.records", {"bn": "x"}),
        "corpora.chaii-en.records: unknown context language of corpora.chaii 'bn'; known are",
    ),
    "translated questions": (
        put("corpora.marathi.of", "asked"),
        "corpora.marathi.of: the questions of asked are translated and its contexts are not; name chaii",
    ),
    "questions of a translated corpus": (
        put("corpora.asked.of", "chaii-en"),
        "corpora.asked.of: the questions of chaii-en are translations already; name original ones",
    ),
    "a circle": (
        put("corpora.chaii-en.of", "bengali"),
        "corpora.bengali.of: a circle, chaii-en of bengali of chaii-en; one of them must be read from files",
    ),
    "no such label": (
        put("corpora.marathi.least_label", "hihg"),
        "corpora.marathi.least_label is \"hihg\"; did you mean 'high'? allowed are sentence, low, medium, high",
    ),
    "no such file of the micro-world": (
        put("corpora.chaii-en.records.ta", f"{module.MICROWORLD}/chaii/translations/ta-hi.jsonl"),
        "corpora.chaii-en.records.ta: unknown file of the micro-world in",
    ),
    "one translator twice": (
        put("translations.again", GOOGLE | {"request_texts": 7}),
        "translations.again: google has the same settings, so a text would be translated by both; name one of them in"
        " all corpora",
    ),
    "no limit given": (
        put("translations.google", {"kind": "google", "project": "p"}),
        "translations.google.max_characters is missing",
    ),
    "a key of another translator": (
        put("translations.nllb.project", "p"),
        "translations.nllb: unknown key 'project'; known are kind, model, revision,",
    ),
    "links of another kind": (
        put("corpora.marathi.links", {"linker": "eflomal"}),
        'corpora.marathi.links.linker is "eflomal"; allowed are statistical, neural',
    ),
    "links by no encoder": (
        put("corpora.marathi.links", {"linker": "neural"}),
        "corpora.marathi.links: linker neural needs encoder, the name of an entry of encoders",
    ),
    "links by an encoder that is none": (
        put("corpora.marathi.links", {"linker": "neural", "encoder": "mbret"}),
        "corpora.marathi.links.encoder: unknown encoder 'mbret'; did you mean 'mbert'?",
    ),
    "links from a block that is not there": (
        put("corpora.marathi.links", {"linker": "neural", "encoder": "mbert"}),
        "corpora.marathi.links.layer is 8, but encoders.mbert.pretrain.architecture.layers is 2; it must not be more",
    ),
    "an encoder that links nothing": (
        put("corpora.marathi.links", {"encoder": "mbert"}),
        "corpora.marathi.links: encoder belongs to linker neural, but linker is statistical",
    ),
    "a key of the other linker": (
        put("corpora.marathi.links", {"layer": 3}),
        "corpora.marathi.links: layer belongs to linker neural, but linker is statistical",
    ),
    "scores of a linker without": (
        put("corpora.marathi.links", {"filter": {"min_score": 0.2}}),
        "corpora.marathi.links: filter.min_score needs linker neural; fast_align gives no scores",
    ),
}


@pytest.mark.parametrize("mistake", WHOLE_MISTAKES)
def test_a_mistake_in_a_translated_corpus_gives_one_sentence(whole: dict[str, Any], mistake: str) -> None:
    change, sentence = WHOLE_MISTAKES[mistake]
    change(whole)
    with pytest.raises(InputError) as caught:
        load(whole)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


# What the rules ask


def test_pairs(default: Config) -> None:
    assert module.question_pairs(default, "tydi-train") == ["en-en", "ar-ar", "bn-bn", "sw-sw", "ko-ko"]
    assert module.question_pairs(default, "train-en-to-xx") == ["ar-en", "bn-en", "sw-en", "ko-en"]
    assert module.question_pairs(default, "test-xx-to-en") == ["en-ar", "en-bn", "en-sw", "en-ko"]
    assert len(module.pairs_of(default, "tydi-test")) == 13


def test_documents_are_the_roots(default: Config) -> None:
    assert module.root_of(default, "train-en-to-xx") == "tydi-train-all"
    assert module.ancestors(default, "train-en-to-xx") == ["train-en-to-xx", "tydi-train", "tydi-train-all"]
    assert module.root_of(default, "tydi-test") == "tydi-test"


def test_a_training_set_is_held_against_the_evaluations_that_its_models_are_shown_in(
    raw: dict[str, Any],
) -> None:
    for name in ("table4", "table5", "table6", "table7", "table8"):
        raw["tables"].pop(name)
    raw["tables"]["dev"]["rows"] = raw["tables"]["baselines"]["rows"] = ["mbert-mono"]
    config = load(raw)
    assert module.evaluations_of(config, "mono") == ["tydi-test", "tydi-hard", "tydi-dev"]
    assert module.evaluations_of(config, "aug") == ["tydi-test", "tydi-hard"]
    raw["evaluations"]["tydi-hard"]["thresholds_from"] = "tydi-dev"
    assert module.evaluations_of(load(raw), "aug") == ["tydi-test", "tydi-hard", "tydi-dev"]
    del raw["evaluations"]["tydi-hard"]["thresholds_from"]
    raw["prediction"]["n_best"] = 5
    fitted = {"models": ["mbert-aug"], "fitted_on": "tydi-dev", "evaluation": "tydi-test"}
    raw["calibration"] = {"m": fitted}
    config = load(raw)
    assert module.evaluations_of(config, "aug") == ["tydi-test", "tydi-hard", "tydi-dev"]
    assert module.calibration_table(config, "m").labels == {"mbert-aug": "mBERT +aug"}


def test_what_a_model_is_tuned_after_is_held_against_its_evaluations_too(raw: dict[str, Any]) -> None:
    for name in ("table4", "table5", "table6", "table7", "table8"):
        raw["tables"].pop(name)
    raw["tables"]["dev"]["rows"] = raw["tables"]["baselines"]["rows"] = ["mbert-mono", "xlmr-aug"]
    raw["tables"]["hard"]["rows"] = ["last"]
    third = {"label": "mono again", "corpora": ["tydi-train"]}
    raw["training_sets"] |= {"first": third | {"label": "first"}, "last": third}
    model = {"label": "m", "encoder": "mbert"}
    raw["models"] |= {
        "last": model | {"training_set": "last", "after": "mbert-mono"},
        "first": model | {"training_set": "first"},
    }
    raw["models"]["mbert-mono"]["after"] = "first"
    config = load(raw)
    assert module.chain_of(config, "last") == ["last", "mbert-mono", "first"]
    assert module.training_sets_of(config, ["last", "mbert-mono"]) == ["last", "mono", "first"]
    assert module.evaluations_of(config, "last") == ["tydi-hard"]
    assert module.evaluations_of(config, "first") == ["tydi-test", "tydi-hard", "tydi-dev"]
    (row,) = module.table_recipe(config, "hard").rows
    assert isinstance(row, Row)
    assert row.training == "first → mono → mono again"


def test_a_table_knows_its_rows(default: Config) -> None:
    recipe = module.table_recipe(default, "table2")
    assert recipe.annotators == 2
    assert recipe.rows[0] == Row(model="mbert-mono", label="mBERT", training="mono")
    assert recipe.rows[4] == Heading(heading="mBERT + Alignment FT")
    assert recipe.rows[7].alignment == ("ar", "bn", "sw", "ko")


def test_a_table_may_choose_a_step_for_each_column() -> None:
    """Its models are scored on its questions while they are trained, and on others in the same pairs, which choose."""
    raw = read(ROOT / "tests/config/small.yaml")
    raw["evaluations"]["dev"] = {"corpora": ["dev"], "annotators": 1}
    raw["evaluations"]["unseen"] = {"corpora": ["test"], "annotators": 1}
    for tuning in raw["tuning"].values():
        tuning["selection"] = {"evaluation": "dev", "reported": "test"}
    raw["tuning"]["longer"]["selection"] = {"evaluation": "dev", "reported": "unseen"}
    raw["tables"]["text"] |= {"chosen": "columns", "rows": ["tiny-mono"]}
    config = load(raw)
    recipe = module.table_recipe(config, "text")
    assert (recipe.chosen, recipe.chosen_on) == ("columns", ("dev",))
    shown = module.table_recipe(config, "minimal")
    assert (shown.chosen, shown.chosen_on) == ("weights", ())
    # what is scored while models are trained is guarded as what tables show
    assert module.evaluations_of(config, "mono") == ["test", "dev"]
    assert module.evaluations_of(config, "aug") == ["test", "dev", "unseen"]

    several = copy.deepcopy(raw) | {"for_each": {"k": [0, 1]}}
    several["evaluations"]["dev-{k}"] = several["evaluations"].pop("dev")
    for tuning in several["tuning"].values():
        tuning["selection"]["evaluation"] = "dev-0"
    several["tuning"]["split-{k}"] = {"selection": {"evaluation": "dev-{k}", "reported": "test"}}
    several["models"]["m-{k}"] = {**several["models"]["tiny-mono"], "tuning": "split-{k}"}
    several["tables"]["text"]["rows"] = ["m-{k}"]
    recipe = module.table_recipe(load(several), "text")
    assert (recipe.chosen_on, len(recipe.repeats)) == (("dev-0", "dev-1"), 2)

    raw["tables"]["text"]["rows"] = ["tiny-mono", "tiny-ar"]
    sentence = "tuning.longer of models.tiny-ar must be test, but it is unseen"
    with pytest.raises(InputError, match=re.escape(sentence)):
        load(raw)
    raw["tables"]["text"] |= {"rows": ["tiny-mono"], "columns": [["en-en", "en-ar"]]}
    sentence = "tables.text.columns: unknown pair of evaluation dev 'en-ar'"
    with pytest.raises(InputError, match=re.escape(sentence)):
        load(raw)
    raw["tables"]["text"] |= {"columns": [["en-en", "ar-ar"]], "average": "pairs"}
    with pytest.raises(
        InputError, match=re.escape("tables.text: chosen: columns needs metric (not task) and")
    ):
        load(raw)


def test_a_row_may_show_another_evaluation(default: Config) -> None:
    first, second, *_ = module.table_recipe(default, "baselines").rows
    assert first == Row(model="mbert-squad", label="mBERT", training="SQuAD en")
    assert second == Row(
        model="mbert-squad@tydi-translate-test", label="mBERT, question translated", training="SQuAD en"
    )
    assert module.table_models(default, "baselines") == ["mbert-squad", "mbert-mono", "mbert-aug"]
    assert module.translated_contexts(default, "tydi-translate-test") is None
    assert module.translated_contexts(default, "chaii-translate-test") == "chaii-en"
    # aug's only model there is shown on tydi-test; answers for translate-test come from a third evaluation
    assert module.evaluations_of(default, "aug") == ["tydi-test", "tydi-hard", "tydi-dev", "tydi-heard"]
    assert module.evaluations_of(default, "squad") == [
        name for name in default.evaluations if name not in ("tydi-hard", "tydi-dev", "tydi-heard")
    ]


def test_what_is_measured_is_held_out_of_every_alignment_that_is(raw: dict[str, Any]) -> None:
    """Its own source's pairs, and those of the source that it is measured on."""
    raw["parallel"]["other"] = {"languages": ["ar"], "foreign": "a", "english": "b"}
    raw["alignments"]["111-l"] = {"pairs": "other", "languages": "all"}
    config = load(raw)
    assert module.held_out_from(config, "tydi-l", "ar") == ["microworld"]
    assert module.held_out_from(config, "111-l", "ar") == ["microworld"]
    raw["parallel"]["other"]["held_out"] = 5
    assert module.held_out_from(load(raw), "111-l", "ar") == ["other", "microworld"]
    del raw["retrieval"]
    assert module.held_out_from(load(raw), "111-l", "ar") == ["other"]


def test_an_alignment_in_all_languages_follows_its_pairs(raw: dict[str, Any]) -> None:
    raw["alignments"]["tydi-l"]["languages"] = "all"
    assert module.aligned_languages(load(raw), "tydi-l") == raw["parallel"]["microworld"]["languages"]
    raw["parallel"]["microworld"]["languages"] = ["ko", "ar"]
    for name in ("tydi-m", "tydi-s"):
        raw["alignments"][name]["languages"] = ["ko"]
    assert module.aligned_languages(load(raw), "tydi-l") == ["ko", "ar"]


def test_all_languages_are_those_whose_sentences_can_be_had(raw: dict[str, Any], tmp_path: Path) -> None:
    """A file that is there, one in the mirror, one with an address; and what public corpora have."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mirror/parallel/moses").mkdir(parents=True)
    for file in (
        "mine/sw.sw",
        "mine/sw.en",
        "mirror/parallel/moses/ar-en.ar",
        "mirror/parallel/moses/ar-en.en",
    ):
        (tmp_path / file).touch()
    raw["mirror"] = str(tmp_path / "mirror")
    raw["alignments"]["tydi-l"] |= {"pairs": "own", "languages": "all"}

    def there(**entry: Any) -> list[str]:
        raw["parallel"]["own"] = entry
        return module.aligned_languages(load(raw), "tydi-l")

    moses = {
        "foreign": "data/parallel/moses/{language}-en.{language}",
        "english": "data/parallel/moses/{language}-en.en",
    }
    mine = {
        "foreign": f"{tmp_path}/mine/{{language}}.{{language}}",
        "english": f"{tmp_path}/mine/{{language}}.en",
    }
    three = ["sw", "ar", "wa"]
    assert there(languages=three, **moses) == ["ar"]
    assert there(languages=three, **mine) == ["sw"]
    assert there(languages=["wa", "se"], **mine) == ["wa", "se"]  # then the run says which file is missing
    assert there(languages=three, sources=["ccaligned"]) == ["sw", "ar"]
    assert there(languages=three, sources=["ccaligned", "opus-100"]) == three


def test_a_table_of_pairs_knows_its_languages_and_what_encoders_have_read(raw: dict[str, Any]) -> None:
    raw["parallel"]["own"] = {"languages": ["wa", "sw"], "sources": ["wikimatrix"]}
    raw["alignments"]["111-s"] |= {"pairs": "own", "languages": "all"}
    raw["alignments"]["tydi-l"]["languages"] = ["ko", "sw"]
    raw["encoders"] |= {
        "hub": {"checkpoint": "FacebookAI/xlm-roberta-base"},
        "other": {"checkpoint": "my/encoder"},
    }
    raw["tables"]["table9"] = {
        "kind": "pairs",
        "title": "t",
        "alignments": ["tydi-l", "111-s"],
        "encoders": {"b": "hub", "a": "mbert", "c": "other"},
    }
    recipe = module.pairs_table_recipe(load(raw), "table9")
    assert recipe.languages == ("ko", "sw", "wa")
    assert [(column.languages, column.missing) for column in recipe.columns] == [
        (("ko", "sw"), ()),
        (("sw",), ("wa",)),
    ]
    texts = tuple(sorted(raw["encoders"]["mbert"]["text"]))
    assert [(read.head, read.encoder) for read in recipe.encoders] == [
        ("b", "xlmr"),
        ("a", texts),
        ("c", None),
    ]


def test_a_model_is_missing_only_while_its_checkpoint_is(raw: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "cao-high"
    raw["alignments"]["tydi-l"] = {"checkpoint": str(folder), "languages": ["de", "es"]}
    raw.pop("examples")  # which are of models that can be made, as effects and so stars are
    for name in ("table2", "table3"):
        raw["tables"].pop(f"{name}-effects")
        raw["tables"][name].pop("stars")
    config = load(raw)
    rows = {row.model: row for row in module.table_recipe(config, "table2").rows if isinstance(row, Row)}
    assert rows["mbert-tydi-l"].missing == str(folder)
    assert rows["mbert-tydi-l"].alignment == ("de", "es")
    assert sum(row.missing is not None for row in rows.values()) == 5  # three of the default's, and two
    assert "mbert-tydi-l" not in module.present_models(config, "table2")

    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert module.missing_checkpoint(config, "mbert-tydi-l") is None
    assert "mbert-tydi-l" in module.present_models(config, "table2")


def test_a_table_of_missing_models_only_is_refused(raw: dict[str, Any]) -> None:
    raw["alignments"]["tydi-l"] = {"checkpoint": "data/nowhere", "languages": ["de"]}
    raw["tables"]["dev"]["rows"] = ["mbert-tydi-l"]
    with pytest.raises(
        InputError,
        match=r"^tables.dev.rows: none of the models can be made; put the checkpoint into data/nowhere,",
    ):
        load(raw)


@pytest.mark.parametrize("languages", [("en", "ar"), ("en", "sw", "ko")])
def test_the_micro_world_writes_the_files_that_are_expected_of_it(
    tmp_path: Path, languages: tuple[str, ...]
) -> None:
    recipe = Microworld(
        languages=languages,
        train_articles=3,
        dev_articles=2,
        test_articles=2,
        hard_articles=2,
        documents=3,
        sentence_pairs=3,
        text_names=30,
        squad_languages=languages[:2],
        squad_articles=(2, 2),
        chaii_articles={"sw": (2, 1), "ar": (2, 1), "hi": (2, 1)},
        chaii_targets=("en", "sw", "te"),
        asr_noise={"en": {"usa-en-US": 0.1, "nga-en-US": 0.1, "nga-en-NG": 0.2}, "ko": {"kors-ko-KR": 0.1}},
    )
    write_world(recipe, tmp_path)
    written = {
        f"{module.MICROWORLD}/{file.relative_to(tmp_path)}" for file in tmp_path.rglob("*") if file.is_file()
    }
    assert written == set(module.microworld_files(recipe))


# Questions as they were heard


@pytest.fixture
def spoken(raw: dict[str, Any]) -> dict[str, Any]:
    """The default with questions as they were heard, from transcripts and from recordings."""
    raw["speech"] = {"kenya": {"files": ["data/kenya.tsv"], "locale": "sw-KE", "max_minutes": None}}
    heard = {"kind": "transcribed", "of": "tydi-test", "dialect": "kenya-sw-KE"}
    raw["corpora"] |= {
        "heard": heard | {"transcripts": ["results/microworld/sdqa/test/swa/swahili.test.csv"]},
        "recorded": heard | {"recordings": "kenya"},
    }
    return raw


def test_questions_as_they_were_heard(spoken: dict[str, Any]) -> None:
    spoken["evaluations"]["heard"] = {"corpora": ["heard"], "annotators": 2}
    config = load(spoken)
    assert module.question_pairs(config, "heard") == ["sw-sw"]
    assert module.root_of(config, "recorded") == "tydi-test"
    assert module.ancestors(config, "heard") == ["heard", "tydi-test"]


SPOKEN_MISTAKES = {
    "both": (
        put("corpora.heard.recordings", "kenya"),
        "corpora.heard: give exactly one of transcripts (files) and recordings (to be transcribed here)",
    ),
    "neither": (
        drop("corpora.recorded.recordings"),
        "corpora.recorded: give exactly one of transcripts (files) and recordings",
    ),
    "dialect": (
        put("corpora.heard.dialect", "kenya"),
        'corpora.heard.dialect is "kenya": string should match pattern',
    ),
    "language": (
        put("corpora.heard.dialect", "kors-te-IN"),
        "corpora.heard.dialect: unknown question language of corpora.tydi-test 'te'; known are ar, bn, en, ko, sw",
    ),
    "locale": (
        put("speech.kenya.locale", "sw-TZ"),
        "corpora.recorded.dialect is kenya-sw-KE, but speech.kenya.locale is sw-TZ; a dialect ends in the locale",
    ),
    "recordings": (
        put("corpora.recorded.recordings", "kenia"),
        "corpora.recorded.recordings: unknown entry of speech 'kenia'; did you mean 'kenya'?",
    ),
    "translations": (
        put("corpora.heard.of", "chaii-en"),
        "corpora.heard.of: the questions of chaii-en are not those of its own documents; name others",
    ),
    "file of the world": (
        put("corpora.heard.transcripts", ["results/microworld/sdqa/test/swa/swahili.tset.csv"]),
        "corpora.heard.transcripts: unknown file of the micro-world in en, ar, bn, sw, ko",
    ),
    "limit": (drop("speech.kenya.max_minutes"), "speech.kenya.max_minutes is missing"),
}


@pytest.mark.parametrize("mistake", SPOKEN_MISTAKES)
def test_a_mistake_about_speech_gives_one_sentence(spoken: dict[str, Any], mistake: str) -> None:
    change, sentence = SPOKEN_MISTAKES[mistake]
    change(spoken)
    with pytest.raises(InputError) as caught:
        load(spoken)
    assert str(caught.value).startswith(sentence)


# The schema, and the default file


def test_the_schema_is_that_of_the_models() -> None:
    assert json.loads(module.SCHEMA.read_text("utf-8")) == module.schema(), (
        "write it again: python -m workflow_scripts.config --schema"
    )


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every pydantic model in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for argument in get_args(annotation):
        yield from models(argument)


KEYS = sorted({field.alias or key for model in models(Config) for key, field in model.model_fields.items()})


@pytest.mark.parametrize("key", KEYS)
def test_the_default_file_explains_every_key(key: str) -> None:
    """Each stands in the file, there or commented out, with a comment beside it or above it."""
    lines = (ROOT / "config.yaml").read_text("utf-8").splitlines()
    said = [number for number, line in enumerate(lines) if re.search(rf"(^|[\s{{]){key}:( |$)", line)]
    assert said, f"config.yaml does not show the key {key}"
    assert any(
        "# " in lines[number].partition(f"{key}:")[2] or lines[number - 1].lstrip().startswith("#")
        for number in said
    ), f"config.yaml does not explain the key {key}"


def test_the_default_file_says_what_holds_without_it(default: Config) -> None:
    """The keys of recipes stand there with their defaults, so that leaving one out changes nothing."""
    aligned = default.alignments["tydi-l"]
    assert default.microworld == Microworld(other_train_articles={"en": 2000})
    assert default.features == Features()
    assert default.encoders["mbert"].pretrain == Pretraining()
    assert aligned.filter == Parallel(sentences=aligned.filter.sentences)
    assert (aligned.links, aligned.objective) == (LinksOf(), Alignment())
    assert default.splits["custom-dev"].per_language == PER_LANGUAGE
    assert default.tuning["default"] == TuningOf(matrix_rate=0.004)
    assert default.prediction == Prediction()


def test_editors_find_the_schema() -> None:
    for file in FILES[: 1 + len(list((ROOT / "config").glob("*.yaml")))]:
        first = file.read_text("utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (file.parent / first.partition("$schema=")[2]).resolve() == module.SCHEMA.resolve()


def test_every_field_is_described() -> None:
    for model in models(Config):
        for key, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{key} has no description"


PAGE, MUCOT = ((ROOT / f"docs/{name}.md").read_text("utf-8") for name in ("augmentation", "mucot"))


@pytest.mark.parametrize("shown", re.findall(r"```yaml\n(.*?)```", PAGE + MUCOT, re.S))
def test_the_entries_of_pages(shown: str) -> None:
    """They load with the configuration that their first line names."""
    (name,) = re.match(r"# with (config/\S+)\n", shown).groups()
    raw = read(ROOT / name)
    for section, entries in yaml.safe_load(shown).items():
        raw[section] = raw.get(section, {}) | entries
    load(raw)


def test_the_record_of_the_page_about_augmentation() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    assert [len(pair) for pair in Record.model_validate_json(shown).sentences] == [2, 2]
