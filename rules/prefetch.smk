"""What jobs need of the world outside, fetched where there is internet: snakemake --cores 1 prefetch."""


localrules:
    prefetch,


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


# No output: every time it makes sure that all is there.
rule prefetch:
    input:
        public_files(),
        paid_files(),
    log:
        "logs/prefetch.log",
    benchmark:
        "logs/costs/prefetch.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(720),
    params:
        models=published_models(),
        code=code_hash("workflow_scripts.cluster.prefetch"),
    message:
        "Fetching published models"
    shell:
        "python -m workflow_scripts.cluster.prefetch --models {params.models:q} > {log} 2>&1"
