"""What jobs ask a cluster for: memory and time that grow when a job is tried again, the site's partition and GPU flags,
and which short jobs are submitted as one.  Nothing here changes a result, and nothing of it counts on one machine.
"""

from snakemake.logging import logger

from workflow_scripts.cluster import preflight
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


# Nodes load published models from the cache that `prefetch` has filled: asking the hub would fail on most of them.
if "SLURM_JOB_ID" in os.environ:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
