"""Questions as they were heard, from SD-QA's transcripts and from recordings, through snakemake."""

import csv
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import SpeechServer
from tests.unit.test_speech import wav
from tests.workflow.conftest import ROOT, Tree
from workflow_scripts.corpus import read_questions

SMALL = yaml.safe_load((ROOT / "tests/config/small.yaml").read_text("utf-8"))


def configuration(tree: Tree, endpoint: str, **changes: Any) -> str:
    """The small configuration with Arabic test questions as heard in SD-QA's files and in recordings; its file.

    Changes are of the recognition.
    """
    raw: dict[str, Any] = json.loads(json.dumps(SMALL))
    raw["corpora"] |= {
        "heard": {
            "kind": "transcribed",
            "of": "test",
            "dialect": "egy-ar-EG",
            "transcripts": ["results/microworld/sdqa/test/ara/arabic.test.csv"],
        },
        "spoken": {
            "kind": "transcribed",
            "of": "test",
            "dialect": "mar-ar-MA",
            "recordings": "morocco",
            "qmark": "keep",
        },
    }
    raw["speech"] = {
        "morocco": {
            "files": ["data/morocco.tsv"],
            "root": "data",
            "locale": "ar-MA",
            "shards": 2,
            "endpoint": endpoint,
            "max_minutes": 1,
            **changes,
        }
    }
    (tree.folder / "speech.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), "utf-8")
    return "speech.yaml"


def test_what_would_be_run(tree: Tree) -> None:
    (tree.folder / "data").mkdir(exist_ok=True)
    (tree.folder / "data/morocco.tsv").write_text("1\t1.wav\n")
    config = configuration(tree, "127.0.0.1:1")
    jobs = tree.jobs("results/word_error_rates.md", config=config)
    assert jobs == {"microworld": 1, "tydiqa": 1, "transcribe": 2, "word_error_rates": 1}
    assert tree.jobs("results/questions/heard.parquet", config=config) == {
        "microworld": 1,
        "tydiqa": 1,
        "transcribed_questions": 1,
    }
    shutil.rmtree(tree.folder / "data")


@pytest.mark.slow
def test_transcripts_and_recordings(tree: Tree) -> None:
    (tree.folder / "data").mkdir()
    with SpeechServer(answer=lambda content: [f"Swali {len(content)}"]) as server:
        config = configuration(tree, server.endpoint)
        done = tree.snakemake("--cores", "1", "results/questions/test.parquet", config=config)
        assert done.returncode == 0, done.stdout + done.stderr
        asked = [
            one
            for one in read_questions(tree.folder / "results/questions/test.parquet")
            if one.language == "ar"
        ]
        lines = []
        for number, one in enumerate(asked):
            (tree.folder / f"data/{number}.wav").write_bytes(wav(number, 0.05 + number / 1000))
            lines.append(f"{one.question_id}\t{number}.wav\n")
        (tree.folder / "data/morocco.tsv").write_text("".join(lines))
        wanted = (
            "results/word_error_rates.md",
            "results/questions/heard.parquet",
            "results/questions/spoken.parquet",
        )
        done = tree.snakemake("--cores", "2", *wanted, config=config)
        assert done.returncode == 0, done.stdout + done.stderr
        assert Counter(call.digest for call in server.log).most_common(1)[0][1] == 1
        assert len(server.log) == len(asked)
        questions = {
            name: read_questions(tree.folder / f"results/questions/{name}.parquet")
            for name in ("heard", "spoken")
        }
        assert len(questions["spoken"]) == len(asked)
        assert {one.text for one in questions["spoken"]} == {
            f"swali {path.stat().st_size}" for path in (tree.folder / "data").glob("*.wav")
        }
        assert 0 < len(questions["heard"]) <= len(asked)
        assert all(one.text.endswith(" ?") for one in questions["heard"])
        with (tree.folder / "results/word_error_rates.csv").open(encoding="utf-8") as file:
            rates = {row["dialect"]: float(row["corpus"]) for row in csv.DictReader(file)}
        assert 0.05 < rates["egy-ar-EG"] < 0.5
        assert rates["mar-ar-MA"] > 0.9

        # What changes no transcript makes none stale.
        changed = configuration(tree, "another:1", max_minutes=None, price_per_minute=1.0, attempts=1)
        assert tree.jobs(*wanted, config=changed) == {}
        changed = configuration(tree, server.endpoint, model="latest_short")
        assert tree.jobs(*wanted, config=changed)["transcribe"] == 2
        configuration(tree, server.endpoint)

        # The results are gone, and nothing is paid for again.
        shutil.rmtree(tree.folder / "results/speech")
        done = tree.snakemake("--cores", "1", "results/questions/spoken.parquet", config=config)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(server.log) == len(asked)
    assert Path(tree.folder, "cache/speech").is_dir()
