"""What all rules ask a cluster for beside memory and time: the site's partition and GPU flags; which short jobs are
submitted as one; and what is looked at before.  Nothing here changes a result, and nothing of it counts on one machine.
"""

from snakemake.logging import logger

from workflow_scripts.cluster import orphans, preflight

# Group -> the rules whose jobs take seconds.  Jobs of a group that hang together are one SLURM job, and so are several
# chains of them, in the number that the profile's `group-components` gives.  No job outside a group may stand between two
# of its jobs, or the group would wait for itself; and all of it waits for what its last job waits for.
TOGETHER = {
    "scores": "score|intervals|thresholds",
    "tables": "effects|calibrate|examples|card|compare|report|manifest|table|table_.*|misheard_words|figure.*|.*_table",
}
CORPORA = (
    "microworld|tydiqa|squad|chaii|split_.*|matched|translations_from_.*|translated_.*|transliterated_corpus"
    "|versions_from_files|transcribed_questions|bitext|bitext_links|guard|gold_.*"
)
PAIRS = "held_out.*|sentence_pairs|linker_pairs|counted_pairs|links|retrieval_links"
if settings.microworld and not of_kind(settings.translations, TRANSLATORS):
    # the generated world is small, and what is made of it waits for no translator
    TOGETHER |= {"corpora": CORPORA, "pairs": PAIRS, "features": "contexts|windows"}
else:
    TOGETHER |= {"features-of-a-corpus": "contexts|windows"}
# What a job takes that is submitted with others.
SHORT = minutes(5)


def ask_of_cluster(all_rules):
    """Give all rules what jobs ask for on SLURM beside memory and time."""
    names = [
        "slurm_account",
        "slurm_partition",
        "qos",
        "gpu",
        "gres",
        "gpu_model",
        "constraint",
        "cpus_per_task",
    ]
    for made in all_rules:
        given = made.resources
        chosen = workflow.resource_settings.overwrite_resources.get(made.name, {})
        wants = names if "gpu" in given else names[:3]
        given.update({name: from_site(name, given) for name in wants if name not in chosen})
        given["tmpdir"] = scratch(given["tmpdir"])
        for group, of in TOGETHER.items():
            if re.fullmatch(of, made.name):
                made.group = group
                given.update({"short": 1, "runtime": SHORT})


def from_site(name, given):
    """A resource of that name: what the site file makes of the job's GPUs, else what the rule gives."""
    before, gpus, nodes = (given.get(key) for key in (name, "gpu", "nodes"))

    def value(wildcards, **context):
        def of_rule(resource, default):
            return resource.evaluate(wildcards, **context).value or default

        if on_slurm():
            asked = sites.asked(site(), of_rule(gpus, 0), of_rule(nodes, 1))
            if name in asked:
                return asked[name]
        return before.evaluate(wildcards, **context).value

    return value


def scratch(before):
    """The folder for temporary files: inside a SLURM job the site's, as the node understands it."""

    def value(wildcards, **context):
        if "SLURM_JOB_ID" in os.environ and site().scratch:
            return os.path.expandvars(site().scratch)
        return before.evaluate(wildcards, **context).value

    return value


def look_before_submitting():
    """End the run with a sentence where SLURM or the disks would refuse what is about to be submitted."""
    file = sites.place(Path(workflow.basedir))
    group_of = workflow.dag.get_job_group  # only jobs that are to be run have one
    waiting = list(workflow.dag.needrun_jobs())
    submitted = {group_of(job) or job for job in waiting if not job.is_local}
    try:
        preflight.check_folders([Path("results"), Path("work"), Path("logs")], site(), file)
        preflight.check_jobs(
            site(), file, {preflight.job(job.name, job.resources, job.threads) for job in submitted}
        )
        if os.environ.get("HF_HUB_OFFLINE") != "0":  # as rules/cluster.smk sets it for jobs
            preflight.check_models(models_of(waiting))
        if sentence := preflight.nodes_may_not_see(Path.cwd()):
            print(f"warning: {sentence}", file=sys.stderr)
    except InputError as error:
        sys.exit(f"error: {error}")


def models_of(jobs):
    """The models of the hub that some jobs load."""
    found = []
    for job in jobs:
        if job.rule.name == "checkpoint":
            found += models_named(settings.encoders[job.wildcards.encoder])
        elif job.rule.name == "translate":
            found += models_named(settings.translations[job.wildcards.translations])
    return list(dict.fromkeys(found))


# The executor guesses an account where the site file names none, and tells three times that it could not.
class NoGuess(logging.Filter):
    def filter(self, record):
        return "SLURM account" not in record.getMessage()


onstart:
    if on_slurm():
        logger.addFilter(NoGuess())
        look_before_submitting()
        if ended := orphans.end(Path.cwd()):
            print(ended, file=sys.stderr)
    else:
        # Snakemake's limit on the rate of jobs looks for work again every second for every job that has finished: a
        # hundred times a second in the end.  On one machine nothing needs to be held back.
        workflow.scheduler.job_rate_limiter = None


ask_of_cluster(workflow.rules)
remember_parameters(workflow.rules)
