"""Model cards: what they tell, and that their own programs run; questions asked of a model in a folder."""

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard

from tests.unit.tiny import TEXTS, encoder
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, Document, Question, write_documents, write_questions
from workflow_scripts.evaluate import intervals
from workflow_scripts.evaluate.outcomes import Questions, to_lines
from workflow_scripts.evaluate.tydi import Outcomes, best_threshold
from workflow_scripts.files import write_jsonl
from workflow_scripts.qa.ask import ask, lines_of
from workflow_scripts.qa.heads import from_encoder
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.tuning import Prediction
from workflow_scripts.report import card
from workflow_scripts.training.folders import load_tokenizer
from workflow_scripts.tydi_format import to_record

FEATURES = {"max_length": 96, "stride": 16, "question_length": 16}
LONG = f"{TEXTS[1]} " * 40


def model(folder: Path, kind: Any = "wordpiece") -> Path:
    """A model with random weights that answers something."""
    encoder(folder / "encoder", kind)
    torch.manual_seed(1)
    made = from_encoder(folder / "encoder", "sdpa")
    torch.nn.init.normal_(made.span.qa_outputs.weight)
    made.save(folder / "model")
    load_tokenizer(folder / "encoder").save_pretrained(folder / "model")
    (folder / "model/training.json").write_text(json.dumps({"steps": 1200, "windows": 7}), "utf-8")
    return folder / "model"


def recipe(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "model": "tiny",
        "label": "tiny | small",
        "seed": 3,
        "folder": str(folder),
        "languages": ["en", "sw"],
        "sets": [
            {"name": "squad", "label": "SQuAD", "corpora": [{"name": "one", "made": "as published"}]},
            {"name": "more", "label": "+aug", "corpora": [{"name": "one", "made": "as published"}]},
        ],
        "encoder": ["pretrained from scratch"],
        "base": None,
        "tuning": {"contrast": {"layer": 1}},
        "features": FEATURES,
        "prediction": {"max_answer_length": 10},
        "sources": [{"name": "squad", "licence": "CC-BY-SA-4.0", "hub": "rajpurkar/squad"}],
        "config": "0123456789ab",
        "evaluations": {"test": {"measures": ["minimal", "em"], "annotators": 2}},
        **changes,
    }


def outcomes(folder: Path, size: int = 120) -> tuple[Outcomes, Path]:
    """What a model that gets half of the questions right got, and the file of it."""
    random = np.random.default_rng(0)
    f1 = (random.random(size) < 0.5).astype(float)
    found = Outcomes(random.random(size) + f1, np.full(size, True), np.full(size, True), f1)
    names = [str(number) for number in range(size)]
    texts = {name: {"em": float(value)} for name, value in zip(names, f1, strict=True)}
    lines = to_lines("en-sw", Questions(names, {"passage": found, "minimal": found}), texts)
    write_jsonl(folder / "test.questions.jsonl", lines)
    return found, folder / "test.questions.jsonl"


def written(folder: Path, given: dict[str, Any]) -> str:
    """The card of a model, whose example is the second question: the first one's passage is long."""
    documents = [
        Document(name, "en", name, "", text, ((0, len(text)),), name)
        for name, text in (("long", LONG.strip()), ("short", TEXTS[1]))
    ]
    questions = [
        Question(
            str(n),
            str(n),
            document.doc_id,
            "en",
            'Which "city" ?',
            (Annotation(0, 4, 8, document.text[4:8]),),
        )
        for n, document in enumerate(documents)
    ]
    of = {document.doc_id: document for document in documents}
    write_documents(folder / "d.parquet", documents)
    write_questions(folder / "q.parquet", questions, of)
    write_jsonl(folder / "gold.jsonl", (to_record(question, of[question.doc_id]) for question in questions))
    write_jsonl(folder / "list.jsonl", [{"corpus": "one", "id": "0"}])
    (folder / "none.jsonl").touch()
    _, file = outcomes(folder)
    intervals.main(["--questions", str(file), "--resamples", "500", "--out", str(folder / "test.json")])
    card.main(
        [
            *("--recipe", json.dumps(given), "--training", str(Path(given["folder"]) / "training.json")),
            *("--intervals", f"test={folder}/test.json", "--gold", f"{folder}/gold.jsonl"),
            *("--questions", f"one={folder}/q.parquet"),
            *("--left-out", f"squad={folder}/none.jsonl", f"more={folder}/list.jsonl"),
            *("--out", f"{folder}/README.md"),
        ]
    )
    return (folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_a_cards_programs_answer_alike(kind: str, tmp_path: Path) -> None:
    text = written(tmp_path, recipe(model(tmp_path, kind)))
    said = []
    for program in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(program, "card", "exec"), {})
        said.append(out.getvalue().rstrip("\n").split("\t"))
    (answer, score, _), (same, alike) = said
    assert answer.strip() == same
    assert answer in TEXTS[1]
    assert float(score) == pytest.approx(float(alike), abs=1e-3)


def test_a_card_tells_data_scores_and_licences(tmp_path: Path) -> None:
    written(tmp_path, recipe(model(tmp_path)))
    made = ModelCard.load(tmp_path / "README.md")
    assert (made.data.license, made.data.datasets) == ("cc-by-sa-4.0", ["rajpurkar/squad"])
    assert made.data.language == ["en", "sw"]
    found = {result.metric_name: result.metric_value for result in made.data.eval_results}
    outcome, _ = outcomes(tmp_path)
    assert found == {
        "minimal-answer F1": round(100 * best_threshold(outcome).f1, 2),
        "exact match": round(100 * float(outcome.f1.mean()), 2),
    }
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in made.text.splitlines() if line[:1] == "|"
    ]
    assert ["`one` (as published)", "2", "0", "2"] in rows  # of the first stage
    assert ["`one` (as published)", "2", "1", "1"] in rows  # of the second
    assert ["squad", "CC-BY-SA-4.0"] in rows
    assert "1,200 steps on 7 windows, seed 3" in made.text
    assert "contrastive term: " in made.text


def test_an_example_is_there_even_where_nothing_is_answered(tmp_path: Path) -> None:
    document = Document("d", "en", "d", "", LONG, ((0, len(LONG)),), "d")
    gold = tmp_path / "gold.jsonl"
    for annotation, text in ((Annotation(0), LONG.strip()), (Annotation(), LONG[: card.SHORT].strip())):
        write_jsonl(gold, [to_record(Question("1", "1", "d", "en", "Who ?", (annotation,)), document)])
        assert card.example_of(str(gold)) == ("Who ?", text)
    gold.write_text("", "utf-8")
    with pytest.raises(InputError, match="no questions, so the card would have no example"):
        card.example_of(str(gold))


@pytest.mark.parametrize(
    "changes",
    [
        {"base": "bert-base-multilingual-cased"},
        {"sources": [{"name": "mine", "licence": None}]},
        {"sources": [{"name": "a", "licence": "MIT"}, {"name": "b", "licence": "Apache-2.0"}]},
    ],
    ids=["published encoder", "unknown", "several"],
)
def test_a_licence_is_named_only_where_all_is_of_it(changes: dict[str, Any], tmp_path: Path) -> None:
    written(tmp_path, recipe(model(tmp_path), **changes))
    assert ModelCard.load(tmp_path / "README.md").data.license is None


def test_intervals_are_those_of_resampled_questions(tmp_path: Path) -> None:
    """Beside a plain loop."""
    outcome, file = outcomes(tmp_path)
    intervals.main(["--questions", str(file), "--out", str(tmp_path / "i.json")])
    found = json.loads((tmp_path / "i.json").read_text("utf-8"))["pairs"]["en-sw"]
    assert found["n"] == len(outcome.f1)
    best = best_threshold(outcome)
    assert found["minimal"]["score"] == pytest.approx(best.f1)
    above = outcome.score >= best.threshold
    random = np.random.default_rng(1)
    f1, mean = [], []
    for _ in range(4000):
        drawn = random.integers(0, len(above), len(above))
        f1.append(2 * (outcome.f1 * above)[drawn].sum() / (above[drawn].sum() + len(drawn)))
        mean.append(outcome.f1[drawn].mean())
    for name, values in (("minimal", f1), ("em", mean)):
        ends = np.quantile(values, [0.025, 0.975])
        assert [found[name]["low"], found[name]["high"]] == pytest.approx(ends, abs=0.01), name


def test_a_question_is_asked_of_a_text_longer_than_a_window(tmp_path: Path) -> None:
    folder = model(tmp_path)
    text = f"\n{LONG}\n\n  {TEXTS[3]}\n"
    answer = ask(folder, "Which city ?", text, Features(**FEATURES), Prediction(max_answer_length=5))
    assert text[answer.start : answer.end] == answer.text != ""
    assert answer.passage in (0, 1)


def test_passages_are_lines() -> None:
    text = "one\r\n\n two \nthree"
    assert [text[start:end] for start, end in lines_of(text)] == ["one", " two", "three"]


@pytest.mark.parametrize(
    ("question", "text", "sentence"),
    [
        (" ", "a text", "the question is blank"),
        ("Who ?", "\n", "the text is blank"),
        ("Who ?", "a text", "no config.json"),
    ],
)
def test_what_cannot_be_asked_is_said(question: str, text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        ask(tmp_path, question, text)
