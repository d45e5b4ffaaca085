"""What jobs ask a cluster for: memory and time that grow when a job is tried again, the site's partition and GPU flags,
and which short jobs are submitted as one.  Nothing here changes a result, and nothing of it counts on one machine.
"""

from snakemake.logging import logger

from workflow_scripts.cluster import orphans, preflight
from workflow_scripts.cluster import site as sites
from workflow_scripts.cluster.devices import pool as machine_gpus


@functools.cache
def site():
    """The site file, read when the first job is submitted to SLURM or planned for it."""
    try:
        return sites.read(sites.place(Path(workflow.basedir)))
    except InputError as error:
        sys.exit(f"error: {error}")


def on_slurm():
    """Whether jobs are submitted to SLURM, or this is the process that SLURM started for one."""
    plugin = workflow.executor_plugin
    return plugin is not None and plugin.name in {"slurm", "slurm-jobstep"}


def growing(most, first, for_each_mb=0):
    """A resource that is `first`, and `for_each_mb` more for each megabyte that the job reads; twice as much whenever the
    job is tried again, up to what `most` finds in the site file."""

    def amount(wildcards, input, attempt):
        # where files are not there yet, Snakemake asks again once they are
        size = sum(os.path.getsize(file) for file in input) / 1e6 if for_each_mb else 0
        wanted = int(first + for_each_mb * size) * 2 ** (attempt - 1)
        limit = most(site()) if on_slurm() else None
        return min(wanted, limit) if limit else wanted

    return amount


def memory(first, for_each_mb=0):
    """Megabytes of memory of a job."""
    return growing(lambda site: site.max_mem_mb, first, for_each_mb)


def minutes(first, for_each_mb=0):
    """Minutes that a job may take."""
    return growing(lambda site: site.max_minutes, first, for_each_mb)


def on_several_nodes(nodes):
    """What a job that may run on several nodes asks for beside its GPUs, so that Snakemake's SLURM executor starts its
    command once, on the first of them, and leaves it to the command to start a process on each."""

    def where_several(value):
        return lambda wildcards: value(nodes(wildcards)) if nodes(wildcards) > 1 else None

    return {
        "mpi": where_several(lambda number: "srun"),
        "tasks": where_several(lambda number: number),
        "tasks_per_gpu": where_several(lambda number: 0),
    }


# Where jobs run on this machine, as many that want a GPU at a time as it has; a number on the command line wins.  More
# would only wait for one another (workflow_scripts.cluster.launch).
if (
    workflow.is_main_process
    and workflow.nodes is None
    and "gpu" not in workflow.global_resources
    and machine_gpus()
):
    workflow.register_resource("gpu", len(machine_gpus()))


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
    submitted = {group_of(job) or job for job in workflow.dag.needrun_jobs() if not job.is_local}
    try:
        preflight.check_folders([Path("results"), Path("work"), Path("logs")], site(), file)
        preflight.check_jobs(
            site(), file, {preflight.job(job.name, job.resources, job.threads) for job in submitted}
        )
        if sentence := preflight.nodes_may_not_see(Path.cwd()):
            print(f"warning: {sentence}", file=sys.stderr)
    except InputError as error:
        sys.exit(f"error: {error}")


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
