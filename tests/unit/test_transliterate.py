"""Transliterated corpora: no record lost, answers exactly where they were, nothing of the source's script left."""

import json
import random
import unicodedata
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest
import regex

from workflow_scripts.acquire import chaii, squad
from workflow_scripts.augment import transliterate
from workflow_scripts.augment.scripts import JOINERS, STAND_INS, Direction, transliterated, words
from workflow_scripts.augment.transliterate import EXACT, WIDENED, write, write_corpus
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
    Relocation,
    read_documents,
    read_questions,
    write_documents,
    write_questions,
)
from workflow_scripts.languages import from_tydi, language
from workflow_scripts.recipes.transliteration import Transliteration

INDIC = {"hi": "Devanagari", "bn": "Bengali", "ta": "Tamil", "ml": "Malayalam", "te": "Telugu"}
SAMPLES = {
    "hi": "राष्ट्रपति फ़ख़रुद्दीन अली अहमद ने १९७७ में ऑक्सफ़ोर्ड से (B.A., 1930) ऍप्‍स और क्‍षमा की; वे पाँचवे थे।",
    "bn": "কলকাতা বিশ্ববিদ্যালয় ১৮৫৭ সালে প্রতিষ্ঠিত হয়; ওঁর উৎসব, ৱ ও বাংলা (AD 1857)।",
    "ta": "தமிழ்நாட்டின் தலைநகர் சென்னை; ஃபேஸ்புக், ஸ்ரீ, ௧௯௪௭ கௌரி 12 km.",
    "ml": "കേരളത്തിന്റെ തലസ്ഥാനം തിരുവനന്തപുരമാണ്; അവൻ, അവർ, അവൾ, കൗതുകം 1956.",
    "te": "తెలంగాణ రాజధాని హైదరాబాదు; 1,234 ఎల్\u200cఎల్ ఋషి 2014లో.",
}


def said(text: str, source: str, target: str, **recipe: str) -> str:
    """A text in the letters of another language."""
    way = Direction(language(source).script, language(target).script, **recipe)
    return write(text, way).text


@pytest.mark.parametrize(
    ("source", "target", "word", "expected"),
    [
        ("hi", "bn", "हिन्दी", "হিন্দী"),
        ("hi", "te", "हिन्दी", "హిన్దీ"),
        ("hi", "en", "हिन्दी", "hindī"),
        ("en", "hi", "hindī", "हिन्दी"),
        ("en", "hi", "Hiṁdī", "हिंदी"),  # the package would read chandrabindu
        ("ta", "hi", "தமிழ்நாடு", "तमिऴ्नाटु"),  # the package: धमिऴ्नाढु
        ("ta", "en", "தமிழ்நாடு", "tamiḻnāṭu"),
        ("ta", "te", "ஒரு", "ఒరు"),
        ("ta", "bn", "ஒரு", "ওরু"),  # the package leaves a Devanagari letter
        ("ta", "hi", "வம்சம்", "वम्चम्"),
        ("ta", "ml", "வரும்", "വരും"),
        ("hi", "ta", "चाँद", "சாந்த"),
        ("hi", "ta", "अंबर सिंह", "அம்பர ஸிம்ஹ"),
        ("hi", "ta", "बड़ा", "படா"),  # the package: பஃட²ா
        ("hi", "ta", "कृष्ण", "க்ருஷ்ண"),  # the package: an apostrophe in the word
        ("hi", "te", "ज़मीन", "జమీన"),
        ("hi", "ml", "ऑफ़िस", "ഓഫിസ"),
        ("hi", "en", "क्‍षमा", "kṣamā"),  # the package: k{}ṣamā
        ("hi", "bn", "हॅलो ॲप", "হেলো এপ"),
        ("bn", "hi", "ওঁর", "ओँर"),  # the package: ॐर
        ("bn", "hi", "উৎসব হয়", "उत्सब हय़"),
        ("ml", "hi", "അവൻ അവർ കൗതുകം", "अवन् अवर् कौतुकं"),
        ("ml", "ta", "മാസം", "மாஸம்"),
        ("ta", "ml", "அவள்", "അവൾ"),
        ("en", "ml", "M. kam", "മ്. കം"),
        ("hi", "en", "पाँच १२३ लोगों ने", "pām̐ca 123 lōgōṁ nē"),
        ("en", "hi", "pām̐ca lōgōṁ", "पाँच लोगों"),  # the package: ल्ॐ inside a word
        ("hi", "te", "१२ ABC 12। ₹5", "౧౨ ABC 12। ₹5"),
        ("hi", "mr", "ज़मीन १२", "ज़मीन १२"),
    ],
)
def test_words(source: str, target: str, word: str, expected: str) -> None:
    assert said(unicodedata.normalize("NFC", word), source, target) == unicodedata.normalize("NFC", expected)
    assert said(unicodedata.normalize("NFD", word), source, target) in (
        unicodedata.normalize("NFC", expected),
        unicodedata.normalize("NFD", word),  # where both scripts are the same
    )


def test_recipe() -> None:
    assert said("दाल १२", "hi", "te", digits="keep") == "దాల १२"
    assert said("கௌரி ௧", "ta", "en", digits="keep") == "kauri ௧"
    assert said("पाँचवाँ ऋषि १२", "hi", "en", latin="plain") == "pamcavam rsi 12"


@pytest.mark.parametrize("target", [*INDIC, "en"])
@pytest.mark.parametrize("source", INDIC)
def test_nothing_of_the_sources_script_is_left(source: str, target: str) -> None:
    written = said(SAMPLES[source], source, target)
    assert written == unicodedata.normalize("NFC", written)
    assert "\u200d" not in written or source == target
    if source != target:
        assert not regex.search(rf"[\p{{Script={INDIC[source]}}}]", written)
    signs = set(regex.findall(r"[^\p{L}\p{M}\p{N}]", written))
    assert signs <= set(regex.findall(r"[^\p{L}\p{M}\p{N}]", SAMPLES[source]))


def test_stand_ins_are_written_in_one_form() -> None:
    """Names are compared as they stand, so a decomposed one would never be found."""
    assert all(unicodedata.is_normalized("NFC", name) for both in STAND_INS.items() for name in both)


def spans(text: str, rng: random.Random, count: int) -> list[tuple[int, int]]:
    """Random spans of a text, of which many have an edge inside a word."""
    return [
        (start, rng.randint(start + 1, min(len(text), start + 30)))
        for start in (rng.randrange(len(text)) for _ in range(count))
    ]


@pytest.mark.parametrize("target", [*INDIC, "en"])
@pytest.mark.parametrize("source", [*INDIC, "en"])
def test_answers_keep_their_places(source: str, target: str) -> None:
    """Exact answers are what their own characters are written with; others hold that and end at clusters."""
    rng = random.Random(f"{source} {target}")
    way = Direction(language(source).script, language(target).script)
    text = SAMPLES.get(source, "Hindī kṣamā, Tamiḻ 12 e\u0301 🇮🇳🇮🇳 pām̐ca.")
    document = write(text, way)
    ends = {0, *(found.end() for found in regex.finditer(r"\X", document.text))}
    exact = 0
    for start, end in spans(text, rng, 200):
        given = Annotation(0, start, end, text[start:end])
        found, kept = transliterate.write_annotation(given, document)
        if source == target:
            assert (found, kept) == (given, True)
            continue
        assert {found.start, found.end} <= ends
        assert document.text[found.start : found.end] == found.text != ""
        exact += kept
        if kept:
            parts = (write(part, way).text for part in (text[:start], given.text, text[end:]))
            before, alone, after = (part.translate(JOINERS) for part in parts)
            assert found.text == alone
            assert document.text == before + alone + after
    assert source == target or 50 < exact < 200


def test_the_places_of_whole_words_are_exact() -> None:
    for source, text in SAMPLES.items():
        for target in (*INDIC, "en"):
            document = write(text, Direction(INDIC[source], language(target).script))
            for found in words(INDIC[source]).finditer(text):
                start, end = (
                    document.place(at, later) for at, later in zip(found.span(), (False, True), strict=True)
                )
                assert start[1]
                assert end[1]
                assert document.text[start[0] : end[0]] == transliterated(found[0], document.way)


def test_a_cut_inside_a_word() -> None:
    """Tamil's last syllables stand apart in both scripts; a half letter joins the next one in Devanagari."""
    text = "அது சென்னையில் உள்ளது"
    document = write(text, Direction("Tamil", "Devanagari"))
    assert document.text == "अतु चॆऩ्ऩैयिल् उळ्ळतु"
    at = text.index("சென்னை")
    city, kept = transliterate.write_annotation(Annotation(0, at, at + 6, "சென்னை"), document)
    assert (city.text, kept) == ("चॆऩ्ऩै", True)
    half, kept = transliterate.write_annotation(Annotation(0, at, at + 4, "சென்"), document)
    assert (half.text, kept) == ("चॆऩ्ऩै", False)
    rest, kept = transliterate.write_annotation(Annotation(0, at + 2, at + 6, "ன்னை"), document)
    assert (rest.text, kept) == ("ऩ्ऩै", True)
    later, kept = transliterate.write_annotation(Annotation(0, at + 4, at + 6, "னை"), document)
    assert (later.text, kept) == ("ऩ्ऩै", False)


def test_an_answer_of_nothing_that_is_written() -> None:
    for text, expected in (("ఎల్\u200cఎల్ ఎ", "ऎ"), ("ఎల్\u200c", "ल्")):
        document = write(text, Direction("Telugu", "Devanagari"))
        found, kept = transliterate.write_annotation(Annotation(0, 3, 4, "\u200c"), document)
        assert (found.text, kept) == (expected, False)
        assert document.text[found.start : found.end] == expected


HINDI = "दिल्ली भारत की राजधानी है। New Delhi, १९११"
DOCUMENTS = {
    "a": Document("a", "hi", "दिल्ली", "u", HINDI, ((0, 26), (27, len(HINDI))), "root"),
    "b": Document("b", "ar", "", "", "دلهي", ((0, 4),), "b"),
    "c": Document("c", "bn", "", "", "দিল্লী", ((0, 6),), "c"),
}
ANSWERS = (
    Annotation(0, 0, 6, "दिल्ली", annotation_id="7"),
    Annotation(0, 7, 9, "भा"),
    Annotation(1, 27, 30, "New"),
    Annotation(0, yes_no="YES"),
    Annotation(),
)


def test_corpora() -> None:
    asked = [
        Question("1", "1", "a", "hi", "कहाँ?", ANSWERS[:1]),
        Question("2@hi", "2", "a", "hi", "?", ANSWERS, "someone", Relocation("links", 0.5)),
        Question("3", "3", "a", "hi", "?", (Annotation(0, 0, 3, "दिल"), ANSWERS[4])),
        Question("4", "4", "b", "ar", "أين؟"),
        Question("5", "5", "c", "bn", "?"),
        Question("6", "6", "a", "ar", "أين؟"),
    ]
    documents, questions, dropped = write_corpus(DOCUMENTS, asked, "bn", Transliteration())
    (document,) = documents
    expected = "দিল্লী ভারত কী রাজধানী হৈ। New Delhi, ১৯১১"
    assert document == Document(
        *("a@bn~bengali", "bn", "দিল্লী", "u", expected, ((0, 26), (27, len(HINDI))), "root"),
        "indic-transliteration",
    )
    assert [(one.question_id, one.source_id, one.doc_id) for one in questions] == [
        ("1@bn~bengali", "1", document.doc_id),
        ("2@hi@bn~bengali", "2", document.doc_id),
        ("3@bn~bengali", "3", document.doc_id),
    ]
    assert [one.relocation for one in questions] == [EXACT, Relocation("links", 0.5), WIDENED]
    assert questions[0].text == "কহাঁ?"
    assert questions[1].annotations == (
        Annotation(0, 0, 6, "দিল্লী", annotation_id="7"),
        Annotation(0, 7, 9, "ভা"),
        *ANSWERS[2:],
    )
    assert questions[2].annotations == (Annotation(0, 0, 6, "দিল্লী"), ANSWERS[4])
    assert [name for name, _ in dropped] == ["b", "4", "6"]
    assert dropped[0][1].startswith(
        "it is written in Arabic letters, which are not among Devanagari, Bengali"
    )


def test_the_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_documents(tmp_path / "documents", list(DOCUMENTS.values()))
    question = Question("1", "1", "a", "hi", "कहाँ?", ANSWERS[:1])
    write_questions(tmp_path / "questions", [question], DOCUMENTS)
    step(tmp_path, tmp_path, "en", '{"latin": "plain"}')
    (made,) = read_questions(tmp_path / "q")
    assert (made.question_id, made.text, made.annotations[0].text) == ("1@en~plain", "kaham?", "dilli")
    assert (
        read_documents(tmp_path / "d")[made.doc_id].text == "dilli bharata ki rajadhani hai। New Delhi, 1911"
    )
    assert "1 questions on 2 documents in Latin letters" in capsys.readouterr().out
    (tmp_path / "q").unlink()
    for target, sentence in (
        ("ko", "--to ko: Korean is written in Hangul letters, which are not among Devanagari, Bengali,"),
        ("hi", r"no question can be transliterated to hi \(1 dropped; it is written in Arabic"),
        ("xx", "unknown language 'xx'"),
    ):
        with pytest.raises(InputError, match=sentence):
            step(tmp_path, tmp_path, target)
    assert not (tmp_path / "q").exists()


def step(source: Path, folder: Path, target: str, recipe: str = "{}") -> None:
    """The step, from `documents` and `questions` in one folder to `d` and `q` in another."""
    read = [f"--{name}={source / name}" for name in ("documents", "questions")]
    made = [f"--out-documents={folder / 'd'}", f"--out-questions={folder / 'q'}"]
    transliterate.main([*read, *made, "--to", target, "--recipe", recipe, f"--dropped={folder / 'dropped'}"])


@pytest.mark.parametrize("target", ["bn", "ta", "ml", "te", "mr", "en"])
def test_real_rows(tmp_path: Path, pack: Path, target: str) -> None:
    """ChAII's 17 Hindi and 15 Tamil rows all come back, each answer exactly as its characters are written."""
    outputs = [f"--{name}={tmp_path / name}" for name in ("documents", "questions", "dropped")]
    chaii.main(["--in", str(pack / "chaii/train_subset.csv"), "--languages", "hi", "ta", *outputs])
    step(tmp_path, tmp_path, target)
    assert (tmp_path / "dropped").read_text() == ""
    before = {one.question_id: one for one in read_questions(tmp_path / "questions")}
    after = read_questions(tmp_path / "q")
    documents = read_documents(tmp_path / "d")
    assert len(after) == (17 if target == "ta" else 32)
    for one in after:
        source = before[one.source_id]
        assert one.relocation == EXACT
        assert one.annotations[0].text == said(source.annotations[0].text, source.language, target)
        assert documents[one.doc_id].text.count("\n") == documents[one.doc_id].text.count("\n")


# Of TyDi QA's questions, how many have an answer that begins or ends inside a word and cannot be parted from the rest:
# Telugu "ఫగ్వాల్" of "ఫగ్వాల్‌లో", Swahili "amhuri" of "Jamhuri".
WIDE = {
    ("bengali", "hi"): 0,
    ("telugu", "hi"): 6,
    ("telugu", "en"): 1,
    ("swahili", "hi"): 4,
    ("swahili", "ta"): 3,
}


@pytest.mark.parametrize(("name", "target"), WIDE)
def test_real_answers(tmp_path: Path, pack: Path, name: str, target: str) -> None:
    file = pack / f"tydiqa_goldp/{name}_tydiqa_dev.json"
    source = from_tydi(name, "").code
    outputs = [f"--{one}={tmp_path / one}" for one in ("documents", "questions", "dropped")]
    squad.main(["--in", str(file), "--language", source, *outputs])
    step(tmp_path, tmp_path, target)
    before, after = read_questions(tmp_path / "questions"), read_questions(tmp_path / "q")
    assert [one.source_id for one in after] == [one.source_id for one in before]
    methods = Counter(one.relocation.method for one in after if one.relocation)
    wide = WIDE[name, target]
    assert methods == Counter({EXACT.method: len(after) - wide, WIDENED.method: wide})
    for one, original in zip(after, before, strict=True):
        if one.relocation == EXACT:
            assert [answer.text for answer in one.annotations] == [
                said(answer.text, source, target) for answer in original.annotations
            ]


# Signs of Hindi and Tamil texts that a script has no sign of its own for, so that words with them change on the way.
@pytest.mark.parametrize(
    ("source", "target", "foreign"),
    [
        ("hi", "te", "[\u093cॉऑॅऍॲ]"),
        ("hi", "ml", "[\u093cॉऑॅऍॲ]"),
        ("hi", "en", "[०-९ॲ]|(?<=.)[अ-औ]"),  # ai is one vowel or two
        ("ta", "hi", "ஂ"),
        ("ta", "en", r"[௦-௯ஂ]|(?<=.)[அ-ஔ]|்ஹ|\p{Mc}்"),  # so is th two consonants
    ],
)
def test_real_words_come_back(pack: Path, source: str, target: str, foreign: str) -> None:
    if source == "hi":
        articles = json.loads((pack / "xquad/xquad.hi.json").read_text("utf-8"))["data"]
        text = " ".join(part["context"] for article in articles for part in article["paragraphs"])
    else:
        text = (pack / "parallel/moses/ta-en.ta").read_text("utf-8")[:300_000]
    found = {
        unicodedata.normalize("NFC", word).translate(JOINERS) for word in words(INDIC[source]).findall(text)
    }
    found = {word for word in found if not regex.search(foreign, word)}
    there, back = (
        Direction(first, second) for first, second in permutations((INDIC[source], language(target).script))
    )
    lost = {word for word in found if transliterated(transliterated(word, there), back) != word}
    assert len(found) > 4000
    assert lost == set()
