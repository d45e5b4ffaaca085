"""Train a model as `qa.tune` does, and keep the weights that do best on a development set.

The questions of --dev-… are answered every so many steps, as the recipe's `selection` says, and scored; of equal scores
the earlier counts.  Nothing may be trained on them, and nothing reported.

What the texts of answers score then is kept beside the model, in steps.jsonl: `step`, `score` (what is selected by, in
percent) and `dev`, what `evaluate.score` would tell, with `overall`.  With --reported-… those questions are answered,
too, and stand there as `reported`; they change no weights and no choice.
"""

from argparse import Namespace
from functools import partial
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from workflow_scripts.cli import InputError, read_recipe, run
from workflow_scripts.qa.batches import Layout
from workflow_scripts.qa.heads import QuestionAnswerer
from workflow_scripts.qa.selection import DEV, REPORTED, scorer
from workflow_scripts.qa.tune import Selecting, options, read_options, tune
from workflow_scripts.recipes.tuning import Prediction, Tuning
from workflow_scripts.training.device import quiet
from workflow_scripts.training.loop import Selection
from workflow_scripts.training.work_folder import locked

FILES = ("documents", "questions", "contexts", "windows")


def selection_of(
    model: QuestionAnswerer,
    tokenizer: PreTrainedTokenizerBase,
    layout: Layout,
    batching: str,
    *,
    arguments: Namespace,
    recipe: Tuning,
    prediction: Prediction,
) -> Selection:
    """The selection of a run, whose model answers in the precision and the way that it is trained in."""
    assert recipe.selection is not None
    same = {name: getattr(recipe, name) for name in ("precision", "attention")}
    asked = prediction.model_copy(update={**same, "batching": batching, "batch_pieces": recipe.part_pieces})
    score = scorer(model, tokenizer, layout, arguments, recipe.selection, asked, recipe.hide)
    return Selection(score, recipe.selection.every, recipe.selection.patience)


def selecting(arguments: Namespace, recipe: Tuning, prediction: Prediction) -> Selecting:
    """How weights are selected on the files of --dev-…; those of --reported-… are only scored."""
    files = [
        file for name in (DEV, REPORTED) for what in FILES for file in getattr(arguments, f"{name}_{what}")
    ]
    given = [len(getattr(arguments, f"{name}_{what}")) for name in (DEV, REPORTED) for what in FILES]
    told = (
        f" {prediction.model_dump_json()} {arguments.dev_annotators} {arguments.reported_annotators} {given}"
    )
    return Selecting(
        files, told, partial(selection_of, arguments=arguments, recipe=recipe, prediction=prediction)
    )


def main() -> None:
    arguments_parser = options(__doc__)
    for name, what_for in ((DEV, "select on"), (REPORTED, "score beside them")):
        for what in FILES:
            arguments_parser.add_argument(
                f"--{name}-{what}",
                type=Path,
                nargs="+",
                required=name == DEV,
                default=[],
                help=f"{what} of each corpus to {what_for}, same order",
            )
        arguments_parser.add_argument(
            f"--{name}-annotators",
            type=int,
            default=1,
            help="annotators who must agree there that there is an answer: 2 for TyDi's 3-way dev file (default 1)",
        )
    arguments_parser.add_argument(
        "--prediction", default="{}", help="how those are answered: a recipe of qa.predict, as JSON or a file"
    )
    arguments, recipe = read_options(arguments_parser)
    if recipe.selection is None:
        raise InputError("--recipe has no selection; give one, or run workflow_scripts.qa.tune")
    for name in (DEV, REPORTED):
        given = [len(getattr(arguments, f"{name}_{what}")) for what in FILES]
        if len(set(given)) > 1:
            raise InputError(
                f"{', '.join(f'--{name}-{what}' for what in FILES)} name {', '.join(map(str, given))} files; give one"
                " of each for every corpus"
            )
    prediction = read_recipe(arguments.prediction, Prediction)
    with locked(arguments.work) as arguments.work:
        tune(arguments, recipe, __spec__.name, selecting(arguments, recipe, prediction))


if __name__ == "__main__":
    quiet()
    run(main)
