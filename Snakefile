"""From public QA data and parallel text to tables of cross-lingual F1.  See README.md; what is run is config.yaml's affair."""

import gc
import sys
from pathlib import Path

from snakemake.utils import min_version

from workflow_scripts.cli import InputError
from workflow_scripts.config import load

min_version("9.27")

# Python looks for garbage whenever a few hundred objects have been made.  Of the graph of jobs nothing is garbage, and
# looking for some in it takes a fifth of the time that it takes to make it.
gc.set_threshold(50_000, 20, 20)

# A configuration file named on the command line stands alone: merged with the default, it could take nothing away.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml" if Path("config.yaml").exists() else Path(workflow.basedir, "config.yaml")


try:
    settings = load(config)
except InputError as error:
    sys.exit(f"error: {error}")


include: "rules/common.smk"
include: "rules/cluster.smk"
include: "rules/data.smk"
include: "rules/augment.smk"
include: "rules/speech.smk"
include: "rules/align.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/figures.smk"
include: "rules/report.smk"
include: "rules/prefetch.smk"
include: "rules/submit.smk"


rule all:
    default_target: True
    input:
        tables(settings.tables),
        figures(),
        retrieval_tables(),
        calibration_tables(),
