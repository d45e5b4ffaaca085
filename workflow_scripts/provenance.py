"""What of a configuration a model and its answers on an evaluation were made by: entries, and files outside of it."""

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workflow_scripts.acquire.download import Dataset, find_file, read_manifest
from workflow_scripts.bitexts import archives
from workflow_scripts.cli import InputError
from workflow_scripts.config import (
    MICROWORLD,
    TRANSLATORS,
    Config,
    GoogleTranslations,
    aligned_languages,
    chain_of,
    compared_runs,
    effects_recipe,
    effects_tables,
    encoder_chain,
    how_made,
    linker_languages,
    missing_checkpoint,
    question_pairs,
    reported,
    rows_of,
    runs_of,
    score_tables,
    shown_models,
    training_label,
)
from workflow_scripts.figures import figures_of
from workflow_scripts.recipes.card import Card, Scored, Source
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.page import Answered, DataFile, Page, Shown, Trained
from workflow_scripts.recipes.table import Metric, RecordsCorpus, RecordsSet, Task
from workflow_scripts.recipes.tuning import Prediction, Tuning

Parts = dict[str, Any]  # section -> name -> entry, or the section itself where it has no names

# Section -> keys of its entries that name entries, and of which section.
REFERENCES = {
    "models": {
        "encoder": "encoders",
        "alignment": "alignments",
        "after": "models",
        "training_set": "training_sets",
        "tuning": "tuning",
    },
    "encoders": {"of": "encoders", "pairs": "parallel"},
    "alignments": {"pairs": "parallel", "links.encoder": "encoders"},
    "training_sets": {"corpora": "corpora"},
    "tuning": {"selection.evaluation": "evaluations", "selection.reported": "evaluations"},
    "evaluations": {"corpora": "corpora", "thresholds_from": "evaluations", "answered_from": "evaluations"},
    "corpora": {
        "of": "corpora",
        "with": "corpora",
        "split": "splits",
        "translations": "translations",
        "recordings": "speech",
        "links.encoder": "encoders",
    },
    "splits": {"of": "corpora"},
    "translations": {"of": "corpora", "questions": "corpora"},
    "parallel": {},
    "speech": {},
}
# Section -> keys of its entries that name files that are read.
FILES = {
    "corpora": ("files", "exclude_contexts", "records", "transcripts"),
    "encoders": ("text", "trim.held_out"),
    "speech": ("files",),
    "splits": ("ids",),
    "translations": ("files",),
}
# Data set of resources/datasets.yaml -> its name on the Hugging Face hub.
HUB = {
    "tydiqa_primary": "google-research-datasets/tydiqa",
    "tydiqa_goldp": "google-research-datasets/tydiqa",
    "squad": "rajpurkar/squad",
    "xquad": "google/xquad",
}
# Published encoder -> its licence, as its page on the hub says.
LICENCES = {
    "bert-base-multilingual-cased": "Apache-2.0",
    "xlm-roberta-base": "MIT",
    "xlm-roberta-large": "MIT",
}
GENERATED = "the generated world"
# What things are called, and how many jobs share work, changes no result.
SILENT = ("label", "shards", "devices", "nodes")


def parts_of(config: Config, model: str, evaluation: str) -> Parts:
    """The entries that a model's answers on an evaluation depend on, without labels, and sections for all of them."""
    return _parts(config, [("models", model), ("evaluations", evaluation)])


def trained_by(config: Config, model: str) -> Parts:
    """The entries that a model depends on: `parts_of` without an evaluation."""
    return _parts(config, [("models", model)])


def parts_from(config: Config, section: str, name: str) -> Parts:
    """The entries that an entry of a section depends on, itself among them, without labels."""
    return _parts(config, [(section, name)])


def _parts(config: Config, pending: list[tuple[str, str]]) -> Parts:
    found: dict[str, dict[str, Any]] = {}
    while pending:
        section, name = pending.pop()
        if name in found.setdefault(section, {}):
            continue
        entry = getattr(config, section)[name].model_dump(mode="json", by_alias=True)
        found[section][name] = {key: value for key, value in entry.items() if key not in SILENT}
        pending += [
            (other, text) for key, other in REFERENCES[section].items() for text in _texts(_at(entry, key))
        ]
    parts: Parts = {section: dict(sorted(entries.items())) for section, entries in sorted(found.items())}
    parts["features"] = config.features.model_dump(mode="json")
    if "evaluations" in parts:  # asked in tables, or while weights are selected
        parts["prediction"] = config.prediction.model_dump(mode="json")
    if config.microworld and any(file.startswith(f"{MICROWORLD}/") for file in files_of(config, parts)):
        parts["microworld"] = config.microworld.model_dump(mode="json")
    return parts


def files_of(config: Config, parts: Parts) -> list[str]:
    """The files that these entries are read from, each once: questions, text, sentence pairs, lists, translations."""
    files = [
        file
        for section, keys in FILES.items()
        for entry in parts.get(section, {}).values()
        for key in keys
        for file in _texts(_at(entry, key))
    ]
    aligned = [
        (config.alignments[name].pairs, aligned_languages(config, name))
        for name in parts.get("alignments", {})
        if config.alignments[name].pairs
    ]
    linked = [
        (config.encoders[name].pairs, linker_languages(config, name))
        for name in parts.get("encoders", {})
        if config.encoders[name].pairs
    ]
    for pairs, codes in (*aligned, *linked):
        if pairs:
            entry = config.parallel[pairs]
            for code in codes:
                files += archives(entry.sources, code).values() if entry.sources else entry.files(code)
    return list(dict.fromkeys(files))


def digest(parts: Parts) -> str:
    """Twelve hexadecimal digits that change when one of the entries does."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def measures_of(config: Config, model: str) -> dict[str, tuple[Task | Metric, ...]]:
    """Evaluation -> the scores of a model that tables show of it, in the order of the configuration."""
    found: dict[str, dict[Task | Metric, None]] = {}
    for name, table in score_tables(config).items():
        for row in rows_of(config, name):
            for _, shown, evaluation in runs_of(config, name, row):
                if shown == model:
                    found.setdefault(evaluation, {}).update(
                        dict.fromkeys([table.task] if table.task else table.metrics())
                    )
    for name, effects in effects_tables(config).items():
        for runs in compared_runs(config, name).values():
            for _, shown, evaluation in runs:
                if shown == model and (measure := effects.task or effects.metric):
                    found.setdefault(evaluation, {})[measure] = None
    return {name: tuple(found[name]) for name in config.evaluations if name in found}


@functools.cache
def _published() -> dict[str, Dataset]:
    return read_manifest()


def sources_of(config: Config, parts: Parts) -> list[Source]:
    """Where what these entries read was had from: data sets, the generated world, one's own files, services, models.

    Not what they read to leave it out.
    """
    found: dict[str, Source] = {}
    avoided = {file for entry in parts["corpora"].values() for file in entry.get("exclude_contexts", ())}
    for file in files_of(config, parts):
        if file in avoided:
            continue
        place, _, rest = file.partition("/")
        name = rest.partition("/")[0]
        if place == "data" and name in _published():
            known = _published()[name]
            source = Source(name=name, licence=known.licence, homepage=known.homepage, hub=HUB.get(name))
        elif file.startswith(f"{MICROWORLD}/"):
            source = Source(name=GENERATED, licence="Apache-2.0")
        else:
            source = Source(name="files of one's own", licence=None)
        found[source.name] = source
    others = [_translated_by(config.translations[name]) for name in parts.get("translations", {})]
    others += ["transcripts by Google Cloud Speech-to-Text"] if parts.get("speech") else []
    folders = [config.alignments[name].checkpoint for name in parts.get("alignments", {})]
    folders += [config.encoders[name].checkpoint for name in parts.get("encoders", {})]
    others += [f"encoder in {folder}" for folder in folders if folder and is_folder(folder)]
    return [*found.values(), *(Source(name=name, licence=None) for name in others if name)]


def _translated_by(entry: Any) -> str | None:
    """What a card calls a translator; None for translations that come from files."""
    if isinstance(entry, GoogleTranslations):
        return "translations by Google Cloud Translation"
    return f"translations by {entry.model}" if isinstance(entry, TRANSLATORS) else None


def is_folder(checkpoint: str) -> bool:
    """Whether a checkpoint is a folder here, not a name on the hub."""
    return checkpoint.startswith(("/", ".", "data/")) or Path(checkpoint).is_dir()


def how_encoded(config: Config, model: str) -> tuple[list[str], str | None]:
    """How a model's encoder was made, in sentences without full stops, and its checkpoint's name on the hub, if any."""
    entry = config.models[model]
    sentences, base = [], None
    for name in reversed(encoder_chain(config, entry.encoder)):
        encoder = config.encoders[name]
        if encoder.pretrain is not None:
            shape = encoder.pretrain.architecture
            sentences.append(
                f"pretrained from scratch on text in {', '.join(encoder.text)}: {encoder.pretrain.steps:,} steps,"
                f" {shape.layers} {'block' if shape.layers == 1 else 'blocks'} of width {shape.hidden_size}"
            )
        elif encoder.checkpoint is not None:
            base = None if is_folder(encoder.checkpoint) else encoder.checkpoint
            sentences.append(f"the published checkpoint {encoder.checkpoint}")
        elif encoder.trim is not None:
            sentences.append(f"pieces left out that text in {', '.join(encoder.text)} does not use")
        else:
            sentences.append(
                f"trained to link words of {', '.join(linker_languages(config, name))} and English"
            )
    if entry.alignment is not None:
        aligned = config.alignments[entry.alignment]
        codes = ", ".join(aligned_languages(config, entry.alignment))
        sentences.append(
            f"aligned with English in {codes}, as published in {aligned.checkpoint}"
            if aligned.checkpoint
            else f"aligned with English in {codes} on sentence pairs ({aligned.links.linker} links)"
        )
    return sentences, base


def card_recipe(config: Config, model: str, seed: int) -> Card:
    """What a model's card tells."""
    entry, parts = config.models[model], trained_by(config, model)
    stages = [config.models[name].training_set for name in reversed(chain_of(config, model))]
    corpora = list(dict.fromkeys(name for stage in stages for name in config.training_sets[stage].corpora))
    codes = [code for name in corpora for pair in question_pairs(config, name) for code in pair.split("-")]
    encoder, base = how_encoded(config, model)
    sources = sources_of(config, parts)
    tuning = config.tuning[entry.tuning]
    return Card(
        model=model,
        label=entry.label,
        seed=seed,
        folder=f"results/models/{model}/seed{seed}",
        languages=tuple(dict.fromkeys(codes)),
        sets=tuple(
            RecordsSet(
                name=stage,
                label=config.training_sets[stage].label,
                corpora=tuple(
                    RecordsCorpus(name=name, made=how_made(config, name))
                    for name in config.training_sets[stage].corpora
                ),
            )
            for stage in stages
        ),
        encoder=tuple(encoder),
        base=base,
        tuning=Tuning.model_validate(tuning.model_dump(exclude={"selection"})),
        selected_on=tuning.selection.evaluation if tuning.selection else None,
        features=Features.model_validate(config.features.model_dump(exclude={"preset"})),
        prediction=Prediction(max_answer_length=config.prediction.max_answer_length),
        sources=tuple(sources),
        generated=bool(sources) and all(source.name == GENERATED for source in sources),
        config=digest(parts),
        evaluations={
            name: Scored(measures=measures, annotators=config.evaluations[name].annotators)
            for name, measures in measures_of(config, model).items()
        },
    )


def page_recipe(config: Config) -> Page:
    """What the step that writes the page of results needs to know: all tables, in their order, and what they took."""
    compared = effects_tables(config)
    asked = [
        (model, evaluation)
        for _, model, evaluation in reported(config)
        if not missing_checkpoint(config, model)
    ]
    pending = dict.fromkeys(
        entry for model, evaluation in asked for entry in (("models", model), ("evaluations", evaluation))
    )
    parts = _parts(config, list(pending)) if pending else {}
    return Page(
        tables=[
            Shown(
                name=name,
                title=table.title,
                effects=effects_recipe(config, name) if name in compared else None,
            )
            for name, table in config.tables.items()
        ],
        figures=figures_of(config),
        examples=[
            Answered(
                evaluation=name,
                labels=_labels(config, shown_models(config, name)),
            )
            for name in config.examples
        ],
        seeds=config.seeds,
        config=digest(parts),
        trained=_trained(config, list(dict.fromkeys(model for model, _ in asked))),
        sources=[*sources_of(config, parts), *_published_encoders(parts)] if parts else [],
        files=[
            DataFile(name=name, sha256=_checksum(name))
            for file in (files_of(config, parts) if parts else [])
            for place, _, name in [file.partition("/")]
            if place == "data" and name.partition("/")[0] in _published()
        ],
    )


def _labels(config: Config, models: list[str]) -> dict[str, str]:
    """What tables call these models, with their names where that would be the same of several."""
    called = {model: f"{config.models[model].label} {training_label(config, model)}" for model in models}
    count = Counter(called.values())
    return {model: f"{text} ({model})" if count[text] > 1 else text for model, text in called.items()}


def _trained(config: Config, models: list[str]) -> list[Trained]:
    """What was trained for these models: encoders, alignments, then the models and those that they are tuned after."""
    chains = dict.fromkeys(name for model in models for name in reversed(chain_of(config, model)))
    # an encoder is read by the first of a chain only
    starts = [config.models[name] for name in chains if config.models[name].after is None]
    encoders = dict.fromkeys(
        name for start in starts for name in reversed(encoder_chain(config, start.encoder))
    )
    aligned = dict.fromkeys(
        (start.encoder, start.alignment)
        for start in starts
        if start.alignment is not None and config.alignments[start.alignment].checkpoint is None
    )
    labels = _labels(config, list(chains))
    return [
        *(Trained(kind="encoder", label=name, folder=f"encoders/{name}") for name in encoders),
        *(
            Trained(kind="alignment", label=f"{encoder}, {name}", folder=f"aligned/{encoder}/{name}")
            for encoder, name in aligned
        ),
        *(
            Trained(
                kind="model",
                label=f"{labels[name]}, seed {seed}",
                folder=f"models/{name}/seed{seed}",
            )
            for name in chains
            for seed in config.seeds
        ),
    ]


def _checksum(name: str) -> str | None:
    """The SHA-256 of "<data set>/<file>"; None where resources/datasets.yaml does not know it, or not the file."""
    try:
        return find_file(_published(), name).sha256
    except InputError:
        return None


def _published_encoders(parts: Parts) -> list[Source]:
    """The checkpoints on the hub among these entries, with their licences where these are known."""
    names = [
        entry["checkpoint"]
        for section in ("encoders", "alignments")
        for entry in parts.get(section, {}).values()
        if entry.get("checkpoint") and not is_folder(entry["checkpoint"])
    ]
    return [
        Source(
            name=f"encoder {name}",
            licence=LICENCES.get(name.rpartition("/")[2]),
            homepage=f"https://huggingface.co/{name}",
        )
        for name in dict.fromkeys(names)
    ]


def _at(entry: Any, key: str) -> Any:
    """The value at a dotted key; None where it, or anything on the way, is not there."""
    for part in key.split("."):
        entry = entry.get(part) if isinstance(entry, dict) else None
    return entry


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, however deep in lists and dictionaries."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
