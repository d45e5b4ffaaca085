"""Tables of sentence pairs: aligned_qa's Table 9, missing languages, sums, and several alignments."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.report.pairs import main, printed


def write(
    folder: Path, counts: dict[str, dict[str, int]], **recipe: Any
) -> tuple[list[dict[str, str]], str, list[list[str]]]:
    """The rows of the CSV, the caption, and the cells of the Markdown's lines."""
    files = []
    for alignment, of in counts.items():
        for code, count in of.items():
            file = folder / f"{alignment}-{code}.txt"
            file.write_text("a ||| b\n" * count)
            files.append(f"{alignment}/{code}={file}")
    asked = {
        "title": "Table 9",
        "columns": [{"alignment": name, "languages": [*of]} for name, of in counts.items()],
    }
    main(
        [
            f"--recipe={json.dumps(asked | recipe)}",
            f"--csv={folder / 't.csv'}",
            f"--markdown={folder / 't.md'}",
            f"--latex={folder / 't.tex'}",
            "--pairs",
            *files,
        ]
    )
    with (folder / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    caption, blank, *lines = (folder / "t.md").read_text("utf-8").splitlines()
    assert not blank
    assert len({len(line) for line in lines}) == 1
    return rows, caption, [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_what_the_paper_prints_is_what_is_shipped(shared: Path) -> None:
    """And the lists that our marks follow differ from the paper's marks where its README says why."""
    with (shared / "paper_tables/aligned_qa_table9.csv").open(encoding="utf-8", newline="") as file:
        paper = {row["code"]: row for row in csv.DictReader(file)}
    ours = printed()
    assert list(ours) == list(paper)
    for code, row in paper.items():
        assert ours[code].sentences == int(row["sentences"])
        assert ours[code].marked == {name: row[f"{name}_pretraining"] == "yes" for name in ("mbert", "xlmr")}
    differ = {
        name: {code for code, row in ours.items() if row.read[name] != row.marked[name]}
        for name in ("mbert", "xlmr")
    }
    assert differ == {"mbert": {"fy", "gd", "mn", "nb", "th"}, "xlmr": {"nb"}}


def test_table_9(tmp_path: Path) -> None:
    codes = [*printed()]
    missing = ["an", "se", "wa"]
    there = {code: number for number, code in enumerate(codes, 1) if code not in missing}
    rows, caption, page = write(
        tmp_path,
        {"111-l": there},
        languages=codes,
        columns=[{"alignment": "111-l", "languages": [*there], "missing": missing}],
        encoders=[{"head": "mBERT", "encoder": "mbert"}, {"head": "XLM-R", "encoder": "xlmr"}],
    )
    assert len(rows) == 112
    assert rows[2] == dict(
        zip(
            ["Index", "Language", "Code", "mBERT", "XLM-R", "Sentences", "Paper"],
            ["3", "Aragonese", "an", "yes", "no", "n/a", "463"],
            strict=True,
        )
    )
    assert [*rows[-1].values()] == ["", "Sum", "", "89", "88", str(sum(there.values())), "309033"]
    assert caption == (
        "Table 9. Sentence pairs of each language with English that alignments use (111-l), and the number that"
        " aligned_qa prints for 111-L. ✗: the encoder has read no text in it. The paper marks fy, gd, mn, nb, th"
        " otherwise for mBERT. The paper marks nb otherwise for XLM-R. n/a: 111-l has no sentence pairs of Aragonese"
        " (an), Northern Sami (se), Walloon (wa)."
    )
    assert page[0] == ["Index", "Language", "Code", "mBERT", "XLM-R", "Sentences", "Paper"]
    assert page[4] == ["3", "Aragonese", "an", "", "✗", "n/a", "463"]
    assert page[5] == ["4", "Arabic", "ar", "", "", "4", "4,174"]


def test_several_alignments_and_encoders_of_ones_own(tmp_path: Path) -> None:
    rows, caption, page = write(
        tmp_path,
        {"tydi-s": {"ko": 2}, "all": {"ko": 3, "es": 1}},
        languages=["ko", "es"],
        encoders=[{"head": "mine", "encoder": ["en", "ko"]}, {"head": "theirs", "encoder": None}],
    )
    assert [[*row.values()] for row in rows] == [
        ["1", "Korean", "ko", "yes", "?", "2", "3", "2691"],
        ["2", "Spanish", "es", "no", "?", "", "1", "2405"],
        ["", "Sum", "", "1", "?", "2", "4", "5096"],
    ]
    assert page[0][5:7] == ["tydi-s", "all"]
    assert re.search(r"\?: what theirs has read is not known\.$", caption)


def test_a_language_without_its_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--pairs: no file of a/ko, which the table shows"):
        write(tmp_path, {"b": {"ko": 1}}, languages=["ko"], columns=[{"alignment": "a", "languages": ["ko"]}])
