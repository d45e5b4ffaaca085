"""Parallel text to word links to an encoder whose languages are aligned."""


rule public_sentences:
    input:
        lambda wildcards: list(archives_of(wildcards).values()),
    output:
        foreign="results/bitexts/{joined}/{language}-en.{language}",
        english="results/bitexts/{joined}/{language}-en.en",
        dropped="results/bitexts/{joined}/{language}-en.dropped.jsonl",
    log:
        "logs/bitexts/{joined}/{language}.log",
    benchmark:
        "logs/costs/bitexts/{joined}/{language}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(240),
    params:
        recipe=lambda wildcards: recipe(joined_sources()[wildcards.joined], Bitext.model_fields),
        archives=lambda wildcards: named(archives_of(wildcards)),
        code=code_hash("workflow_scripts.acquire.bitext"),
    message:
        "Joining sentence pairs {wildcards.language}-en of {wildcards.joined}"
    shell:
        "python -m workflow_scripts.acquire.bitext --archives {params.archives} --language {wildcards.language}"
        " --recipe {params.recipe:q} --foreign {output.foreign} --english {output.english} --dropped {output.dropped}"
        " > {log} 2>&1"


rule held_out:
    input:
        foreign=lambda wildcards: source_of(wildcards).files(wildcards.language)[0],
        english=lambda wildcards: source_of(wildcards).files(wildcards.language)[1],
    output:
        pairs="results/held_out/{source}/{language}.txt",
    log:
        "logs/held_out/{source}/{language}.log",
    benchmark:
        "logs/costs/held_out/{source}/{language}.tsv"
    wildcard_constraints:
        source=one_of(name for name, entry in settings.parallel.items() if not entry.links),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        sentences=lambda wildcards: source_of(wildcards).held_out,
        code=code_hash("workflow_scripts.acquire.withhold"),
    message:
        "Holding out sentence pairs {wildcards.language}-en of {wildcards.source}"
    shell:
        "python -m workflow_scripts.acquire.withhold --foreign {input.foreign:q} --english {input.english:q}"
        " --language {wildcards.language} --sentences {params.sentences} --out {output.pairs}"
        " > {log} 2>&1"


rule held_out_with_links:
    input:
        foreign=lambda wildcards: source_of(wildcards).files(wildcards.language)[0],
        english=lambda wildcards: source_of(wildcards).files(wildcards.language)[1],
        gold=lambda wildcards: source_of(wildcards).gold(wildcards.language),
    output:
        pairs="results/held_out/{source}/{language}.txt",
        links="results/held_out/{source}/{language}.links",
    log:
        "logs/held_out/{source}/{language}.log",
    benchmark:
        "logs/costs/held_out/{source}/{language}.tsv"
    wildcard_constraints:
        source=one_of(name for name, entry in settings.parallel.items() if entry.links),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        sentences=lambda wildcards: source_of(wildcards).held_out,
        code=code_hash("workflow_scripts.acquire.withhold"),
    message:
        "Holding out sentence pairs {wildcards.language}-en of {wildcards.source}"
    shell:
        "python -m workflow_scripts.acquire.withhold --foreign {input.foreign:q} --english {input.english:q}"
        " --language {wildcards.language} --sentences {params.sentences} --gold {input.gold:q}"
        " --out {output.pairs} --links {output.links} > {log} 2>&1"


rule sentence_pairs:
    input:
        foreign=lambda wildcards: sentence_pairs(wildcards)[0],
        english=lambda wildcards: sentence_pairs(wildcards)[1],
        held_out=held_out,
    output:
        pairs="results/parallel/{alignment}/{language}.txt",
        dropped="results/parallel/{alignment}/{language}.dropped.jsonl",
    log:
        "logs/parallel/{alignment}/{language}.log",
    benchmark:
        "logs/costs/parallel/{alignment}/{language}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        recipe=lambda wildcards: recipe(alignment_of(wildcards).filter),
        code=code_hash("workflow_scripts.acquire.parallel"),
    message:
        "Choosing sentence pairs {wildcards.language}-en for {wildcards.alignment}"
    shell:
        "python -m workflow_scripts.acquire.parallel --foreign {input.foreign:q} --english {input.english:q}"
        " --language {wildcards.language} --recipe {params.recipe:q} --held-out {input.held_out} --out {output.pairs}"
        " --dropped {output.dropped} > {log} 2>&1"


# Sentence pairs that an encoder is trained on, so that it links words; chosen as those that are aligned are.
use rule sentence_pairs as linker_pairs with:
    input:
        foreign=lambda wildcards: linker_sentences(wildcards)[0],
        english=lambda wildcards: linker_sentences(wildcards)[1],
        held_out=held_out_from_linker,
    output:
        pairs="results/linker_pairs/{encoder}/{language}.txt",
        dropped="results/linker_pairs/{encoder}/{language}.dropped.jsonl",
    log:
        "logs/linker_pairs/{encoder}/{language}.log",
    benchmark:
        "logs/costs/linker_pairs/{encoder}/{language}.tsv"
    params:
        recipe=lambda wildcards: recipe(encoder_of(wildcards).filter),
        code=code_hash("workflow_scripts.acquire.parallel"),
    message:
        "Choosing sentence pairs {wildcards.language}-en to train the encoder {wildcards.encoder} on"


rule train_linker:
    input:
        encoder=lambda wildcards: expand(
            "results/encoders/{encoder}/{file}", encoder=encoder_of(wildcards).of, file=ENCODER
        ),
        pairs=lambda wildcards: list(linker_pairs(wildcards).values()),
    output:
        expand("results/encoders/{{encoder}}/{file}", file=[*ENCODER, "training.json", "dropped.jsonl"]),
    log:
        "logs/encoders/{encoder}.log",
    benchmark:
        "logs/costs/encoders/{encoder}.tsv"
    wildcard_constraints:
        encoder=one_of(name for name, entry in settings.encoders.items() if entry.tune),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000, for_each_mb=6),
        runtime=minutes(1440),
        gpu=1,
    params:
        recipe=lambda wildcards: recipe(encoder_of(wildcards).tune),
        pairs=lambda wildcards: named(linker_pairs(wildcards)),
        encoder=lambda wildcards, input: folder(input.encoder),
        work="work/encoders/{encoder}",
        out=lambda wildcards, output: folder(output),
        code=code_hash("workflow_scripts.align.linker"),
    message:
        "Training the encoder {wildcards.encoder} to link words"
    shell:
        "python -m workflow_scripts.cluster.launch workflow_scripts.align.linker --encoder {params.encoder} --pairs {params.pairs}"
        " --recipe {params.recipe:q} --work {params.work} --out {params.out} > {log} 2>&1"


rule links:
    input:
        "results/parallel/{alignment}/{language}.txt",
    output:
        links="results/links/{alignment}/{language}.links",
        dropped="results/links/{alignment}/{language}.links.dropped.jsonl",
        report="results/links/{alignment}/{language}.links.json",
    log:
        "logs/links/{alignment}/{language}.log",
    benchmark:
        "logs/costs/links/{alignment}/{language}.tsv"
    wildcard_constraints:
        alignment=one_of(linking(settings.alignments, "statistical")),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000, for_each_mb=8),
        runtime=minutes(120),
    params:
        recipe=lambda wildcards: recipe(alignment_of(wildcards).links, Links.model_fields),
        code=code_hash("workflow_scripts.align.links"),
    message:
        "Linking words of {wildcards.language}-en for {wildcards.alignment}"
    shell:
        "python -m workflow_scripts.align.links --pairs {input} --recipe {params.recipe:q} --out {output.links}"
        " --dropped {output.dropped} --report {output.report} > {log} 2>&1"


rule neural_links:
    input:
        pairs="results/parallel/{alignment}/{language}.txt",
        encoder=lambda wildcards: linking_encoder(alignment_of(wildcards).links),
    output:
        links="results/links/{alignment}/{language}.links",
        scores="results/links/{alignment}/{language}.links.scores",
        dropped="results/links/{alignment}/{language}.links.dropped.jsonl",
        report="results/links/{alignment}/{language}.links.json",
    log:
        "logs/links/{alignment}/{language}.log",
    benchmark:
        "logs/costs/links/{alignment}/{language}.tsv"
    wildcard_constraints:
        alignment=one_of(linking(settings.alignments, "neural")),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000, for_each_mb=3),
        runtime=minutes(720),
        gpu=1,
    params:
        recipe=lambda wildcards: recipe(alignment_of(wildcards).links, Links.model_fields),
        encoder=lambda wildcards, input: folder(input.encoder),
        code=code_hash("workflow_scripts.align.links"),
        linker=code_hash("workflow_scripts.align.neural"),
    message:
        "Linking words of {wildcards.language}-en for {wildcards.alignment}, by an encoder's hidden states"
    shell:
        "python -m workflow_scripts.cluster.launch workflow_scripts.align.links --pairs {input.pairs} --encoder {params.encoder}"
        " --recipe {params.recipe:q} --out {output.links} --scores {output.scores} --dropped {output.dropped}"
        " --report {output.report} > {log} 2>&1"


rule align_encoder:
    input:
        encoder=expand("results/encoders/{{encoder}}/{file}", file=ENCODER),
        pairs=lambda wildcards: list(aligned_files(wildcards, "txt").values()),
        links=lambda wildcards: list(aligned_files(wildcards, "links").values()),
    output:
        expand(
            "results/aligned/{{encoder}}/{{alignment}}/{file}",
            file=[*ENCODER, "training.json", "dropped.jsonl"],
        ),
    log:
        "logs/aligned/{encoder}/{alignment}.log",
    benchmark:
        "logs/costs/aligned/{encoder}/{alignment}.tsv"
    wildcard_constraints:
        alignment=one_of(name for name, entry in settings.alignments.items() if entry.pairs),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000, for_each_mb=6),
        runtime=minutes(720),
        gpu=1,
    params:
        recipe=lambda wildcards: recipe(alignment_of(wildcards).objective),
        pairs=lambda wildcards: named(aligned_files(wildcards, "txt")),
        links=lambda wildcards: named(aligned_files(wildcards, "links")),
        encoder=lambda wildcards, input: folder(input.encoder),
        work="work/aligned/{encoder}/{alignment}",
        out=lambda wildcards, output: folder(output),
        code=code_hash("workflow_scripts.align.finetune"),
    message:
        "Aligning the encoder {wildcards.encoder} ({wildcards.alignment})"
    shell:
        "python -m workflow_scripts.cluster.launch workflow_scripts.align.finetune --encoder {params.encoder} --pairs {params.pairs}"
        " --links {params.links} --recipe {params.recipe:q} --work {params.work} --out {params.out} > {log} 2>&1"


# An encoder that others aligned and published.  Where its folder is not there, tables say n/a and this rule never runs.
rule aligned_checkpoint:
    input:
        source=lambda wildcards: checkpoint_files(alignment_of(wildcards).checkpoint),
        encoder=expand("results/encoders/{{encoder}}/{file}", file=ENCODER),
    output:
        expand("results/aligned/{{encoder}}/{{alignment}}/{file}", file=[*ENCODER, "training.json"]),
    log:
        "logs/aligned/{encoder}/{alignment}.log",
    benchmark:
        "logs/costs/aligned/{encoder}/{alignment}.tsv"
    wildcard_constraints:
        alignment=one_of(name for name, entry in settings.alignments.items() if entry.checkpoint),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        source=lambda wildcards: alignment_of(wildcards).checkpoint,
        encoder=lambda wildcards, input: folder(input.encoder),
        out=lambda wildcards, output: folder(output),
        code=code_hash("workflow_scripts.encoder.checkpoint"),
    message:
        "Loading {wildcards.alignment}, aligned from {wildcards.encoder} by others, from {params.source}"
    shell:
        "python -m workflow_scripts.encoder.checkpoint --source {params.source:q} --like {params.encoder}"
        " --out {params.out} > {log} 2>&1"


# Links of held-out pairs where there are no gold ones.  Counting needs many pairs, so others are counted with them.
rule counted_pairs:
    input:
        foreign=lambda wildcards: measured_source(wildcards)[0],
        english=lambda wildcards: measured_source(wildcards)[1],
        held_out=lambda wildcards: measured_pairs(wildcards)[wildcards.language],
    output:
        pairs="results/retrieval/{retrieval}/{language}.counted.txt",
        dropped="results/retrieval/{retrieval}/{language}.counted.dropped.jsonl",
    log:
        "logs/retrieval/{retrieval}/{language}.counted.log",
    benchmark:
        "logs/costs/retrieval/{retrieval}/{language}.counted.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        recipe=lambda wildcards: json.dumps({"sentences": retrieval_of(wildcards).counted}),
        code=code_hash("workflow_scripts.acquire.parallel"),
    message:
        "Choosing sentence pairs {wildcards.language}-en to count words in for {wildcards.retrieval}"
    shell:
        "python -m workflow_scripts.acquire.parallel --foreign {input.foreign:q} --english {input.english:q}"
        " --language {wildcards.language} --recipe {params.recipe:q} --held-out {input.held_out} --out {output.pairs}"
        " --dropped {output.dropped} > {log} 2>&1"


rule retrieval_links:
    input:
        pairs=lambda wildcards: measured_pairs(wildcards)[wildcards.language],
        more="results/retrieval/{retrieval}/{language}.counted.txt",
    output:
        links="results/retrieval/{retrieval}/{language}.links",
        dropped="results/retrieval/{retrieval}/{language}.links.dropped.jsonl",
        report="results/retrieval/{retrieval}/{language}.links.json",
    log:
        "logs/retrieval/{retrieval}/{language}.links.log",
    benchmark:
        "logs/costs/retrieval/{retrieval}/{language}.links.tsv"
    wildcard_constraints:
        retrieval=one_of(unlinked("statistical")),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(120),
    params:
        recipe=lambda wildcards: recipe(retrieval_of(wildcards).links, Links.model_fields),
        code=code_hash("workflow_scripts.align.links"),
    message:
        "Linking words of held-out pairs {wildcards.language}-en for {wildcards.retrieval}"
    shell:
        "python -m workflow_scripts.align.links --pairs {input.pairs} --more {input.more} --recipe {params.recipe:q}"
        " --out {output.links} --dropped {output.dropped} --report {output.report} > {log} 2>&1"


rule retrieval_neural_links:
    input:
        pairs=lambda wildcards: measured_pairs(wildcards)[wildcards.language],
        encoder=lambda wildcards: linking_encoder(retrieval_of(wildcards).links),
    output:
        links="results/retrieval/{retrieval}/{language}.links",
        scores="results/retrieval/{retrieval}/{language}.links.scores",
        dropped="results/retrieval/{retrieval}/{language}.links.dropped.jsonl",
        report="results/retrieval/{retrieval}/{language}.links.json",
    log:
        "logs/retrieval/{retrieval}/{language}.links.log",
    benchmark:
        "logs/costs/retrieval/{retrieval}/{language}.links.tsv"
    wildcard_constraints:
        retrieval=one_of(unlinked("neural")),
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
        gpu=1,
    params:
        recipe=lambda wildcards: recipe(retrieval_of(wildcards).links, Links.model_fields),
        encoder=lambda wildcards, input: folder(input.encoder),
        code=code_hash("workflow_scripts.align.links"),
        linker=code_hash("workflow_scripts.align.neural"),
    message:
        "Linking words of held-out pairs {wildcards.language}-en for {wildcards.retrieval}, by an encoder's hidden states"
    shell:
        "python -m workflow_scripts.cluster.launch workflow_scripts.align.links --pairs {input.pairs} --encoder {params.encoder}"
        " --recipe {params.recipe:q} --out {output.links} --scores {output.scores} --dropped {output.dropped}"
        " --report {output.report} > {log} 2>&1"


rule retrieval:
    input:
        encoders=lambda wildcards: flat(compared_encoders(wildcards)),
        pairs=lambda wildcards: list(measured_pairs(wildcards).values()),
        links=lambda wildcards: list(measured_links(wildcards).values()),
    output:
        "results/retrieval/{retrieval}.json",
    log:
        "logs/retrieval/{retrieval}.log",
    benchmark:
        "logs/costs/retrieval/{retrieval}.tsv"
    conda:
        "../envs/xlqa.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
        gpu=1,
    params:
        recipe=lambda wildcards: recipe(retrieval_of(wildcards), Retrieval.model_fields),
        encoders=lambda wildcards: named(
            {label: folder(files) for label, files in compared_encoders(wildcards).items()}
        ),
        pairs=lambda wildcards: named(measured_pairs(wildcards)),
        links=lambda wildcards: named(measured_links(wildcards)),
        code=code_hash("workflow_scripts.align.retrieval"),
    message:
        "Measuring how well languages find one another ({wildcards.retrieval})"
    shell:
        "python -m workflow_scripts.cluster.launch workflow_scripts.align.retrieval --encoder {params.encoders} --pairs {params.pairs}"
        " --links {params.links} --recipe {params.recipe:q} --out {output} > {log} 2>&1"
