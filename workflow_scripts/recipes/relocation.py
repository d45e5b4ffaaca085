"""How sure it is that an answer was found again where it is."""

from typing import Literal, get_args

# "sentence": only the sentence that holds it was found
Label = Literal["sentence", "low", "medium", "high"]
LABELS: tuple[Label, ...] = get_args(Label)  # from the least sure
