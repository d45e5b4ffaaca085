"""How much memory and time jobs ask for, which grow when a job is tried again, and how many want a GPU at a time.  Nothing
of it changes a result."""

from workflow_scripts.cluster import devices
from workflow_scripts.cluster import site as sites


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
        # where files are not there yet, Snakemake asks again once they are; a plan counts those that are there
        planned = workflow.executor_plugin is None or workflow.dryrun
        read = [file for file in input if not planned or os.path.exists(file)] if for_each_mb else []
        size = sum(os.path.getsize(file) for file in read) / 1e6
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
if workflow.is_main_process and workflow.nodes is None and "gpu" not in workflow.global_resources:
    try:
        found = len(devices.pool())
    except InputError as error:
        sys.exit(f"error: {error}")
    if found:
        workflow.register_resource("gpu", found)


# Nodes load published models from the cache that `prefetch` has filled: asking the hub would fail on most of them.
if "SLURM_JOB_ID" in os.environ:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
