"""More training questions out of few: in other languages, over the same contexts or with them, or in other scripts."""


localrules:
    translate_by_service,


rule translations_from_files:
    input:
        questions=lambda wildcards: questions([translations_of(wildcards).of]),
        files=lambda wildcards: flat(translations_of(wildcards).files),
    output:
        table="results/translations/{translations}.parquet",
        dropped="results/translations/{translations}.dropped.jsonl",
    log:
        "logs/translations/{translations}.log",
    benchmark:
        "logs/costs/translations/{translations}.tsv"
    wildcard_constraints:
        translations=one_of(of_kind(settings.translations, ImportedTranslations)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        files=lambda wildcards: named(translations_of(wildcards).files),
        code=code_hash("workflow_scripts.augment.translations"),
    message:
        "Importing the translations {wildcards.translations}"
    shell:
        "python -m workflow_scripts.augment.translations --questions {input.questions} --file {params.files:q}"
        " --made-by {wildcards.translations} --out {output.table} --dropped {output.dropped} > {log} 2>&1"


rule translations_from_corpora:
    input:
        original=lambda wildcards: questions([translations_of(wildcards).of]),
        others=lambda wildcards: questions(translations_of(wildcards).questions),
    output:
        table="results/translations/{translations}.parquet",
        dropped="results/translations/{translations}.dropped.jsonl",
    log:
        "logs/translations/{translations}.log",
    benchmark:
        "logs/costs/translations/{translations}.tsv"
    wildcard_constraints:
        translations=one_of(of_kind(settings.translations, ParallelTranslations)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        corpora=lambda wildcards, input: [
            word for other in input.others for word in ("--corpora", *input.original, other)
        ],
        code=code_hash("workflow_scripts.augment.translations"),
    message:
        "Taking the translations {wildcards.translations} from parallel corpora"
    shell:
        "python -m workflow_scripts.augment.translations {params.corpora}"
        " --made-by {wildcards.translations} --out {output.table} --dropped {output.dropped} > {log} 2>&1"


rule texts:
    input:
        questions=lambda wildcards: questions([wildcards.corpus]),
        documents=lambda wildcards: documents([wildcards.corpus]),
    output:
        "results/texts/{corpus}.{what}.parquet",
    log:
        "logs/texts/{corpus}.{what}.log",
    benchmark:
        "logs/costs/texts/{corpus}.{what}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        code=code_hash("workflow_scripts.augment.parts"),
    message:
        "Writing down what is to be translated of {wildcards.corpus} ({wildcards.what})"
    shell:
        "python -m workflow_scripts.augment.parts --questions {input.questions} --documents {input.documents}"
        " --what {wildcards.what} --out {output} > {log} 2>&1"


# What a job has paid for or computed stays in cache/, which is no output: it outlives changed texts and `make clean`.
rule translate:
    input:
        texts,
    output:
        table="results/translations/{translations}/{pair}/{shard}.parquet",
        dropped="results/translations/{translations}/{pair}/{shard}.dropped.jsonl",
        resent="results/translations/{translations}/{pair}/{shard}.resent.jsonl",
    log:
        "logs/translations/{translations}/{pair}/{shard}.log",
    benchmark:
        "logs/costs/translations/{translations}/{pair}/{shard}.tsv"
    wildcard_constraints:
        translations=one_of(
            name
            for name in of_kind(settings.translations, TRANSLATORS)
            if not isinstance(settings.translations[name], GoogleTranslations)
        ),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(8000),
        runtime=minutes(720),
        gpu=1,
    params:
        # the other keys (limits, prices, batches, addresses) change no translation, and come through the environment
        settings=translation_settings,
        recipe=lambda wildcards: translator_variable(wildcards.translations),
        pair=lambda wildcards: "--from {} --to {}".format(*wildcards.pair.split("-")),
        shards=shards_of,
        code=code_hash("workflow_scripts.augment.translate"),
    message:
        "Translating {wildcards.pair} with {wildcards.translations} (shard {wildcards.shard} of {params.shards})"
    shell:
        "python -m workflow_scripts.cluster.launch --devices {resources.gpu} workflow_scripts.augment.translate --texts {input} {params.pair}"
        ' --shard {wildcards.shard}/{params.shards} --recipe "${params.recipe}" --cache cache'
        " --out {output.table} --dropped {output.dropped} --resent {output.resent} > {log} 2>&1"


# A service is asked from the machine that snakemake runs on, where there is internet.
use rule translate as translate_by_service with:
    wildcard_constraints:
        translations=one_of(of_kind(settings.translations, GoogleTranslations)),
    resources:
        mem_mb=memory(2000),
        runtime=minutes(720),
        gpu=0,


rule translated_questions:
    input:
        questions=lambda wildcards: questions([corpus_of(wildcards).of]),
        documents=lambda wildcards: documents([corpus_of(wildcards).of]),
        translations=question_translations,
    output:
        questions="results/questions/{corpus}.parquet",
        dropped="results/questions/{corpus}.dropped.jsonl",
    log:
        "logs/corpora/{corpus}.log",
    benchmark:
        "logs/costs/corpora/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(of_kind(settings.corpora, TranslatedQuestions)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        directions=lambda wildcards: (
            f"--from {' '.join(corpus_of(wildcards).source)} --to {' '.join(corpus_of(wildcards).target)}"
        ),
        code=code_hash("workflow_scripts.augment.questions"),
    message:
        "Asking questions in other languages ({wildcards.corpus})"
    shell:
        "python -m workflow_scripts.augment.questions --questions {input.questions} --documents {input.documents}"
        " --translations {input.translations} {params.directions}"
        " --out {output.questions} --dropped {output.dropped} > {log} 2>&1"


rule bitext:
    input:
        questions=lambda wildcards: questions([corpus_of(wildcards).of]),
        documents=lambda wildcards: documents([corpus_of(wildcards).of]),
        translations=lambda wildcards: renderings(wildcards.corpus, [wildcards.language]),
    output:
        "results/bitext/{corpus}/{language}.txt",
    log:
        "logs/bitext/{corpus}/{language}.log",
    benchmark:
        "logs/costs/bitext/{corpus}/{language}.tsv"
    wildcard_constraints:
        corpus=one_of(of_kind(settings.corpora, TranslatedCorpus)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        translations=lambda wildcards: rendering_options(wildcards.corpus, [wildcards.language]),
        target=lambda wildcards: corpus_of(wildcards).target,
        code=code_hash("workflow_scripts.augment.pairs"),
    message:
        "Pairing sentences of {wildcards.corpus} with what they were in {wildcards.language}"
    shell:
        "python -m workflow_scripts.augment.pairs --questions {input.questions} --documents {input.documents}"
        " --from {wildcards.language} --to {params.target} {params.translations:q} --out {output} > {log} 2>&1"


rule bitext_links:
    input:
        "results/bitext/{corpus}/{language}.txt",
    output:
        links="results/bitext/{corpus}/{language}.links",
        dropped="results/bitext/{corpus}/{language}.links.dropped.jsonl",
        report="results/bitext/{corpus}/{language}.links.json",
    log:
        "logs/bitext/{corpus}/{language}.links.log",
    benchmark:
        "logs/costs/bitext/{corpus}/{language}.links.tsv"
    wildcard_constraints:
        corpus=one_of(linking(settings.corpora, "statistical")),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
    params:
        recipe=lambda wildcards: recipe(corpus_of(wildcards).links, Links.model_fields),
        code=code_hash("workflow_scripts.align.links"),
    message:
        "Linking words of {wildcards.corpus} with those in {wildcards.language}"
    shell:
        "python -m workflow_scripts.align.links --pairs {input} --recipe {params.recipe:q} --out {output.links}"
        " --dropped {output.dropped} --report {output.report} > {log} 2>&1"


rule neural_bitext_links:
    input:
        pairs="results/bitext/{corpus}/{language}.txt",
        encoder=lambda wildcards: linking_encoder(corpus_of(wildcards).links),
    output:
        links="results/bitext/{corpus}/{language}.links",
        scores="results/bitext/{corpus}/{language}.links.scores",
        dropped="results/bitext/{corpus}/{language}.links.dropped.jsonl",
        report="results/bitext/{corpus}/{language}.links.json",
    log:
        "logs/bitext/{corpus}/{language}.links.log",
    benchmark:
        "logs/costs/bitext/{corpus}/{language}.links.tsv"
    wildcard_constraints:
        corpus=one_of(linking(settings.corpora, "neural")),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(720),
        gpu=1,
    params:
        recipe=lambda wildcards: recipe(corpus_of(wildcards).links, Links.model_fields),
        encoder=lambda wildcards, input: folder(input.encoder),
        code=code_hash("workflow_scripts.align.links"),
        linker=code_hash("workflow_scripts.align.neural"),
    message:
        "Linking words of {wildcards.corpus} with those in {wildcards.language}, by an encoder's hidden states"
    shell:
        "python -m workflow_scripts.cluster.launch workflow_scripts.align.links --pairs {input.pairs} --encoder {params.encoder}"
        " --recipe {params.recipe:q} --out {output.links} --scores {output.scores} --dropped {output.dropped}"
        " --report {output.report} > {log} 2>&1"


rule translated_corpus:
    input:
        questions=lambda wildcards: questions([corpus_of(wildcards).of]),
        documents=lambda wildcards: documents([corpus_of(wildcards).of]),
        translations=lambda wildcards: renderings(wildcards.corpus, rendered_from(wildcards)),
        pairs=lambda wildcards: list(linked(wildcards.corpus, "txt").values()),
        links=lambda wildcards: list(linked(wildcards.corpus, "links").values()),
    output:
        documents="results/documents/{corpus}.parquet",
        questions="results/questions/{corpus}.parquet",
        dropped="results/questions/{corpus}.dropped.jsonl",
    log:
        "logs/corpora/{corpus}.log",
    benchmark:
        "logs/costs/corpora/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(of_kind(settings.corpora, TranslatedCorpus)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
    params:
        translations=lambda wildcards: rendering_options(wildcards.corpus, rendered_from(wildcards)),
        target=lambda wildcards: corpus_of(wildcards).target,
        pairs=lambda wildcards: named(linked(wildcards.corpus, "txt")),
        links=lambda wildcards: named(linked(wildcards.corpus, "links")),
        least=lambda wildcards: corpus_of(wildcards).least_label,
        code=code_hash("workflow_scripts.augment.corpora"),
    message:
        "Translating {wildcards.corpus} whole"
    shell:
        "python -m workflow_scripts.augment.corpora --questions {input.questions} --documents {input.documents}"
        " --to {params.target} {params.translations:q} --pairs {params.pairs} --links {params.links}"
        " --least-label {params.least} --out-documents {output.documents} --out-questions {output.questions}"
        " --dropped {output.dropped} > {log} 2>&1"


rule transliterated_corpus:
    input:
        questions=lambda wildcards: questions([corpus_of(wildcards).of]),
        documents=lambda wildcards: documents([corpus_of(wildcards).of]),
    output:
        documents="results/documents/{corpus}.parquet",
        questions="results/questions/{corpus}.parquet",
        dropped="results/questions/{corpus}.dropped.jsonl",
    log:
        "logs/corpora/{corpus}.log",
    benchmark:
        "logs/costs/corpora/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(of_kind(settings.corpora, TransliteratedCorpus)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        recipe=lambda wildcards: recipe(corpus_of(wildcards), Transliteration.model_fields),
        target=lambda wildcards: corpus_of(wildcards).target,
        code=code_hash("workflow_scripts.augment.transliterate"),
    message:
        "Writing {wildcards.corpus} in another script"
    shell:
        "python -m workflow_scripts.augment.transliterate --questions {input.questions}"
        " --documents {input.documents} --to {params.target} --recipe {params.recipe:q}"
        " --out-documents {output.documents} --out-questions {output.questions} --dropped {output.dropped}"
        " > {log} 2>&1"


rule versions_from_files:
    input:
        files=lambda wildcards: corpus_of(wildcards).files,
        questions=lambda wildcards: questions([corpus_of(wildcards).of]),
        documents=lambda wildcards: documents([corpus_of(wildcards).of]),
    output:
        documents="results/documents/{corpus}.parquet",
        questions="results/questions/{corpus}.parquet",
        dropped="results/questions/{corpus}.dropped.jsonl",
    log:
        "logs/corpora/{corpus}.log",
    benchmark:
        "logs/costs/corpora/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(of_kind(settings.corpora, VersionsCorpus)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        made=lambda wildcards: corpus_of(wildcards).made,
        target=lambda wildcards: corpus_of(wildcards).target,
        code=code_hash("workflow_scripts.acquire.versions"),
    message:
        "Reading {wildcards.corpus}: records {params.made} by others"
    shell:
        "python -m workflow_scripts.acquire.versions --in {input.files:q} --made {params.made} --to {params.target}"
        " --of-questions {input.questions} --of-documents {input.documents}"
        " --documents {output.documents} --questions {output.questions} --dropped {output.dropped} > {log} 2>&1"
