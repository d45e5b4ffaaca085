"""Settings of the step that joins public corpora of sentence pairs."""

from pydantic import Field

from workflow_scripts.recipes.base import Recipe


class Bitext(Recipe):
    """What is taken of the corpora."""

    margin: float = Field(
        1.04,
        description="wikimatrix-tsv: least margin score of a pair (1.04 is good for most languages, its authors say)",
    )
