"""The outside world in: files, the generated world, corpora and their splits."""


localrules:
    download,


# A present file is verified, not fetched again (update), when the rule runs once more.
rule download:
    output:
        update("data/{file}"),
    log:
        "logs/download/{file}.log",
    benchmark:
        "logs/costs/download/{file}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(240),
    params:
        code=code_hash("workflow_scripts.acquire.download"),
    message:
        "Fetching {wildcards.file}"
    shell:
        'python -m workflow_scripts.acquire.download {wildcards.file:q} --mirror "$XLQA_MIRROR" --out {output}'
        " > {log} 2>&1"


if settings.microworld:

    rule microworld:
        input:
            microworld_tables(),
        output:
            microworld_files(settings.microworld),
        log:
            "logs/microworld.log",
        benchmark:
            "logs/costs/microworld.tsv"
        conda:
            "../envs/xlqa.yaml"
        resources:
            mem_mb=memory(1000),
            runtime=minutes(60),
        params:
            recipe=lambda wildcards: recipe(settings.microworld),
            code=code_hash("workflow_scripts.acquire.microworld.__main__"),
        message:
            "Generating the micro-world"
        shell:
            "python -m workflow_scripts.acquire.microworld --recipe {params.recipe:q} --out results/microworld"
            " > {log} 2>&1"


rule tydiqa:
    input:
        lambda wildcards: corpus_of(wildcards).files,
    output:
        documents="results/documents/{corpus}.parquet",
        questions="results/questions/{corpus}.parquet",
        dropped="results/questions/{corpus}.dropped.jsonl",
    log:
        "logs/corpora/{corpus}.log",
    benchmark:
        "logs/costs/corpora/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(of_kind(settings.corpora, TydiCorpus)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000, for_each_mb=4),
        runtime=minutes(120),
    params:
        languages=lambda wildcards: corpus_of(wildcards).languages,
        code=code_hash("workflow_scripts.acquire.tydiqa"),
    message:
        "Reading {wildcards.corpus} (TyDi QA)"
    shell:
        "python -m workflow_scripts.acquire.tydiqa --in {input:q} --languages {params.languages}"
        " --documents {output.documents} --questions {output.questions} --dropped {output.dropped} > {log} 2>&1"


rule squad:
    input:
        files=lambda wildcards: corpus_of(wildcards).files,
        excluded=lambda wildcards: corpus_of(wildcards).exclude_contexts,
    output:
        documents="results/documents/{corpus}.parquet",
        questions="results/questions/{corpus}.parquet",
        dropped="results/questions/{corpus}.dropped.jsonl",
    log:
        "logs/corpora/{corpus}.log",
    benchmark:
        "logs/costs/corpora/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(of_kind(settings.corpora, SquadCorpus)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        language=lambda wildcards: corpus_of(wildcards).language,
        question_language=lambda wildcards: (
            f"--question-language {corpus_of(wildcards).question_language}"
            if corpus_of(wildcards).question_language
            else ""
        ),
        limit=lambda wildcards: (
            f"--max-paragraphs {corpus_of(wildcards).max_paragraphs}"
            if corpus_of(wildcards).max_paragraphs
            else ""
        ),
        code=code_hash("workflow_scripts.acquire.squad"),
    message:
        "Reading {wildcards.corpus} (SQuAD format)"
    shell:
        "python -m workflow_scripts.acquire.squad --in {input.files:q} --exclude-contexts {input.excluded:q}"
        " --language {params.language} {params.question_language} {params.limit}"
        " --documents {output.documents} --questions {output.questions} --dropped {output.dropped} > {log} 2>&1"


rule chaii:
    input:
        lambda wildcards: corpus_of(wildcards).files,
    output:
        documents="results/documents/{corpus}.parquet",
        questions="results/questions/{corpus}.parquet",
        dropped="results/questions/{corpus}.dropped.jsonl",
    log:
        "logs/corpora/{corpus}.log",
    benchmark:
        "logs/costs/corpora/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(of_kind(settings.corpora, ChaiiCorpus)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        languages=lambda wildcards: corpus_of(wildcards).languages,
        code=code_hash("workflow_scripts.acquire.chaii"),
    message:
        "Reading {wildcards.corpus} (ChAII)"
    shell:
        "python -m workflow_scripts.acquire.chaii --in {input:q} --languages {params.languages}"
        " --documents {output.documents} --questions {output.questions} --dropped {output.dropped} > {log} 2>&1"


for split, entry in settings.splits.items():

    rule:
        name:
            rule_name("split", split)
        input:
            questions=questions([entry.of]),
            documents=documents([entry.of]),
            ids=flat(entry.ids),
        output:
            train=part_of(split, "train"),
            dev=part_of(split, "dev"),
            dropped=f"results/splits/{split}.dropped.jsonl",
        log:
            f"logs/splits/{split}.log",
        benchmark:
            f"logs/costs/splits/{split}.tsv"
        conda:
            "../envs/xlqa.yaml"
        resources:
            mem_mb=memory(2000),
            runtime=minutes(60),
        params:
            # with lists of ids nothing is sampled, and these keys matter to nothing
            recipe=lambda wildcards, entry=entry: "{}" if entry.ids else recipe(entry, Splits.model_fields),
            ids=named(entry.ids),
            code=code_hash("workflow_scripts.acquire.splits"),
        message:
            f"Splitting {entry.of} ({split})"
        shell:
            "python -m workflow_scripts.acquire.splits --questions {input.questions} --documents {input.documents}"
            " --recipe {params.recipe:q} --ids {params.ids:q} --train {output.train} --dev {output.dev}"
            " --dropped {output.dropped} > {log} 2>&1"


rule matched:
    input:
        questions=lambda wildcards: questions([corpus_of(wildcards).of]),
        documents=lambda wildcards: documents([corpus_of(wildcards).of]),
        others=lambda wildcards: questions(corpus_of(wildcards).others),
    output:
        questions="results/questions/{corpus}.parquet",
        dropped="results/questions/{corpus}.dropped.jsonl",
    log:
        "logs/corpora/{corpus}.log",
    benchmark:
        "logs/costs/corpora/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(of_kind(settings.corpora, MatchedCorpus)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        others=lambda wildcards: corpus_tables(corpus_of(wildcards).others),
        code=code_hash("workflow_scripts.acquire.matched"),
    message:
        "Taking {wildcards.corpus}: what other corpora have, too"
    shell:
        "python -m workflow_scripts.acquire.matched --questions {input.questions} --documents {input.documents}"
        " --with {params.others} --out {output.questions} --dropped {output.dropped} > {log} 2>&1"


# Nothing is tuned before these files are there: they say which questions must not be trained on, if there are any.  A
# checkpoint, so that snakemake looks again at what reads them once they are made again: the same list changes nothing.
checkpoint guard:
    input:
        train=lambda wildcards: questions(settings.training_sets[wildcards.training_set].corpora),
        train_documents=lambda wildcards: documents(settings.training_sets[wildcards.training_set].corpora),
        evaluation=lambda wildcards: questions(guarded_corpora(wildcards)),
        evaluation_documents=lambda wildcards: documents(guarded_corpora(wildcards)),
    output:
        report="results/guard/{training_set}.json",
        dropped="results/guard/{training_set}.dropped.jsonl",
        left_out="results/guard/{training_set}.left_out.jsonl",
    log:
        "logs/guard/{training_set}.log",
    benchmark:
        "logs/costs/guard/{training_set}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        train=lambda wildcards: corpus_tables(settings.training_sets[wildcards.training_set].corpora),
        evaluation=lambda wildcards: corpus_tables(guarded_corpora(wildcards)),
        drop=lambda wildcards: (
            "--drop-leaks" if settings.training_sets[wildcards.training_set].drop_leaks else ""
        ),
        code=code_hash("workflow_scripts.acquire.guard"),
    message:
        "Making sure that {wildcards.training_set} holds nothing that is tested on"
    shell:
        "python -m workflow_scripts.acquire.guard --label {wildcards.training_set} {params.drop}"
        " --train {params.train} --train-documents {input.train_documents}"
        " --evaluation {params.evaluation} --evaluation-documents {input.evaluation_documents}"
        " --report {output.report} --dropped {output.dropped} --left-out {output.left_out} > {log} 2>&1"


# Where leaks end the run, whatever list there is is empty: there is nothing to look at again.  Doing so all the same takes
# an eighth of the time in which Snakemake finds that nothing is to be done.
if not any(entry.drop_leaks for entry in settings.training_sets.values()):
    workflow.get_rule("guard").is_checkpoint = False
