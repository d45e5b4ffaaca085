"""The micro-world: its tables, its facts, and the files it writes."""

import itertools
import json
import random
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from workflow_scripts.acquire.microworld.__main__ import main, name_pools, write_world
from workflow_scripts.acquire.microworld.articles import draw_article, schedule
from workflow_scripts.acquire.microworld.grammar import TABLES, fill, links, read_grammar, read_table
from workflow_scripts.acquire.microworld.inflection import INFLECT
from workflow_scripts.acquire.microworld.names import FIRST_NAMES, WRITERS, invent, render
from workflow_scripts.acquire.microworld.world import ADULT, Draw, split_names
from workflow_scripts.cli import InputError
from workflow_scripts.files import read_jsonl, read_lines
from workflow_scripts.languages import language
from workflow_scripts.recipes.microworld import Microworld
from workflow_scripts.words import words

LANGUAGES = ["en", "ar", "bn", "sw", "ko"]
TINY = Microworld(
    languages=("en", "ar", "bn", "sw", "ko"),
    train_articles=50,
    dev_articles=10,
    test_articles=40,
    hard_articles=20,
    documents=40,
    documents_with_question=0.5,
    sentence_pairs=80,
    question_pairs=0.5,
    text_names=100,
    squad_articles=(10, 5),
)
GRAMMARS = {code: read_grammar(code) for code in WRITERS}
POOLS = dict(
    zip(("train", "dev", "test"), split_names(invent(random.Random(0), 120), (0.65, 0.1, 0.25)), strict=True)
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(TINY, folder)
    return folder


def records(world, name):
    return [record for _, record in read_jsonl(world / f"tydi/tydiqa-v1.0-{name}.jsonl.gz")]


def read_translations(path):
    return dict(line.split("\t") for line in read_lines(path))


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def articles(code, count, split="train", recipe=TINY):
    kinds = schedule(random.Random(f"{code} {split}"), count, recipe)
    for number, kind in enumerate(kinds):
        draw = Draw(random.Random(f"{code} {split} {number}"), GRAMMARS[code], POOLS[split])
        yield draw_article(draw, recipe, kind, (1, 2))


# Tables


@pytest.mark.parametrize("code", WRITERS)
def test_tables_have_the_structure_of_the_english_ones(code):
    english, mine = read_table(TABLES / "en.txt"), read_table(TABLES / f"{code}.txt")
    assert list(mine) == list(english)
    for key in english:
        theirs, own = english[key].split(" | "), mine[key].split(" | ")
        assert len(own) == len(theirs) == {"S": 2, "Q": 3, "B": 2}[key[0]], key
        allowed = set(re.findall(r"~(\d)", english[key]))
        for one, other in zip(own, theirs, strict=True):
            assert sorted(re.findall(r"{(\w)", one)) == sorted(re.findall(r"{(\w)", other)), (key, one)
            concepts = set(re.findall(r"~(\d)", one))
            assert concepts, (key, one)
            assert concepts <= allowed, (key, one)
            assert "[" not in one or "{p" in one, (key, one)
    lexicon, reference = GRAMMARS[code].lexicon, GRAMMARS["en"].lexicon
    assert {kind: len(set(items)) for kind, items in lexicon.items()} == {
        kind: len(items) for kind, items in reference.items()
    }


@pytest.mark.parametrize("code", WRITERS)
def test_no_markup_is_left_and_all_is_nfc(code):
    grammar = GRAMMARS[code]
    draw = Draw(random.Random(0), grammar, POOLS["train"])
    for key, phrasings in grammar.phrasings.items():
        for phrasing, gender in itertools.product(range(1, len(phrasings) + 1), FIRST_NAMES):
            values = {slot: draw.name(k) for slot, k in (("c", "city"), ("r", "river"), ("k", "company"))}
            values |= {"p": draw.person(gender), "q": draw.person(), "y": 1901, "n": 50}
            for row in range(max(map(len, grammar.lexicon.values()))):
                rows = {kind: row % len(items) for kind, items in grammar.lexicon.items()}
                text = fill(grammar, key, phrasing, {**values, **rows}).text
                assert not set(text) & set("{}[]|~:"), text
                assert "  " not in text
                assert text == text.strip()
                assert unicodedata.is_normalized("NFC", text), text
                assert text[-1] in ".?؟।", text
            draw.written.clear()


@pytest.mark.parametrize(
    ("code", "word", "inflection", "form"),
    [
        ("en", "engineer", "a", ("an ", "engineer", "")),
        ("ar", "محامٍ", "am", ("", "محاميًا", "")),
        ("ar", "محامٍ", "af", ("", "محامية", "")),
        ("ar", "أمين مكتبة", "a", ("", "أمين مكتبة", "")),
        ("ar", "مستشفى", "h", ("", "مستشفاها", "")),
        ("bn", "চা", "r", ("", "চা", "য\u09bcের")),
        ("bn", "কাগজ", "r", ("", "কাগজের", "")),
        ("bn", "চিনি", "r", ("", "চিনি", "র")),
        ("sw", "uwanja wa ndege", "ake", ("", "uwanja wake wa ndege", "")),
        ("sw", "soko", "a", ("", "soko", " la")),
        ("ko", "쌀", "로", ("", "쌀", "로")),
        ("ko", "빵", "로", ("", "빵", "으로")),
        ("ko", "교사", "은", ("", "교사", "는")),
        ("ko", "39", "천", ("", "39,000", "")),
    ],
)
def test_inflection(code, word, inflection, form):
    assert INFLECT[code](word, inflection) == form


def test_invented_names_differ_in_every_language():
    made = invent(random.Random(3), 200)
    names = [name for of in (*made.values(), *FIRST_NAMES.values()) for name in of]
    for code in WRITERS:
        forms = [render(name, code) for name in names]
        assert len(set(forms)) == len(forms)
        assert all(unicodedata.is_normalized("NFC", form) for form in forms)
        scripts = {unicodedata.name(letter).split()[0] for form in forms for letter in form}
        assert scripts == {language(code).script.upper()}


def test_no_invented_name_is_a_noun_of_the_lexicon():
    nouns = {word for grammar in GRAMMARS.values() for items in grammar.lexicon.values() for word in items}
    assert not nouns & {
        render(name, code) for code in WRITERS for of in POOLS["train"].values() for name in of
    }


# Sentences and links


def test_gold_links_of_hand_written_examples():
    values = {"p": "noraa belaar", "y": 1900, "c": "maahir", "f": 0, "n": 30, "b": 9}

    def linked(code, key, phrasing):
        pair = (fill(GRAMMARS[code], key, phrasing, values), fill(GRAMMARS["en"], key, phrasing, values))
        mine, theirs = (words(sentence.text) for sentence in pair)
        return pair[0].text, {(mine[i], theirs[j]) for i, j in links(*pair)}

    assert linked("ko", "S1", 1) == (
        "노라 벨라르는 1900년에 마히르시에서 태어났다.",
        {
            ("노라", "Nora"),
            ("벨라르는", "Belar"),
            ("1900년에", "1900"),
            ("1900년에", "in"),
            ("마히르시에서", "Mahir"),
            ("마히르시에서", "city"),
            ("태어났다", "born"),
            (".", "."),
        },
    )
    assert linked("sw", "S2", 2) == (
        "Katika mji wa Mahir, Nora Belar alijipatia riziki akiwa mwalimu.",
        {
            ("mji", "city"),
            ("Mahir", "Mahir"),
            (",", ","),
            ("Nora", "Nora"),
            ("Belar", "Belar"),
            ("alijipatia", "earned"),
            ("mwalimu", "teacher"),
            (".", "."),
        },
    )
    assert linked("ar", "S2", 1) == (
        "عملت نورا بيلار معلمة في مدينة ماهير.",
        {
            ("عملت", "worked"),
            ("نورا", "Nora"),
            ("بيلار", "Belar"),
            ("معلمة", "teacher"),
            ("مدينة", "city"),
            ("ماهير", "Mahir"),
            (".", "."),
        },
    )
    assert linked("ko", "S16", 1)[1] >= {("30,000명이다", "30"), ("30,000명이다", "thousand")}
    text, pairs = linked("sw", "S17", 2)
    assert text == "Mji wa Mahir ulifungua uwanja wake wa ndege mnamo mwaka 1900."
    assert {("uwanja", "airport"), ("ndege", "airport")} <= pairs


def test_an_answer_is_the_stem_before_a_particle_and_the_whole_word_where_they_are_fused():
    values = {"p": "noraa belaar", "c": "maahir", "f": 0, "s": 1, "x": 0}

    def answer(code, key, phrasing, slot):
        sentence = fill(GRAMMARS[code], key, phrasing, values)
        piece = sentence.piece(slot)
        return sentence.text[piece.stem_start : piece.stem_end], sentence.text[piece.start : piece.end]

    assert answer("ko", "S2", 1, "f") == ("교사", "교사로")
    assert answer("ko", "S2", 1, "c") == ("마히르", "마히르시에서")
    assert answer("bn", "S7", 1, "x") == ("চা", "চায\u09bcের")
    assert answer("ar", "S7", 1, "x") == ("الشاي", "بالشاي")
    assert answer("ar", "S2", 1, "f") == ("معلمة", "معلمة")
    assert answer("en", "S2", 1, "f") == ("teacher", "a teacher")


# Articles


@pytest.mark.parametrize("code", WRITERS)
def test_facts_do_not_contradict_one_another(code):
    for article in articles(code, 300):
        facts = [fact for fact, _ in article.statements]
        assert len({(fact.relation, fact.subject) for fact in facts}) == len(facts)
        for subject in {fact.subject for fact in facts}:
            by_relation = {fact.relation: fact.values for fact in facts if fact.subject == subject}
            years = {relation: values["y"] for relation, values in by_relation.items() if "y" in values}
            assert all(1850 <= year <= 2005 for year in years.values())
            for relation, year in years.items():
                if 1 in years and relation in (3, 13, 15):
                    assert year >= years[1] + ADULT
                if 14 in years:
                    assert year <= years[14]
                if relation == 17:
                    assert year > years.get(6, 1919)
                if 9 in years and relation == 19:
                    assert year > years[9]
            if 1 in years and 14 in years:
                assert ADULT < years[14] - years[1] <= 90
            if 3 in by_relation:
                spouse, first = by_relation[3]["q"].split()[0], subject.split()[0]
                assert (spouse in FIRST_NAMES["m"]) != (first in FIRST_NAMES["m"])


@pytest.mark.parametrize("code", WRITERS)
def test_no_answer_can_be_taken_for_another(code):
    for article in articles(code, 300):
        facts = [fact for fact, _ in article.statements]
        names = {fact.subject for fact in facts}
        assert len(names) <= 2
        told = [(slot, value) for fact in facts for slot, value in fact.values.items() if value not in names]
        assert len(told) == len(set(told))
        spoken = {str(value) for slot, value in told if slot in "pqcrk"} | names
        written = [render(word, code) for name in spoken for word in name.split()]
        assert not any(a in b for a, b in itertools.permutations(written, 2))


def test_questions_have_the_shares_and_the_subjects_of_the_recipe():
    made = list(articles("en", 1000))
    assert Counter(article.question.kind for article in made) == {
        "span": 780,
        "unanswerable": 120,
        "yes": 50,
        "no": 50,
    }
    answerable = [article for article in made if article.question.statement is not None]
    about_other = [a for a in answerable if a.statements[a.question.statement][0].subject != a.title]
    assert 0.15 < len(about_other) / len(answerable) < 0.35
    for article in made:
        question = article.question
        if question.statement is None:
            relation = int(re.sub(r"\D", "", question.key))
            told = [fact for fact, _ in article.statements if fact.relation == relation]
            assert not any(fact.subject in question.values.values() for fact in told)
        else:
            fact = article.statements[question.statement][0]
            assert (question.values == fact.values) == (question.kind != "no")
    for article in articles("en", 100, recipe=TINY.model_copy(update={"facts": (6, 6)})):
        assert len(article.statements) <= 8


# Files


def test_the_same_recipe_gives_the_same_bytes_whatever_the_hash_seed(world, tmp_path):
    recipe = tmp_path / "recipe.json"
    recipe.write_text(TINY.model_dump_json())
    command = [sys.executable, "-m", "workflow_scripts.acquire.microworld"]
    command += ["--recipe", str(recipe), "--out", str(tmp_path / "world")]
    root = Path(__file__).parents[2]
    subprocess.run(command, check=True, cwd=root, env={"PYTHONHASHSEED": "7"}, capture_output=True)
    assert contents(tmp_path / "world") == contents(world)


def test_leaving_a_language_out_changes_no_other(world, tmp_path):
    write_world(TINY.model_copy(update={"languages": ("sw", "en")}), tmp_path)
    fewer, all_of_them = contents(tmp_path), contents(world)
    for name in fewer.keys() - {f"tydi/tydiqa-v1.0-{split}.jsonl.gz" for split in ("train", "dev", "hard")}:
        assert fewer[name] == all_of_them[name]
    for split in ("train", "dev", "hard"):
        spoken = ("english", "swahili")
        assert records(tmp_path, split) == [r for r in records(world, split) if r["language"] in spoken]


@pytest.mark.parametrize(("name", "annotators", "count"), [("train", 1, 60), ("dev", 3, 40), ("hard", 3, 20)])
def test_records_are_official_ones(world, name, annotators, count):
    ids = set()
    for record in records(world, name):
        assert list(record) == [
            "annotations",
            "document_plaintext",
            "document_title",
            "document_url",
            "example_id",
            "language",
            "passage_answer_candidates",
            "question_text",
        ]
        assert -(2**63) <= record["example_id"] < 2**63
        ids.add(record["example_id"])
        octets = record["document_plaintext"].encode()
        spans = [
            (c["plaintext_start_byte"], c["plaintext_end_byte"]) for c in record["passage_answer_candidates"]
        ]
        lines = record["document_plaintext"].split("\n")
        assert [octets[start:end].decode() for start, end in spans] == lines[2:-1]
        assert lines[:2] == ["", record["document_title"]]
        assert len(record["annotations"]) == annotators
        for one in record["annotations"]:
            assert 0 <= one["annotation_id"] < 2**64
            passage = one["passage_answer"]["candidate_index"]
            span = one["minimal_answer"]["plaintext_start_byte"], one["minimal_answer"]["plaintext_end_byte"]
            assert one["yes_no_answer"] == "NONE" or (span == (-1, -1) and passage >= 0)
            if span != (-1, -1):
                assert spans[passage][0] <= span[0] < span[1] <= spans[passage][1]
                assert octets[span[0] : span[1]].decode().strip()
    assert len(ids) == 5 * count
    assert min(ids) < 0 < max(ids)


def test_two_of_three_annotators_agree(world):
    differing = 0
    consensus = Counter()
    for record in records(world, "dev"):
        votes = Counter(
            json.dumps({k: v for k, v in one.items() if k != "annotation_id"}, sort_keys=True)
            for one in record["annotations"]
        )
        agreed, count = votes.most_common(1)[0]
        assert count >= 2
        differing += count == 2
        agreed = json.loads(agreed)
        passage = agreed["passage_answer"]["candidate_index"]
        consensus[agreed["yes_no_answer"] if passage >= 0 else "null"] += 1
    assert 10 <= differing <= 70
    assert consensus == {"NONE": 155, "null": 25, "YES": 10, "NO": 10}


def test_splits_share_no_entities(world):
    listed = {
        int(line.split("\t")[0])
        for file in world.glob("sdqa/dev/*/*.dev.txt")
        for line in read_lines(file)[1:]
    }
    train = records(world, "train")
    assert listed <= {record["example_id"] for record in train}
    assert len(listed) == 50

    def text(chosen):
        return " ".join(
            word for r in chosen for word in words(r["document_plaintext"] + r["question_text"] + " ")
        )

    files = [world / f"text/{code}.txt" for code in LANGUAGES]
    files += [world / f"parallel/{code}-en.{side}" for code in LANGUAGES[1:] for side in (code, "en")]
    said = {
        "train": text(r for r in train if r["example_id"] not in listed),
        "dev": text(r for r in train if r["example_id"] in listed),
        "test": text(records(world, "dev")) + text(records(world, "hard")),
        "text": " ".join(word for file in files for line in read_lines(file) for word in words(line)),
    }
    pools, of_text = name_pools(TINY)
    for part, pool in [
        ("train", pools["train"]),
        ("dev", pools["dev"]),
        ("test", pools["test"]),
        ("text", of_text),
    ]:
        own = set(said[part].split())
        others = {word for other in said.keys() - {part} for word in said[other].split()}
        for kind, names in pool.items():
            forms = {render(name, "en") for name in names}
            assert forms & own, (part, kind)
            assert not forms & others, (part, kind)


def test_every_question_is_translated(world):
    for name in ("train", "dev", "hard"):
        spoken = {code: {} for code in LANGUAGES}
        codes = {language(code).tydi: code for code in LANGUAGES}
        for record in records(world, name):
            spoken[codes[record["language"]]][str(record["example_id"])] = record
        for code in LANGUAGES[1:]:
            for source, target in (("en", code), (code, "en")):
                found = read_translations(world / f"translations/{name}.{source}-{target}.tsv")
                assert list(found) == list(spoken[source])
                if target == "en":
                    assert all(re.fullmatch(r"[A-Za-z0-9 '-]+\?", text) for text in found.values())


def test_parallel_text_has_a_link_in_range_for_every_name(world):
    for code in LANGUAGES[1:]:
        stem = str(world / f"parallel/{code}-en.")
        for mine, theirs, gold in zip(
            *(read_lines(stem + end) for end in (code, "en", "links")), strict=True
        ):
            pairs = [tuple(map(int, pair.split("-"))) for pair in gold.split()]
            assert pairs == sorted(set(pairs))
            own, other = words(mine), words(theirs)
            assert all(i < len(own) and j < len(other) for i, j in pairs)
            assert (len(own) - 1, len(other) - 1) in pairs
            english = {j for _, j in pairs}
            years = [j for j, word in enumerate(other) if re.fullmatch(r"\d{4}", word)]
            assert set(years) <= english
    questions = [line for line in read_lines(world / "parallel/sw-en.en") if line.endswith("?")]
    assert 0.3 < len(questions) / TINY.sentence_pairs < 0.7


def test_some_languages_have_fewer_documents(tmp_path):
    few = TINY.model_copy(update={"languages": ("en", "ar"), "fewer_documents": {"ar": 7, "hi": 3}})
    write_world(few, tmp_path)
    assert [len(read_lines(tmp_path / f"text/{code}.txt")) for code in ("en", "ar")] == [40, 7]


def test_a_language_can_have_another_number_of_training_articles(tmp_path):
    more = TINY.model_copy(update={"languages": ("en", "ar"), "other_train_articles": {"en": 60}})
    write_world(more, tmp_path)
    languages = Counter(
        record["language"] for _, record in read_jsonl(tmp_path / "tydi/tydiqa-v1.0-train.jsonl.gz")
    )
    assert languages == {"english": 60 + TINY.dev_articles, "arabic": TINY.train_articles + TINY.dev_articles}


def test_monolingual_documents_begin_with_a_question_now_and_then(world):
    marks = {"ar": "؟", "en": "?", "bn": "?", "sw": "?", "ko": "?"}
    for code, mark in marks.items():
        found = read_lines(world / f"text/{code}.txt")
        assert len(found) == TINY.documents
        assert 8 <= sum(mark in line for line in found) <= 32
        assert all(line.count(mark) <= 1 for line in found)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ('{"languages": ["ar"]}', "languages must hold en"),
        ('{"languages": ["en", "xx"]}', "languages.1"),
        ('{"name_shares": [0.5, 0.1, 0.1]}', "name_shares must sum to 1"),
        ('{"names": 20}', "at least 12"),
        ('{"text_names": 5}', "text_names is 5"),
        ('{"held_out_statements": [2, 2]}', "held_out_statements must hold each entry once"),
        ('{"held_out_statements": [23]}', "held_out_statements.0 is 23"),
        ('{"languages": ["en"], "squad_languages": ["ko"]}', "squad_languages has ko"),
        ('{"languages": ["en"], "other_train_articles": {"ko": 9}}', "other_train_articles has ko"),
        ('{"asr_noise": {"en": {"usa": 0.1}}}', "asr_noise.en.usa"),
        ('{"asr_noise": {"en": {"usa-en-US": 0.9}}}', "asr_noise.en.usa-en-US is 0.9"),
        ('{"mismatch": {"contexts": 2}}', "mismatch.contexts is 2"),
        ('{"facts": [5, 3]}', "facts must be the fewest, then the most"),
        ('{"unanswerable": 0.9, "yes_no": 0.2}', "must not exceed 1 together"),
        ('{"article": 3}', "unknown key article"),
    ],
)
def test_an_impossible_recipe_is_refused_before_anything_is_written(recipe, message, tmp_path):
    with pytest.raises(InputError, match=re.escape(message)):
        main(["--recipe", recipe, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
