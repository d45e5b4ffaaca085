"""What jobs need of the world outside, fetched where there is internet: snakemake --cores 1 prefetch."""


localrules:
    prefetch,


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
