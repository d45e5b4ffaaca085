"""From questions to a prediction file by the steps' own command lines, on a corpus small enough to learn by heart."""

import json
import os
import shutil
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from tests.unit.tiny import TWO_PROCESSES, encoder
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, Document, Question, write_documents, write_questions
from workflow_scripts.evaluate import overlap, tydi
from workflow_scripts.files import read_jsonl
from workflow_scripts.qa import answers, batches, features, heads, predict
from workflow_scripts.qa.batches import read_parts
from workflow_scripts.qa.selection import texts as selection_texts
from workflow_scripts.qa.tune import choose, read_left_out, tune, without, without_yes_no
from workflow_scripts.qa.tune_selected import selecting
from workflow_scripts.recipes.tuning import Prediction, Tuning
from workflow_scripts.staleness import import_closure
from workflow_scripts.training import choice
from workflow_scripts.training.folders import load_tokenizer
from workflow_scripts.training.loop import fingerprint
from workflow_scripts.training.work_folder import locked
from workflow_scripts.tydi_format import to_record

FILES = {"documents": "d.parquet", "questions": "q.parquet", "contexts": "c.st", "windows": "w.st"}
NAMES = ["Ramor", "Tesi", "Mito", "Lora", "Sako", "Ruzo"]


def corpus():
    """Six documents of three passages; questions ask for a name, one is answered by NO, one has no answer."""
    documents, questions = [], []
    for number, name in enumerate(NAMES):
        passages = [
            "The river is long .",
            f"The city of {name} lies on the river .",
            "Mji uko kando ya mto .",
        ]
        text = "\n".join(passages)
        starts = [sum(len(p) + 1 for p in passages[:n]) for n in range(3)]
        spans = tuple((s, s + len(p)) for s, p in zip(starts, passages, strict=True))
        documents.append(Document(f"d{number}", "en", name, "", text, spans, f"d{number}"))
        at = text.index(name)
        answer = Annotation(1, at, at + len(name), name)
        if number == 4:
            answer = Annotation(1, -1, -1, "", "NO")
        if number == 5:
            answer = Annotation()
        asked = f"Which city lies on the river {number} ?"
        questions.append(Question(str(number - 3), str(number - 3), f"d{number}", "en", asked, (answer,)))
    return documents, questions


def step(name, *arguments):
    result = subprocess.run(
        [sys.executable, "-m", f"workflow_scripts.qa.{name}", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("qa")
    documents, questions = corpus()
    write_documents(folder / "d.parquet", documents)
    write_questions(folder / "q.parquet", questions, {d.doc_id: d for d in documents})
    encoder(folder / "encoder")
    tokenizer, recipe = (
        folder / "encoder/tokenizer.json",
        '{"max_length": 90, "stride": 8, "question_length": 32}',
    )
    files = ("--tokenizer", tokenizer, "--recipe", recipe)
    step("contexts", *files, "--documents", folder / "d.parquet", "--out", folder / "c.st")
    step(
        "windows",
        *files,
        "--questions",
        folder / "q.parquet",
        "--contexts",
        folder / "c.st",
        "--out",
        folder / "w.st",
    )
    recipe = json.dumps({"steps": 600, "batch_size": 6, "learning_rate": 5e-3, "precision": "fp32"})
    parts = ("--contexts", folder / "c.st", "--windows", folder / "w.st")
    step(
        "tune",
        "--encoder",
        folder / "encoder",
        *parts,
        "--recipe",
        recipe,
        "--work",
        folder / "k",
        "--out",
        folder / "m",
    )
    files = ("--documents", folder / "d.parquet", "--questions", folder / "q.parquet", *parts)
    step("predict", "--model", folder / "m", *files, "--pair", f"en-en={folder / 'p.jsonl'}")
    return folder


def test_what_was_learned_by_heart_is_predicted(made):
    lines = {line["example_id"]: line for _, line in read_jsonl(made / "p.jsonl")}
    assert list(lines) == [-3, -2, -1, 0, 1, 2]
    documents, questions = corpus()
    for document, question in list(zip(documents, questions, strict=True))[:4]:
        line = lines[int(question.source_id)]
        span = line["minimal_answer"]
        answer = document.text.encode()[span["start_byte_offset"] : span["end_byte_offset"]].decode()
        assert answer == question.annotations[0].text
        assert line["passage_answer_index"] == 1
        assert (line["language"], line["yes_no_answer"]) == ("english", "NONE")
    assert lines[1]["yes_no_answer"] == "NO"
    assert lines[1]["minimal_answer"] == {"start_byte_offset": -1, "end_byte_offset": -1}
    assert min(lines, key=lambda number: lines[number]["minimal_answer_score"]) == 2


def test_the_folder_is_an_ordinary_question_answering_model(made):
    plain = AutoModelForQuestionAnswering.from_pretrained(made / "m").eval()
    ours = heads.load(made / "m", "folded").eval()
    tokenizer = AutoTokenizer.from_pretrained(made / "m")
    parts = read_parts([made / "c.st"], [made / "w.st"])
    layout = batches.Layout.of(tokenizer, ours.span)
    batch = batches.collate(parts, [(0, 0), (0, 3)], layout, "nothing")
    with torch.no_grad():
        start, end, _ = ours(batch)
        output = plain(batch["input_ids"], attention_mask=batch["attention_mask"])
    real = batch["attention_mask"] == 1
    assert torch.allclose(output.start_logits[real], start[real], atol=1e-5)
    assert torch.allclose(output.end_logits[real], end[real], atol=1e-5)


def tuned(made, out, start, annotators=1, **recipe):
    """The model that a few steps from a folder give."""
    given = {
        "contexts": [made / "c.st"],
        "windows": [made / "w.st"],
        "left_out": None,
        "corpora": [],
        "seed": 0,
    }
    if recipe.get("selection"):
        given |= {f"dev_{name}": [made / file] for name, file in FILES.items()}
        given |= {f"reported_{name}": [] for name in FILES}
        given |= {"dev_annotators": annotators, "reported_annotators": 1}
    arguments = Namespace(**given, encoder=start, out=out, label="tune")
    settings = Tuning(**{"batch_size": 6, "precision": "fp32", **recipe})
    with locked(out / "work") as arguments.work:
        if settings.selection:
            tune(arguments, settings, tune.__module__, selecting(arguments, settings, Prediction()))
        else:
            tune(arguments, settings, tune.__module__)
    return heads.load(out, "folded").state_dict()


def test_a_model_may_be_tuned_further(made, tmp_path):
    """From a tuned model, encoder and heads are taken; from an encoder, heads are new."""
    learned = heads.load(made / "m", "folded").state_dict()
    kept = tuned(made, tmp_path / "kept", made / "m", steps=1, learning_rate=1e-12)
    assert kept.keys() == learned.keys()
    assert all(torch.allclose(kept[name], learned[name], atol=1e-7) for name in learned)

    fresh = tuned(made, tmp_path / "fresh", made / "encoder", steps=1, learning_rate=1e-12)
    for name in ("span.qa_outputs.weight", "answer_type.pooler.weight", "answer_type.classifier.weight"):
        assert not torch.allclose(fresh[name], learned[name], atol=1e-2), name

    further = tuned(made, tmp_path / "further", made / "m", steps=3, learning_rate=1e-3)
    for name in ("span.qa_outputs.weight", "answer_type.classifier.weight"):
        assert 0 < (further[name] - learned[name]).abs().max() < 0.02, name


def test_a_run_is_not_resumed_with_other_dropout(made, tmp_path, monkeypatch):
    """It stands in config.json beside the same weights."""
    found = []

    def captured(told, code, inputs):
        found.append(fingerprint(told, code, inputs))
        raise InputError("enough")

    monkeypatch.setattr("workflow_scripts.qa.tune.fingerprint", captured)
    shutil.copytree(made / "encoder", tmp_path / "encoder")
    file = tmp_path / "encoder/config.json"
    for dropout in (0.0, 0.0, 0.2):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"hidden_dropout_prob": dropout}))
        with pytest.raises(InputError, match="enough"):
            tuned(made, tmp_path / "m", tmp_path / "encoder", steps=1)
    assert found[0] == found[1] != found[2]


def test_packed_tuning_gives_the_padded_model_and_predictions(made, tmp_path):
    """Over several steps; also where a step's windows are told by their pieces and computed in parts."""
    budget = {"batch_size": None, "batch_pieces": 270}
    still = tuned(made, tmp_path / "still", made / "encoder", steps=1, learning_rate=1e-12)
    heads_at_start = still["answer_type.classifier.weight"]
    for number, steps_of in enumerate(({}, budget)):
        # a large epsilon, or Adam makes steps of the rounding of gradients that are 0, such as those of keys' biases
        recipe = {"steps": 4, "learning_rate": 1e-2, "epsilon": 1e-2, **steps_of}
        padded = tuned(made, tmp_path / f"padded{number}", made / "encoder", **recipe)
        recipe |= {"batching": "packed", "part_pieces": 100}
        packed = tuned(made, tmp_path / f"packed{number}", made / "encoder", **recipe)
        for name, weight in padded.items():
            torch.testing.assert_close(packed[name], weight, rtol=1e-5, atol=1e-5, msg=name)
        moved = packed["answer_type.classifier.weight"] - heads_at_start
        assert moved.abs().max() > 1e-3
    for batching in ("padded", "packed"):
        recipe = Prediction(batching=batching, batch_pieces=100, precision="fp32")
        predicting(made, recipe, pair=[f"en-en={tmp_path / batching}"])
    one, other = ([line for _, line in read_jsonl(tmp_path / name)] for name in ("padded", "packed"))
    for first, second in zip(one, other, strict=True):
        for score in ("minimal_answer_score", "passage_answer_score"):
            assert first.pop(score) == pytest.approx(second.pop(score), abs=1e-4)
        assert first == second


@pytest.mark.parametrize("metric", ["minimal", "jaccard"])
def test_the_weights_that_answer_best_become_the_model(made, tmp_path, metric):
    """At a rate so high that scores jump, and how they do depends on the number of threads."""
    recipe = {"steps": 30, "learning_rate": 0.5, "warmup": 0, "schedule": "constant"}
    selection = {"metric": metric, "every": 2, "patience": 4}
    tuned(made, tmp_path / "m", made / "m", **recipe, selection=selection)
    facts = json.loads((tmp_path / "m/training.json").read_text())
    scores = dict(facts["scores"])
    assert scores[facts["best_step"]] == max(scores.values()) > 0
    assert facts["steps"] == facts["best_step"] + 2 * 4 < 30
    files = {"pair": [f"en-en={tmp_path / 'p'}"], "squad": [f"en-en={tmp_path / 's'}"]}
    predicting(made, Prediction(precision="fp32"), model=tmp_path / "m", **files)
    documents, questions = corpus()
    asked = list(zip(questions, documents, strict=True))
    if metric == "minimal":
        gold = {q.source_id: tydi.gold_of(to_record(q, d), "") for q, d in asked}
        best = tydi.evaluate(gold, tydi.read_predictions(tmp_path / "p"), 1)
        score = best["languages"]["english"]["minimal"]["best_f1"]
    else:
        gold = {q.source_id: overlap.Gold(selection_texts(q)) for q, _ in asked if selection_texts(q)}
        assert len(gold) == 5
        score = overlap.evaluate(gold, overlap.read_predictions(tmp_path / "s"), "jaccard")[0]["jaccard"]
    assert max(scores.values()) == pytest.approx(100 * score)


@pytest.mark.parametrize("metric", ["minimal", "passage"])
def test_annotators_that_no_question_has_are_told_before_training(made, tmp_path, metric):
    """All scores would be 0, and the first weights the best."""
    with pytest.raises(
        InputError, match=rf"no question has 2 annotators who gave a {metric} answer, so noth"
    ):
        tuned(made, tmp_path, made / "m", annotators=2, steps=2, selection={"metric": metric, "every": 1})


def test_a_recipe_that_selects_needs_questions_to_select_on(made, tmp_path):
    arguments = (
        "--encoder",
        made / "encoder",
        "--contexts",
        made / "c.st",
        "--windows",
        made / "w.st",
        "--recipe",
    )
    arguments = (*arguments, '{"selection": {}}', "--work", tmp_path / "k", "--out", tmp_path / "m")
    with pytest.raises(AssertionError, match=r"run workflow_scripts\.qa\.tune_selected"):
        step("tune", *arguments)
    dev = ("--dev-documents", "--dev-questions", "--dev-windows", made / "w.st", "--dev-contexts")
    with pytest.raises(AssertionError, match="expected at least one argument"):
        step("tune_selected", *arguments, *dev)


@pytest.mark.slow
def test_two_processes_tune_select_and_predict_as_one(made, tmp_path):
    """The same losses, the same choice of weights and the same answers; without dropout, whose coins would differ."""
    shutil.copytree(made / "encoder", tmp_path / "encoder")
    config = json.loads((tmp_path / "encoder/config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (tmp_path / "encoder/config.json").write_text(json.dumps(config))
    recipe = {"steps": 50, "batch_size": 6, "learning_rate": 1e-2, "epsilon": 1e-2, "precision": "fp32"}
    recipe |= {"batching": "packed", "selection": {"every": 25}}
    features_of = ("--contexts", made / "c.st", "--windows", made / "w.st")
    tables = ("--documents", made / "d.parquet", "--questions", made / "q.parquet")
    losses, models, told, answers = [], [], [], []
    for number in (1, 2):
        launch = () if number == 1 else TWO_PROCESSES
        out, found = tmp_path / f"m{number}", tmp_path / f"p{number}.jsonl"
        work = tmp_path / f"k{number}"
        dev = [
            part.replace("--", "--dev-") if isinstance(part, str) else part
            for part in (*tables, *features_of)
        ]
        tuning = ("--encoder", tmp_path / "encoder", *features_of, *dev, "--recipe", json.dumps(recipe))
        predicting_it = ("--model", out, *tables, *features_of, "--pair", f"en-en={found}")
        for name, arguments in (
            ("tune_selected", (*tuning, "--work", work, "--out", out)),
            ("predict", (*predicting_it, "--recipe", '{"precision": "fp32", "batch_size": 2}')),
        ):
            command = [sys.executable, *launch, "-m", f"workflow_scripts.qa.{name}", *map(str, arguments)]
            environment = {**os.environ, "ACCELERATE_USE_CPU": "true"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        (events,) = work.glob("run.*/events")
        shown = EventAccumulator(str(events))
        shown.Reload()
        losses.append({event.step: event.value for event in shown.Scalars("loss")})
        facts = json.loads((out / "training.json").read_text())
        models.append((facts["best_step"], [score for _, score in facts["scores"]], facts["pieces"]))
        told.append((out / "steps.jsonl").read_bytes())
        answers.append([line for _, line in read_jsonl(found)])
    assert set(losses[0]) == {0, 20, 40, 49}
    for at, loss in losses[0].items():
        assert losses[1][at] == pytest.approx(loss, abs=1e-5)
    assert models[0] == models[1]
    assert told[0] == told[1]
    assert told[0].count(b"\n") == 2
    for one, other in zip(*answers, strict=True):
        for score in ("minimal_answer_score", "passage_answer_score"):
            assert one.pop(score) == pytest.approx(other.pop(score), abs=1e-3)
        assert one == other


def test_auto_chooses_by_the_first_steps_and_keeps_its_choice(made, tmp_path):
    tuned(made, tmp_path / "m", made / "encoder", steps=1, batching="auto")
    facts = json.loads((tmp_path / "m/training.json").read_text())
    measured = facts["microseconds_a_piece"]
    assert set(measured) == {"padded", "packed"}
    assert facts["batching"] == min(measured, key=measured.get)
    assert not (tmp_path / "m/work" / choice.FILE).exists()

    slow = {"packed": 1.0, "padded": 2.0}
    assert choice.remembered(tmp_path, "this run", lambda: slow) == slow
    assert choice.remembered(tmp_path, "this run", lambda: pytest.fail("measured again")) == slow
    assert choice.remembered(tmp_path, "another", dict) == {}


def test_a_window_is_cls_question_sep_context_sep(made):
    tokenizer = AutoTokenizer.from_pretrained(made / "m")
    parts = read_parts([made / "c.st"], [made / "w.st"])
    layout = batches.Layout.of(tokenizer, heads.load(made / "m", "folded").span)
    batch = batches.collate(parts, [(0, 0)], layout, "nothing")
    text = tokenizer.convert_ids_to_tokens(batch["input_ids"][0])
    assert text[:2] == ["[CLS]", "[Q]"]
    assert text.count("[SEP]") == 2
    assert [piece for piece in text if piece.startswith("[ContextId")] == [
        f"[ContextId={n}]" for n in range(3)
    ]
    answer = text[batch["start"][0] : batch["end"][0] + 1]
    assert "".join(piece.removeprefix("##") for piece in answer) == "Ramor"
    hidden = batches.collate(parts, [(0, 0)], layout, "context")
    sep = text.index("[SEP]")
    assert set(hidden["input_ids"][0][sep + 1 : -1].tolist()) == {tokenizer.mask_token_id}
    hidden = batches.collate(parts, [(0, 0)], layout, "question")
    assert set(hidden["input_ids"][0][1:sep].tolist()) == {tokenizer.mask_token_id}


def test_baseline_turns_yes_and_no_into_passage(made):
    (part,) = read_parts([made / "c.st"], [made / "w.st"])
    assert list(part.windows.answer_type) == [features.SPAN] * 4 + [features.NO, features.NO_ANSWER]
    assert list(without_yes_no(part).windows.answer_type[4:]) == [features.PASSAGE, features.NO_ANSWER]


def test_unknowns_are_drawn_from_the_seed(made):
    (part,) = read_parts([made / "c.st"], [made / "w.st"])
    assert len(choose([part], Tuning(include_unknowns=0), 0)) == 5
    assert len(choose([part], Tuning(include_unknowns=1), 0)) == 6
    kept = [len(choose([part] * 50, Tuning(include_unknowns=0.1), seed)) - 250 for seed in range(20)]
    assert 2 < np.mean(kept) < 8


def test_questions_that_are_left_out_have_no_windows(made, tmp_path):
    (part,) = read_parts([made / "c.st"], [made / "w.st"])
    left = without(part, {"-3", "1"})
    assert [left.windows.question_ids[row] for row in left.windows.question] == ["-2", "-1", "0", "2"]
    assert list(left.windows.answer_type) == [features.SPAN] * 3 + [features.NO_ANSWER]
    lines = [{"corpus": "b", "id": "1"}, {"corpus": "b", "id": "2"}]
    (tmp_path / "list").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_left_out(tmp_path / "list", ["a", "b"]) == [set(), {"1", "2"}]
    with pytest.raises(InputError, match="list line 1: corpus b is not one of --corpora, a, c"):
        read_left_out(tmp_path / "list", ["a", "c"])


def test_features_of_another_vocabulary_are_refused(made, tmp_path):
    """Also where both vocabularies have the same number of pieces."""
    (part,) = read_parts([made / "c.st"], [made / "w.st"])
    tokenizer = load_tokenizer(made / "m")
    batches.check_fits([part], tokenizer)
    inner = json.loads(tokenizer.backend_tokenizer.to_str())
    pieces = inner["model"]["vocab"]
    pieces["river"], pieces["city"] = pieces["city"], pieces["river"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(inner))
    other = features.vocabulary_digest(features.load_tokenizer(tmp_path / "tokenizer.json"))
    for name in ("contexts", "windows"):
        mixed = replace(part, **{name: replace(getattr(part, name), vocabulary=other)})
        with pytest.raises(InputError, match=f"the {name} were made with another encoder's tokenizer"):
            batches.check_fits([mixed], tokenizer)


def test_a_tokenizer_with_more_pieces_than_the_encoder_is_refused(made):
    tokenizer = load_tokenizer(made / "m")
    span = heads.load(made / "m", "folded").span
    span.resize_token_embeddings(len(tokenizer) - 1)
    sentence = (
        f"a tokenizer of {len(tokenizer)} pieces for an encoder with embeddings for {len(tokenizer) - 1}"
    )
    with pytest.raises(InputError, match=sentence):
        batches.Layout.of(tokenizer, span)


def test_windows_longer_than_the_encoder_reads_are_refused(made):
    (part,) = read_parts([made / "c.st"], [made / "w.st"])
    tokenizer = load_tokenizer(made / "m")
    tokenizer.model_max_length = 20
    with pytest.raises(InputError, match=r"for an encoder that reads 20; lower features\.max_length"):
        batches.check_fits([part], tokenizer)


def test_lists_of_different_lengths_are_told(made):
    with pytest.raises(InputError, match="--contexts names 1 files, --windows 2"):
        read_parts([made / "c.st"], [made / "w.st"] * 2)


def predicting(made, recipe=None, **changed):
    given = {name: [made / file] for name, file in FILES.items()}
    given |= {"model": made / "m", "hide": "nothing", "label": "predict", "pair": [f"en-en={made / 'again'}"]}
    given |= {"squad": [], "odds": [], "nbest": []}
    predict.predict(Namespace(**given | changed), recipe or Prediction())


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"pair": ["en-en"]}, "--pair en-en: give name=file"),
        ({"pair": ["en-en=again", "ar-en=again"]}, "--pair ar-en: no such questions in"),
        ({"pair": ["ar-en=again"]}, "questions of pair en-en, but --pair names ar-en"),
        ({"documents": []}, "--documents names 0 files, --questions 1, --windows 1"),
        ({"squad": ["en-ar=again"]}, "--squad names en-ar, but --pair names en-en; give the same pairs"),
        ({"nbest": ["en-en=again"]}, "--nbest: n_best is 0 in --recipe"),
    ],
)
def test_arguments_that_do_not_belong_together_are_told(made, monkeypatch, tmp_path, changed, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=sentence):
        predicting(made, **changed)
    assert not list(tmp_path.iterdir())


def test_the_other_files_say_the_same(made, tmp_path):
    """SQuAD's text, null odds and candidates are those of TyDi's line; the first of several is that of one alone."""
    files = {name: [f"en-en={tmp_path / name}"] for name in ("pair", "squad", "odds", "nbest")}
    predicting(made, Prediction(n_best=4), **files)
    assert (tmp_path / "pair").read_bytes() == (made / "p.jsonl").read_bytes()
    lines = [line for _, line in read_jsonl(made / "p.jsonl")]
    listed = [line for _, line in read_jsonl(tmp_path / "nbest")]
    texts, odds = (json.loads((tmp_path / name).read_text("utf-8")) for name in ("squad", "odds"))
    documents, questions = corpus()
    assert list(texts) == list(odds) == [line["id"] for line in listed] == [q.source_id for q in questions]
    for document, question, line, several in zip(documents, questions, lines, listed, strict=True):
        best = several["candidates"]
        scores = [one["score"] for one in best]
        assert len(best) == 4
        assert scores == sorted(scores, reverse=True)
        assert scores[0] == line["minimal_answer_score"] == -odds[question.source_id]
        assert all(one["text"] == document.text[one["start"] : one["end"]] for one in best)
        weights = np.exp([*scores, 0])
        assert [one["probability"] for one in best] == pytest.approx(list(weights / weights.sum())[:4])
        assert several["null_probability"] == pytest.approx(1 / weights.sum())
        assert several["yes_no"] == line["yes_no_answer"]
        span = line["minimal_answer"]
        if line["yes_no_answer"] == "NONE":
            answer = document.text.encode()[span["start_byte_offset"] : span["end_byte_offset"]].decode()
            assert texts[question.source_id] == best[0]["text"] == answer
        else:
            assert texts[question.source_id] == "no"


def test_a_model_that_gives_no_numbers_is_told(made, tmp_path):
    shutil.copytree(made / "m", tmp_path / "m")
    weights = load_file(made / "m/model.safetensors")
    weights["qa_outputs.bias"][0] = float("nan")
    save_file(weights, tmp_path / "m/model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="the model's logits are not numbers"):
        predicting(made, model=tmp_path / "m", pair=[f"en-en={tmp_path / 'none'}"])
    assert not (tmp_path / "none").exists()


def test_where_no_span_is_possible_nothing_is_invented():
    (document, *_), (question, *_) = corpus()
    nothing = answers.Candidates([], [], [], [], -1, features.NO, -3.0, 1.0)
    line = answers.tydi_line(question, document, nothing)
    assert (line["passage_answer_index"], line["yes_no_answer"]) == (-1, "NONE")
    assert line["minimal_answer"] == {"start_byte_offset": -1, "end_byte_offset": -1}
    assert line["minimal_answer_score"] == -answers.null_odds(nothing) == -1e9
    assert answers.squad_text(document, nothing) == ""
    assert answers.n_best_line(question, document, nothing)["candidates"] == []


def test_tuning_settings_leave_predictions_fresh():
    assert not {name for name in import_closure("workflow_scripts.qa.predict") if name.endswith(".tune")}
