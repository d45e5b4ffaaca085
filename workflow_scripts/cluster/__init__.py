"""SLURM: what a site is called and what it has, and what is looked at before anything is submitted."""
