"""Word error rates: SD-QA's own figures recomputed, and the two kinds of average told apart."""

import csv
from pathlib import Path

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Document, Question, write_questions
from workflow_scripts.evaluate import wer
from workflow_scripts.evaluate.wer import Errors, errors


@pytest.mark.parametrize(
    ("gold", "heard", "expected"),
    [
        ("Rais wa kwanza wa China ?", "rais wa kwanza wa china", Errors(0, 0, 0, 5)),
        ("Rais wa kwanza?", "rais kwanza ?", Errors(0, 1, 0, 3)),
        ("Je, nani", "je nani leo", Errors(1, 0, 1, 2)),
        ("a b", "", Errors(0, 2, 0, 2)),
        ("a", "x y z", Errors(1, 0, 2, 1)),
        ("a ? b?", "a ? b", Errors(0, 0, 0, 3)),
    ],
)
def test_errors(gold: str, heard: str, expected: Errors) -> None:
    assert errors(gold, heard) == expected


def test_rates_are_rounded_and_may_exceed_one() -> None:
    assert [Errors(1, 0, 0, 3).rate, Errors(1, 0, 2, 1).rate, Errors(0, 2, 0, 2).rate] == [0.333, 3.0, 1.0]


def test_the_rates_that_sdqa_stores(pack: Path) -> None:
    """All four rows of the excerpt: three transcripts and one that nothing was found of."""
    with (pack / "sdqa/asr_output_with_metadata_swa.excerpt.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    transcripts = list(wer.read_sdqa(pack / "sdqa/asr_output_with_metadata_swa.excerpt.tsv"))
    ours = [errors(one.gold or "", one.text).rate for one in transcripts]
    assert ours == pytest.approx([float(row["wer"]) for row in rows], abs=1e-9)
    assert ours == [0.571, 0.0, 1.0, 0.667]


TABLE = """,ID,in XOR test,swahili-gold,kenya-sw-KE,tanzania-sw-TZ
0,1,False,Ni nani huyu hapa ?,ni nani huyu hapa,ni nani huyu
1,2,False,Wapi?,,wapi
2,3,False,?,x,y
"""
COLUMNS = "language,dialect,questions,empty,words,substitutions,deletions,insertions,mean,corpus"


def step(folder: Path, *more: str) -> tuple[str, str]:
    """The step's two tables."""
    wer.main([*more, f"--out={folder / 'out.csv'}", f"--markdown={folder / 'out.md'}"])
    return (folder / "out.csv").read_text("utf-8"), (folder / "out.md").read_text("utf-8")


def test_the_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "swahili.test.csv").write_text(TABLE, "utf-8")
    table, markdown = step(tmp_path, f"--transcripts={tmp_path / 'swahili.test.csv'}")
    assert table.splitlines() == [
        COLUMNS,
        "sw,kenya-sw-KE,2,1,5,0,1,0,0.5,0.2",
        "sw,tanzania-sw-TZ,2,0,5,0,1,0,0.125,0.2",
    ]
    assert markdown.splitlines()[-3:] == [
        "| Swahili | kenya-sw-KE | 2 | 1 | 50.0 | 20.0 |",
        "| Swahili | tanzania-sw-TZ | 2 | 0 | 12.5 | 20.0 |",
        "| Swahili | *average* | | | 31.2 | 20.0 |",
    ]
    assert "2 transcripts left out that no written question is known of" in capsys.readouterr().out


def test_transcripts_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "gold.csv").write_text(TABLE, "utf-8")
    (tmp_path / "mine.txt").write_text("1\tni nani\n2\twapi\n9\tx\n", "utf-8")
    mine, gold = tmp_path / "mine.txt", f"--gold={tmp_path / 'gold.csv'}"
    expected = [COLUMNS, "sw,zanzibar-sw-TZ,2,0,5,0,2,0,0.25,0.4"]
    table, _ = step(tmp_path, f"--transcripts=zanzibar-sw-TZ={mine}", gold)
    assert table.splitlines() == expected
    documents = {"d": Document("d", "sw", "", "", "", (), "d")}
    asked = [
        Question("1", "1", "d", "sw", "Ni nani huyu hapa ?"),
        Question("2", "2", "d", "sw", "Wapi?"),
        Question("1@en", "1", "d", "en", "Who?"),
    ]
    write_questions(tmp_path / "questions", asked, documents)
    table, _ = step(tmp_path, f"--transcripts=zanzibar-sw-TZ={mine}", f"--questions={tmp_path / 'questions'}")
    assert table.splitlines() == expected
    for options, sentence in (
        (
            [f"--transcripts={mine}", gold],
            f"its name tells no dialect; give --transcripts kenya-sw-KE={mine}",
        ),
        ([f"--transcripts=zanzibar={mine}", gold], "dialect 'zanzibar': give region and locale"),
        ([f"--transcripts=z-xx-TZ={mine}", gold], "unknown language 'xx'"),
        ([f"--transcripts=z-sw-TZ={mine}"], "no transcript has its question as written"),
    ):
        with pytest.raises(InputError, match=sentence):
            step(tmp_path, *options)


def test_one_dialect_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "swahili.test.csv").write_text(TABLE, "utf-8")
    one = f"kenya-sw-KE={tmp_path / 'swahili.test.csv'}"
    table, markdown = step(tmp_path, "--transcripts", one, one)
    assert table.splitlines()[1:] == ["sw,kenya-sw-KE,2,1,5,0,1,0,0.5,0.2"]
    assert "average" not in markdown


def test_real_tables(tmp_path: Path, pack: Path) -> None:
    """SD-QA's excerpts: 30 Swahili questions by two groups of speakers, of whom 3 and 2 were not heard."""
    files = [str(pack / f"sdqa/dev.{name}.dev.excerpt.csv") for name in ("swa.swahili", "ben.bengali")]
    table, _ = step(tmp_path, "--transcripts", *files)
    found = {row["dialect"]: row for row in csv.DictReader(table.splitlines())}
    assert [found["kenya-sw-KE"]["empty"], found["tanzania-sw-TZ"]["empty"]] == ["3", "2"]
    means = {dialect: round(float(row["mean"]), 3) for dialect, row in found.items()}
    assert means["kenya-sw-KE"] == means["kenya-sw-TZ"] == 0.601
    assert means["tanzania-sw-TZ"] == 0.592
    assert means["ind-bn-IN"] == 0.138
