"""Settings of calibration: what counts as right, and how a table of it is cut."""

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe


class Calibration(Recipe):
    """When an answer counts as right, and how confidences are put into bins."""

    least_f1: float = Field(
        1.0, gt=0, le=1, description="F1 of a minimal answer from which on it counts as right"
    )
    bins: Positive = Field(10, description="bins of equal width that confidences from 0 to 1 are put into")


class CalibrationTable(Recipe):
    """What tables of calibration say of their models."""

    labels: dict[str, str] = Field(min_length=1, description="model -> printed name")
    fitted_on: str = Field(description="name of the evaluation that temperatures are fitted on")
    evaluation: str = Field(description="name of the evaluation that they are tried on")
