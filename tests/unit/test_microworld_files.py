"""The micro-world's other files: the harder test, SQuAD, ChAII and its translations, SD-QA's transcripts."""

import csv
import itertools
import json
import random
import re
import unicodedata
from collections import Counter

import pytest

from workflow_scripts.acquire.microworld.__main__ import name_pools, write_world
from workflow_scripts.acquire.microworld.articles import draw_article, draw_articles, schedule
from workflow_scripts.acquire.microworld.grammar import SIGNS, fill, read_grammar, surface
from workflow_scripts.acquire.microworld.names import FIRST_NAMES, WRITERS, invent, render, syllables
from workflow_scripts.acquire.microworld.sdqa_files import plain, transcript, words_alike
from workflow_scripts.acquire.microworld.spelling import cut, mishear, respell, respelled, spellings
from workflow_scripts.acquire.microworld.tydi_files import examples
from workflow_scripts.acquire.microworld.world import Draw
from workflow_scripts.acquire.squad import read_squad
from workflow_scripts.acquire.tydiqa import read_tydi
from workflow_scripts.files import read_jsonl, read_lines
from workflow_scripts.languages import language
from workflow_scripts.recipes.microworld import Microworld, Mismatch

LANGUAGES = ["en", "ar", "bn", "sw", "ko"]
# Until the world speaks Hindi and Tamil, others take their place in ChAII's files.
SMALL = Microworld(
    languages=("en", "ar", "bn", "sw", "ko"),
    train_articles=60,
    dev_articles=15,
    test_articles=30,
    hard_articles=40,
    documents=60,
    sentence_pairs=120,
    text_names=100,
    squad_articles=(40, 30),
    chaii_articles={"bn": (40, 10), "ko": (20, 5)},
    chaii_targets=("en", "ko", "ar", "te"),
)
SMALLER = SMALL.model_copy(
    update={
        "languages": ("en", "bn"),
        "train_articles": 20,
        "dev_articles": 5,
        "test_articles": 10,
        "hard_articles": 10,
        "documents": 10,
        "sentence_pairs": 10,
        "squad_articles": (10, 5),
    }
)
GRAMMARS = {code: read_grammar(code) for code in LANGUAGES}
POOLS, OF_TEXT = name_pools(SMALL)
NAMES = [name for names in (*invent(random.Random(5), 100).values(), *FIRST_NAMES.values()) for name in names]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(SMALL, folder)
    return folder


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def records(world, name):
    return [record for _, record in read_jsonl(world / f"tydi/tydiqa-v1.0-{name}.jsonl.gz")]


def passages(record):
    return record["document_plaintext"].split("\n")[2:-1]


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pattern(code, keys, phrasing):
    """A regular expression for the sentences of these keys in a wording."""
    forms = []
    for key in keys:
        for tokens in GRAMMARS[code].phrasings[key][phrasing - 1]:
            text = ""
            for token in tokens:
                text += " " if text and token.before not in SIGNS else ""
                slot = f".+{re.escape(token.after)}" if token.slot else ""
                text += re.escape(token.before) + slot
            forms.append(text)
    return re.compile("|".join(forms))


def statements(code, relations, phrasing):
    return pattern(code, [f"S{relation}" for relation in relations], phrasing)


def questions(code, phrasing):
    return pattern(code, [key for key in GRAMMARS[code].phrasings if key[0] == "Q"], phrasing)


# Held-out wordings, the harder test


@pytest.mark.parametrize("code", LANGUAGES)
def test_held_out_statements_stand_in_the_harder_test_and_in_text_only(world, code):
    held_out = statements(code, SMALL.held_out_statements, 2)
    replaced = statements(code, SMALL.held_out_statements, 1)
    tydi = language(code).tydi
    ordinary = [
        p
        for name in ("train", "dev")
        for r in records(world, name)
        if r["language"] == tydi
        for p in passages(r)
    ]
    hard = [p for r in records(world, "hard") if r["language"] == tydi for p in passages(r)]
    assert not any(held_out.fullmatch(passage) for passage in ordinary)
    assert sum(bool(replaced.fullmatch(passage)) for passage in ordinary) > 100
    assert not any(replaced.fullmatch(passage) for passage in hard)
    assert sum(bool(held_out.fullmatch(passage)) for passage in hard) > 50
    # Statements of the other relations keep both wordings everywhere.
    for found, phrasing in itertools.product((ordinary, hard), (1, 2)):
        assert any(statements(code, (1, 3, 5, 7, 9), phrasing).fullmatch(passage) for passage in found)
    assert any(held_out.search(line) for line in read_lines(world / f"text/{code}.txt"))
    side = "ar-en.en" if code == "en" else f"{code}-en.{code}"
    assert any(held_out.fullmatch(line) for line in read_lines(world / f"parallel/{side}"))


def test_held_out_statements_stand_in_no_file_to_tune_on(world):
    held_out = {code: statements(code, SMALL.held_out_statements, 2) for code in LANGUAGES}
    for part in ("train", "dev"):
        for article in json.loads((world / f"squad/squad-en-{part}.json").read_text("utf-8"))["data"]:
            told = re.split(r"(?<=\.) ", article["paragraphs"][0]["context"])
            assert not any(held_out["en"].fullmatch(sentence) for sentence in told)
    for source, target in (("bn", "en"), ("ko", "ar")):
        for _, record in read_jsonl(world / f"chaii/translations/{source}-{target}.jsonl"):
            for mine, theirs in record["sentences"]:
                assert not held_out[source].fullmatch(mine)
                assert not held_out[target].fullmatch(theirs)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_third_wording_of_questions_stands_in_the_harder_test_only(world, code):
    third, tydi = questions(code, 3), language(code).tydi
    hard = [r for r in records(world, "hard") if r["language"] == tydi]
    spans = [
        r for r in hard if any(a["minimal_answer"]["plaintext_start_byte"] >= 0 for a in r["annotations"])
    ]
    assert len(spans) > 20
    assert all(third.fullmatch(record["question_text"]) for record in spans)
    translated = [
        line.split("\t")[1]
        for other in (["en"] if code != "en" else LANGUAGES[1:])
        for line in read_lines(world / f"translations/hard.{other}-{code}.tsv")
    ]
    assert sum(bool(third.fullmatch(text)) for text in translated) >= len(translated) * 0.75

    others = [
        r["question_text"] for name in ("train", "dev") for r in records(world, name) if r["language"] == tydi
    ]
    for name in ("train", "dev"):
        for file in world.glob(f"translations/{name}.*-{code}.tsv"):
            others += [line.split("\t")[1] for line in read_lines(file)]
    for file in (*world.glob(f"parallel/*.{code}"), world / f"text/{code}.txt"):
        others += read_lines(file)
    for file in world.glob(f"chaii/translations/*-{code}.jsonl"):
        others += [record["question"] for _, record in read_jsonl(file)]
    if code == "en":
        for part in ("train", "dev"):
            for article in json.loads((world / f"squad/squad-en-{part}.json").read_text("utf-8"))["data"]:
                others += [item["question"] for item in article["paragraphs"][0]["qas"]]
    # A document may begin with a question and go on.
    assert len(others) > 200
    assert not any(third.match(text) for text in others)


def test_the_harder_test_shares_nothing_with_the_other_files_but_its_names(world):
    hard, others = records(world, "hard"), records(world, "train") + records(world, "dev")
    assert not {r["example_id"] for r in hard} & {r["example_id"] for r in others}
    assert not {r["document_plaintext"] for r in hard} & {r["document_plaintext"] for r in others}
    kinds = Counter(
        Counter(
            "null" if a["passage_answer"]["candidate_index"] < 0 else a["yes_no_answer"]
            for a in r["annotations"]
        ).most_common(1)[0][0]
        for r in hard
    )
    assert kinds == {"NONE": 155, "null": 25, "YES": 10, "NO": 10}


def test_the_project_reads_the_harder_test(world):
    documents, found, dropped, left_out = read_tydi(
        [str(world / "tydi/tydiqa-v1.0-hard.jsonl.gz")], LANGUAGES
    )
    assert (len(documents), len(found), dropped, left_out.total()) == (200, 200, [], 0)
    texts = {document.doc_id: document.text for document in documents}
    for question in found:
        assert len(question.annotations) == 3
        for one in question.annotations:
            if one.start >= 0:
                assert texts[question.doc_id][one.start : one.end] == one.text


def test_only_what_a_key_is_about_changes_with_it(tmp_path):
    """What is held out changes statements, not questions; the names of the text change nothing but the text."""
    worlds = [tmp_path / name for name in ("before", "other names of the text", "nothing held out")]
    for folder, changed in zip(worlds, ({}, {"text_names": 50}, {"held_out_statements": ()}), strict=True):
        write_world(SMALLER.model_copy(update=changed), folder)
    before, names, nothing = map(contents, worlds)
    assert {name.split("/")[0] for name in before if before[name] != names[name]} == {"text", "parallel"}
    changed = [name for name in before if before[name] != nothing[name]]
    assert {name.split("/")[0] for name in changed} == {"tydi", "squad", "chaii", "sdqa"}
    # Of SD-QA's files those that hold articles or answers.
    assert all(name.endswith((".jsonl.gz", ".triples.jsonl")) for name in changed if name[:4] == "sdqa")
    for name in ("train", "dev", "hard"):
        for mine, theirs in zip(*(records(worlds[place], name) for place in (0, 2)), strict=True):
            assert mine["question_text"] == theirs["question_text"]
            assert mine["document_title"] == theirs["document_title"]
            marked = [[one["passage_answer"] for one in record["annotations"]] for record in (mine, theirs)]
            assert marked[0] == marked[1]


@pytest.mark.parametrize("phrasing", [1, 3])
def test_questions_in_the_third_wording_may_be_yes_no_questions(phrasing):
    recipe = SMALL.model_copy(update={"test_question_phrasings": (phrasing,), "yes_no": 0.5})
    made = list(examples(GRAMMARS["en"], POOLS["test"], recipe, "test", 40))
    for example in made:
        question = example.article.question
        assert question.phrasing == (phrasing if question.key[0] == "Q" else min(phrasing, 2))


# SQuAD


@pytest.mark.parametrize(("part", "articles", "annotators"), [("train", 40, 1), ("dev", 30, 3)])
def test_the_project_reads_squad(world, part, articles, annotators):
    file = world / f"squad/squad-en-{part}.json"
    documents, found, dropped, counts = read_squad([str(file)], "en", "en", [], None)
    assert (len(documents), dropped, counts.total()) == (articles, [], 0)
    assert 2 * articles < len(found) <= 3 * articles
    assert len({question.question_id for question in found}) == len(found)
    disagreeing = 0
    for question in found:
        votes = Counter((one.start, one.end) for one in question.annotations)
        assert votes.total() == annotators
        assert votes.most_common(1)[0][1] >= min(annotators, 2)
        assert all(one.text.strip() == one.text != "" for one in question.annotations)
        disagreeing += len(votes) > 1
    assert (disagreeing > 0) == (annotators == 3)


def test_squad_has_the_official_layout(world, pack):
    def layout(value):
        if isinstance(value, dict):
            return {key: layout(value[key]) for key in sorted(value)}
        return [layout(value[0])] if isinstance(value, list) else type(value)

    official = json.loads((pack / "squad/dev-v1.1.json").read_text("utf-8"))
    assert layout(json.loads((world / "squad/squad-en-dev.json").read_text("utf-8"))) == layout(official)


def test_squad_asks_what_its_paragraph_says(world):
    """Each question is answered by the sentence in which its answer stands, about the subject that it names."""
    for article in json.loads((world / "squad/squad-en-train.json").read_text("utf-8"))["data"]:
        (paragraph,) = article["paragraphs"]
        assert article["title"].replace("_", " ") in paragraph["context"]
        for item in paragraph["qas"]:
            (answer,) = item["answers"]
            start = answer["answer_start"]
            sentence_start = paragraph["context"].rfind(". ", 0, start) + 1
            sentence = paragraph["context"][sentence_start : paragraph["context"].find(".", start)]
            named = re.findall(r"[A-Z][a-z]+", item["question"])[1:]
            assert named
            assert all(name in sentence for name in named), (item["question"], sentence)
            assert answer["text"] not in item["question"].split()


# ChAII


def test_chaii_reads_as_plain_csv(world):
    codes = {"bengali": "bn", "korean": "ko"}
    seen = {}
    for part, expected in (("train", {"bengali": 40, "korean": 20}), ("test", {"bengali": 10, "korean": 5})):
        found = rows(world / f"chaii/{part}.csv")
        assert Counter(row["language"] for row in found) == expected
        for row in found:
            start = int(row["answer_start"])
            assert row["context"][start : start + len(row["answer_text"])] == row["answer_text"] != ""
            assert re.fullmatch("[0-9a-f]{9}", row["id"])
        assert [row["id"] for row in found] == sorted({row["id"] for row in found})
        seen[part] = found
    assert not {row["id"] for row in seen["train"]} & {row["id"] for row in seen["test"]}
    for name, code in codes.items():
        said = {part: " ".join(r["context"] for r in seen[part] if r["language"] == name) for part in seen}
        for part, other in (("train", "test"), ("test", "train")):
            forms = [surface(GRAMMARS[code], "c", city) for city in POOLS[part]["city"]]
            assert any(form in said[part] for form in forms)
            assert not any(re.search(rf"(?<!\w){form}", said[other]) for form in forms)


def test_chaii_has_the_official_columns(world, pack):
    with (pack / "chaii/train_subset.csv").open(encoding="utf-8", newline="") as file:
        official = next(csv.reader(file))
    for part in ("train", "test"):
        assert list(rows(world / f"chaii/{part}.csv")[0]) == official


def test_a_world_without_chaiis_languages_has_no_chaii_files(tmp_path):
    write_world(SMALL.model_copy(update={"languages": ("en", "ar"), "asr_noise": {}}), tmp_path)
    assert not (tmp_path / "chaii").exists()
    assert [file.name for file in tmp_path.rglob("sdqa/**/*") if file.is_file()].count("metadata.csv") == 0


@pytest.mark.parametrize(("source", "target"), [("bn", "en"), ("bn", "ko"), ("ko", "ar")])
def test_chaiis_translations_are_whole_records_with_gold(world, source, target):
    originals = {
        row["id"]: row for row in rows(world / "chaii/train.csv") if row["language"] == language(source).tydi
    }
    found = [record for _, record in read_jsonl(world / f"chaii/translations/{source}-{target}.jsonl")]
    assert [record["id"] for record in found] == list(originals)
    differing = 0
    for record in found:
        original = originals[record["id"]]
        assert " ".join(mine for mine, _ in record["sentences"]) == original["context"]
        context = " ".join(theirs for _, theirs in record["sentences"])
        start = record["gold_start"]
        assert context[start : start + len(record["gold_text"])] == record["gold_text"]
        differing += record["gold_text"] != record["answer_text"]
        # The answer stands in the sentence that translates the one in which it stood.
        places = [0, 0]
        for pair in record["sentences"]:
            ends = [place + len(text) for place, text in zip(places, pair, strict=True)]
            inside = [
                place <= at < end
                for place, at, end in zip(places, (int(original["answer_start"]), start), ends, strict=True)
            ]
            assert inside[0] == inside[1]
            places = [end + 1 for end in ends]
    assert 0 < differing < len(found) / 2
    assert not (world / f"chaii/translations/{source}-te.jsonl").exists()
    assert not (world / "chaii/translations/ko-ko.jsonl").exists()


def test_a_mismatch_changes_names_in_translations_and_nothing_else(tmp_path):
    for chance in (0.0, 1.0):
        recipe = SMALLER.model_copy(update={"mismatch": Mismatch(contexts=chance, questions=chance)})
        write_world(recipe, tmp_path / str(chance))
    never, always = (contents(tmp_path / chance) for chance in ("0.0", "1.0"))
    changed = {name for name in never if never[name] != always[name]}
    assert changed == {name for name in never if name.startswith(("translations", "chaii/translations"))}

    file = "chaii/translations/bn-en.jsonl"
    usual, other = ([r for _, r in read_jsonl(tmp_path / chance / file)] for chance in ("0.0", "1.0"))
    named = 0
    for mine, theirs in zip(usual, other, strict=True):
        assert mine["question"] == theirs["question"]
        assert mine["answer_text"] == theirs["answer_text"] == mine["gold_text"]
        if re.match("[A-Z]", mine["answer_text"]):
            named += 1
            assert theirs["gold_text"] != theirs["answer_text"]
        # Every sentence names somebody or something.
        for (_, one), (_, another) in zip(mine["sentences"], theirs["sentences"], strict=True):
            assert one != another
    assert named > 5
    file = "translations/train.bn-en.tsv"
    usual, other = (read_lines(tmp_path / chance / file) for chance in ("0.0", "1.0"))
    assert all(mine != theirs for mine, theirs in zip(usual, other, strict=True))


# Spelling


@pytest.mark.parametrize("code", WRITERS)
def test_every_name_has_another_spelling_and_can_be_misheard(code):
    rng = random.Random(code)
    for name in NAMES:
        usual = render(name, code)
        others = spellings(name, code)
        assert others, name
        assert usual not in others
        heard = mishear(name, code, rng)
        assert heard not in (usual, usual.lower())
        assert heard == heard.lower()
        assert all(unicodedata.is_normalized("NFC", text) for text in (*others, heard))
        scripts = {
            unicodedata.name(letter).split()[0]
            for text in (*others, heard)
            for letter in text.replace(" ", "")
        }
        assert scripts == {language(code).script.upper()}


def test_what_a_name_may_look_like():
    assert {"Belaar", "Velar", "Bilar"} <= set(spellings("belaar", "en"))
    assert {"बेलर", "वेलार"} <= set(spellings("belaar", "hi"))
    assert {"फातीर", "फ\u093cतीर", "फ\u093cातिर"} <= set(spellings("faatiir", "hi"))
    assert {"মাহীর", "মাহের"} <= set(spellings("maahir", "bn"))
    assert {"머나", "마너"} <= set(spellings("maanaa", "ko"))
    assert "பேதோ" in spellings("beto", "ta")
    assert "كرم" in spellings("kariim", "ar")
    assert {cut("belaar", random.Random(seed)) for seed in range(9)} == {("be", "laar")}
    assert {cut("birulno", random.Random(seed)) for seed in range(30)} == {("bii", "rulno"), ("birul", "no")}
    for name in NAMES:
        if len(syllables(name)) > 1:
            assert all(syllables(part) for part in cut(name, random.Random(name)))


def test_names_of_several_words_change_in_one_of_them():
    rng = random.Random(0)
    for _ in range(50):
        first, last = respell("noraa belaar", "en", rng).split()
        assert (first == "Nora") != (last == "Belar")
    values = {"p": "noraa belaar", "c": "maahir", "y": 1900, "f": 3}
    drawn = [respelled(values, "en", rng, 0.3) for _ in range(1000)]
    assert all(found.keys() <= {"noraa belaar", "maahir"} for found in drawn)
    assert 0.26 < sum(map(len, drawn)) / 2000 < 0.34


def test_a_name_spelled_otherwise_is_inflected_as_any_other():
    values = {"p": "noraa belaar", "y": 1900, "c": "maahir"}
    text = fill(GRAMMARS["ko"], "S1", 1, values, {"noraa belaar": "노러 베라"}).text
    assert text == "노러 베라는 1900년에 마히르시에서 태어났다."
    assert fill(GRAMMARS["ko"], "S1", 1, values).text.startswith("노라 벨라르는")


# SD-QA


def edits(reference, heard):
    """Fewest words to put in, take out and replace that turn one list of words into the other."""
    costs = list(range(len(heard) + 1))
    for number, word in enumerate(reference, 1):
        diagonal, costs[0] = costs[0], number
        for place, other in enumerate(heard, 1):
            diagonal, costs[place] = (
                costs[place],
                min(costs[place] + 1, costs[place - 1] + 1, diagonal + (word != other)),
            )
    return costs[-1]


def test_edits():
    assert edits(["who", "built", "the", "bridge"], ["who", "bill", "the"]) == 2
    assert edits(["belar"], ["be", "lar"]) == 2
    assert edits(["a", "b"], []) == 2


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5])
def test_transcripts_have_the_word_error_rate_asked_for(code, rate):
    grammar, known = GRAMMARS[code], words_alike(GRAMMARS[code])
    kinds = schedule(random.Random(code), 300, SMALL)
    drawn = draw_articles(grammar, POOLS["test"], SMALL, f"{code} heard", kinds, (1, 2))
    words = wrong = nothing = 0
    for number, (_, article) in enumerate(drawn):
        question = article.question
        gold = plain(fill(grammar, question.key, question.phrasing, question.values).text).split()
        heard = transcript(random.Random(f"{number} {rate}"), grammar, known, question, rate)
        assert plain(heard) == heard
        words += len(gold)
        wrong += edits(gold, heard.split())
        nothing += not heard
    assert wrong / words == pytest.approx(rate, abs=0.0 if rate == 0 else 0.05)
    # A twentieth of the rate is owed to questions of which nothing was heard.
    assert nothing / 300 == pytest.approx(rate / 20, abs=0.03)
    assert nothing > 0 or rate < 0.5


def test_names_suffer_most():
    grammar, known = GRAMMARS["en"], words_alike(GRAMMARS["en"])
    values = {"p": "noraa belaar"}
    draw = Draw(random.Random(0), grammar, POOLS["train"])
    question = draw_article(draw, SMALL, "span", (1,)).question
    question = type(question)("Q13y", 1, "span", values, 0, "y")
    heard = [transcript(random.Random(seed), grammar, known, question, 0.2).split() for seed in range(500)]
    kept = {
        word: sum(word in words for words in heard) / 500
        for word in ("nora", "belar", "when", "write", "book")
    }
    assert max(kept["nora"], kept["belar"]) < 0.75
    assert min(kept["when"], kept["write"], kept["book"]) > 0.8


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("split", ["dev", "test"])
def test_sdqas_files_agree_with_one_another(world, code, split):
    row = language(code)
    folder = world / f"sdqa/{split}/{row.iso3}"
    table = rows(folder / f"{row.tydi}.{split}.csv")
    listed = [line.split("\t") for line in read_lines(folder / f"{row.tydi}.{split}.txt")]
    dialects = list(SMALL.asr_noise[code])
    assert list(table[0]) == ["", "ID", f"in XOR {split}", f"{row.tydi}-gold", *dialects]
    assert listed == [
        ["ID", f"in XOR {split}", "sentence"],
        *([line["ID"], line[f"in XOR {split}"], line[f"{row.tydi}-gold"]] for line in table),
    ]
    official = {
        str(record["example_id"]): record for record in records(world, {"dev": "train", "test": "dev"}[split])
    }
    for dialect in dialects:
        region = dialect.split("-")[0]
        stem = folder / region / f"{row.tydi}.{split}.{dialect}"
        heard = dict(line.split("\t") for line in read_lines(f"{stem}.txt"))
        assert heard == {line["ID"]: line[dialect] for line in table}
        found = [record for _, record in read_jsonl(f"{stem}.jsonl.gz")]
        assert [str(record["example_id"]) for record in found] == [
            name for name, text in heard.items() if text
        ]
        for record in found:
            name = str(record["example_id"])
            assert record == official[name] | {"question_text": f"{heard[name]} ?"}
        triples = [triple for _, triple in read_jsonl(f"{stem}.triples.jsonl")]
        assert [(t["example_id"], t["question"]) for t in triples] == [
            (record["example_id"], record["question_text"]) for record in found
        ]
        for triple, record in zip(triples, found, strict=True):
            assert triple["has_answer"] == bool(triple["answers"]) == (triple["answer"] != "-1")
            assert all(answer in record["document_plaintext"] for answer in triple["answers"])
            assert triple["audio_path"].endswith(
                f"{split}/{row.iso3}/{region}/wav_{row.iso3}/{record['example_id']}.wav"
            )
        speakers = rows(folder / region / "metadata.csv")
        assert [line["example_id"] for line in speakers] == list(heard)
        assert len({line["user_id"] for line in speakers}) <= 8
        assert {line["region"] for line in speakers} == {region}
    assert len({tuple(line[dialect] for line in table) for dialect in dialects}) == len(dialects)


def test_what_is_read_aloud_in_english_is_the_translation(world):
    """Some words are misheard, about as many as the recipe says; the wording is that of the written translation."""
    for code, rate in SMALL.read_in_english.items():
        folder = world / f"sdqa/test/{language(code).iso3}"
        heard = dict(line.split("\t") for line in read_lines(folder / "english.test.bilingual-en-US.txt"))
        written = dict(line.split("\t") for line in read_lines(world / f"translations/dev.{code}-en.tsv"))
        assert sorted(heard) == sorted(written)
        found = [(plain(written[name]).split(), heard[name].split()) for name in heard]
        same = sum(len(set(said) & set(text)) for said, text in found) / sum(len(said) for said, _ in found)
        assert 1 - 2.2 * rate < same < 1 - 0.4 * rate
    assert not list(world.glob("sdqa/test/kor/english.*"))


def test_sdqas_files_have_the_official_form(world, pack):
    def keys(file):
        return list(next(iter(read_jsonl(file)))[1])

    assert keys(world / "sdqa/dev/swa/tanzania/swahili.dev.tanzania-sw-TZ.triples.jsonl") == keys(
        pack / "sdqa/dev.swa.tanzania-sw-TZ.triples.excerpt.jsonl"
    )
    for mine, official in (
        ("ben/ind/metadata.csv", "dev.ben.ind.metadata.excerpt.csv"),
        ("ben/bengali.dev.csv", "dev.ben.bengali.dev.excerpt.csv"),
        ("swa/swahili.dev.csv", "dev.swa.swahili.dev.excerpt.csv"),
    ):
        header, theirs = (
            list(rows(file)[0]) for file in (world / "sdqa/dev" / mine, pack / "sdqa" / official)
        )
        assert header[:4] == theirs[:4]
        assert set(header) <= set(theirs)
