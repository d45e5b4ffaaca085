"""MuCoT's way with ChAII's real rows: read, imported, translated, written in other scripts, tuned on and scored.

Every step is called as its command line is, on the pack's 32 official rows and MuCoT's records of four of them.  In
place of a translator, sentences are written in Telugu letters, so that where each answer must be found is known.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_versions import COLUMNS, published
from tests.unit.tiny import encoder
from workflow_scripts.acquire import chaii, versions
from workflow_scripts.augment import corpora, transliterate
from workflow_scripts.augment.scripts import Direction
from workflow_scripts.augment.sentences import sentences
from workflow_scripts.corpus import Document, Question, read_documents, read_questions
from workflow_scripts.evaluate import gold, score
from workflow_scripts.files import read_jsonl, write_jsonl
from workflow_scripts.languages import language
from workflow_scripts.qa import contexts, predict, tune, windows
from workflow_scripts.qa.features import load_contexts, load_windows

# corpus -> questions, and lines in its dropped file
MADE = {
    "chaii": (32, 0),
    "published-ml": (2, 12),
    "published-te": (2, 0),
    "translated-te": (32, 0),
    "in-bn": (32, 0),
    "in-ta": (17, 0),  # Tamil rows are in Tamil letters already
}
FEATURES = json.dumps({"max_length": 256, "stride": 32, "question_length": 48})
PAIRS = ("hi-hi", "ta-ta")


def call(main: Callable[[], None], *arguments: object) -> None:
    """A step's command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["step", *map(str, arguments)])
        main()


def telugu(text: str, code: str) -> str:
    """A text in Telugu letters."""
    return transliterate.write(text, Direction(language(code).script, "Telugu", "iso", "keep")).text


def record(question: Question, document: Document) -> dict[str, Any]:
    """A whole record "translated" to Telugu, without the place of its answer."""
    spans = [document.text[slice(*span)] for span in sentences(document)]
    return {
        "id": question.question_id,
        "question": telugu(question.text, question.language),
        "answer_text": telugu(question.annotations[0].text, question.language),
        "sentences": [(text, telugu(text, document.language)) for text in spans],
    }


def tables(folder: Path, name: str, options: str = "") -> list[str]:
    """The options that name the tables which a step writes."""
    kinds = {f"{options}documents": "documents", f"{options}questions": "questions", "dropped": "dropped"}
    return [f"--{option}={folder / f'{name}.{kind}'}" for option, kind in kinds.items()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pack: Path) -> Path:
    """A folder with every corpus of MADE, and the features of a tiny encoder for each."""
    folder = tmp_path_factory.mktemp("mucot")
    chaii.main(
        ["--in", str(pack / "chaii/train_subset.csv"), "--languages", "hi", "ta", *tables(folder, "chaii")]
    )
    of = [f"--{name}={folder / f'chaii.{name}'}" for name in ("documents", "questions")]
    with (folder / "translated.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *(one.values() for one in published(pack))])
    for code in ("ml", "te"):
        own = [text.replace("--", "--of-") for text in of]
        arguments = ["--in", str(folder / "translated.csv"), "--made", "translated", "--to", code, *own]
        versions.main([*arguments, *tables(folder, f"published-{code}")])
    for code in ("bn", "ta"):
        transliterate.main([*of, "--to", code, *tables(folder, f"in-{code}", "out-")])
    documents, questions = (
        read_documents(folder / "chaii.documents"),
        read_questions(folder / "chaii.questions"),
    )
    records = []
    for code in ("hi", "ta"):
        asked = [question for question in questions if question.language == code]
        write_jsonl(folder / f"{code}.jsonl", [record(one, documents[one.doc_id]) for one in asked])
        records.append(f"{code}={folder / f'{code}.jsonl'}")
    corpora.main(
        [
            *of,
            "--to",
            "te",
            "--made-by",
            "letters",
            *tables(folder, "translated-te", "out-"),
            "--records",
            *records,
        ]
    )
    texts = [
        one.text[:4000] for name in MADE for one in read_documents(folder / f"{name}.documents").values()
    ]
    encoder(folder / "encoder", texts=texts, size=3000, length=256)
    files = ("--tokenizer", folder / "encoder/tokenizer.json", "--recipe", FEATURES)
    for name in MADE:
        part = folder / name
        call(contexts.main, *files, "--documents", f"{part}.documents", "--out", f"{part}.contexts")
        told = ("--questions", f"{part}.questions", "--contexts", f"{part}.contexts")
        call(windows.main, *files, *told, "--out", f"{part}.windows")
    return folder


def corpus(folder: Path, name: str) -> Iterator[tuple[Question, Document]]:
    documents = read_documents(folder / f"{name}.documents")
    return (
        (question, documents[question.doc_id]) for question in read_questions(folder / f"{name}.questions")
    )


@pytest.mark.parametrize("name", MADE)
def test_no_record_is_lost_without_a_line(made: Path, name: str) -> None:
    asked = list(corpus(made, name))
    dropped = [line for _, line in read_jsonl(made / f"{name}.dropped")]
    assert (len(asked), len(dropped)) == MADE[name]
    assert all(line["reason"] for line in dropped)
    sources = {question.question_id for question, _ in corpus(made, "chaii")}
    assert {question.source_id for question, _ in asked} <= sources
    for question, document in asked:
        (answer,) = question.annotations
        assert answer.text.strip()
        assert document.text[answer.start : answer.end] == answer.text


def test_answers_are_found_again_where_they_are(made: Path) -> None:
    """In the same letters, each sentence by itself gives the characters that the whole text gives."""
    sources = {question.question_id: question for question, _ in corpus(made, "chaii")}
    exact = 0
    for question, document in corpus(made, "translated-te"):
        source = sources[question.source_id]
        (before,), (after,) = source.annotations, question.annotations
        assert (
            after.text in telugu(before.text, source.language)
            or telugu(before.text, source.language) in after.text
        )
        exact += after.text == telugu(before.text, source.language)
        assert document.source_doc_id == source.doc_id
    assert exact >= 30


@pytest.mark.parametrize("name", MADE)
def test_features_hold_the_answers(made: Path, name: str) -> None:
    """Of every window with an answer, the pieces from its first to its last stand for the answer's characters."""
    read = load_contexts(made / f"{name}.contexts")
    cut = load_windows(made / f"{name}.windows")
    asked = list(corpus(made, name))
    assert cut.question_ids == [question.question_id for question, _ in asked]
    answered = set()
    for number in (cut.start >= 0).nonzero()[0]:
        question, document = asked[cut.question[number]]
        first = cut.first[number]
        start, end = read.starts[first + cut.start[number]], read.ends[first + cut.end[number]]
        (answer,) = question.annotations
        # a piece may reach over the edge of an answer that begins or ends inside a word
        assert start <= answer.start < answer.end <= end or document.text[start:end] == answer.text.strip()
        assert len(document.text[start:end]) <= len(answer.text) + 12
        answered.add(question.question_id)
    assert answered == set(cut.question_ids)


def test_a_model_is_tuned_with_the_contrastive_term_and_scored(made: Path, tmp_path: Path) -> None:
    parts = {
        kind: [made / f"{name}.{kind}" for name in MADE] for kind in ("contexts", "windows", "questions")
    }
    options = [option for kind, files in parts.items() for option in (f"--{kind}", *files)]
    for name, weight in (("model", 0.05), ("without", 0.0)):
        recipe = {"steps": 3, "batch_size": 8, "precision": "fp32"}
        recipe["contrast"] = {"preset": "paper", "layer": 1, "weight": weight}
        files = ("--encoder", made / "encoder", "--recipe", json.dumps(recipe), "--out", tmp_path / name)
        call(tune.main, *files, *options, "--work", tmp_path / f"work/{name}")
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("model", "without")]
    assert models[0] != models[1]  # the rows and their versions were found to be of one record

    tables = {kind: made / f"chaii.{kind}" for kind in ("documents", "questions", "contexts", "windows")}
    given = [option for kind, file in tables.items() for option in (f"--{kind}", file)]
    outputs = [f"{pair}={tmp_path / f'said/{pair}.jsonl'}" for pair in PAIRS]
    call(predict.main, "--model", tmp_path / "model", *given, "--pair", *outputs)
    told = [f"{pair}={tmp_path / f'gold/{pair}.jsonl'}" for pair in PAIRS]
    gold.main([*map(str, given[:4]), "--pair", *told])
    figures = scored(tmp_path, "said")
    assert {pair: of["n"] for pair, of in figures.items()} == {"hi-hi": 17, "ta-ta": 15}
    assert all(0 <= of["text"]["jaccard"] < 1 for of in figures.values())

    # a system that says what is right
    for pair in PAIRS:
        write_jsonl(tmp_path / f"right/{pair}.jsonl", map(right, read_jsonl(tmp_path / f"gold/{pair}.jsonl")))
    for of in scored(tmp_path, "right").values():
        assert of["text"] == {"em": 1.0, "f1": 1.0, "jaccard": 1.0, "mucot_f1": 1.0}
        assert of["minimal"]["best_f1"] == 1.0


def scored(folder: Path, said: str) -> dict[str, Any]:
    """The figures of each pair."""
    out = folder / f"{said}.json"
    files = ("--gold", str(folder / "gold"), "--predictions", str(folder / said), "--out", str(out))
    score.main([*files, "--pairs", *PAIRS, "--annotators", "1"])
    return json.loads(out.read_text())["pairs"]


def right(line: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    """The prediction that a gold record asks for."""
    (answer,) = line[1]["annotations"]
    span = answer["minimal_answer"]
    return {
        "example_id": line[1]["example_id"],
        "language": line[1]["language"],
        "passage_answer_index": answer["passage_answer"]["candidate_index"],
        "passage_answer_score": 1.0,
        "minimal_answer": {
            "start_byte_offset": span["plaintext_start_byte"],
            "end_byte_offset": span["plaintext_end_byte"],
        },
        "minimal_answer_score": 1.0,
        "yes_no_answer": answer["yes_no_answer"],
    }
