"""Clusters: what a job is started with there, and a small cluster of one's own to try it on."""
