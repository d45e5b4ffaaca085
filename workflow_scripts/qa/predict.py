"""Answer the questions of an evaluation and write prediction files, one for each question-context language pair.

Of all windows of a question the span with the best score wins; its passage is the passage answer and its score serves
both tasks (TyDi QA baseline).  Where that window's answer type is YES or NO, this is the minimal answer.  A question in
whose windows no span is possible gets an explicit null line.

On request, the same answers in SQuAD's format (`--squad`: {id: text}, "" where no span is possible; `--odds`: {id: what
"no answer" scores over the best span}), and the best spans of each question with their probabilities (`--nbest`, JSON
lines), as many as the recipe says.
"""

import json
from argparse import Namespace
from pathlib import Path

from workflow_scripts.cli import InputError, Progress, named_files, parser, read_recipe, run
from workflow_scripts.files import write_jsonl, write_text
from workflow_scripts.qa.answering import answer_windows, paired
from workflow_scripts.qa.answers import n_best_line, null_odds, squad_text, tydi_line
from workflow_scripts.qa.batches import Layout, check_fits, read_parts
from workflow_scripts.qa.heads import load
from workflow_scripts.recipes.tuning import Prediction
from workflow_scripts.training import processes
from workflow_scripts.training.device import quiet
from workflow_scripts.training.folders import load_tokenizer


def predict(arguments: Namespace, recipe: Prediction) -> None:
    """The whole step: read features, run the model, write the files of each pair."""
    outputs = named_files(arguments.pair, "--pair")
    others = {name: named_files(getattr(arguments, name), f"--{name}") for name in ("squad", "odds", "nbest")}
    for name, files in others.items():
        if files and files.keys() != outputs.keys():
            raise InputError(
                f"--{name} names {', '.join(files)}, but --pair names {', '.join(outputs)}; give the same pairs"
            )
    if others["nbest"] and not recipe.n_best:
        raise InputError("--nbest: n_best is 0 in --recipe; say how many candidates of a question are wanted")
    if not len(arguments.documents) == len(arguments.questions) == len(arguments.windows):
        raise InputError(
            f"--documents names {len(arguments.documents)} files, --questions {len(arguments.questions)}, --windows"
            f" {len(arguments.windows)}; give one of each for every corpus"
        )
    tokenizer = load_tokenizer(arguments.model)
    device = processes.join()
    model = load(arguments.model, recipe.attention).eval().to(device)
    model.use(recipe.batching, recipe.attention)
    parts = read_parts(arguments.contexts, arguments.windows)
    check_fits(parts, tokenizer)
    layout = Layout.of(tokenizer, model.span)
    lines: dict[str, list[dict[str, object]]] = {pair: [] for pair in outputs}
    listed: dict[str, list[dict[str, object]]] = {pair: [] for pair in outputs}
    texts: dict[str, dict[str, str]] = {pair: {} for pair in outputs}
    odds: dict[str, dict[str, float]] = {pair: {} for pair in outputs}
    for number, part in enumerate(parts):
        asked = paired(
            arguments.documents[number], arguments.questions[number], arguments.windows[number], part
        )
        progress = Progress(
            f"{arguments.label} {arguments.questions[number].stem}", len(part.windows.first), "windows"
        )
        answered = answer_windows(model, part, layout, recipe, arguments.hide, progress)
        for (question, document), found in zip(asked, answered, strict=True):
            pair = f"{question.language}-{document.language}"
            if pair not in lines:
                raise InputError(
                    f"{arguments.questions[number]}: questions of pair {pair}, but --pair names {', '.join(outputs)}"
                )
            lines[pair].append(tydi_line(question, document, found))
            texts[pair][question.source_id] = squad_text(document, found)
            odds[pair][question.source_id] = null_odds(found)
            if others["nbest"]:
                listed[pair].append(n_best_line(question, document, found))
    for pair in outputs:
        if not lines[pair]:
            raise InputError(
                f"--pair {pair}: no such questions in {', '.join(map(str, arguments.questions))}"
            )
    if not processes.first():
        return
    for pair, path in outputs.items():
        write_jsonl(path, lines[pair])
    for pair, path in others["nbest"].items():
        write_jsonl(path, listed[pair])
    for name, content in (("squad", texts), ("odds", odds)):
        for pair, path in others[name].items():
            write_text(path, json.dumps(content[pair], ensure_ascii=False, indent=1) + "\n")


def main() -> None:
    arguments_parser = parser(__doc__, Prediction)
    arguments_parser.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    for name, content in (
        ("documents", "documents table of each corpus"),
        ("questions", "questions table of each corpus, same order"),
        ("contexts", "contexts of each corpus, same order"),
        ("windows", "windows of each corpus, same order"),
    ):
        arguments_parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help=content)
    arguments_parser.add_argument(
        "--pair",
        nargs="+",
        required=True,
        metavar="LANGUAGES=FILE",
        help="output of a question-context pair in TyDi's format: en-ar=FILE",
    )
    for name, content in (
        ("squad", "answers in SQuAD's format"),
        ("odds", "null odds in SQuAD 2.0's format"),
        ("nbest", "best spans of each question, as many as n_best of the recipe says"),
    ):
        arguments_parser.add_argument(
            f"--{name}",
            nargs="+",
            default=[],
            metavar="LANGUAGES=FILE",
            help=f"also write, for each pair, {content}",
        )
    arguments_parser.add_argument(
        "--hide",
        choices=("nothing", "question", "context"),
        default="nothing",
        help="control: as in the model's training",
    )
    arguments_parser.add_argument("--label", default="predict", help="name in progress lines")
    arguments = arguments_parser.parse_args()
    predict(arguments, read_recipe(arguments.recipe, Prediction))


if __name__ == "__main__":
    quiet()
    run(main)
