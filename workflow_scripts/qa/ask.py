"""Ask one question of one text: what the model in a folder answers, as the workflow reads answers.

    python -m workflow_scripts.qa.ask --model results/models/mbert-aug/seed0 --question 'Who founded Ramor?' \\
      --text article.txt

The passages of a text are its lines.  The answer comes as JSON: text, start and end (characters of the text, end
exclusive), passage (counted from 0), score (over that of "no answer": the higher, the surer) and yes_no, by the
answer-type head.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.corpus import Document, Question
from workflow_scripts.files import read_text
from workflow_scripts.qa.answering import answer_windows
from workflow_scripts.qa.batches import Layout, Part, check_fits
from workflow_scripts.qa.contexts import tokenise
from workflow_scripts.qa.features import load_tokenizer as load_pieces
from workflow_scripts.qa.heads import load
from workflow_scripts.qa.windows import cut
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.tuning import Prediction
from workflow_scripts.training.device import quiet
from workflow_scripts.training.folders import load_tokenizer


@dataclass(frozen=True)
class Answer:
    """A model's answer.

    text: what stands from start to end (characters); passage: number of its line; score: over that of "no answer";
    yes_no: YES, NO or NONE.
    """

    text: str
    start: int
    end: int
    passage: int
    score: float
    yes_no: str


def lines_of(text: str) -> tuple[tuple[int, int], ...]:
    """[start, end) of every line of a text that is not blank."""
    spans, at = [], 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            spans.append((at, at + len(line.rstrip())))
        at += len(line)
    return tuple(spans)


def ask(
    folder: Path | str,
    question: str,
    text: str,
    features: Features | None = None,
    prediction: Prediction | None = None,
) -> Answer:
    """The best answer to a question in a text, by the model that `qa.tune` wrote to a folder.

    features, prediction: as the model was trained and scored with.  Raises InputError where question or text is blank,
    the folder is not whole, or no answer is possible.
    """
    folder, features, prediction = Path(folder), features or Features(), prediction or Prediction()
    for name, given in (("question", question), ("text", text)):
        if not given.strip():
            raise InputError(f"the {name} is blank; an answer needs both a question and a text")
    tokenizer, pieces = load_tokenizer(folder), load_pieces(folder / "tokenizer.json")
    model = load(folder, prediction.attention).eval()
    model.use(prediction.batching, prediction.attention)
    # languages are asked of tables only
    document = Document("text", "", "", "", text, lines_of(text), "text")
    asked = Question("question", "question", "text", "", question)
    contexts = tokenise([document], pieces, features.max_passages)
    part = Part(cut([asked], contexts, pieces, features)[0], contexts)
    check_fits([part], tokenizer)
    found = answer_windows(model, part, Layout.of(tokenizer, model.span), prediction, "nothing")[0]
    if not found.start:
        raise InputError("no answer is possible: the tokenizer knows nothing of the text")
    start, end = found.start[0], found.end[0]
    return Answer(text[start:end], start, end, found.passage, found.score[0], found.yes_no)


def main() -> None:
    arguments_parser = parser(__doc__, Features)
    arguments_parser.add_argument("--model", type=Path, required=True, help="folder of a model")
    arguments_parser.add_argument("--question", required=True, help="the question")
    arguments_parser.add_argument("--text", type=Path, required=True, help="file of the text, UTF-8")
    arguments = arguments_parser.parse_args()
    features = read_recipe(arguments.recipe, Features)
    answer = ask(arguments.model, arguments.question, read_text(arguments.text), features)
    print(json.dumps(asdict(answer), ensure_ascii=False))


if __name__ == "__main__":
    quiet()
    run(main)
