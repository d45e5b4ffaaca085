"""Figures: which there are follows from tables, measurements and corpora (`workflow_scripts/figures.py`)."""


rule figure_of_effects:
    input:
        "results/effects/{table}.json",
    output:
        svg=shown("results/figures/effects/{table}.svg", "figure", "Figures", figure_of("effects")),
        png="results/figures/effects/{table}.png",
        page="results/figures/effects/{table}.html",
    log:
        "logs/figures/effects/{table}.log",
    benchmark:
        "logs/costs/figures/effects/{table}.tsv"
    wildcard_constraints:
        table=one_of(of_kind(settings.tables, EffectsTableOf)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(effects_recipe(settings, wildcards.table)),
        code=code_hash("workflow_scripts.report.effects_figure"),
    message:
        "Drawing the effects of {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.effects_figure --recipe {params.recipe:q} --effects {input}"
        " --svg {output.svg} --png {output.png} --page {output.page} > {log} 2>&1"


rule figure_of_heat_maps:
    input:
        "results/tables/{table}.csv",
    output:
        svg=shown("results/figures/heat_maps/{table}.svg", "figure", "Figures", figure_of("languages")),
        png="results/figures/heat_maps/{table}.png",
        page="results/figures/heat_maps/{table}.html",
    log:
        "logs/figures/heat_maps/{table}.log",
    benchmark:
        "logs/costs/figures/heat_maps/{table}.tsv"
    wildcard_constraints:
        table=one_of(heat_mapped(settings)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(heat_maps_recipe(settings, wildcards.table)),
        code=code_hash("workflow_scripts.report.heat_maps"),
    message:
        "Drawing questions by contexts of {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.heat_maps --recipe {params.recipe:q} --table {input}"
        " --svg {output.svg} --png {output.png} --page {output.page} > {log} 2>&1"


rule figure_of_sizes:
    input:
        table="results/tables/{table}.csv",
        data=lambda wildcards: [file for of in counted_data(wildcards).values() for file in of.values()],
    output:
        svg=shown("results/figures/{grown}_size/{table}.svg", "figure", "Figures", figure_of("sizes of data")),
        png="results/figures/{grown}_size/{table}.png",
        page="results/figures/{grown}_size/{table}.html",
    log:
        "logs/figures/{grown}_size/{table}.log",
    benchmark:
        "logs/costs/figures/{grown}_size/{table}.tsv"
    wildcard_constraints:
        grown="alignment|training",
        table=one_of([*sized(settings, "alignment"), *sized(settings, "training")]),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(sizes_recipe(settings, wildcards.table, wildcards.grown)),
        data=lambda wildcards: options(counted_data(wildcards)),
        code=code_hash("workflow_scripts.report.data_sizes"),
    message:
        "Drawing the scores of {wildcards.table} by size of the data"
    shell:
        "python -m workflow_scripts.report.data_sizes --recipe {params.recipe:q} --table {input.table} {params.data}"
        " --svg {output.svg} --png {output.png} --page {output.page} > {log} 2>&1"


rule misheard_words:
    input:
        written=lambda wildcards: misheard(wildcards, 0).values(),
        heard=lambda wildcards: misheard(wildcards, 1).values(),
    output:
        "results/misheard/{table}.json",
    log:
        "logs/misheard/{table}.log",
    benchmark:
        "logs/costs/misheard/{table}.tsv"
    wildcard_constraints:
        table=one_of(heard_tables(settings)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        written=lambda wildcards: named(misheard(wildcards, 0)),
        heard=lambda wildcards: named(misheard(wildcards, 1)),
        code=code_hash("workflow_scripts.evaluate.misheard"),
    message:
        "Counting misheard words of the questions in {wildcards.table}"
    shell:
        "python -m workflow_scripts.evaluate.misheard --written {params.written} --heard {params.heard} --out {output}"
        " > {log} 2>&1"


rule figure_of_heard:
    input:
        scores=lambda wildcards: flat(shown_scores(wildcards)),
        misheard="results/misheard/{table}.json",
    output:
        svg=shown("results/figures/heard/{table}.svg", "figure", "Figures", figure_of("speech")),
        png="results/figures/heard/{table}.png",
        page="results/figures/heard/{table}.html",
    log:
        "logs/figures/heard/{table}.log",
    benchmark:
        "logs/costs/figures/heard/{table}.tsv"
    wildcard_constraints:
        table=one_of(heard_tables(settings)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(heard_recipe(settings, wildcards.table)),
        scores=lambda wildcards: [
            f"{shown}={','.join(files)}" for shown, files in shown_scores(wildcards).items()
        ],
        code=code_hash("workflow_scripts.report.heard"),
    message:
        "Drawing scores of questions as they were heard, of {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.heard --recipe {params.recipe:q} --scores {params.scores:q} --misheard {input.misheard}"
        " --svg {output.svg} --png {output.png} --page {output.page} > {log} 2>&1"


rule figure_of_retrieval:
    input:
        "results/retrieval/{retrieval}.json",
    output:
        svg=shown(
            "results/figures/retrieval/{retrieval}.svg",
            "figure",
            "Figures",
            {"title": "{retrieval}", "shows": "retrieval"},
        ),
        png="results/figures/retrieval/{retrieval}.png",
        page="results/figures/retrieval/{retrieval}.html",
    log:
        "logs/figures/retrieval/{retrieval}.log",
    benchmark:
        "logs/costs/figures/retrieval/{retrieval}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(retrieval_table(settings, wildcards.retrieval)),
        code=code_hash("workflow_scripts.report.retrieval_figure"),
    message:
        "Drawing {wildcards.retrieval} before and after alignment"
    shell:
        "python -m workflow_scripts.report.retrieval_figure --recipe {params.recipe:q} --figures {input}"
        " --svg {output.svg} --png {output.png} --page {output.page} > {log} 2>&1"


if relocated(settings):

    rule figure_of_relocation:
        input:
            [file for of in relocated_files().values() for file in of.values()],
        output:
            svg=shown(
                "results/figures/relocation.svg",
                "figure",
                "Figures",
                {"title": "translations", "shows": "answers found again"},
            ),
            png="results/figures/relocation.png",
            page="results/figures/relocation.html",
        log:
            "logs/figures/relocation.log",
        benchmark:
            "logs/costs/figures/relocation.tsv"
        conda:
            "../envs/xlqa.yaml"
        resources:
            mem_mb=memory(2000),
            runtime=minutes(10),
        params:
            recipe=recipe(relocations_recipe(settings)),
            files=options(relocated_files()),
            code=code_hash("workflow_scripts.report.relocation_figure"),
        message:
            "Drawing how answers were found again"
        shell:
            "python -m workflow_scripts.report.relocation_figure --recipe {params.recipe:q} {params.files}"
            " --svg {output.svg} --png {output.png} --page {output.page} > {log} 2>&1"


# Its recipe grows with models and seeds, and goes by a pipe, as the page's.
rule figure_of_training:
    input:
        lambda wildcards: flat(training_facts(wildcards)),
    output:
        svg=shown(
            "results/figures/training/{encoder}.svg",
            "figure",
            "Figures",
            {"title": "{encoder}", "shows": "training"},
        ),
        png="results/figures/training/{encoder}.png",
        page="results/figures/training/{encoder}.html",
    log:
        "logs/figures/training/{encoder}.log",
    benchmark:
        "logs/costs/figures/training/{encoder}.tsv"
    wildcard_constraints:
        encoder=one_of(trained_encoders(settings)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(curves_recipe(settings, wildcards.encoder)),
        training=lambda wildcards: named(training_facts(wildcards)),
        code=code_hash("workflow_scripts.report.training_curves"),
    message:
        "Drawing the training of models of {wildcards.encoder}"
    shell:
        "printf %s {params.recipe:q} | python -m workflow_scripts.report.training_curves --recipe - --training {params.training}"
        " --svg {output.svg} --png {output.png} --page {output.page} > {log} 2>&1"
