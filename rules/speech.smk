"""Questions as a speech recogniser heard them, from its transcripts or from recordings, and how much it misheard."""


# The service is asked from the machine that snakemake runs on, where there is internet.
localrules:
    transcribe,


# What was paid for stays in cache/, which is no output: it outlives changed lists and `make clean`.  The recordings are
# no inputs, since there are thousands and none ever changes.
rule transcribe:
    input:
        lambda wildcards: recordings_of(wildcards).files,
    output:
        transcripts="results/speech/{recordings}/{shard}.txt",
        dropped="results/speech/{recordings}/{shard}.dropped.jsonl",
        resent="results/speech/{recordings}/{shard}.resent.jsonl",
    log:
        "logs/speech/{recordings}/{shard}.log",
    benchmark:
        "logs/costs/speech/{recordings}/{shard}.tsv"
    wildcard_constraints:
        recordings=one_of(settings.speech),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(720),
    params:
        # the other keys (limits, prices, addresses) change no transcript, and come through the environment
        settings=transcription_settings,
        recipe=lambda wildcards: recogniser_variable(wildcards.recordings),
        root=lambda wildcards: (
            ["--root", recordings_of(wildcards).root] if recordings_of(wildcards).root else []
        ),
        shards=lambda wildcards: recordings_of(wildcards).shards,
        code=code_hash("workflow_scripts.augment.speech"),
    message:
        "Transcribing the recordings {wildcards.recordings} (shard {wildcards.shard} of {params.shards})"
    shell:
        "python -m workflow_scripts.augment.speech --recordings {input:q} {params.root:q}"
        ' --shard {wildcards.shard}/{params.shards} --recipe "${params.recipe}" --cache cache'
        " --out {output.transcripts} --dropped {output.dropped} --resent {output.resent} > {log} 2>&1"


rule transcribed_questions:
    input:
        questions=lambda wildcards: questions([corpus_of(wildcards).of]),
        documents=lambda wildcards: documents([corpus_of(wildcards).of]),
        transcripts=lambda wildcards: transcripts_of(wildcards.corpus),
    output:
        questions="results/questions/{corpus}.parquet",
        dropped="results/questions/{corpus}.dropped.jsonl",
    log:
        "logs/corpora/{corpus}.log",
    benchmark:
        "logs/costs/corpora/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(transcribed()),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        dialect=lambda wildcards: corpus_of(wildcards).dialect,
        qmark=lambda wildcards: corpus_of(wildcards).qmark,
        code=code_hash("workflow_scripts.acquire.sdqa"),
    message:
        "Asking questions as they were heard ({wildcards.corpus})"
    shell:
        "python -m workflow_scripts.acquire.sdqa --questions {input.questions} --documents {input.documents}"
        " --transcripts {input.transcripts:q} --dialect {params.dialect} --qmark {params.qmark}"
        " --out {output.questions} --dropped {output.dropped} > {log} 2>&1"


# Asked for by name, as results/word_error_rates.md; no table of F1 needs it.
rule word_error_rates:
    input:
        questions=questions(dict.fromkeys(settings.corpora[corpus].of for corpus in transcribed())),
        transcripts=list(dict.fromkeys(file for corpus in transcribed() for file in transcripts_of(corpus))),
    output:
        csv="results/word_error_rates.csv",
        md="results/word_error_rates.md",
    log:
        "logs/word_error_rates.log",
    benchmark:
        "logs/costs/word_error_rates.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        transcripts=[
            f"{settings.corpora[corpus].dialect}={file}"
            for corpus in transcribed()
            for file in transcripts_of(corpus)
        ],
        code=code_hash("workflow_scripts.evaluate.wer"),
    message:
        "Counting the words that were misheard"
    shell:
        "python -m workflow_scripts.evaluate.wer --transcripts {params.transcripts:q} --questions {input.questions}"
        " --out {output.csv} --markdown {output.md} > {log} 2>&1"
