"""SD-QA's files: every form is read, malformed lines are named, what is left out is told."""

import gzip
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from workflow_scripts.acquire import sdqa
from workflow_scripts.acquire.microworld.__main__ import write_world
from workflow_scripts.acquire.tydiqa import main as read_tydi
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
    read_questions,
    write_documents,
    write_questions,
)
from workflow_scripts.recipes.microworld import Microworld
from workflow_scripts.sdqa_format import Transcript, read_sdqa

FORMS = {
    "swahili.dev.csv": (
        ",ID,in XOR dev,swahili-gold,kenya-sw-KE,tanzania-sw-TZ\n"
        '0,-12,True,"Je, nani?",je nani,\n'
        '1,34,False,"""Wapi""?",wapi,#NOTFOUND#\n',
        [
            Transcript("-12", "gold", "Je, nani?", "Je, nani?"),
            Transcript("-12", "kenya-sw-KE", "je nani", "Je, nani?"),
            Transcript("-12", "tanzania-sw-TZ", "", "Je, nani?"),
            Transcript("34", "gold", '"Wapi"?', '"Wapi"?'),
            Transcript("34", "kenya-sw-KE", "wapi", '"Wapi"?'),
            Transcript("34", "tanzania-sw-TZ", "", '"Wapi"?'),
        ],
    ),
    "swahili.dev.txt": (
        '\ufeffID\tin XOR dev\tsentence\r\n-12\tTrue\t"Je" nani?\r\n',
        [Transcript("-12", "gold", '"Je" nani?', '"Je" nani?')],
    ),
    "swahili.dev.kenya-sw-KE.txt": (
        '-12\tje "nani\n34\t\n',
        [Transcript("-12", "kenya-sw-KE", 'je "nani'), Transcript("34", "kenya-sw-KE", "")],
    ),
    "mine.txt": ("-12\tje nani\n", [Transcript("-12", "", "je nani")]),
    "english.test.ind_n-en-IN.jsonl": (
        '{"example_id":-12,"question_text":"who ?","document_plaintext":"…"}\n',
        [Transcript("-12", "ind_n-en-IN", "who ?")],
    ),
    "dev.swa.tanzania-sw-TZ.triples.jsonl": (
        '{"example_id": 34, "question": "wapi ?", "answer": "-1", "audio_path": "a.wav"}\n',
        [Transcript("34", "tanzania-sw-TZ", "wapi ?")],
    ),
    "asr_output_with_metadata_swa.csv": (
        "\tID\texample_id\tmodel\tregion\ttranscript\tgold\twer\n"
        '8\t-12+user_6\t-12\tsw-TZ\tkenya\tje nani\t"""Je"" nani"\t0.5\n'
        "9\t\t34\tsw-KE\tkenya\t#NOTFOUND#\tWapi\t1.0\n",
        [
            Transcript("-12", "kenya-sw-TZ", "je nani", '"Je" nani'),
            Transcript("34", "kenya-sw-KE", "", "Wapi"),
        ],
    ),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_form_is_read(tmp_path: Path, name: str, packed: bool) -> None:
    content, expected = FORMS[name]
    file = tmp_path / f"{name}.gz" if packed else tmp_path / name
    file.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    assert list(read_sdqa(file)) == expected


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("question,answer\n", "not a file of SD-QA, which is a table with the columns ID and …-gold"),
        ("12\tx\n13 y\n", r"a line 2: '13 y' is not example_id<TAB>transcript"),
        ("12\tx\ny\tz\n", "a line 2: 'y\\\\tz' is not"),
        (
            ",ID,x-gold,a-en-US\n0,1,b\n",
            r"a line 2: as many columns as in the first line are needed, which are \(index",
        ),
        (",ID,x-gold,a-en-US\n0,1,b,c,d\n", "a line 2: as many columns"),
        (
            'ID,x-gold,a-en-US\n1,"b,c\n' + "2,b,c\n" * 30_000,
            r"a line \d+: .*; is a quotation mark left open before\?",
        ),
        (",ID,x-gold\n0,1,b\n1,one,b\n", "a line 3: ID is 'one', which is no number of an example"),
        ('{"example_id":1,"question_text":"x"}\n{"example_id":1}\n', "a line 2: a record has example_id and"),
        ('{"example_id":"x","question":"x"}\n', "a line 1: a record has"),
        ('{"example_id":1,\n', "a line 1: not JSON"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "a").write_text(content, "utf-8")
    with pytest.raises(InputError, match=sentence):
        list(read_sdqa(tmp_path / "a"))


DOCUMENTS = {"d": Document("d", "sw", "", "", "text", ((0, 4),), "d")}
ANSWERS = (Annotation(0, 0, 4, "text", "NONE", "7"), Annotation(0, yes_no="YES"))
QUESTIONS = [Question(str(n), str(n), "d", "sw", f"{n}?", ANSWERS) for n in range(1, 7)]
DERIVED = Question("1@en", "1", "d", "en", "1 in English?", ANSWERS)


def heard(folder: Path, content: str, *more: str) -> tuple[list[Question], dict[str, str]]:
    """The questions as heard in a file of these lines, and why others are not among them."""
    write_documents(folder / "documents", list(DOCUMENTS.values()))
    write_questions(folder / "questions", [*QUESTIONS, DERIVED], DOCUMENTS)
    (folder / "heard.txt").write_text(content, "utf-8")
    options = [f"--{name}={folder / name}" for name in ("questions", "documents", "out", "dropped")]
    sdqa.main([*options, "--transcripts", str(folder / "heard.txt"), "--dialect=kenya-sw-KE", *more])
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    return read_questions(folder / "out"), {line["id"]: line["reason"] for line in dropped}


LINES = "3\tthree\n1\tone ?\n1\tagain\n2\t\n9\tnobody's\n4\tnne؟\n5\t\n5\tlater\n"


def test_questions_as_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, dropped = heard(tmp_path, LINES)
    assert [(one.question_id, one.source_id, one.text) for one in made] == [
        ("3@sw~kenya-sw-KE", "3", "three ?"),
        ("1@sw~kenya-sw-KE", "1", "one ?"),
        ("4@sw~kenya-sw-KE", "4", "nne؟"),
        ("5@sw~kenya-sw-KE", "5", "later ?"),
    ]
    assert all(
        (one.doc_id, one.language, one.made_by, one.annotations) == ("d", "sw", "SD-QA kenya-sw-KE", ANSWERS)
        for one in made
    )
    assert dropped == {
        "1~kenya-sw-KE": "another transcript of this question and dialect; the first is kept",
        "9~kenya-sw-KE": "no such question in the corpus",
        "2~kenya-sw-KE": "its transcript is empty",
    }
    assert "4 questions as heard in kenya-sw-KE; 2 others in sw" in capsys.readouterr().out
    assert [one.text for one in heard(tmp_path, LINES, "--qmark=keep")[0]] == [
        "three",
        "one ?",
        "nne؟",
        "later",
    ]


def test_files_without_use_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no transcript in kenya-sw-KE is of a question of .* \(1 dropped; no such"
    ):
        heard(tmp_path, "9\tx\n")
    with pytest.raises(
        InputError, match=r"no transcript in kenya-sw-KE is of a question of .* \(0 dropped\)"
    ):
        heard(tmp_path, "\n")  # as a job writes that none of few recordings belongs to
    with pytest.raises(InputError, match=r"heard\.txt, whose dialects are gold"):
        heard(tmp_path, "ID\tin XOR dev\tsentence\n1\tTrue\tx\n")
    with pytest.raises(
        InputError, match=r"--dialect kenya-sw-KE: not in .*, whose dialects are gold, usa-en-US"
    ):
        heard(tmp_path, ",ID,in XOR dev,english-gold,usa-en-US\n0,1,True,x,y\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "dialects", "empty"),
    [
        (
            "dev.swa.swahili.dev.excerpt.csv",
            {"gold": 30, "kenya-sw-TZ": 30, "kenya-sw-KE": 30, "tanzania-sw-KE": 30, "tanzania-sw-TZ": 30},
            {"kenya-sw-TZ": 3, "kenya-sw-KE": 3, "tanzania-sw-KE": 2, "tanzania-sw-TZ": 2},
        ),
        (
            "dev.ben.bengali.dev.excerpt.csv",
            {"gold": 10, "ind-bn-BD": 10, "ind-bn-IN": 10, "dhaka-bn-IN": 10, "dhaka-bn-BD": 10},
            {},
        ),
        ("dev.swa.tanzania-sw-TZ.triples.excerpt.jsonl", {"tanzania-sw-TZ": 7}, {}),
        (
            "asr_output_with_metadata_swa.excerpt.tsv",
            {"kenya-sw-KE": 3, "tanzania-sw-TZ": 1},
            {"kenya-sw-KE": 1},
        ),
    ],
)
def test_real_files(pack: Path, name: str, dialects: dict[str, int], empty: dict[str, int]) -> None:
    found = list(read_sdqa(pack / "sdqa" / name))
    assert Counter(one.dialect for one in found) == dialects
    assert Counter(one.dialect for one in found if not one.text) == empty


def test_the_micro_worlds_files_in_all_forms(tmp_path: Path) -> None:
    """The table, the lines, the records and the triples of one dialect give the same questions."""
    recipe = Microworld(
        languages=("en", "sw"),
        train_articles=12,
        dev_articles=12,
        test_articles=3,
        hard_articles=3,
        documents=3,
        sentence_pairs=3,
        text_names=30,
        squad_articles=(2, 2),
        chaii_articles={},
        chaii_targets=(),
        asr_noise={"sw": {"kenya-sw-KE": 0.5}},
    )
    write_world(recipe, tmp_path / "world")
    world = tmp_path / "world"
    options = [f"--{name}={tmp_path / name}" for name in ("documents", "questions", "dropped")]
    read_tydi(["--in", *map(str, world.rglob("tydi*dev.jsonl.gz")), "--languages", "sw", *options])
    folder = world / "sdqa/test/swa"
    stem = "kenya/swahili.test.kenya-sw-KE"
    made = []
    for file in ("swahili.test.csv", f"{stem}.txt", f"{stem}.jsonl.gz", f"{stem}.triples.jsonl"):
        sdqa.main(
            [
                *[f"--{name}={tmp_path / name}" for name in ("questions", "documents")],
                f"--transcripts={folder / file}",
                "--dialect=kenya-sw-KE",
                f"--out={tmp_path / 'out'}",
                f"--dropped={tmp_path / 'dropped'}",
            ]
        )
        made.append(read_questions(tmp_path / "out"))
    assert made[0]
    assert made[0] == made[1] == made[2] == made[3]
    assert all(one.text.endswith(" ?") for one in made[0])


def test_translations_that_were_read_aloud() -> None:
    """The transcript is English; of the corpus's versions of a question, the English one is asked as it was heard."""
    originals = [Question(str(n), str(n), "d", "bn", "মূল?", (Annotation(),)) for n in (1, 2)]
    translated = [
        replace(one, question_id=f"{one.source_id}@{code}", language=code)
        for one in originals
        for code in ("en", "ar")
    ]
    heard = [Transcript(name, "bilingual-en-US", f"what {name}") for name in ("1", "3")]
    (found,), ((dropped, _),) = sdqa.transcribed(translated, heard, qmark=True)
    assert (found.question_id, found.language, found.text) == ("1@en~bilingual-en-US", "en", "what 1 ?")
    assert (found.source_id, dropped) == ("1", "3~bilingual-en-US")
