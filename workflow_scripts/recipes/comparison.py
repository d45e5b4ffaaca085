"""What a table beside the published one shows."""

from pydantic import Field

from workflow_scripts.recipes.base import Recipe
from workflow_scripts.recipes.outcomes import OutcomesTable
from workflow_scripts.recipes.sections import SectionsTable
from workflow_scripts.recipes.table import Printed, Table


class Comparison(Recipe):
    """A table beside the published one."""

    table: Table | SectionsTable | OutcomesTable = Field(description="the table")
    printed: Printed = Field(description="the published one")
