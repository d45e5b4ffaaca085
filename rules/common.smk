"""Where files lie and what rules ask of the configuration (`settings`); input functions take wildcards."""

import functools
import inspect
import json
import logging
import os
import re
import shlex
import sys
from pathlib import Path

from snakemake.common import overwrite_function_params
from snakemake.resources import Resource

from workflow_scripts.bitexts import archives
from workflow_scripts.config import (
    TRANSLATORS,
    AlignmentsTableOf,
    ChaiiCorpus,
    EffectsTableOf,
    GoogleTranslations,
    ImportedTranslations,
    MatchedCorpus,
    OutcomesTableOf,
    PairsTableOf,
    ParallelTranslations,
    PartCorpus,
    RecordsTableOf,
    SectionsTableOf,
    SettingsTableOf,
    SquadCorpus,
    TranscribedQuestions,
    TranslatedCorpus,
    TranslatedQuestions,
    TransliteratedCorpus,
    TydiCorpus,
    VersionsCorpus,
    aligned_languages,
    alignments_recipe,
    calibrated_models,
    calibration_table,
    chain_of,
    compared_runs,
    counted_alignments,
    directions,
    effects_recipe,
    effects_tables,
    evaluations_of,
    linker_held_out,
    linker_languages,
    languages_there,
    held_out_from,
    measured_alignments,
    measured_languages,
    microworld_files,
    outcomes_recipe,
    missing_checkpoint,
    pairs_of,
    pairs_table_recipe,
    present_models,
    question_pairs,
    records_table_recipe,
    reported,
    retrieval_table,
    root_of,
    row_name,
    rows_of,
    runs_of,
    score_tables,
    sections_recipe,
    settings_recipe,
    shown_models,
    shown_training_sets,
    table_recipe,
    table_rows,
    texts_for,
    training_sets_of,
    translated_contexts,
    translated_from,
    translator,
)
from workflow_scripts.figures import (
    curves_recipe,
    figures_of,
    heard_recipe,
    heard_tables,
    heat_mapped,
    heat_maps_recipe,
    misheard_pairs,
    relocated,
    relocations_recipe,
    sized,
    sizes_recipe,
    trained_encoders,
)
from workflow_scripts.provenance import (
    card_recipe,
    digest,
    files_of,
    is_folder,
    page_recipe,
    parts_from,
    parts_of,
    trained_by,
)
from workflow_scripts.recipes.bitext import Bitext
from workflow_scripts.recipes.calibration import Calibration
from workflow_scripts.recipes.comparison import Comparison
from workflow_scripts.recipes.links import Links
from workflow_scripts.recipes.manifest import Counts, Line, Manifest, Run, Shown
from workflow_scripts.recipes.retrieval import Retrieval
from workflow_scripts.recipes.speech import Speech
from workflow_scripts.recipes.splits import Splits
from workflow_scripts.recipes.translators import code
from workflow_scripts.recipes.transliteration import Transliteration
from workflow_scripts.staleness import code_hash

# What a folder in Hugging Face format holds; training.json tells how it was made and is nobody's input.  A QA model's
# has steps.jsonl, too: what was scored while it was trained, which only tables read that choose by column.
ENCODER = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
QA_MODEL = [*ENCODER, "answer_type.safetensors"]


def one_of(names):
    """A wildcard constraint that allows these names; no name at all if there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def of_kind(section, kind):
    """The names in a section of the configuration whose entry is of a kind."""
    return [name for name, entry in section.items() if isinstance(entry, kind)]


def rule_name(*parts):
    """The name of a rule that is written once for each entry of a section."""
    return "_".join(parts).replace("-", "_")


def recipe(model, keys=None):
    """A step's part of the configuration as one line of JSON: all keys of the model, or those named."""
    values = model.model_dump(mode="json", include=set(keys) if keys else None)
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def tuning_recipe(model):
    """The settings of a model's task-tuning; questions that are answered while it is trained are given as files."""
    entry = settings.tuning[model.tuning]
    files = {"selection": {"evaluation", "reported"}} if entry.selection else None
    values = entry.model_dump(mode="json", exclude=files)
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def named(files):
    """name=file for every file, or for each of a name's several files."""
    listed = {name: [file] if isinstance(file, str) else file for name, file in files.items()}
    return [f"{name}={file}" for name in listed for file in listed[name]]


def flat(files):
    """The files themselves, in the order of `named`."""
    return [item.partition("=")[2] for item in named(files)]


def folder(files):
    """The folder that some files lie in."""
    return str(Path(files[0]).parent)


FORMS = ["csv", "md", "tex"]


def tables(names):
    """Tables in all forms, and those beside published ones."""
    beside = [f"{name}.compare" for name in names if name in printed_tables()]
    return expand("results/tables/{table}.{form}", table=[*names, *beside], form=FORMS)


def printed_tables():
    """The tables that stand beside a published one in a file of its own."""
    return [name for name, entry in settings.tables.items() if getattr(entry, "printed", None)]


def papers_tables():
    """The tables that show what the papers' do: those beside published ones, be it in the same file."""
    return [
        name
        for name, entry in settings.tables.items()
        if name in printed_tables() or isinstance(entry, (AlignmentsTableOf, PairsTableOf, SettingsTableOf))
    ]


def figures(forms=("svg", "png", "html")):
    """All figures, in these forms."""
    return expand("results/figures/{figure}.{form}", figure=figures_of(settings), form=forms)


def retrieval_tables():
    """All tables of how well languages find one another."""
    return expand("results/retrieval/{retrieval}.{form}", retrieval=settings.retrieval, form=["csv", "md"])


def calibration_tables():
    """All tables of how sure models are."""
    return expand(
        "results/calibration/{calibration}.{form}", calibration=settings.calibration, form=["csv", "md"]
    )


# Corpora


def microworld_tables():
    """The hand-written tables that the micro-world is generated from, two for each of its languages."""
    return [
        os.path.relpath(Path(workflow.basedir, "resources/microworld", file))
        for code in settings.microworld.languages
        for file in (f"{code}.txt", f"lexicon_{code}.tsv")
    ]


def documents(corpora):
    """The documents table of each corpus, that of its root."""
    return [f"results/documents/{root_of(settings, corpus)}.parquet" for corpus in corpora]


def questions(corpora):
    """The questions table of each corpus."""
    return [f"results/questions/{corpus}.parquet" for corpus in corpora]


def corpus_tables(corpora):
    """corpus=TABLE for the questions table of each corpus."""
    return named(dict(zip(corpora, questions(corpora))))


def part_of(split, part):
    """The questions table that is one side of a split."""
    corpora = of_kind(settings.corpora, PartCorpus)
    return questions(
        corpus
        for corpus in corpora
        if (settings.corpora[corpus].split, settings.corpora[corpus].part) == (split, part)
    )


def corpus_of(wildcards):
    """The entry of a corpus."""
    return settings.corpora[wildcards.corpus]


def translations_of(wildcards):
    """The entry of a table of translations."""
    return settings.translations[wildcards.translations]


# Translation


def texts(wildcards):
    """The tables of texts that a translator is given in a pair of languages."""
    wanted = texts_for(settings, wildcards.translations, wildcards.pair)
    return [f"results/texts/{corpus}.{what}.parquet" for corpus, what in wanted]


def translator_variable(translations):
    """The environment variable that holds all that a translator needs to know."""
    return f"XLQA_TRANSLATOR_{translations.replace('-', '_')}"


os.environ.update(
    {
        translator_variable(name): recipe(translator(entry))
        for name, entry in settings.translations.items()
        if isinstance(entry, TRANSLATORS)
    }
)


def translation_settings(wildcards):
    """What changes a translation in a pair of languages: the translator's settings, and what it calls the two."""
    entry = translator(translations_of(wildcards))
    return entry.settings() | {"codes": [code(entry, language) for language in wildcards.pair.split("-")]}


def shards_of(wildcards):
    """How many jobs share a translator's work in a pair of languages."""
    return translations_of(wildcards).shards


def translation_tables(translations, pairs):
    """The tables of translations that an entry holds: one, or those of a translator's jobs for some pairs of languages."""
    entry = settings.translations[translations]
    if not isinstance(entry, TRANSLATORS):
        return [f"results/translations/{translations}.parquet"]
    shards = range(entry.shards)
    return [
        f"results/translations/{translations}/{pair}/{shard}.parquet" for pair in pairs for shard in shards
    ]


def question_translations(wildcards):
    """The tables of translations that questions are asked in other languages by."""
    return translation_tables(corpus_of(wildcards).translations, directions(settings, wildcards.corpus))


def renderings(corpus, languages):
    """What a corpus is translated from these languages by: tables of translations, or files of whole records."""
    entry = settings.corpora[corpus]
    if entry.translations is None:
        return [file for code, file in entry.records.items() if code in languages]
    return translation_tables(entry.translations, [f"{code}-{entry.target}" for code in languages])


def rendering_options(corpus, languages):
    """The options that name the files of `renderings`."""
    entry = settings.corpora[corpus]
    if entry.translations is not None:
        return ["--translations", *renderings(corpus, languages)]
    files = {code: file for code, file in entry.records.items() if code in languages}
    return ["--records", *named(files), "--made-by", "imported"]


def linked(corpus, end):
    """The sentence pairs (end "txt") or links (end "links") of each language that a translated corpus is linked with."""
    entry = settings.corpora[corpus]
    if entry.links is None:
        return {}
    codes = [code for code in translated_from(settings, corpus) if code in (entry.records or [code])]
    contexts = {pair.split("-")[1] for pair in question_pairs(settings, entry.of)}
    return {code: f"results/bitext/{corpus}/{code}.{end}" for code in codes if code in contexts}


def rendered_from(wildcards):
    """The languages that a corpus is translated from."""
    return translated_from(settings, wildcards.corpus)


# Speech


def recordings_of(wildcards):
    """The entry of some recordings."""
    return settings.speech[wildcards.recordings]


def recogniser_variable(recordings):
    """The environment variable that holds all that the recognition of some recordings needs to know."""
    return f"XLQA_SPEECH_{recordings.replace('-', '_')}"


os.environ.update(
    {recogniser_variable(name): recipe(entry, Speech.model_fields) for name, entry in settings.speech.items()}
)


def transcription_settings(wildcards):
    """What changes the transcripts of some recordings."""
    entry = recordings_of(wildcards)
    return entry.settings() | {"locale": entry.locale, "lowercase": entry.lowercase}


def transcripts_of(corpus):
    """The files that hold a corpus's transcripts: given ones, or those of the jobs that transcribe its recordings."""
    entry = settings.corpora[corpus]
    if entry.recordings is None:
        return entry.transcripts
    shards = range(settings.speech[entry.recordings].shards)
    return [f"results/speech/{entry.recordings}/{shard}.txt" for shard in shards]


def transcribed():
    """The corpora whose questions are transcripts."""
    return of_kind(settings.corpora, TranscribedQuestions)


# Encoders and models


def contexts(encoder, corpora):
    """The tokenised documents of each corpus."""
    return [
        f"results/features/{encoder}/{root_of(settings, corpus)}/contexts.safetensors" for corpus in corpora
    ]


def windows(encoder, corpora):
    """The question windows of each corpus."""
    return [f"results/features/{encoder}/{corpus}/windows.safetensors" for corpus in corpora]


def encoder_of(wildcards):
    """The entry of an encoder."""
    return settings.encoders[wildcards.encoder]


def alignment_of(wildcards):
    """The entry of an alignment."""
    return settings.alignments[wildcards.alignment]


def sentence_pairs(wildcards):
    """The two files of an alignment's language: its own side and the English one."""
    return settings.parallel[alignment_of(wildcards).pairs].files(wildcards.language)


def joined_sources():
    """The public corpora that are joined: an entry of parallel for each folder of theirs."""
    return {entry.joined(): entry for entry in settings.parallel.values() if entry.sources}


def archives_of(wildcards):
    """The public corpora of a language's sentence pairs, and where their files lie."""
    return archives(joined_sources()[wildcards.joined].sources, wildcards.language)


def languages_left_out():
    """A sentence on each entry of parallel without sentences of some languages, where all of its languages are asked for."""
    asking = [*settings.alignments.values(), *(entry for entry in settings.encoders.values() if entry.tune)]
    for name in {entry.pairs: None for entry in asking if entry.languages == "all"}:
        there = languages_there(settings, name)
        missing = [code for code in settings.parallel[name].languages if code not in there]
        if missing:
            yield (
                f"parallel.{name}: no sentence pairs of {', '.join(missing)}; what asks for all languages leaves"
                f" {'it' if len(missing) == 1 else 'them'} out"
            )


def linker_sentences(wildcards):
    """The two files of a language that an encoder is trained to link: its own side and the English one."""
    return settings.parallel[encoder_of(wildcards).pairs].files(wildcards.language)


def held_out_from_linker(wildcards):
    """The held-out pairs of a language that an encoder must not be trained to link on."""
    sources = linker_held_out(settings, wildcards.encoder, wildcards.language)
    return [f"results/held_out/{source}/{wildcards.language}.txt" for source in sources]


def linker_pairs(wildcards):
    """The sentence pairs of each language that an encoder is trained to link."""
    return {
        code: f"results/linker_pairs/{wildcards.encoder}/{code}.txt"
        for code in linker_languages(settings, wildcards.encoder)
    }


def source_of(wildcards):
    """The entry of a source of sentence pairs."""
    return settings.parallel[wildcards.source]


def held_out(wildcards):
    """The held-out pairs of an alignment's language that it must not be trained on."""
    sources = held_out_from(settings, wildcards.alignment, wildcards.language)
    return [f"results/held_out/{source}/{wildcards.language}.txt" for source in sources]


def retrieval_of(wildcards):
    """The entry of a measurement of retrieval."""
    return settings.retrieval[wildcards.retrieval]


def measured_source(wildcards):
    """The two files that a measurement's pairs of a language are held out of."""
    return settings.parallel[retrieval_of(wildcards).pairs].files(wildcards.language)


def measured_pairs(wildcards):
    """The held-out pairs of each language that is measured."""
    source = retrieval_of(wildcards).pairs
    codes = measured_languages(settings, wildcards.retrieval)
    return {code: f"results/held_out/{source}/{code}.txt" for code in codes}


def measured_links(wildcards):
    """The links of these pairs: gold ones where there are any, those of a linker elsewhere."""
    source = retrieval_of(wildcards).pairs
    folder = f"held_out/{source}" if settings.parallel[source].links else f"retrieval/{wildcards.retrieval}"
    codes = measured_languages(settings, wildcards.retrieval)
    return {code: f"results/{folder}/{code}.links" for code in codes}


def unlinked(linker):
    """The measurements whose pairs have no gold links, and that link by `linker`."""
    names = linking(settings.retrieval, linker)
    return [name for name in names if not settings.parallel[settings.retrieval[name].pairs].links]


def compared_encoders(wildcards):
    """Name -> files of the encoder before alignment and of those after it."""
    name = retrieval_of(wildcards).encoder
    folders = {name: f"results/encoders/{name}"} | {
        alignment: f"results/aligned/{name}/{alignment}"
        for alignment in measured_alignments(settings, wildcards.retrieval)
    }
    return {label: [f"{place}/{file}" for file in ENCODER] for label, place in folders.items()}


def checkpoint_files(folder):
    """The files of an encoder that others published; its configuration where there is none, which a run then misses."""
    names = ("*.json", "*.txt", "*.model", "*.safetensors", "*.bin")
    found = sorted(str(file) for name in names for file in Path(folder).glob(name))
    return found or [f"{folder}/config.json"]


def linking(section, linker):
    """The names in a section of the configuration whose words a linker links."""
    links = {name: getattr(entry, "links", None) for name, entry in section.items()}
    return [name for name, asked in links.items() if asked and asked.linker == linker]


def linking_encoder(links):
    """The files of the encoder that links words."""
    return expand("results/encoders/{encoder}/{file}", encoder=links.encoder, file=ENCODER)


def aligned_files(wildcards, end):
    """The sentence pairs (end "txt") or links (end "links") of each of an alignment's languages."""
    folder = {"txt": "parallel", "links": "links"}[end]
    return {
        code: f"results/{folder}/{wildcards.alignment}/{code}.{end}"
        for code in aligned_languages(settings, wildcards.alignment)
    }


def model_of(wildcards):
    """The entry of a model."""
    return settings.models[wildcards.model]


def tuning_of(wildcards):
    """The task-tuning settings of a model."""
    return settings.tuning[model_of(wildcards).tuning]


def answered_in_training(wildcards):
    """What is answered while a model is trained: "dev" -> the evaluation that its weights are selected on, if they are;
    "reported" -> the one that is scored beside it, if there is one."""
    selection = tuning_of(wildcards).selection
    names = {"dev": selection.evaluation, "reported": selection.reported} if selection else {}
    return {part: settings.evaluations[name] for part, name in names.items() if name}


def tuning_step(wildcards):
    """The module that tunes a model; how scores are computed makes stale only what is selected by them."""
    return tuning_module(model_of(wildcards))


def tuning_module(model):
    """The module that tunes a model, by its entry."""
    return f"workflow_scripts.qa.{'tune_selected' if settings.tuning[model.tuning].selection else 'tune'}"


def selection_corpora(wildcards):
    """The corpora that the weights of a model are selected on."""
    evaluations = answered_in_training(wildcards)
    return evaluations["dev"].corpora if evaluations else []


def reported_corpora(wildcards):
    """The corpora that are scored beside them."""
    evaluations = answered_in_training(wildcards)
    return evaluations["reported"].corpora if "reported" in evaluations else []


def selection_files(wildcards, input):
    """The options of `qa.tune_selected` that name the questions that are answered while a model is trained."""
    return [
        f"--{part}-{name} {' '.join(getattr(input, f'{part}_{name}'))}"
        for part in answered_in_training(wildcards)
        for name in ("documents", "questions", "contexts", "windows")
    ]


def selection_options(wildcards):
    """Those that say how these are answered and scored; snakemake looks for changes in what no input gives."""
    evaluations = answered_in_training(wildcards)
    if not evaluations:
        return []
    annotators = [f"--{part}-annotators {entry.annotators}" for part, entry in evaluations.items()]
    return [*annotators, f"--prediction {shlex.quote(recipe(settings.prediction, ['max_answer_length']))}"]


def training_corpora(wildcards):
    """The corpora of a model's training set."""
    return settings.training_sets[model_of(wildcards).training_set].corpora


def contrasted_questions(wildcards):
    """The questions tables of a model's training set, where its tuning asks which questions are of one record."""
    contrast = tuning_of(wildcards).contrast
    return questions(training_corpora(wildcards)) if contrast and contrast.weight else []


def start_files(wildcards):
    """What a model's tuning starts from: the model that it is tuned after, or its encoder, aligned or not."""
    model = model_of(wildcards)
    if model.after:
        return model_files(model.after, wildcards.seed)
    return encoder_files(model)


def model_files(model, seed):
    """The files of a tuned model."""
    return [f"results/models/{model}/seed{seed}/{file}" for file in QA_MODEL]


def encoder_files(model):
    """The encoder that a model, by its entry, is tuned from, aligned or not."""
    folder = (
        f"results/aligned/{model.encoder}/{model.alignment}"
        if model.alignment
        else f"results/encoders/{model.encoder}"
    )
    return [f"{folder}/{file}" for file in ENCODER]


def left_out(wildcards):
    """The list of questions that a model is not trained on.

    Where leaks stop the run, the list is empty for ever: a model that was trained with it stays as it is, whatever is
    evaluated next.  `ancient` alone would not do: with it, snakemake 9.27 overlooks every reason to run a job other than
    an ancient input that is about to be made again.  `before_update` takes the file as it lies there; tables wait for
    the newest.  Where leaks are left out, a model is stale when the list changes.
    """
    name = model_of(wildcards).training_set
    found = Path(f"results/guard/{name}.left_out.jsonl")
    model = Path(f"results/models/{wildcards.model}/seed{wildcards.seed}/model.safetensors")
    if not settings.training_sets[name].drop_leaks and model.exists() and found.exists():
        if not found.stat().st_size:
            return before_update(ancient(str(found)))
    return str(found)


def lists_that_may_change(models):
    """The lists of `left_out` where leaks are left out, of some models and of those that they are tuned after.

    They are an input of the steps that follow training, which don't read them.  But only what depends on a checkpoint
    itself is looked at again when that is done; steps further down would be run because they once were planned to be.
    """
    names = training_sets_of(settings, models)
    return [
        f"results/guard/{name}.left_out.jsonl" for name in names if settings.training_sets[name].drop_leaks
    ]


def list_that_may_change(wildcards):
    """The lists of `lists_that_may_change` for steps that use a model."""
    return lists_that_may_change([wildcards.model])


def lists_before(wildcards):
    """The lists of `lists_that_may_change` for the tuning of a model: of those that it is tuned after."""
    return lists_that_may_change(chain_of(settings, wildcards.model)[1:])


# Evaluation


def per_pair(evaluation, folder, end="jsonl"):
    """One file for each pair of question and context language of an evaluation."""
    return [f"{folder}/{pair}.{end}" for pair in pairs_of(settings, evaluation)]


def pair_files(files):
    """PAIR=FILE for each file of `per_pair`."""
    return [f"{Path(file).name.partition('.')[0]}={file}" for file in files]


def predictions(model, seed, evaluation):
    """The folder of a model's predictions for an evaluation."""
    return f"results/predictions/{model}/seed{seed}/{evaluation}"


# What was made of files that are not there, as long as it was not made again.
MADE_OF_LOST = set()


def lost(files, made):
    """The files that are not there although what was made of them is: a parameter of the steps that read predictions.

    Snakemake runs no step because one of its inputs was deleted, as long as its output is there.  It does run one whose
    parameters have changed, and parameters are read anew before a job starts, when the files are there again.  What is
    recorded then comes from a cache that is older, which is therefore emptied; without that, all of it would be run once
    more, as it is where a cluster gets both steps as one job.
    """
    gone = [file for file in files if not Path(file).exists()] if Path(made[0]).exists() else []
    if gone:
        MADE_OF_LOST.add(made[0])
    elif made[0] in MADE_OF_LOST:
        MADE_OF_LOST.discard(made[0])
        workflow.persistence._params.cache_clear()
    return [f"{file} is missing" for file in gone]


# What is predicted beside TyDi's lines, where it is asked for: option of qa.predict -> end of the files' names.
OTHER_PREDICTIONS = {
    **({"squad": "squad.json", "odds": "odds.json"} if settings.prediction.squad else {}),
    **({"nbest": "nbest.jsonl"} if settings.prediction.n_best else {}),
}


def other_predictions(evaluation, folder):
    """The files of OTHER_PREDICTIONS."""
    return [file for end in OTHER_PREDICTIONS.values() for file in per_pair(evaluation, folder, end)]


def other_prediction_options(evaluation, folder):
    """The options that name the files of OTHER_PREDICTIONS."""
    return [
        word
        for option, end in OTHER_PREDICTIONS.items()
        for word in (f"--{option}", *pair_files(per_pair(evaluation, folder, end)))
    ]


def translated_files(evaluation):
    """What contexts were translated by at test time: tables of the corpus that was, its translations and their links."""
    corpus = translated_contexts(settings, evaluation)
    if corpus is None:
        return []
    of = settings.corpora[corpus].of
    links = [file for end in ("txt", "links") for file in linked(corpus, end).values()]
    return [
        *documents([of]),
        *questions([of]),
        *renderings(corpus, translated_from(settings, corpus)),
        *links,
    ]


def translated_options(evaluation):
    """The options that name the files of `translated_files`."""
    corpus = translated_contexts(settings, evaluation)
    if corpus is None:
        return []
    entry = settings.corpora[corpus]
    options = ["--to", entry.target, "--translated-documents", *documents([entry.of])]
    options += ["--translated-questions", *questions([entry.of])]
    options += rendering_options(corpus, translated_from(settings, corpus))
    return [*options, "--pairs", *named(linked(corpus, "txt")), "--links", *named(linked(corpus, "links"))]


def thresholds_of(wildcards):
    """The thresholds that an evaluation takes from another one, if it does."""
    other = settings.evaluations[wildcards.evaluation].thresholds_from
    return [f"results/thresholds/{wildcards.model}/seed{wildcards.seed}/{other}.json"] if other else []


def evaluation_corpora(evaluations):
    """The corpora of some evaluations, each once."""
    return list(
        dict.fromkeys(corpus for name in evaluations for corpus in settings.evaluations[name].corpora)
    )


def guarded_corpora(wildcards):
    """The corpora of every evaluation that a table shows for a model of this training set, or tuned after one."""
    return evaluation_corpora(evaluations_of(settings, wildcards.training_set))


def guard_reports(wildcards):
    """The reports on the training sets of a table's models and of those that they are tuned after."""
    names = training_sets_of(settings, present_models(settings, wildcards.table))
    return [f"results/guard/{name}.json" for name in names]


def pairs_shown(wildcards):
    """ALIGNMENT/LANGUAGE -> the sentence pairs that a table counts."""
    return {
        f"{alignment}/{code}": f"results/parallel/{alignment}/{code}.txt"
        for alignment in counted_alignments(settings, wildcards.table)
        for code in aligned_languages(settings, alignment)
    }


def scores_file(table, model, seed, evaluation):
    """What a table reads of a model's scores: those of its weights, or those of every step of its training."""
    if settings.tables[table].chosen == "columns":
        return f"results/models/{model}/seed{seed}/steps.jsonl"
    return f"results/scores/{model}/seed{seed}/{evaluation}.json"


def record_corpora(wildcards):
    """The corpora of the training sets that a table of records shows, each once."""
    sets = shown_training_sets(settings, wildcards.table)
    return list(dict.fromkeys(corpus for name in sets for corpus in settings.training_sets[name].corpora))


def record_lists(wildcards):
    """TRAINING_SET -> the guard's list of what is not trained on, of a table of records."""
    sets = shown_training_sets(settings, wildcards.table)
    return {name: f"results/guard/{name}.left_out.jsonl" for name in sets}


def compared_questions(wildcards):
    """MODEL -> what every question got in each of its runs, of a table of effects."""
    return {
        name: [
            f"results/scores/{model}/seed{seed}/{evaluation}.questions.jsonl"
            for _, model, evaluation in runs
            for seed in settings.seeds
        ]
        for name, runs in compared_runs(settings, wildcards.table).items()
    }


def compared_thresholds(wildcards):
    """MODEL -> the thresholds of each of its runs, of a table of effects at those of other evaluations."""
    if effects_tables(settings)[wildcards.table].thresholds != "dev":
        return {}
    return {
        name: [
            f"results/thresholds/{model}/seed{seed}/{settings.evaluations[evaluation].thresholds_from}.json"
            for _, model, evaluation in runs
            for seed in settings.seeds
        ]
        for name, runs in compared_runs(settings, wildcards.table).items()
    }


def threshold_options(wildcards):
    """The options that name the files of `compared_thresholds`."""
    files = compared_thresholds(wildcards)
    return ["--thresholds", *(f"{model}={','.join(of)}" for model, of in files.items())] if files else []


def compared_models(wildcards):
    """The models of a table of effects."""
    return [model for runs in compared_runs(settings, wildcards.table).values() for _, model, _ in runs]


def compared_guard(wildcards):
    """The reports on the training sets of a table of effects."""
    names = training_sets_of(settings, compared_models(wildcards))
    return [f"results/guard/{name}.json" for name in names]


def printed_table(wildcards):
    """The published table that stands beside one of ours; the step finds it by its name."""
    return paper_table(settings.tables[wildcards.table].printed.table)


def paper_table(name):
    """A published table."""
    return os.path.relpath(Path(workflow.basedir, f"resources/paper_tables/{name}.csv"))


def comparison_recipe(wildcards):
    """A table of scores and the rows of the published one that go beside it, as one line of JSON."""
    entry = settings.tables[wildcards.table]
    of_kinds = {SectionsTableOf: sections_recipe, OutcomesTableOf: outcomes_recipe}
    of_table = of_kinds.get(type(entry), table_recipe)
    return recipe(Comparison(table=of_table(settings, wildcards.table), printed=entry.printed))


def model_scores(wildcards):
    """ROW -> its score files, of every run that a table's rows are the means of: one for each seed."""
    present = present_models(settings, wildcards.table)
    runs = {
        row_name(settings, wildcards.table, row): runs_of(settings, wildcards.table, row)
        for row in rows_of(settings, wildcards.table)
    }
    return {
        name: [
            scores_file(wildcards.table, model, seed, evaluation)
            for _, model, evaluation in shown
            for seed in settings.seeds
        ]
        for name, shown in runs.items()
        if all(model in present for _, model, _ in shown)
    }


def stars_of(wildcards):
    """What a table's stars come from, if it has any."""
    name = settings.tables[wildcards.table].stars
    return [f"results/effects/{name}.json"] if name else []


def shown_scores(wildcards, end="json"):
    """MODEL@EVALUATION -> the score files of a table of sections, or, with end "questions.jsonl", what the questions of a
    table of outcomes got; one for each seed."""
    present = present_models(settings, wildcards.table)
    return {
        f"{model}@{evaluation}": [
            f"results/scores/{model}/seed{seed}/{evaluation}.{end}" for seed in settings.seeds
        ]
        for model, evaluation in table_rows(settings, wildcards.table)
        if model in present
    }


# Figures


def counted_data(wildcards):
    """What a figure of scores by size counts: option -> NAME -> file."""
    told = sizes_recipe(settings, wildcards.table, wildcards.grown)
    data = dict.fromkeys(name for line in told.lines for row in line.rows for name in row.data)
    if wildcards.grown == "alignment":
        codes = {name: aligned_languages(settings, name) for name in data}
        return {
            "pairs": {
                f"{name}/{code}": f"results/parallel/{name}/{code}.txt"
                for name in data
                for code in codes[name]
            }
        }
    corpora = dict.fromkeys(corpus for of in told.corpora.values() for corpus in of)
    return {
        "questions": dict(zip(corpora, questions(corpora))),
        "left-out": {name: f"results/guard/{name}.left_out.jsonl" for name in data},
    }


def misheard(wildcards, side):
    """EVALUATION/PAIR -> the gold file of the questions as written (side 0) or as heard (1) of a table that shows both."""
    return {
        name: f"results/gold/{evaluations[side]}/{name.rpartition('/')[2]}.jsonl"
        for name, evaluations in misheard_pairs(settings, wildcards.table).items()
    }


def training_facts(wildcards):
    """MODEL/SEED -> what was told of its training."""
    runs = [one.name for one in curves_recipe(settings, wildcards.encoder).runs]
    return {name: f"results/models/{name}/training.json" for name in runs}


def relocated_files():
    """What the figure of answers found again reads: option -> CORPUS -> file."""
    corpora = relocations_recipe(settings).corpora if relocated(settings) else []
    names, originals = [one.name for one in corpora], list(dict.fromkeys(one.of for one in corpora))
    return {
        "questions": dict(zip(names, questions(names))),
        "dropped": {name: f"results/questions/{name}.dropped.jsonl" for name in names},
        "originals": dict(zip(originals, questions(originals))),
    }


def options(files):
    """option -> NAME -> file, as a command line has it."""
    return [word for option, of in files.items() for word in (f"--{option}", *named(of))]


# What numbers were made from


def provenance(model, seed, split, evaluation, steps=False):
    """What the manifest tells of a model's answers on an evaluation; steps: of all steps that were scored in training."""
    parts = parts_of(settings, model, evaluation)
    entry = settings.models[model]
    answering = "augment.map_back" if settings.evaluations[evaluation].answered_from else "qa.predict"
    modules = [
        tuning_module(entry),
        *([] if steps else [f"workflow_scripts.{answering}", "workflow_scripts.evaluate.score"]),
    ]
    first = settings.models[chain_of(settings, model)[-1]]
    thresholds = settings.evaluations[evaluation].thresholds_from
    folders = {"gold": f"results/gold/{evaluation}"}
    folders["predictions"] = f"results/predictions/{model}/seed{seed}/{evaluation}"
    answers = {
        part: {} if steps else dict(zip(pairs_of(settings, evaluation), per_pair(evaluation, place)))
        for part, place in folders.items()
    }
    scores = (
        f"results/models/{model}/seed{seed}/steps.jsonl"
        if steps
        else f"results/scores/{model}/seed{seed}/{evaluation}.json"
    )
    made = Run(
        model=model,
        seed=seed,
        split=split,
        evaluation=evaluation,
        annotators=settings.evaluations[evaluation].annotators,
        **answers,
        scores=scores,
        thresholds=(
            f"results/thresholds/{model}/seed{seed}/{thresholds}.json" if thresholds and not steps else None
        ),
        config=digest(parts),
        trained=digest(trained_by(settings, model)),
        code={module: code_hash(module) for module in modules},
        weights=model_files(model, seed),
        encoder=encoder_files(first),
        data=files_of(settings, parts),
    )
    return made, parts


@functools.cache
def manifest():
    """What the manifest tells: all tables, their runs, and what these were made by."""
    runs, configurations, shown = {}, {}, {}

    def named_runs(asked, steps=False):
        """The names of runs, given as (values of variables, model, evaluation), in every seed."""
        names = []
        for split, model, evaluation in asked:
            for seed in settings.seeds:
                names.append(f"{model}/seed{seed}/{evaluation}{':steps' if steps else ''}")
                if names[-1] not in runs:
                    made, parts = provenance(model, seed, split, evaluation, steps)
                    runs[names[-1]] = made
                    configurations[made.config] = parts
        return names

    def counted(section, name):
        """The digest of the parts of the configuration that an entry depends on."""
        parts = parts_from(settings, section, name)
        configurations[digest(parts)] = parts
        return digest(parts)

    def of_models(table):
        """MODEL@EVALUATION -> names of runs, of a table of sections or outcomes."""
        present = present_models(settings, table)
        return {
            f"{model}@{evaluation}": named_runs([("", model, evaluation)])
            for model, evaluation in table_rows(settings, table)
            if model in present
        }

    def made(table, step, **of_kind):
        """A table as the manifest tells of it."""
        modules = [f"workflow_scripts.report.{step}"]
        modules += ["workflow_scripts.evaluate.effects"] if step == "effects" else []
        beside = table in printed_tables()
        shown[table] = Shown(
            csv=f"results/tables/{table}.csv",
            code={module: code_hash(module) for module in modules},
            compared=f"results/tables/{table}.compare.csv" if beside else None,
            printed=paper_table(settings.tables[table].printed.table) if beside else None,
            **of_kind,
        )

    for table, entry in settings.tables.items():
        if table in score_tables(settings):
            present = present_models(settings, table)
            rows = {
                row_name(settings, table, row): runs_of(settings, table, row)
                for row in rows_of(settings, table)
            }
            of_rows = {
                row: named_runs(asked, entry.chosen == "columns")
                for row, asked in rows.items()
                if all(model in present for _, model, _ in asked)
            }
            made(table, "tables", scores=table_recipe(settings, table), runs=of_rows)
        elif isinstance(entry, EffectsTableOf):
            of_rows = {row: named_runs(asked) for row, asked in compared_runs(settings, table).items()}
            made(table, "effects", effects=effects_recipe(settings, table), runs=of_rows)
        elif isinstance(entry, SectionsTableOf):
            made(table, "sections", sections=sections_recipe(settings, table), runs=of_models(table))
        elif isinstance(entry, OutcomesTableOf):
            made(table, "outcomes", outcomes=outcomes_recipe(settings, table), runs=of_models(table))
        elif isinstance(entry, PairsTableOf):
            made(table, "pairs", counts=told_of_pairs(table, counted))
        elif isinstance(entry, AlignmentsTableOf):
            made(table, "alignments", counts=told_of_alignments(table, counted))
        elif isinstance(entry, RecordsTableOf):
            made(table, "records", counts=told_of_records(table, counted))
        elif isinstance(entry, SettingsTableOf):
            made(table, "settings", counts=told_of_settings(table, counted))
    return Manifest(configurations=configurations, runs=runs, tables=shown)


def pairs_of_alignment(alignment, languages):
    """The sentence pairs that an alignment is trained on in some languages."""
    return [f"results/parallel/{alignment}/{code}.txt" for code in languages]


def told_of_pairs(table, counted):
    """What the manifest tells of a table of sentence pairs; counted: the digest of an entry of a section."""
    told = pairs_table_recipe(settings, table)
    paper = paper_table("aligned_qa_table9")
    several = len(told.columns) > 1
    heads = {column.alignment if several else "Sentences": column for column in told.columns}
    of_entry = {column.alignment: counted("alignments", column.alignment) for column in told.columns}
    config = next(iter(of_entry.values())) if len(of_entry) == 1 else None
    lines = [
        Line(
            name=code,
            config=config,
            files={
                **{
                    head: pairs_of_alignment(column.alignment, [code] if code in column.languages else [])
                    for head, column in heads.items()
                },
                "Paper": [paper],
            },
        )
        for code in told.languages
    ]
    sums = {head: pairs_of_alignment(column.alignment, column.languages) for head, column in heads.items()}
    read = {encoder.head: [paper] if isinstance(encoder.encoder, str) else [] for encoder in told.encoders}
    lines.append(Line(name="Sum", config=config, files={**read, **sums, "Paper": [paper]}))
    return Counts(kind="pairs", title=told.title, lines=lines)


def told_of_alignments(table, counted):
    """The same of a table of alignments."""
    told = alignments_recipe(settings, table)
    paper = paper_table("aligned_qa_table1")
    lines = [
        Line(
            name=row.name,
            config=counted("alignments", row.name),
            files={
                "Number": [],
                "Sentences": [] if row.published else pairs_of_alignment(row.name, row.languages),
                **dict.fromkeys(("Paper: number", "Paper: sentences"), [paper]),
            },
        )
        for row in told.rows
    ]
    return Counts(kind="alignments", title=told.title, lines=lines)


def told_of_records(table, counted):
    """The same of a table of records."""
    told = records_table_recipe(settings, table)
    lines = []
    for training_set in told.sets:
        first, config = training_set.corpora[0].name, counted("training_sets", training_set.name)
        left_out = f"results/guard/{training_set.name}.left_out.jsonl"
        for corpus in training_set.corpora:
            asked = questions([corpus.name])
            files = {
                "Questions": asked,
                "Evaluated": [left_out],
                "Trained on": [*asked, left_out],
                "Missing": [*questions([first]), *asked],
            }
            lines.append(Line(name=f"{training_set.name}, {corpus.name}", config=config, files=files))
    return Counts(kind="records", title=told.title, lines=lines)


def told_of_settings(table, counted):
    """The same of a table of settings."""
    told = settings_recipe(settings, table)
    config, paper = counted("models", told.model), paper_table("mucot_table1")
    lines = [
        Line(name=setting.name, config=config, files={"Ours": [], "Paper": [paper]})
        for setting in told.settings
    ]
    return Counts(kind="settings", title=told.title, lines=lines)


def cards():
    """The cards of all models that tables show, and of those that they are tuned after."""
    shown = (model for _, model, _ in reported(settings) if not missing_checkpoint(settings, model))
    models = dict.fromkeys(name for model in shown for name in chain_of(settings, model))
    return expand("results/models/{model}/seed{seed}/README.md", model=models, seed=settings.seeds)


def card_of(wildcards):
    """What a model's card tells."""
    return card_told(wildcards.model, int(wildcards.seed))


@functools.cache
def card_told(model, seed):
    """The same by name; asked several times for each card."""
    return card_recipe(settings, model, seed)


def card_intervals(wildcards):
    """EVALUATION -> the scores of a model, with intervals."""
    return {
        evaluation: f"results/intervals/{wildcards.model}/seed{wildcards.seed}/{evaluation}.json"
        for evaluation in card_of(wildcards).evaluations
    }


def card_example(wildcards):
    """The gold answers that a card's example is taken from: of an evaluation that the model is shown in, or of any."""
    evaluation = next(iter([*card_of(wildcards).evaluations, *settings.evaluations]))
    return per_pair(evaluation, f"results/gold/{evaluation}")[0]


def card_questions(wildcards):
    """CORPUS -> the questions that a model was trained on, in all of its stages."""
    corpora = [corpus.name for stage in card_of(wildcards).sets for corpus in stage.corpora]
    return dict(zip(corpora, questions(corpora)))


def card_lists(wildcards):
    """TRAINING_SET -> the guard's list of what is not trained on."""
    return {stage.name: f"results/guard/{stage.name}.left_out.jsonl" for stage in card_of(wildcards).sets}


def shown(file, caption, category, labels):
    """A file that `snakemake --report` shows, with a caption of resources/report/ and labels, or a function for them."""
    return report(file, caption=f"../resources/report/{caption}.rst", category=category, labels=labels)


def title_of(wildcards):
    """The labels of what is made of a table: what it is called."""
    return {"title": settings.tables[wildcards.table].title}


def figure_of(what):
    """The labels of a figure of a table, of which there may be several: what the table is called, and what is drawn."""
    return lambda wildcards: {**title_of(wildcards), "shows": what}


def answered_folders(wildcards):
    """MODEL -> its predictions for an evaluation of which examples are shown, those of the first seed."""
    return {
        model: f"results/predictions/{model}/seed{settings.seeds[0]}/{wildcards.evaluation}"
        for model in shown_models(settings, wildcards.evaluation)
    }


def calibration_of(wildcards):
    """The entry of a calibration."""
    return settings.calibration[wildcards.calibration]


def calibrated_runs(wildcards, evaluation):
    """MODEL/SEED -> the folder of its predictions for an evaluation and what every question of it got."""
    return {
        f"{model}/{seed}": (
            f"results/predictions/{model}/seed{seed}/{evaluation}",
            f"results/scores/{model}/seed{seed}/{evaluation}.questions.jsonl",
        )
        for model in calibrated_models(settings, wildcards.calibration)
        for seed in settings.seeds
    }


def calibrated_files(wildcards):
    """The files of `calibrated_runs` of both evaluations."""
    entry = calibration_of(wildcards)
    return [
        file
        for evaluation in (entry.fitted_on, entry.evaluation)
        for folder, questions in calibrated_runs(wildcards, evaluation).values()
        for file in (*per_pair(evaluation, folder, "nbest.jsonl"), questions)
    ]


def calibration_options(wildcards):
    """The options that name the files of `calibrated_files`."""
    entry = calibration_of(wildcards)
    options = []
    for part, evaluation in (("dev", entry.fitted_on), ("test", entry.evaluation)):
        runs = calibrated_runs(wildcards, evaluation)
        for number, what in enumerate(("nbest", "questions")):
            options += [f"--{part}-{what}", *(f"{run}={paths[number]}" for run, paths in runs.items())]
    return options


def calibration_guard(wildcards):
    """The reports on the training sets of a calibration's models and of those that they are tuned after."""
    names = training_sets_of(settings, calibrated_models(settings, wildcards.calibration))
    return [f"results/guard/{name}.json" for name in names]


def remember_parameters(all_rules):
    """Write down what parameters the functions of the rules have, and that by which Snakemake asks for a resource; it would
    find that out anew for every job, which takes a sixth of a dry run."""
    overwrite_function_params(Resource.evaluate, inspect.signature(Resource.evaluate).parameters)
    for made in all_rules:
        functions = [*made.input, *made.params, *(given._evaluator for given in made.resources.values())]
        for function in filter(inspect.isfunction, functions):
            overwrite_function_params(function, inspect.signature(function).parameters)


# What jobs need of the world outside


def used_encoders():
    """The encoders of the models that tables show, those that are measured or link words, and those that these are of."""
    models = {name for _, model, _ in reported(settings) for name in chain_of(settings, model)}
    entries = [*settings.alignments.values(), *settings.corpora.values(), *settings.retrieval.values()]
    links = [getattr(entry, "links", None) for entry in entries]
    used = {settings.models[name].encoder for name in models}
    used |= {entry.encoder for entry in settings.retrieval.values()}
    used |= {asked.encoder for asked in links if asked and asked.encoder}
    while more := {settings.encoders[name].of for name in used} - used - {None}:
        used |= more
    return {name: settings.encoders[name] for name in sorted(used)}


def public_files():
    """The files under data/ that the configuration names for corpora, encoders and alignments."""

    def texts(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list, tuple)):
            for each in value.values() if isinstance(value, dict) else value:
                yield from texts(each)

    found = list(texts(settings.model_dump(include={"corpora", "splits", "translations", "speech"})))
    for entry in used_encoders().values():
        found += texts(entry.model_dump(exclude={"checkpoint"}))  # which is a folder of the user's
    for name, language in sorted(paired_languages()):
        entry = settings.parallel[name]
        if entry.sources:
            found += texts(archives(entry.sources, language))
        else:
            found += texts(list(entry.files(language)))
            found += texts([entry.gold(language)] if entry.links else [])
    return list(dict.fromkeys(file for file in found if file.startswith("data/")))


def paired_languages():
    """(entry of parallel, language) of all sentence pairs that are aligned on, linked, measured or counted."""
    aligned = {settings.models[model].alignment for _, model, _ in reported(settings)} - {None}
    for table, entry in settings.tables.items():
        if isinstance(entry, (AlignmentsTableOf, PairsTableOf)):
            aligned |= set(counted_alignments(settings, table))
    pairs = {
        (settings.alignments[name].pairs, language)
        for name in aligned | {name for entry in settings.retrieval.values() for name in entry.alignments}
        if settings.alignments[name].pairs
        for language in aligned_languages(settings, name)
    }
    for name, entry in used_encoders().items():
        pairs |= (
            {(entry.pairs, language) for language in linker_languages(settings, name)}
            if entry.tune
            else set()
        )
    for name, entry in settings.retrieval.items():
        pairs |= {(entry.pairs, language) for language in measured_languages(settings, name)}
    return pairs


def paid_files():
    """The tables of translations that a paid service makes, and its transcripts."""
    found = []
    for corpus, entry in settings.corpora.items():
        if isinstance(entry, TranscribedQuestions):
            found += transcripts_of(corpus) if entry.recordings else []
            continue
        translations = settings.translations.get(getattr(entry, "translations", None))
        if isinstance(translations, GoogleTranslations):
            if isinstance(entry, TranslatedQuestions):
                found += translation_tables(entry.translations, directions(settings, corpus))
            else:
                found += renderings(corpus, translated_from(settings, corpus))
    return list(dict.fromkeys(found))


def published_models():
    """The models of the hub that are loaded: encoders, translators, their tokenisers."""
    entries = [*used_encoders().values(), *settings.translations.values()]
    return list(dict.fromkeys(name for entry in entries for name in models_named(entry)))


def models_named(entry):
    """The models of the hub that an entry names, as NAME or NAME@REVISION."""
    if isinstance(entry, GoogleTranslations):
        return []
    names = [getattr(entry, key, None) for key in ("checkpoint", "model", "tokenizer")]
    revision = getattr(entry, "revision", None)
    return [f"{name}@{revision}" if revision else name for name in names if name and not is_folder(name)]


# Rules run the interpreter that runs Snakemake, whether its environment is activated or not.  Where files are looked
# for before they are downloaded changes no result, so the mirror is not among the parameters of any rule.
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
    XLQA_MIRROR=settings.mirror or "",
)

# Once: Snakemake reads this file again for every job that it starts in a process of its own.
if workflow.is_main_process:
    for sentence in languages_left_out():
        print(sentence, file=sys.stderr)


wildcard_constraints:
    alignment=one_of(settings.alignments),
    calibration=one_of(settings.calibration),
    corpus=one_of(settings.corpora),
    encoder=one_of(settings.encoders),
    evaluation=one_of(settings.evaluations),
    language="[a-z]+",
    model=one_of(settings.models),
    pair="[a-z]+-[a-z]+",
    joined=one_of(joined_sources()),
    retrieval=one_of(settings.retrieval),
    seed=r"\d+",
    shard=r"\d+",
    source=one_of(settings.parallel),
    table=one_of(settings.tables),
    training_set=one_of(settings.training_sets),
    translations=one_of(settings.translations),
    what="questions|corpus",
