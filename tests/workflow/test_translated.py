"""Whole corpora in other languages, run: ChAII's rows to English from records, on to Bengali by a paid service."""

import csv
import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.servers import TranslationServer
from tests.workflow.conftest import Tree
from workflow_scripts.augment.corpora import label_of
from workflow_scripts.corpus import Document, Question, example_id, read_documents, read_questions
from workflow_scripts.files import read_jsonl
from workflow_scripts.recipes.relocation import LABELS

pytestmark = pytest.mark.slow

CORPORA = ("chaii-en", "chaii-bn", "letters", "asked")
TABLES = [f"results/questions/{name}.parquet" for name in CORPORA]


def configuration(tree: Tree, endpoint: str, **changes: Any) -> str:
    """tests/config/small.yaml with ChAII's rows and what is made of them; changes are of the corpus chaii-bn."""
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    raw["microworld"] |= {
        "languages": ["en", "ar", "hi", "ta", "bn"],
        "chaii_articles": {"hi": [40, 2], "ta": [20, 2]},
    }
    folder = "results/microworld/chaii"
    records = {code: f"{folder}/translations/{code}-en.jsonl" for code in ("hi", "ta")}
    google = {"kind": "google", "project": "p", "endpoint": endpoint, "max_characters": 100_000, "shards": 2}
    bengali = {"kind": "translated", "of": "chaii-en", "to": "bn", "translations": "google"}
    raw["translations"]["google"] = google
    raw["corpora"] |= {
        "chaii": {"kind": "chaii", "files": [f"{folder}/train.csv"], "languages": ["hi", "ta"]},
        "chaii-en": {"kind": "translated", "of": "chaii", "to": "en", "records": records},
        "chaii-bn": bengali | changes,
        "letters": {"kind": "transliterated", "of": "chaii", "to": "bn"},
        "asked": {
            "kind": "translated-questions",
            "of": "chaii",
            "from": ["hi"],
            "to": ["bn"],
            "translations": "google",
        },
    }
    (tree.folder / "whole.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    return "whole.yaml"


def made(tree: Tree, corpus: str) -> tuple[dict[str, Document], list[Question], list[dict[str, str]]]:
    """A corpus's documents and questions, and what was dropped."""
    results = tree.folder / "results"
    dropped = (results / f"questions/{corpus}.dropped.jsonl").read_text("utf-8").splitlines()
    return (
        read_documents(results / f"documents/{corpus}.parquet"),
        read_questions(results / f"questions/{corpus}.parquet"),
        [json.loads(line) for line in dropped],
    )


@pytest.fixture(scope="module")
def server() -> Iterator[TranslationServer]:
    """A service that writes each text backwards word by word, so that word order is another."""
    with TranslationServer(answer=lambda text, target: " ".join(reversed(text.split()))) as running:
        yield running


@pytest.fixture(scope="module")
def run(tree: Tree, server: TranslationServer) -> Tree:
    """The corpora, made."""
    done = tree.snakemake("--cores", "2", "--", *TABLES, config=configuration(tree, server.endpoint))
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return tree


def test_no_row_is_lost(run: Tree) -> None:
    """Rows → English → Bengali, and in Bengali letters: each row is there, under the id that it had."""
    sources = {
        question.question_id for question in read_questions(run.folder / "results/questions/chaii.parquet")
    }
    assert len(sources) == 60
    for corpus, code in (("chaii-en", "en"), ("chaii-bn", "bn"), ("letters", "bn")):
        documents, questions, dropped = made(run, corpus)
        assert dropped == []
        assert {question.source_id for question in questions} == sources
        assert {question.language for question in questions} == {code}
        assert {document.language for document in documents.values()} == {code}
        assert all(question.relocation is not None for question in questions)
    assert {question.made_by for question in made(run, "chaii-bn")[1]} == {"google nmt"}
    assert len(read_questions(run.folder / "results/questions/asked.parquet")) == 40


def test_nothing_is_paid_for_twice(run: Tree, server: TranslationServer) -> None:
    """Without results/, as after `make clean`, all is made again from cache/: no text is sent, bytes are equal."""
    sent = server.texts()
    assert len(sent) == len(set(sent)) > 100
    tables = [run.folder / table for table in (*TABLES, "results/documents/chaii-bn.parquet")]
    before = [table.read_bytes() for table in tables]
    shutil.rmtree(run.folder / "results")
    done = run.snakemake("--cores", "2", "--", *TABLES, config="whole.yaml")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert [table.read_bytes() for table in tables] == before
    assert server.texts() == sent


def test_what_makes_translations_stale(run: Tree, server: TranslationServer) -> None:
    """Addresses, limits and prices don't; the model does, and what it calls a language, in the pairs with this one."""
    config = configuration(run, "another:1")
    content = yaml.safe_load((run.folder / config).read_text("utf-8"))

    def jobs(**changes: Any) -> dict[str, int]:
        changed = {**content["translations"]["google"], **changes}
        written = {**content, "translations": {**content["translations"], "google": changed}}
        (run.folder / "changed.yaml").write_text(yaml.safe_dump(written), "utf-8")
        return run.jobs("--", *TABLES, config="changed.yaml")

    assert jobs(max_characters=None, price_per_million_characters=1.0, attempts=1, project="q") == {}
    assert jobs(codes={"ta": "ta-IN"}) == {}
    assert jobs(codes={"bn": "bn-IN"})["translate_by_service"] == 4
    assert jobs(codes={"en": "en-GB"})["translate_by_service"] == 2
    assert jobs(model="general/other")["translate_by_service"] == 4


def test_what_a_label_leaves_out(run: Tree, server: TranslationServer) -> None:
    """Another least label finds answers again and translates nothing."""
    _, before, _ = made(run, "chaii-bn")
    labels = [label_of(question) for question in before]
    least = max(labels, key=LABELS.index)
    config = configuration(run, server.endpoint, least_label=least)
    assert run.jobs(TABLES[1], config=config) == {"translated_corpus": 1}
    done = run.snakemake("--cores", "1", "--", TABLES[1], config=config)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    _, after, dropped = made(run, "chaii-bn")
    assert after == [question for question, given in zip(before, labels, strict=True) if given == least]
    assert len(after) + len(dropped) == len(before)


def test_contexts_are_translated_at_test_time(run: Tree, server: TranslationServer) -> None:
    """Spans of the English contexts become spans of the Hindi and Tamil ones; each row of the table is another way."""
    raw = yaml.safe_load((run.folder / configuration(run, server.endpoint)).read_text("utf-8"))
    raw["evaluations"] |= {
        "chaii": {"corpora": ["chaii"], "annotators": 1},
        "english": {"corpora": ["chaii-en"], "annotators": 1},
        "translated": {"corpora": ["chaii"], "annotators": 1, "answered_from": "english"},
    }
    raw["tables"]["baselines"] = {
        "title": "Translate-test",
        "evaluation": "chaii",
        "metric": ["jaccard", "em"],
        "rows": ["tiny-mono", {"model": "tiny-mono", "evaluation": "translated", "label": "in English"}],
        "columns": [["hi-hi", "ta-ta"]],
    }
    (run.folder / "test.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    table = "results/tables/baselines.csv"
    done = run.snakemake("--cores", "2", "--", table, config="test.yaml")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    with (run.folder / table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Model"] for row in rows] == ["tiny", "in English"]
    assert rows[0].keys() >= {"Jaccard hi", "Jaccard ta", "Jaccard avg", "EM avg"}
    documents = read_documents(run.folder / "results/documents/chaii.parquet")
    questions = read_questions(run.folder / "results/questions/chaii.parquet")
    asked = {example_id(one.source_id): one for one in questions}
    folder = run.folder / "results/predictions/tiny-mono/seed0"
    english = {line["example_id"]: line for _, line in read_jsonl(folder / "english/en-en.jsonl")}
    lines = [
        line for code in ("hi", "ta") for _, line in read_jsonl(folder / f"translated/{code}-{code}.jsonl")
    ]
    assert len(lines) == len(english) == 60
    for line in lines:
        assert line["minimal_answer_score"] == english[line["example_id"]]["minimal_answer_score"]
        span = line["minimal_answer"]
        text = documents[asked[line["example_id"]].doc_id].text.encode()
        # whole characters of the original, wherever there was a span
        assert bool(text[span["start_byte_offset"] : span["end_byte_offset"]].decode().strip()) == (
            english[line["example_id"]]["minimal_answer"]["start_byte_offset"] >= 0
        )
    assert run.jobs("--", table, config="test.yaml") == {}
