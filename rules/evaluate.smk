"""Predictions, gold answers and scores: a file for each pair of question and context language."""

# Evaluations differ in their pairs, hence in a rule's output files: one rule for each.
for evaluation, entry in settings.evaluations.items():

    rule:
        name:
            rule_name("gold", evaluation)
        input:
            documents=documents(entry.corpora),
            questions=questions(entry.corpora),
        output:
            per_pair(evaluation, f"results/gold/{evaluation}"),
        log:
            f"logs/gold/{evaluation}.log",
        benchmark:
            f"logs/costs/gold/{evaluation}.tsv"
        conda:
            "../envs/xlqa.yaml"
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            pairs=pair_files(per_pair(evaluation, f"results/gold/{evaluation}")),
            code=code_hash("workflow_scripts.evaluate.gold"),
        message:
            f"Writing the gold answers of {evaluation}"
        shell:
            "python -m workflow_scripts.evaluate.gold --documents {input.documents} --questions {input.questions}"
            " --pair {params.pairs} > {log} 2>&1"

    rule:
        name:
            rule_name("predict", evaluation)
        input:
            model=expand("results/models/{{model}}/seed{{seed}}/{file}", file=QA_MODEL),
            left_out=list_that_may_change,
            documents=documents(entry.corpora),
            questions=questions(entry.corpora),
            contexts=lambda wildcards, corpora=entry.corpora: contexts(model_of(wildcards).encoder, corpora),
            windows=lambda wildcards, corpora=entry.corpora: windows(model_of(wildcards).encoder, corpora),
        output:
            per_pair(evaluation, f"results/predictions/{{model}}/seed{{seed}}/{evaluation}"),
            other_predictions(evaluation, f"results/predictions/{{model}}/seed{{seed}}/{evaluation}"),
        log:
            f"logs/predictions/{{model}}/seed{{seed}}/{evaluation}.log",
        benchmark:
            f"logs/costs/predictions/{{model}}/seed{{seed}}/{evaluation}.tsv"
        conda:
            "../envs/xlqa.yaml"
        resources:
            mem_mb=4000,
            runtime=240,
            gpu=1,
        params:
            recipe=lambda wildcards: recipe(settings.prediction),
            hide=lambda wildcards: tuning_of(wildcards).hide,
            model=lambda wildcards, input: folder(input.model),
            pairs=pair_files(per_pair(evaluation, f"results/predictions/{{model}}/seed{{seed}}/{evaluation}")),
            others=other_prediction_options(
                evaluation, f"results/predictions/{{model}}/seed{{seed}}/{evaluation}"
            ),
            code=code_hash("workflow_scripts.qa.predict"),
        message:
            f"Answering {evaluation} with {{wildcards.model}}, seed {{wildcards.seed}}"
        shell:
            "python -m workflow_scripts.qa.predict --model {params.model} --documents {input.documents}"
            " --questions {input.questions} --contexts {input.contexts} --windows {input.windows}"
            " --recipe {params.recipe:q} --hide {params.hide} --label {wildcards.model} --pair {params.pairs}"
            " {params.others} > {log} 2>&1"


rule score:
    input:
        gold=lambda wildcards: per_pair(wildcards.evaluation, f"results/gold/{wildcards.evaluation}"),
        predictions=lambda wildcards: per_pair(
            wildcards.evaluation,
            f"results/predictions/{wildcards.model}/seed{wildcards.seed}/{wildcards.evaluation}",
        ),
        left_out=list_that_may_change,
    output:
        "results/scores/{model}/seed{seed}/{evaluation}.json",
    log:
        "logs/scores/{model}/seed{seed}/{evaluation}.log",
    benchmark:
        "logs/costs/scores/{model}/seed{seed}/{evaluation}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        gold=lambda wildcards, input: folder(input.gold),
        predictions=lambda wildcards, input: folder(input.predictions),
        pairs=lambda wildcards: pairs_of(settings, wildcards.evaluation),
        annotators=lambda wildcards: settings.evaluations[wildcards.evaluation].annotators,
        code=code_hash("workflow_scripts.evaluate.score"),
    message:
        "Scoring {wildcards.model}, seed {wildcards.seed}, on {wildcards.evaluation}"
    shell:
        "python -m workflow_scripts.evaluate.score --gold {params.gold} --predictions {params.predictions}"
        " --pairs {params.pairs} --annotators {params.annotators} --out {output} > {log} 2>&1"
