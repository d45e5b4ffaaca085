"""More training questions out of few: other languages' questions over the same contexts."""


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
        mem_mb=2000,
        runtime=60,
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
        mem_mb=2000,
        runtime=60,
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


rule translated_questions:
    input:
        questions=lambda wildcards: questions([corpus_of(wildcards).of]),
        documents=lambda wildcards: documents([corpus_of(wildcards).of]),
        translations=lambda wildcards: f"results/translations/{corpus_of(wildcards).translations}.parquet",
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
        mem_mb=4000,
        runtime=60,
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
