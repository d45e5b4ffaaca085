"""Predictions, gold answers, thresholds and scores: a file for each pair of question and context language."""

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
            mem_mb=memory(4000),
            runtime=minutes(60),
        params:
            pairs=pair_files(per_pair(evaluation, f"results/gold/{evaluation}")),
            code=code_hash("workflow_scripts.evaluate.gold"),
        message:
            f"Writing the gold answers of {evaluation}"
        shell:
            "python -m workflow_scripts.evaluate.gold --documents {input.documents} --questions {input.questions}"
            " --pair {params.pairs} > {log} 2>&1"

    # Translate-test: another evaluation's answers, found again where these questions are asked.
    if entry.answered_from:

        rule:
            name:
                rule_name("map_back", evaluation)
            input:
                predictions=per_pair(
                    entry.answered_from,
                    f"results/predictions/{{model}}/seed{{seed}}/{entry.answered_from}",
                ),
                left_out=list_that_may_change,
                documents=documents(entry.corpora),
                questions=questions(entry.corpora),
                asked_documents=documents(settings.evaluations[entry.answered_from].corpora),
                asked=questions(settings.evaluations[entry.answered_from].corpora),
                translated=translated_files(evaluation),
            output:
                per_pair(evaluation, f"results/predictions/{{model}}/seed{{seed}}/{evaluation}"),
                dropped=f"results/predictions/{{model}}/seed{{seed}}/{evaluation}.dropped.jsonl",
            log:
                f"logs/predictions/{{model}}/seed{{seed}}/{evaluation}.log",
            benchmark:
                f"logs/costs/predictions/{{model}}/seed{{seed}}/{evaluation}.tsv"
            conda:
                "../envs/xlqa.yaml"
            resources:
                mem_mb=memory(4000),
                runtime=minutes(60),
            params:
                answers=lambda wildcards, input: pair_files(input.predictions),
                pairs=pair_files(
                    per_pair(evaluation, f"results/predictions/{{model}}/seed{{seed}}/{evaluation}")
                ),
                translated=translated_options(evaluation),
                lost=lambda wildcards, evaluation=evaluation, asked=entry.answered_from: lost(
                    per_pair(asked, predictions(wildcards.model, wildcards.seed, asked)),
                    per_pair(evaluation, predictions(wildcards.model, wildcards.seed, evaluation)),
                ),
                code=code_hash("workflow_scripts.augment.map_back"),
            message:
                f"Taking answers to {entry.answered_from} over to {evaluation} ({{wildcards.model}},"
                " seed {wildcards.seed})"
            shell:
                "python -m workflow_scripts.augment.map_back --documents {input.documents}"
                " --questions {input.questions} --asked-documents {input.asked_documents} --asked {input.asked}"
                " --predictions {params.answers} --pair {params.pairs} --dropped {output.dropped}"
                " {params.translated:q} > {log} 2>&1"

        continue

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
            mem_mb=memory(3000, for_each_mb=3),
            runtime=minutes(240),
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
            "python -m workflow_scripts.cluster.launch workflow_scripts.qa.predict --model {params.model} --documents {input.documents}"
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
        thresholds=thresholds_of,
        left_out=list_that_may_change,
    output:
        scores="results/scores/{model}/seed{seed}/{evaluation}.json",
        questions="results/scores/{model}/seed{seed}/{evaluation}.questions.jsonl",
    log:
        "logs/scores/{model}/seed{seed}/{evaluation}.log",
    benchmark:
        "logs/costs/scores/{model}/seed{seed}/{evaluation}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        gold=lambda wildcards, input: folder(input.gold),
        predictions=lambda wildcards, input: folder(input.predictions),
        pairs=lambda wildcards: pairs_of(settings, wildcards.evaluation),
        annotators=lambda wildcards: settings.evaluations[wildcards.evaluation].annotators,
        thresholds=lambda wildcards, input: [f"--thresholds {file}" for file in input.thresholds],
        lost=lambda wildcards: lost(
            per_pair(
                wildcards.evaluation, predictions(wildcards.model, wildcards.seed, wildcards.evaluation)
            ),
            [f"results/scores/{wildcards.model}/seed{wildcards.seed}/{wildcards.evaluation}.json"],
        ),
        code=code_hash("workflow_scripts.evaluate.score"),
    message:
        "Scoring {wildcards.model}, seed {wildcards.seed}, on {wildcards.evaluation}"
    shell:
        "python -m workflow_scripts.evaluate.score --gold {params.gold} --predictions {params.predictions}"
        " --pairs {params.pairs} --annotators {params.annotators} {params.thresholds} --out {output.scores}"
        " --questions {output.questions} > {log} 2>&1"


rule intervals:
    input:
        questions="results/scores/{model}/seed{seed}/{evaluation}.questions.jsonl",
        left_out=list_that_may_change,
    output:
        "results/intervals/{model}/seed{seed}/{evaluation}.json",
    log:
        "logs/intervals/{model}/seed{seed}/{evaluation}.log",
    benchmark:
        "logs/costs/intervals/{model}/seed{seed}/{evaluation}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        code=code_hash("workflow_scripts.evaluate.intervals"),
    message:
        "Finding intervals of the scores of {wildcards.model}, seed {wildcards.seed}, on {wildcards.evaluation}"
    shell:
        "python -m workflow_scripts.evaluate.intervals --questions {input.questions} --out {output} > {log} 2>&1"


rule thresholds:
    input:
        "results/scores/{model}/seed{seed}/{evaluation}.questions.jsonl",
    output:
        "results/thresholds/{model}/seed{seed}/{evaluation}.json",
    log:
        "logs/thresholds/{model}/seed{seed}/{evaluation}.log",
    benchmark:
        "logs/costs/thresholds/{model}/seed{seed}/{evaluation}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        code=code_hash("workflow_scripts.evaluate.threshold"),
    message:
        "Finding thresholds of {wildcards.model}, seed {wildcards.seed}, on {wildcards.evaluation}"
    shell:
        "python -m workflow_scripts.evaluate.threshold --questions {input} --out {output} > {log} 2>&1"


rule examples:
    input:
        gold=lambda wildcards: per_pair(wildcards.evaluation, f"results/gold/{wildcards.evaluation}"),
        predictions=lambda wildcards: [
            file
            for folder in answered_folders(wildcards).values()
            for file in per_pair(wildcards.evaluation, folder)
        ],
        left_out=lambda wildcards: lists_that_may_change(answered_folders(wildcards)),
    output:
        "results/examples/{evaluation}.json",
    log:
        "logs/examples/{evaluation}.log",
    benchmark:
        "logs/costs/examples/{evaluation}.tsv"
    wildcard_constraints:
        evaluation=one_of(settings.examples),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        gold=lambda wildcards, input: folder(input.gold),
        predictions=lambda wildcards: named(answered_folders(wildcards)),
        pairs=lambda wildcards: pairs_of(settings, wildcards.evaluation),
        annotators=lambda wildcards: settings.evaluations[wildcards.evaluation].annotators,
        each=lambda wildcards: settings.examples[wildcards.evaluation].per_pair,
        lost=lambda wildcards: lost(
            [
                file
                for folder in answered_folders(wildcards).values()
                for file in per_pair(wildcards.evaluation, folder)
            ],
            [f"results/examples/{wildcards.evaluation}.json"],
        ),
        code=code_hash("workflow_scripts.evaluate.examples"),
    message:
        "Taking examples of {wildcards.evaluation}"
    shell:
        "python -m workflow_scripts.evaluate.examples --gold {params.gold} --predictions {params.predictions}"
        " --pairs {params.pairs} --annotators {params.annotators} --per-pair {params.each} --out {output} > {log} 2>&1"


rule effects:
    input:
        questions=lambda wildcards: flat(compared_questions(wildcards)),
        thresholds=lambda wildcards: flat(compared_thresholds(wildcards)),
        left_out=lambda wildcards: lists_that_may_change(compared_models(wildcards)),
    output:
        "results/effects/{table}.json",
    log:
        "logs/effects/{table}.log",
    benchmark:
        "logs/costs/effects/{table}.tsv"
    wildcard_constraints:
        table=one_of(of_kind(settings.tables, EffectsTableOf)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        recipe=lambda wildcards: recipe(effects_recipe(settings, wildcards.table)),
        questions=lambda wildcards: [
            f"{model}={','.join(files)}" for model, files in compared_questions(wildcards).items()
        ],
        thresholds=threshold_options,
        code=code_hash("workflow_scripts.evaluate.effects"),
    message:
        "Comparing the models of {wildcards.table}"
    shell:
        "python -m workflow_scripts.evaluate.effects --recipe {params.recipe:q} --questions {params.questions:q}"
        " {params.thresholds} --out {output} > {log} 2>&1"


rule calibrate:
    input:
        files=calibrated_files,
        left_out=lambda wildcards: lists_that_may_change(calibrated_models(settings, wildcards.calibration)),
    output:
        figures="results/calibration/{calibration}.json",
        confidences="results/calibration/{calibration}.confidences.jsonl",
    log:
        "logs/calibration/{calibration}.log",
    benchmark:
        "logs/costs/calibration/{calibration}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        recipe=lambda wildcards: recipe(calibration_of(wildcards), Calibration.model_fields),
        runs=calibration_options,
        lost=lambda wildcards: lost(
            calibrated_files(wildcards), [f"results/calibration/{wildcards.calibration}.json"]
        ),
        code=code_hash("workflow_scripts.evaluate.calibrate"),
    message:
        "Fitting the confidences of {wildcards.calibration}"
    shell:
        "python -m workflow_scripts.evaluate.calibrate --recipe {params.recipe:q} {params.runs}"
        " --out {output.figures} --confidences {output.confidences} > {log} 2>&1"
