"""Encoders, features and task-tuned models."""


rule pretrain:
    input:
        lambda wildcards: flat(encoder_of(wildcards).text),
    output:
        expand("results/encoders/{{encoder}}/{file}", file=[*ENCODER, "training.json"]),
    log:
        "logs/encoders/{encoder}.log",
    benchmark:
        "logs/costs/encoders/{encoder}.tsv"
    wildcard_constraints:
        encoder=one_of(name for name, entry in settings.encoders.items() if entry.pretrain),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000, for_each_mb=2),
        runtime=minutes(720),
        gpu=1,
    params:
        recipe=lambda wildcards: recipe(encoder_of(wildcards).pretrain),
        text=lambda wildcards: named(encoder_of(wildcards).text),
        work="work/encoders/{encoder}",
        out=lambda wildcards, output: folder(output),
        code=code_hash("workflow_scripts.encoder.pretrain"),
    message:
        "Pretraining the encoder {wildcards.encoder}"
    shell:
        "python -m workflow_scripts.cluster.launch workflow_scripts.encoder.pretrain --text {params.text:q} --recipe {params.recipe:q}"
        " --work {params.work} --out {params.out} > {log} 2>&1"


rule checkpoint:
    output:
        expand("results/encoders/{{encoder}}/{file}", file=[*ENCODER, "training.json"]),
    log:
        "logs/encoders/{encoder}.log",
    benchmark:
        "logs/costs/encoders/{encoder}.tsv"
    wildcard_constraints:
        encoder=one_of(name for name, entry in settings.encoders.items() if entry.checkpoint),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(12000),
        runtime=minutes(60),
    params:
        source=lambda wildcards: encoder_of(wildcards).checkpoint,
        out=lambda wildcards, output: folder(output),
        code=code_hash("workflow_scripts.encoder.checkpoint"),
    message:
        "Loading the encoder {wildcards.encoder} from {params.source}"
    shell:
        "python -m workflow_scripts.encoder.checkpoint --source {params.source:q} --out {params.out} > {log} 2>&1"


rule trim:
    input:
        encoder=lambda wildcards: expand(
            "results/encoders/{of}/{file}", of=encoder_of(wildcards).of, file=ENCODER
        ),
        text=lambda wildcards: flat(encoder_of(wildcards).text),
        held_out=lambda wildcards: flat(encoder_of(wildcards).trim.held_out),
    output:
        expand("results/encoders/{{encoder}}/{file}", file=[*ENCODER, "training.json"]),
    log:
        "logs/encoders/{encoder}.log",
    benchmark:
        "logs/costs/encoders/{encoder}.tsv"
    wildcard_constraints:
        encoder=one_of(name for name, entry in settings.encoders.items() if entry.trim),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
    params:
        recipe=lambda wildcards: recipe(encoder_of(wildcards).trim, ["min_count", "max_unknown"]),
        text=lambda wildcards: named(encoder_of(wildcards).text),
        held_out=lambda wildcards: named(encoder_of(wildcards).trim.held_out or encoder_of(wildcards).text),
        encoder=lambda wildcards, input: folder(input.encoder),
        out=lambda wildcards, output: folder(output),
        code=code_hash("workflow_scripts.encoder.trim"),
    message:
        "Trimming the vocabulary of the encoder {wildcards.encoder}"
    shell:
        "python -m workflow_scripts.encoder.trim --encoder {params.encoder} --text {params.text:q}"
        " --held-out {params.held_out:q} --recipe {params.recipe:q} --out {params.out} > {log} 2>&1"


rule contexts:
    input:
        documents="results/documents/{corpus}.parquet",
        tokenizer="results/encoders/{encoder}/tokenizer.json",
    output:
        "results/features/{encoder}/{corpus}/contexts.safetensors",
    log:
        "logs/features/{encoder}/{corpus}.contexts.log",
    benchmark:
        "logs/costs/features/{encoder}/{corpus}.contexts.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        recipe=lambda wildcards: recipe(settings.features, ["max_passages"]),
        code=code_hash("workflow_scripts.qa.contexts"),
    message:
        "Tokenising the documents of {wildcards.corpus} ({wildcards.encoder})"
    shell:
        "python -m workflow_scripts.qa.contexts --documents {input.documents} --tokenizer {input.tokenizer}"
        " --recipe {params.recipe:q} --out {output} > {log} 2>&1"


rule windows:
    input:
        questions=lambda wildcards: questions([wildcards.corpus]),
        contexts=lambda wildcards: contexts(wildcards.encoder, [wildcards.corpus]),
        tokenizer="results/encoders/{encoder}/tokenizer.json",
    output:
        "results/features/{encoder}/{corpus}/windows.safetensors",
    log:
        "logs/features/{encoder}/{corpus}.windows.log",
    benchmark:
        "logs/costs/features/{encoder}/{corpus}.windows.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        recipe=lambda wildcards: recipe(settings.features),
        code=code_hash("workflow_scripts.qa.windows"),
    message:
        "Cutting windows for the questions of {wildcards.corpus} ({wildcards.encoder})"
    shell:
        "python -m workflow_scripts.qa.windows --questions {input.questions} --contexts {input.contexts}"
        " --tokenizer {input.tokenizer} --recipe {params.recipe:q} --out {output} > {log} 2>&1"


rule tune:
    input:
        encoder=start_files,
        contexts=lambda wildcards: contexts(model_of(wildcards).encoder, training_corpora(wildcards)),
        windows=lambda wildcards: windows(model_of(wildcards).encoder, training_corpora(wildcards)),
        questions=contrasted_questions,
        dev_documents=lambda wildcards: documents(selection_corpora(wildcards)),
        dev_questions=lambda wildcards: questions(selection_corpora(wildcards)),
        dev_contexts=lambda wildcards: contexts(model_of(wildcards).encoder, selection_corpora(wildcards)),
        dev_windows=lambda wildcards: windows(model_of(wildcards).encoder, selection_corpora(wildcards)),
        reported_documents=lambda wildcards: documents(reported_corpora(wildcards)),
        reported_questions=lambda wildcards: questions(reported_corpora(wildcards)),
        reported_contexts=lambda wildcards: contexts(model_of(wildcards).encoder, reported_corpora(wildcards)),
        reported_windows=lambda wildcards: windows(model_of(wildcards).encoder, reported_corpora(wildcards)),
        left_out=left_out,
        left_out_before=lists_before,
    output:
        expand(
            "results/models/{{model}}/seed{{seed}}/{file}", file=[*QA_MODEL, "training.json", "steps.jsonl"]
        ),
    log:
        "logs/models/{model}/seed{seed}.log",
    benchmark:
        "logs/costs/models/{model}/seed{seed}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        **on_several_nodes(lambda wildcards: model_of(wildcards).nodes),
        mem_mb=memory(8000, for_each_mb=6),
        runtime=minutes(720),
        gpu=lambda wildcards: model_of(wildcards).devices * model_of(wildcards).nodes,
        devices=lambda wildcards: model_of(wildcards).devices,
        nodes=lambda wildcards: model_of(wildcards).nodes,
    params:
        recipe=lambda wildcards: tuning_recipe(model_of(wildcards)),
        selection=selection_options,
        dev=selection_files,
        corpora=training_corpora,
        questions=lambda wildcards, input: ["--questions", *input.questions] if input.questions else [],
        encoder=lambda wildcards, input: folder(input.encoder),
        work="work/models/{model}/seed{seed}",
        out=lambda wildcards, output: folder(output),
        step=tuning_step,
        code=lambda wildcards: code_hash(tuning_step(wildcards)),
    message:
        "Tuning {wildcards.model}, seed {wildcards.seed}"
    shell:
        "python -m workflow_scripts.cluster.launch --devices {resources.devices} --nodes {resources.nodes} {params.step}"
        " --encoder {params.encoder} --contexts {input.contexts}"
        " --windows {input.windows} --corpora {params.corpora} --left-out {input.left_out} {params.questions}"
        " {params.dev} {params.selection} --recipe {params.recipe:q} --seed {wildcards.seed} --label {wildcards.model}"
        " --work {params.work} --out {params.out} > {log} 2>&1"
