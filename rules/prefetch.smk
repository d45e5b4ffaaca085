"""What jobs need of the world outside, fetched where there is internet: snakemake --cores 1 prefetch."""


localrules:
    prefetch,


def public_files():
    """The files under data/ that the configuration names, whatever reads them."""

    def texts(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list, tuple)):
            for each in value.values() if isinstance(value, dict) else value:
                yield from texts(each)

    named_ones = settings.model_dump(include={"corpora", "splits", "translations", "encoders", "speech"})
    for section in named_ones.values():
        for entry in section.values():
            entry.pop("checkpoint", None)  # a folder of the user's
    found = list(texts(named_ones))
    for name, entry in settings.parallel.items():
        for language in languages_there(settings, name):
            if entry.sources:
                found += archives(entry.sources, language).values()
            else:
                found += entry.files(language)
                found += entry.gold(language)
    return list(dict.fromkeys(file for file in found if file.startswith("data/")))


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
    """The models of the hub that are loaded: encoders, translators, their tokenisers; NAME or NAME@REVISION."""
    found = [entry.checkpoint for entry in settings.encoders.values() if getattr(entry, "checkpoint", None)]
    for entry in settings.translations.values():
        for key in ("model", "tokenizer") if not isinstance(entry, GoogleTranslations) else ():
            if name := getattr(entry, key, None):
                found.append(f"{name}@{entry.revision}" if entry.revision else name)
    return list(dict.fromkeys(name for name in found if not is_folder(name.partition("@")[0])))


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
