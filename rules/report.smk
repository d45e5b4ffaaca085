"""Tables."""


localrules:
    all,
    all_tables,


rule all_tables:
    input:
        tables(papers_tables()),


rule table:
    input:
        scores=lambda wildcards: flat(model_scores(wildcards)),
        stars=stars_of,
        guard=guard_reports,
    output:
        csv=shown("results/tables/{table}.csv", "table", "Tables", title_of),
        markdown="results/tables/{table}.md",
        latex="results/tables/{table}.tex",
    log:
        "logs/tables/{table}.log",
    benchmark:
        "logs/costs/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(score_tables(settings)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(table_recipe(settings, wildcards.table)),
        scores=lambda wildcards: [
            f"{model}={','.join(files)}" for model, files in model_scores(wildcards).items()
        ],
        stars=lambda wildcards: [f"--effects {file}" for file in stars_of(wildcards)],
        code=code_hash("workflow_scripts.report.tables"),
    message:
        "Writing {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.tables --recipe {params.recipe:q} --scores {params.scores:q}"
        " {params.stars} --csv {output.csv} --markdown {output.markdown} --latex {output.latex} > {log} 2>&1"


rule table_of_sections:
    input:
        scores=lambda wildcards: flat(shown_scores(wildcards)),
        guard=guard_reports,
    output:
        csv=shown("results/tables/{table}.csv", "table", "Tables", title_of),
        markdown="results/tables/{table}.md",
        latex="results/tables/{table}.tex",
    log:
        "logs/tables/{table}.log",
    benchmark:
        "logs/costs/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(of_kind(settings.tables, SectionsTableOf)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(sections_recipe(settings, wildcards.table)),
        scores=lambda wildcards: [
            f"{shown}={','.join(files)}" for shown, files in shown_scores(wildcards).items()
        ],
        code=code_hash("workflow_scripts.report.sections"),
    message:
        "Writing {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.sections --recipe {params.recipe:q} --scores {params.scores:q}"
        " --csv {output.csv} --markdown {output.markdown} --latex {output.latex} > {log} 2>&1"


rule table_of_outcomes:
    input:
        questions=lambda wildcards: flat(shown_scores(wildcards, "questions.jsonl")),
        guard=guard_reports,
    output:
        csv=shown("results/tables/{table}.csv", "table", "Tables", title_of),
        markdown="results/tables/{table}.md",
        latex="results/tables/{table}.tex",
    log:
        "logs/tables/{table}.log",
    benchmark:
        "logs/costs/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(of_kind(settings.tables, OutcomesTableOf)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(outcomes_recipe(settings, wildcards.table)),
        questions=lambda wildcards: [
            f"{shown}={','.join(files)}"
            for shown, files in shown_scores(wildcards, "questions.jsonl").items()
        ],
        code=code_hash("workflow_scripts.report.outcomes"),
    message:
        "Writing {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.outcomes --recipe {params.recipe:q} --questions {params.questions:q}"
        " --csv {output.csv} --markdown {output.markdown} --latex {output.latex} > {log} 2>&1"


rule table_of_pairs:
    input:
        lambda wildcards: flat(pairs_shown(wildcards)),
    output:
        csv=shown("results/tables/{table}.csv", "table", "Tables", title_of),
        markdown="results/tables/{table}.md",
        latex="results/tables/{table}.tex",
    log:
        "logs/tables/{table}.log",
    benchmark:
        "logs/costs/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(of_kind(settings.tables, PairsTableOf)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(pairs_table_recipe(settings, wildcards.table)),
        pairs=lambda wildcards: named(pairs_shown(wildcards)),
        code=code_hash("workflow_scripts.report.pairs"),
    message:
        "Writing {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.pairs --recipe {params.recipe:q} --pairs {params.pairs}"
        " --csv {output.csv} --markdown {output.markdown} --latex {output.latex} > {log} 2>&1"


rule table_of_alignments:
    input:
        lambda wildcards: flat(pairs_shown(wildcards)),
    output:
        csv=shown("results/tables/{table}.csv", "table", "Tables", title_of),
        markdown="results/tables/{table}.md",
        latex="results/tables/{table}.tex",
    log:
        "logs/tables/{table}.log",
    benchmark:
        "logs/costs/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(of_kind(settings.tables, AlignmentsTableOf)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(alignments_recipe(settings, wildcards.table)),
        pairs=lambda wildcards: named(pairs_shown(wildcards)),
        code=code_hash("workflow_scripts.report.alignments"),
    message:
        "Writing {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.alignments --recipe {params.recipe:q} --pairs {params.pairs}"
        " --csv {output.csv} --markdown {output.markdown} --latex {output.latex} > {log} 2>&1"


rule table_of_settings:
    output:
        csv=shown("results/tables/{table}.csv", "table", "Tables", title_of),
        markdown="results/tables/{table}.md",
        latex="results/tables/{table}.tex",
    log:
        "logs/tables/{table}.log",
    benchmark:
        "logs/costs/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(of_kind(settings.tables, SettingsTableOf)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(settings_recipe(settings, wildcards.table)),
        code=code_hash("workflow_scripts.report.settings"),
    message:
        "Writing {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.settings --recipe {params.recipe:q}"
        " --csv {output.csv} --markdown {output.markdown} --latex {output.latex} > {log} 2>&1"


rule table_of_records:
    input:
        questions=lambda wildcards: questions(record_corpora(wildcards)),
        left_out=lambda wildcards: flat(record_lists(wildcards)),
    output:
        csv=shown("results/tables/{table}.csv", "table", "Tables", title_of),
        markdown="results/tables/{table}.md",
        latex="results/tables/{table}.tex",
    log:
        "logs/tables/{table}.log",
    benchmark:
        "logs/costs/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(of_kind(settings.tables, RecordsTableOf)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        recipe=lambda wildcards: recipe(records_table_recipe(settings, wildcards.table)),
        questions=lambda wildcards: corpus_tables(record_corpora(wildcards)),
        left_out=lambda wildcards: named(record_lists(wildcards)),
        code=code_hash("workflow_scripts.report.records"),
    message:
        "Writing {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.records --recipe {params.recipe:q} --questions {params.questions}"
        " --left-out {params.left_out} --csv {output.csv} --markdown {output.markdown}"
        " --latex {output.latex} > {log} 2>&1"


rule table_of_effects:
    input:
        effects="results/effects/{table}.json",
        guard=compared_guard,
    output:
        csv=shown("results/tables/{table}.csv", "table", "Tables", title_of),
        markdown="results/tables/{table}.md",
        latex="results/tables/{table}.tex",
    log:
        "logs/tables/{table}.log",
    benchmark:
        "logs/costs/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(of_kind(settings.tables, EffectsTableOf)),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(effects_recipe(settings, wildcards.table)),
        code=code_hash("workflow_scripts.report.effects"),
    message:
        "Writing {wildcards.table}"
    shell:
        "python -m workflow_scripts.report.effects --recipe {params.recipe:q} --effects {input.effects}"
        " --csv {output.csv} --markdown {output.markdown} --latex {output.latex} > {log} 2>&1"


# Recipes that grow with models and seeds go by a pipe, which unlike an argument of a program has no limit.
rule report:
    input:
        tables=expand("results/tables/{table}.{form}", table=settings.tables, form=["csv", "md"]),
        effects=expand("results/effects/{table}.json", table=of_kind(settings.tables, EffectsTableOf)),
        figures=figures(["svg"]),
        examples=expand("results/examples/{evaluation}.json", evaluation=settings.examples),
        template=os.path.relpath(Path(workflow.basedir, "resources/report/page.html.j2")),
    output:
        shown(
            "results/report.html",
            "page",
            "Page",
            {"title": "Results"},
        ),
    log:
        "logs/report.log",
    benchmark:
        "logs/costs/report.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(page_recipe(settings)),
        code=code_hash("workflow_scripts.report.page"),
    message:
        "Writing the page of results"
    shell:
        "printf %s {params.recipe:q} | python -m workflow_scripts.report.page --recipe - --tables results/tables"
        " --effects results/effects --figures results/figures --examples results/examples --costs logs/costs"
        " --results results --template {input.template:q} --out {output} > {log} 2>&1"


rule compare:
    input:
        table="results/tables/{table}.csv",
        printed=printed_table,
    output:
        csv=shown("results/tables/{table}.compare.csv", "comparison", "Beside published tables", title_of),
        markdown="results/tables/{table}.compare.md",
        latex="results/tables/{table}.compare.tex",
    log:
        "logs/tables/{table}.compare.log",
    benchmark:
        "logs/costs/tables/{table}.compare.tsv"
    wildcard_constraints:
        table=one_of(printed_tables()),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=comparison_recipe,
        code=code_hash("workflow_scripts.report.compare"),
    message:
        "Writing {wildcards.table} beside the published one"
    shell:
        "python -m workflow_scripts.report.compare --recipe {params.recipe:q} --table {input.table} --csv {output.csv}"
        " --markdown {output.markdown} --latex {output.latex} > {log} 2>&1"


rule retrieval_table:
    input:
        "results/retrieval/{retrieval}.json",
    output:
        csv=shown("results/retrieval/{retrieval}.csv", "retrieval", "Retrieval", {"title": "{retrieval}"}),
        markdown="results/retrieval/{retrieval}.md",
    log:
        "logs/retrieval/{retrieval}.table.log",
    benchmark:
        "logs/costs/retrieval/{retrieval}.table.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(retrieval_table(settings, wildcards.retrieval)),
        code=code_hash("workflow_scripts.report.retrieval"),
    message:
        "Writing the tables of {wildcards.retrieval}"
    shell:
        "python -m workflow_scripts.report.retrieval --recipe {params.recipe:q} --figures {input}"
        " --csv {output.csv} --markdown {output.markdown} > {log} 2>&1"


rule calibration_table:
    input:
        figures="results/calibration/{calibration}.json",
        guard=calibration_guard,
    output:
        csv=shown(
            "results/calibration/{calibration}.csv", "calibration", "Calibration", {"title": "{calibration}"}
        ),
        markdown="results/calibration/{calibration}.md",
    log:
        "logs/calibration/{calibration}.table.log",
    benchmark:
        "logs/costs/calibration/{calibration}.table.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(calibration_table(settings, wildcards.calibration)),
        code=code_hash("workflow_scripts.report.calibration"),
    message:
        "Writing the tables of {wildcards.calibration}"
    shell:
        "python -m workflow_scripts.report.calibration --recipe {params.recipe:q} --figures {input.figures}"
        " --csv {output.csv} --markdown {output.markdown} > {log} 2>&1"


# In the model's folder, but no output of its tuning: it tells scores, which nothing that is trained depends on.  Tuning
# again leaves it until the new scores are there.
rule card:
    input:
        config="results/models/{model}/seed{seed}/config.json",
        weights=lambda wildcards: expand(
            "results/models/{{model}}/seed{{seed}}/{file}",
            file=["model.safetensors", "answer_type.safetensors"],
        ),
        training="results/models/{model}/seed{seed}/training.json",
        intervals=lambda wildcards: flat(card_intervals(wildcards)),
        gold=card_example,
        questions=lambda wildcards: flat(card_questions(wildcards)),
        left_out=lambda wildcards: flat(card_lists(wildcards)),
    output:
        "results/models/{model}/seed{seed}/README.md",
    log:
        "logs/cards/{model}/seed{seed}.log",
    benchmark:
        "logs/costs/cards/{model}/seed{seed}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        recipe=lambda wildcards: recipe(card_of(wildcards)),
        intervals=lambda wildcards: named(card_intervals(wildcards)),
        questions=lambda wildcards: named(card_questions(wildcards)),
        left_out=lambda wildcards: named(card_lists(wildcards)),
        code=code_hash("workflow_scripts.report.card"),
    message:
        "Writing the card of {wildcards.model}, seed {wildcards.seed}"
    shell:
        "python -m workflow_scripts.report.card --recipe {params.recipe:q} --training {input.training}"
        " --intervals {params.intervals} --gold {input.gold} --questions {params.questions}"
        " --left-out {params.left_out} --out {output} > {log} 2>&1"


localrules:
    cards,


rule cards:
    input:
        cards(),


# Asked for by name, as results/manifest.json: it is made of what is there, and nothing is made of it.
rule manifest:
    input:
        lambda wildcards: manifest().files(),
    output:
        "results/manifest.json",
    log:
        "logs/manifest.log",
    benchmark:
        "logs/costs/manifest.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        recipe=lambda wildcards: recipe(manifest()),
        code=code_hash("workflow_scripts.report.manifest"),
    message:
        "Writing what every number was made from"
    shell:
        "printf %s {params.recipe:q} | python -m workflow_scripts.report.manifest --recipe - --out {output} > {log} 2>&1"
