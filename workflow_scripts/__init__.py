"""Cross-lingual extractive question answering: every step of the workflow, each with a command line of its own."""
