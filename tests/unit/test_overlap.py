"""SQuAD's and ChAII's scores: beside the official rules written out, and beside scores that others computed."""

import collections
import csv
import json
import re
import string

import numpy as np
import pytest

from tests.unit.test_tydi_eval import annotation
from tests.unit.test_tydi_eval import said as tydi_line
from workflow_scripts.cli import InputError
from workflow_scripts.evaluate import score
from workflow_scripts.evaluate.overlap import Gold, evaluate, jaccard, main
from workflow_scripts.files import read_jsonl, write_jsonl

# Articles beside signs, case, marks, digits and signs outside ASCII, nothing at all.
TEXTS = [
    "",
    " ",
    "the",
    "The Cat",
    "a cat",
    "cat",
    "cat cat",
    "the cat, a dog",
    "a-b",
    "“a” cat",
    "an\u00a0apple",
    "İstanbul",
    "istanbul",
    "१२.५",
    "12.5",
    "125",
    "a\u0301 cat",
    "।",
    "the।",
    "cat's",
    "cats",
    "_a_",
    "a\u200db",
    "dog cat the dog",
    "$5,000",
    "５０００",
    "A\x00B",
    "ﬁne",
    "straße",
    "STRASSE",
    "क़िला",
    "क\u093cिला",
]


def official_words(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split()).split()


def official_f1(prediction, gold, empty_counts):
    one, other = official_words(prediction), official_words(gold)
    if empty_counts and (not one or not other):
        return int(one == other)
    same = sum((collections.Counter(one) & collections.Counter(other)).values())
    if same == 0:
        return 0
    precision, recall = 1.0 * same / len(one), 1.0 * same / len(other)
    return (2 * precision * recall) / (precision + recall)


def official_v1(gold, predictions):
    exact = f1 = 0
    for name, answers in gold.items():
        if name in predictions:
            exact += max(official_words(predictions[name]) == official_words(a) for a in answers)
            f1 += max(official_f1(predictions[name], a, False) for a in answers)
    return {"exact_match": 100.0 * exact / len(gold), "f1": 100.0 * f1 / len(gold)}


def official_best(gold, predictions, scores, odds):
    score = best = sum(not answers for answers in gold.values())
    threshold = 0.0
    for name in sorted(odds, key=lambda k: odds[k]):
        if name not in scores:
            continue
        score += scores[name] if gold[name] else (-1 if predictions[name] else 0)
        if score > best:
            best, threshold = score, odds[name]
    return 100.0 * best / len(scores), threshold


def official_v2(gold, predictions, odds, threshold):
    raw = {"exact": {}, "f1": {}}
    for name, answers in gold.items():
        if name in predictions:
            texts = [a for a in answers if official_words(a)] or [""]
            raw["exact"][name] = max(
                int(official_words(predictions[name]) == official_words(a)) for a in texts
            )
            raw["f1"][name] = max(official_f1(predictions[name], a, True) for a in texts)
    report = {"total": len(raw["f1"])}
    for key, scores in raw.items():
        kept = {n: float(not gold[n]) if odds[n] > threshold else s for n, s in scores.items()}
        report[key] = 100.0 * sum(kept.values()) / len(kept)
        for prefix, wanted in (("HasAns", True), ("NoAns", False)):
            some = [kept[n] for n in gold if n in kept and bool(gold[n]) == wanted]
            report[f"{prefix}_{key}"] = 100.0 * sum(some) / len(some)
        report[f"best_{key}"], report[f"best_{key}_thresh"] = official_best(gold, predictions, scores, odds)
    return report


@pytest.mark.parametrize("seed", range(20))
def test_squad_scores_are_the_official_ones(seed):
    """Unknown ids, missing predictions, several gold answers, odds that tie."""
    random = np.random.default_rng(seed)
    gold = {str(n): [str(t) for t in random.choice(TEXTS, random.integers(1, 4))] for n in range(60)}
    said = {str(n): str(random.choice(TEXTS)) for n in random.permutation(70)[:55]}
    report, _ = evaluate({name: Gold(tuple(a)) for name, a in gold.items()}, said, "squad")
    assert report == {**official_v1(gold, said), "total": 60}

    gold |= {str(n): [] for n in range(0, 60, 3)}
    odds = {name: float(random.integers(0, 6)) / 4 for name in said}
    asked = {name: Gold(tuple(answers)) for name, answers in gold.items()}
    report, _ = evaluate(asked, said, "squad2", odds, 0.5)
    wanted = official_v2(gold, said, odds, 0.5)
    assert {key: report[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("prediction", "gold", "score"),
    [
        ("", " ", 1.0),
        ("a", "", 0.0),
        ("A  b\u3000c", "c a", 2 / 3),
        ("a a a", "a", 1.0),
        ("१९९०", "1990", 0.0),
    ],
)
def test_jaccard_compares_sets_of_words(prediction, gold, score):
    assert jaccard(prediction, gold) == score


def test_the_f1_of_mucot_counts_a_common_word_once():
    report, _ = evaluate({"q": Gold(("dog dog cat",)), "e": Gold(("the",))}, {"q": "dog dog cat"}, "jaccard")
    assert report["mucot_f1"] == ((2 / 3) + 1) / 2
    assert report["jaccard"] == 0.5


def test_real_predictions_have_the_jaccard_that_was_stored_with_them(pack):
    with open(pack / "chaii/predictions_jaccard.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) == 700
    for row in rows:
        said, gold = (row[key].replace("\\n", "\n") for key in ("answer_pred", "answer_text"))
        assert f"{jaccard(said, gold):.6f}" == f"{float(row['jaccard']):.6f}", row["id"]


def test_the_command_line_reads_chaii_and_writes_every_score(tmp_path, capsys):
    gold, said = tmp_path / "gold.csv", tmp_path / "said.csv"
    gold.write_text("id,answer_text,language\n1,दो शब्द,hindi\n2,ஒன்று,tamil\n3,x,tamil\n", "utf-8")
    said.write_text("id,PredictionString\n1,शब्द\n2,ஒன்று\n9,?\n", "utf-8")
    scores = tmp_path / "scores.jsonl"
    main(["--gold", str(gold), "--predictions", str(said), "--metric", "jaccard", "--scores", str(scores)])
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert (report["jaccard"], report["total"]) == (0.5, 3)
    assert {code: part["jaccard"] for code, part in report["languages"].items()} == {
        "hindi": 0.5,
        "tamil": 0.5,
    }
    assert "1 of 3 questions have no prediction and score as unanswered" in told.err
    assert "1 predictions are for questions that are not in the gold file" in told.err
    assert [json.loads(line)["jaccard"] for line in scores.read_text().splitlines()] == [0.5, 1.0, 0.0]


@pytest.mark.parametrize(
    ("gold", "said", "metric", "sentence"),
    [
        (
            {"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": []}]}]}]},
            {"q": "x"},
            "squad",
            "no gold answer",
        ),
        ({"data": []}, {"q": "x"}, "squad", "no questions"),
        ({"data": [{}]}, {"q": "x"}, "squad", "not a SQuAD-format file"),
        (
            {"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": []}]}]}]},
            {"p": ""},
            "squad2",
            "no prediction for",
        ),
        (
            {"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": []}] * 2}]}]},
            {},
            "squad2",
            "q occurs twice",
        ),
        (
            {"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": []}]}]}]},
            ["x"],
            "squad2",
            "not predictions",
        ),
    ],
)
def test_files_that_cannot_be_scored_are_told(tmp_path, gold, said, metric, sentence):
    (tmp_path / "gold.json").write_text(json.dumps(gold))
    (tmp_path / "said.json").write_text(json.dumps(said))
    files = ["--gold", str(tmp_path / "gold.json"), "--predictions", str(tmp_path / "said.json")]
    with pytest.raises(InputError, match=sentence):
        main([*files, "--metric", metric])


def test_null_odds_of_every_prediction_are_needed(tmp_path):
    content = {"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": []}]}]}]}
    for name, value in (("gold", content), ("said", {"q": ""}), ("odds", {"p": 1.0})):
        (tmp_path / name).write_text(json.dumps(value))
    files = [str(tmp_path / name) for name in ("gold", "said", "odds")]
    with pytest.raises(InputError, match="question q has the null odds null, not a number"):
        main(["--gold", files[0], "--predictions", files[1], "--metric", "squad2", "--null-odds", files[2]])


TEXT = "राम दिल्ली में रहता है। The cat’s in Delhi."


def span(answer):
    """Bytes of an answer in TEXT."""
    start = len(TEXT[: TEXT.index(answer)].encode())
    return start, start + len(answer.encode())


def scored(folder, golds, saids, annotators=1):
    """Scores and lines of `evaluate.score` for questions numbered from 0; None: no prediction."""
    asked = [
        {"example_id": n, "language": "hindi", "document_plaintext": TEXT, "annotations": list(annotations)}
        for n, annotations in enumerate(golds)
    ]
    told = [{**line, "example_id": n} for n, line in enumerate(saids) if line is not None]
    write_jsonl(folder / "gold/hi-hi.jsonl", asked)
    write_jsonl(folder / "said/hi-hi.jsonl", told)
    files = [f"--{name}={folder}/{file}" for name, file in (("gold", "gold"), ("predictions", "said"))]
    outs = [f"--out={folder}/scores.json", f"--questions={folder}/questions.jsonl"]
    score.main([*files, *outs, "--pairs=hi-hi", f"--annotators={annotators}"])
    lines = [line["text"] for _, line in read_jsonl(folder / "questions.jsonl")]
    return json.loads((folder / "scores.json").read_text("utf-8")), lines


def answered(answer, **more):
    return tydi_line(0, 0, *span(answer), language="hindi", **more)


def test_tydis_files_are_scored_by_their_texts(tmp_path):
    """Spans are bytes; the best of several annotators counts; what no one predicted is wrong."""
    golds = [
        [annotation(0, *span("दिल्ली में")), annotation(0, *span("Delhi"))],
        [annotation(0, *span("The cat’s"))],
        [annotation(0, yes_no="YES")],
        [annotation(0, *span("राम"))],
    ]
    start, end = span("दिल्ली")
    saids = [
        answered("दिल्ली"),
        answered("cat’s in"),
        tydi_line(0, 0, yes_no="YES", language="hindi"),
        None,
    ]
    scores, lines = scored(tmp_path, golds, saids)
    assert scores["squad"] == "1.1"
    assert [line["jaccard"] for line in lines] == [0.5, 1 / 3, 1.0, 0.0]
    assert [line["em"] for line in lines] == [0.0, 0.0, 1.0, 0.0]
    assert [line["f1"] for line in lines] == pytest.approx([2 / 3, 2 / 3, 1.0, 0.0])
    assert scores["pairs"]["hi-hi"]["text"] == pytest.approx(
        {key: sum(line[key] for line in lines) / 4 for key in lines[0]}
    )
    saids[0] = tydi_line(0, 0, start, end + 2, language="hindi")  # two bytes into a blank and a letter
    assert scored(tmp_path, golds, saids)[1][0] == lines[0]


def test_questions_without_an_answer_are_squad_2s(tmp_path):
    """One of two annotators is not enough where two must agree; only saying nothing is right then."""
    some = [annotation(0, *span("राम")), annotation()]
    none = tydi_line(0, language="hindi")
    golds = [some, some, some, [annotation(0, *span("राम"))] * 2]
    scores, lines = scored(tmp_path, golds, [answered("राम"), none, None, answered("राम")], annotators=2)
    assert scores["squad"] == "2.0"
    assert [line["em"] for line in lines] == [0, 1, 1, 1]
    assert [line["jaccard"] for line in lines] == [0, 1, 1, 1]
    golds = [{"example_id": 0, "language": "hindi", "annotations": [annotation()]}]
    write_jsonl(tmp_path / "gold/hi-hi.jsonl", golds)
    with pytest.raises(InputError, match=r"hi-hi\.jsonl: example 0: document_plaintext is missing"):
        score.score_pair(tmp_path / "gold/hi-hi.jsonl", tmp_path / "said/hi-hi.jsonl", 1)
