"""What is told of every scored step: what the programs that predict and score say, and it changes no weights."""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_qa_steps import FILES, corpus
from tests.unit.tiny import encoder
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, Document, Question, write_documents, write_questions
from workflow_scripts.evaluate import gold, score
from workflow_scripts.files import read_jsonl
from workflow_scripts.qa import contexts, predict, tune, tune_selected, windows

METRICS = {"em", "f1", "jaccard", "mucot_f1"}


def call(main: Callable[[], None], *arguments: object) -> None:
    """A step by its command line, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["step", *map(str, arguments)])
        main()


def swahili(first: int, count: int) -> tuple[list[Document], list[Question]]:
    """Questions that all have an answer of two words, of which annotators disagree about one."""
    documents, questions = [], []
    for number in range(first, first + count):
        text = "Mji wa Ramor uko kando ya mto Tesi ."
        documents.append(Document(f"s{number}", "sw", "", "", text, ((0, len(text)),), f"s{number}"))
        said = [(7, 16), (7, 12)] if number % 2 else [(26, 34)]
        answers = tuple(Annotation(0, start, end, text[start:end]) for start, end in said)
        questions.append(Question(str(number), str(number), f"s{number}", "sw", f"{number} ?", answers))
    return documents, questions


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder and three corpora: dev, whose questions all have answers, and the two that are reported."""
    folder = tmp_path_factory.mktemp("steps")
    tokenizer = encoder(folder / "encoder") / "tokenizer.json"
    for name, (documents, questions) in {
        "dev": swahili(0, 3),
        "sw": swahili(10, 4),
        "en": corpus(),
    }.items():
        place = {what: folder / name / file for what, file in FILES.items()}
        write_documents(place["documents"], documents)
        write_questions(place["questions"], questions, {one.doc_id: one for one in documents})
        recipe = (
            "--tokenizer",
            tokenizer,
            "--recipe",
            '{"max_length": 90, "stride": 8, "question_length": 32}',
        )
        call(contexts.main, *recipe, "--documents", place["documents"], "--out", place["contexts"])
        files = ("--questions", place["questions"], "--contexts", place["contexts"])
        call(windows.main, *recipe, *files, "--out", place["windows"])
    return folder


def files_of(made: Path, corpora: Sequence[str], prefix: str = "") -> list[object]:
    """The options that name the files of some corpora."""
    return [
        word
        for what, file in FILES.items()
        for word in (f"--{prefix}{what}", *(made / name / file for name in corpora))
    ]


def tuned(made: Path, out: Path, *options: object, **selection: Any) -> list[dict[str, Any]]:
    """Tune on the reported questions, so that they are learnt, and select on dev; the lines of steps.jsonl."""
    recipe = {"steps": 40, "batch_size": 10, "learning_rate": 1e-2, "precision": "fp32"}
    recipe |= {"selection": {"metric": "jaccard", "every": 10, **selection}}
    trained = files_of(made, ["en", "sw"])[2 * 3 :]  # contexts and windows
    folders = ("--encoder", made / "encoder", "--work", out / "work", "--out", out)
    asked = ("--recipe", json.dumps(recipe), *trained, *files_of(made, ["dev"], "dev-"))
    call(tune_selected.main, *folders, *asked, *options)
    return [line for _, line in read_jsonl(out / "steps.jsonl")]


@pytest.mark.parametrize("agree", [1, 2])
def test_a_step_scores_what_its_weights_are_found_to_score(made: Path, tmp_path: Path, agree: int) -> None:
    """By the steps that predict and score; SQuAD's rules are those of 1.1 on dev, of 2.0 where some have no answer.

    agree: how many annotators must have given an answer on dev, where two did so of one question only.
    """
    reported = files_of(made, ["sw", "en"], "reported-")
    lines = tuned(made, tmp_path / "m", *reported, "--dev-annotators", agree)
    assert [line["step"] for line in lines] == [10, 20, 30, 40]
    best = json.loads((tmp_path / "m/training.json").read_text("utf-8"))["best_step"]
    (line,) = [line for line in lines if line["step"] == best]
    assert line["score"] == max(one["score"] for one in lines)
    for name, corpora, annotators, rules in (
        ("dev", ["dev"], agree, "1.1" if agree == 1 else "2.0"),
        ("reported", ["sw", "en"], 1, "2.0"),
    ):
        pairs = ["sw-sw", "en-en"][: len(corpora)]
        files = {
            what: [f"{pair}={tmp_path / name / what / pair}.jsonl" for pair in pairs]
            for what in ("gold", "said")
        }
        tables = files_of(made, corpora)[: 2 * (1 + len(corpora))]  # documents and questions
        gold.main([*map(str, tables), "--pair", *files["gold"]])
        model = ("--model", tmp_path / "m", "--recipe", '{"precision": "fp32"}')
        call(predict.main, *model, *files_of(made, corpora), "--pair", *files["said"])
        folders = ["--gold", str(tmp_path / name / "gold"), "--predictions", str(tmp_path / name / "said")]
        out = tmp_path / f"{name}.json"
        score.main([*folders, "--pairs", *pairs, "--annotators", str(annotators), "--out", str(out)])
        found = json.loads(out.read_text("utf-8"))
        scored = line[name]
        assert scored["annotators"] == found["annotators"] == annotators
        assert scored["squad"] == found["squad"] == rules
        assert set(scored["pairs"]) == set(pairs)
        for pair in pairs:
            assert scored["pairs"][pair] == {key: found["pairs"][pair][key] for key in ("n", "text")}
        total = scored["overall"]["n"]
        assert total == sum(of["n"] for of in found["pairs"].values())
        for metric in METRICS:
            summed = sum(of["n"] * of["text"][metric] for of in found["pairs"].values())
            assert total * scored["overall"]["text"][metric] == pytest.approx(summed)
    assert set(line["dev"]["overall"]["text"]) == METRICS
    if agree == 1:
        assert line["score"] == pytest.approx(100 * line["dev"]["overall"]["text"]["jaccard"])
    texts = [of["text"] for one in lines for of in one["reported"]["pairs"].values()]
    assert len({text["jaccard"] for text in texts}) > 2, "the steps are too much alike to tell them apart"


def test_what_is_reported_changes_no_weights_and_a_kill_changes_nothing(made: Path, tmp_path: Path) -> None:
    reported = files_of(made, ["en"], "reported-")
    whole = tuned(made, tmp_path / "whole", *reported)
    alone = tuned(made, tmp_path / "alone")
    with pytest.MonkeyPatch.context() as patch:
        collate, calls = tune.collate, []

        def stopping(*given: Any) -> Any:
            calls.append(given)
            if len(calls) == 26:
                os.kill(os.getpid(), signal.SIGTERM)
            return collate(*given)

        patch.setattr(tune, "collate", stopping)
        with pytest.raises(SystemExit):
            tuned(made, tmp_path / "killed", *reported)
    assert len(calls) == 26
    assert not (tmp_path / "killed/model.safetensors").exists()
    tuned(made, tmp_path / "killed", *reported)
    kept = {
        run: {name: (tmp_path / run / name).read_bytes() for name in ("model.safetensors", "steps.jsonl")}
        for run in ("whole", "alone", "killed")
    }
    assert kept["killed"] == kept["whole"]
    assert kept["alone"]["model.safetensors"] == kept["whole"]["model.safetensors"]
    assert [set(line) for line in alone] == [{"step", "score", "dev"}] * 4
    assert alone == [{key: of for key, of in line.items() if key != "reported"} for line in whole]


def test_what_cannot_be_scored_is_told_before_training(made: Path, tmp_path: Path) -> None:
    reported = files_of(made, ["en"], "reported-")
    with pytest.raises(
        InputError, match=r"no question has 2 annotators who gave an answer, so there is nothing"
    ):
        tuned(made, tmp_path, *reported, "--reported-annotators", 2)
    with pytest.raises(
        InputError, match=r"--reported-windows name 1, 1, 1, 0 files; give one of each for every"
    ):
        tuned(made, tmp_path, *reported[:-2])
