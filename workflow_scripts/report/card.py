"""Write a model's card: README.md in its folder, in the Hugging Face format.

It says what the model is, what it was trained on and how, what it scores (with 95 % intervals over questions), what not
to expect of it, how to ask it a question, with this package and with transformers alone, and whose licences there are.
Its example is the first question with a short answered passage of the first evaluation.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from huggingface_hub import EvalResult, ModelCardData
from safetensors import safe_open

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.files import read_jsonl, read_text, write_text
from workflow_scripts.languages import languages
from workflow_scripts.recipes.card import Card, Scored
from workflow_scripts.report.markdown import literal, table
from workflow_scripts.report.records import read_left_out

SHORT = 600  # characters of an example's passage at most
# Measure -> as it is called here, and its name on the Hugging Face hub.
MEASURES = {
    "passage": ("passage F1", "f1"),
    "minimal": ("minimal-answer F1", "f1"),
    "em": ("exact match", "exact_match"),
    "f1": ("F1", "f1"),
    "jaccard": ("word Jaccard", "jaccard"),
    "mucot_f1": ("F1 as in MuCoT's code", "f1"),
}
WHAT_F1 = (
    "Passage and minimal-answer F1 are TyDi QA's: the best of all thresholds for the answer's score, which is found on"
    " the evaluated questions; intervals keep it."
)


class Example(NamedTuple):
    """A question and a text that may answer it."""

    question: str
    text: str


def metadata(recipe: Card, intervals: dict[str, Any]) -> ModelCardData:
    """The card's metadata.  The licence is that of the data where all of them have the same known one."""
    results = [
        EvalResult(
            task_type="question-answering",
            dataset_type=name,
            dataset_name=f"{name}, {pair}",
            dataset_config=pair,
            metric_type=MEASURES[measure][1],
            metric_name=MEASURES[measure][0],
            metric_value=round(100 * found[measure]["score"], 2),
        )
        for name, scored in recipe.evaluations.items()
        for pair, found in intervals[name]["pairs"].items()
        for measure in scored.measures
    ]
    licences = {source.licence for source in recipe.sources}
    one = licences.pop() if len(licences) == 1 and not recipe.base else None
    measured = [MEASURES[m][1] for scored in recipe.evaluations.values() for m in scored.measures]
    return ModelCardData(
        language=list(recipe.languages),
        license=one.lower() if one and " " not in one else None,
        library_name="transformers",
        pipeline_tag="question-answering",
        tags=["cross-lingual", "extractive-question-answering", "xlqa"],
        base_model=recipe.base,
        datasets=list(dict.fromkeys(source.hub for source in recipe.sources if source.hub)) or None,
        metrics=list(dict.fromkeys(measured)) or None,
        model_name=recipe.model if results else None,
        eval_results=results or None,
    )


def example_of(file: str) -> Example:
    """The first question of a file of gold answers with a short answered passage, else with any, else the first.

    Raises InputError where the file has no question.
    """
    answered: Example | None = None
    asked: Example | None = None
    for _, record in read_jsonl(file):
        asked = asked or Example(
            record["question_text"], record["document_plaintext"].strip()[:SHORT].strip()
        )
        octets = record["document_plaintext"].encode()
        places = [note["passage_answer"]["candidate_index"] for note in record["annotations"]]
        for place in (place for place in places if place >= 0):
            span = record["passage_answer_candidates"][place]
            passage = octets[span["plaintext_start_byte"] : span["plaintext_end_byte"]].decode().strip()
            found = Example(record["question_text"], passage)
            answered = answered or found
            if len(passage) <= SHORT:
                return found
    if asked is None:
        raise InputError(f"{file}: no questions, so the card would have no example")
    return answered or asked


def parameters(file: Path) -> int:
    """How many numbers a safetensors file holds."""
    with safe_open(file, framework="np") as tensors:
        shapes = [tensors.get_slice(name).get_shape() for name in tensors.keys()]  # noqa: SIM118
    return sum(_product(shape) for shape in shapes)


def _product(shape: Sequence[int]) -> int:
    number = 1
    for size in shape:
        number *= size
    return number


def data(recipe: Card, questions: dict[str, int], left_out: dict[str, set[tuple[str, str]]]) -> list[str]:
    """What the model was trained on: a table for each stage."""
    lines = []
    for number, stage in enumerate(recipe.sets, 1):
        many = f"Stage {number} of {len(recipe.sets)}: t" if len(recipe.sets) > 1 else "T"
        rows = [["corpus", "questions", "left out", "trained on"]]
        for corpus in stage.corpora:
            out = sum(name == corpus.name for name, _ in left_out[stage.name])
            there = questions[corpus.name]
            name = f"`{corpus.name}` ({corpus.made})"
            rows.append([literal(name), f"{there:,}", f"{out:,}", f"{there - out:,}"])
        lines += [f"{many}raining set `{stage.name}` ({stage.label}).", "", *table(rows, left=1), ""]
    return [
        *lines,
        "Left out: questions that are evaluated, or whose text is. What reading a corpus left out, and why, is in"
        " `results/questions/<corpus>.dropped.jsonl`.",
    ]


def scores(name: str, scored: Scored, found: dict[str, Any]) -> list[str]:
    """The scores on an evaluation, a line for each pair of languages."""
    rows = [["question-text", "questions", *(MEASURES[measure][0] for measure in scored.measures)]]
    for pair, of_pair in found["pairs"].items():
        cells = [
            "{:.1f} [{:.1f}, {:.1f}]".format(
                *(100 * of_pair[measure][key] for key in ("score", "low", "high"))
            )
            for measure in scored.measures
        ]
        rows.append([pair, f"{of_pair['n']:,}", *cells])
    agree = "1 annotator" if scored.annotators == 1 else f"{scored.annotators} annotators"
    return [f"`{name}`: an answer counts where at least {agree} gave one.", "", *table(rows, left=1)]


def with_package(recipe: Card, example: Example) -> str:
    """A program that asks the model a question as the workflow does."""
    features = recipe.features.model_dump(exclude={"preset"})
    settings = ", ".join(f"{name}={value}" for name, value in features.items())
    return f"""from workflow_scripts.qa.ask import ask
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.tuning import Prediction

question = {quoted(example.question)}
text = {quoted(example.text)}

answer = ask(
    {quoted(recipe.folder)},
    question,
    text,
    Features({settings}),
    Prediction(max_answer_length={recipe.prediction.max_answer_length}, precision="fp32"),
)
print(answer.text, answer.score, answer.yes_no, sep="\\t")"""


def with_transformers(recipe: Card, example: Example, two_types: bool) -> str:
    """A program that needs nothing but transformers, for a text that fits into one window."""
    types = (
        ",\n        token_type_ids=torch.tensor([[0] * (first - 1) + [1] * (len(ids) - first + 1)])"
        if two_types
        else ""
    )
    return f"""import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

question = {quoted(example.question)}
text = {quoted(example.text)}

folder = {quoted(recipe.folder)}
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForQuestionAnswering.from_pretrained(folder).eval()

# [CLS] [Q] question [SEP] [ContextId=0] text [SEP], at most {recipe.features.max_length} pieces
marker = tokenizer.convert_tokens_to_ids
asked = [marker("[Q]"), *tokenizer(question, add_special_tokens=False).input_ids][-{recipe.features.question_length}:]
read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
first = len(asked) + 3  # where the text begins
room = {recipe.features.max_length} - first - 1
ids = [tokenizer.cls_token_id, *asked, tokenizer.sep_token_id, marker("[ContextId=0]")]
ids += [*read.input_ids[:room], tokenizer.sep_token_id]
with torch.no_grad():
    found = model(
        input_ids=torch.tensor([ids]){types},
    )
start, end = found.start_logits[0], found.end_logits[0]
spans = start[first:-1, None] + end[None, first:-1]
possible = torch.ones_like(spans).triu().tril({recipe.prediction.max_answer_length - 1}).bool()
spans = spans.masked_fill(~possible, -torch.inf)
begin, last = divmod(int(spans.argmax()), len(spans))
answer = text[read.offset_mapping[begin][0] : read.offset_mapping[last][1]]
print(answer.strip(), float(spans.max() - start[0] - end[0]), sep="\\t")  # the score over that of no answer"""


def quoted(text: str) -> str:
    """A text as Python writes it, letters of all scripts as they are."""
    return json.dumps(text, ensure_ascii=False)


def limits(recipe: Card) -> list[str]:
    """What not to expect."""
    names = ", ".join(languages()[code].name for code in recipe.languages)
    points = [
        f"It was tuned on questions and texts in {names}; of others, only their scores can tell.",
        "It marks a stretch of the text, or says yes or no: it writes no answer of its own and does not know whether"
        " the text is true.",
        "It finds some stretch in every text. Whether there is an answer, its score must tell; the threshold depends on"
        " the data.",
        f"It reads windows of {recipe.features.max_length} pieces and the first {recipe.features.max_passages} passages"
        " of a text.",
        "Intervals are about this model on other questions of the same kind; another seed may score otherwise by more.",
    ]
    if recipe.generated:
        points.insert(
            0,
            "Its data are a generated world of invented people, places and firms, and its sentences have few forms. It"
            " shows how the workflow works and is of no use for real text.",
        )
    if recipe.tuning.hide != "nothing":
        points.insert(0, f"It is a control: the {recipe.tuning.hide} was hidden from it.")
    return [f"- {point}" for point in points]


def licences(recipe: Card) -> list[str]:
    """Whose licences there are."""
    rows = [["data", "licence"]]
    for source in recipe.sources:
        name = f"[{source.name}]({source.homepage})" if source.homepage else source.name
        rows.append([literal(name), literal(source.licence or "not known to the workflow: ask its owner")])
    if recipe.base:
        rows.append([f"encoder `{recipe.base}`", "see its own card"])
    return [
        *table(rows, left=2),
        "",
        "A model may carry parts of what it was trained on; whether its use is bound by these licences is for you to"
        " judge.",
    ]


def recipe_lines(recipe: Card, training: dict[str, Any]) -> list[str]:
    """How it was tuned, from the configuration and from what training told."""
    shown = recipe.tuning.model_dump(exclude={"selection", "contrast", "hide"}, exclude_none=True)
    told = [f"{training['steps']:,} steps on {training['windows']:,} windows, seed {recipe.seed}"]
    told += [f"{name} {value}" for name, value in shown.items() if name not in ("steps", "attention")]
    lines = [f"- encoder: {sentence}" for sentence in recipe.encoder]
    lines.append(f"- tuning: {', '.join(told)}")
    if recipe.tuning.contrast is not None and recipe.tuning.contrast.weight:
        contrast = recipe.tuning.contrast.model_dump(exclude_none=True)
        lines.append(
            f"- contrastive term: {', '.join(f'{name} {value}' for name, value in contrast.items())}"
        )
    if recipe.selected_on is not None:
        lines.append(f"- weights: those that did best on `{recipe.selected_on}`")
    lines.append(f"- configuration: digest `{recipe.config}`, that is `trained` in `results/manifest.json`")
    return lines


def card(
    recipe: Card,
    intervals: dict[str, Any],
    training: dict[str, Any],
    sizes: tuple[int, bool],
    example: Example,
    counts: tuple[dict[str, int], dict[str, set[tuple[str, str]]]],
) -> str:
    """The whole text; sizes: parameters, and whether the encoder has two token types; counts: see `data`."""
    names = ", ".join(languages()[code].name for code in recipe.languages)
    stage = " → ".join(one.label for one in recipe.sets)
    parts = [
        f"---\n{metadata(recipe, intervals).to_yaml()}\n---",
        f"# {recipe.model}, seed {recipe.seed}",
        f"A model of {sizes[0]:,} parameters that finds the answer to a question in a text, also where the two are in"
        f" different languages ({names}). In tables it is called {recipe.label}, {stage}. It is an"
        " encoder with heads for the answer's first and last piece, and one for the kind of answer (span, passage, yes,"
        " no), made by the workflow xlqa.",
        "## Data",
        "\n".join(data(recipe, *counts)),
        "## Recipe",
        "\n".join(recipe_lines(recipe, training)),
        "## Scores",
        "Percent, with 95 % intervals by bootstrap over questions."
        if recipe.evaluations
        else "No table shows it.",
        *("\n".join(scores(name, of, intervals[name])) for name, of in recipe.evaluations.items()),
        *(
            [WHAT_F1]
            if any({"passage", "minimal"} & {*of.measures} for of in recipe.evaluations.values())
            else []
        ),
        "## Limits",
        "\n".join(limits(recipe)),
        "## Use",
        "With this package, from the folder of the workflow; texts of any length, passages are lines:",
        f"```python\n{with_package(recipe, example)}\n```",
        "With transformers alone, for a text that fits into a window, and without yes and no:",
        f"```python\n{with_transformers(recipe, example, sizes[1])}\n```",
        "## Licences",
        "\n".join(licences(recipe)),
    ]
    return "\n\n".join(parts) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Card)
    arguments.add_argument("--training", required=True, help="training.json of the model")
    arguments.add_argument(
        "--intervals", nargs="*", default=[], metavar="EVALUATION=FILE", help="scores of it"
    )
    arguments.add_argument("--gold", required=True, help="gold answers that the example is taken from")
    arguments.add_argument(
        "--questions", required=True, nargs="+", metavar="CORPUS=FILE", help="questions tables (.parquet)"
    )
    arguments.add_argument(
        "--left-out", required=True, nargs="+", metavar="TRAINING_SET=FILE", help="the guard's lists (.jsonl)"
    )
    arguments.add_argument("--out", type=Path, required=True, help="the card (README.md)")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Card)
    found = {
        name: json.loads(read_text(file))
        for name, file in named_files(given.intervals, "--intervals").items()
    }
    files, lists = named_files(given.questions, "--questions"), named_files(given.left_out, "--left-out")
    for option, wanted, there in (
        ("--intervals", recipe.evaluations, found),
        ("--left-out", [one.name for one in recipe.sets], lists),
        ("--questions", [corpus.name for one in recipe.sets for corpus in one.corpora], files),
    ):
        for name in wanted:
            if name not in there:
                raise InputError(f"{option}: no file of {name}, which the recipe names")
    folder = Path(given.training).parent
    config = json.loads(read_text(folder / "config.json"))
    weights = [folder / name for name in ("model.safetensors", "answer_type.safetensors")]
    text = card(
        recipe,
        found,
        json.loads(read_text(given.training)),
        (sum(map(parameters, weights)), config.get("type_vocab_size", 1) > 1),
        example_of(given.gold),
        (
            {name: pq.read_metadata(file).num_rows for name, file in files.items()},
            {name: read_left_out(file) for name, file in lists.items()},
        ),
    )
    write_text(given.out, text)
    print(f"{given.out}: {recipe.model}, seed {recipe.seed}")


if __name__ == "__main__":
    run(main)
