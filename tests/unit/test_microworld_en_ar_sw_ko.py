"""Wording of the micro-world in English, Arabic, Swahili and Korean: exact sentences where a form is easily wrong."""

import re
import unicodedata

import pytest

from workflow_scripts.acquire.microworld.grammar import fill, links, read_grammar
from workflow_scripts.acquire.microworld.inflection import INFLECT
from workflow_scripts.words import words

GRAMMARS = {code: read_grammar(code) for code in ("en", "ar", "sw", "ko")}
WOMAN, MAN, OTHER_MAN = "noraa belaar", "kariim dutam", "kevin tuuso"
VALUES = {"p": WOMAN, "q": OTHER_MAN, "c": "maahir", "r": "velo", "k": "piinas", "y": 1903, "n": 40}
VALUES |= {"f": 0, "s": 0, "x": 0, "t": 0, "b": 0, "w": 0}


def row(kind, english):
    """The row of the lexicon whose English word is given."""
    return GRAMMARS["en"].lexicon[kind].index(english)


def sentence(code, key, phrasing, **values):
    return fill(GRAMMARS[code], key, phrasing, VALUES | values)


def spans(code, key, phrasing, slot, **values):
    """What an annotator marks as the answer, and the whole token around it."""
    filled = sentence(code, key, phrasing, **values)
    piece = filled.piece(slot)
    return filled.text[piece.stem_start : piece.stem_end], filled.text[piece.start : piece.end]


@pytest.mark.parametrize(
    ("code", "key", "phrasing", "values", "text"),
    [
        (
            "en",
            "S2",
            1,
            {"f": row("f", "engineer")},
            "Nora Belar worked as an engineer in the city of Mahir.",
        ),
        ("en", "S13", 1, {"t": row("t", "sea")}, "Nora Belar wrote a book about the sea in 1903."),
        ("en", "S13", 2, {"t": row("t", "war")}, "A book about war by Nora Belar was published in 1903."),
        ("en", "Q3q", 3, {}, "With whom did Nora Belar exchange wedding vows?"),
        ("en", "Q13t", 2, {}, "What did Nora Belar write a book about?"),
        ("en", "Q16n", 3, {}, "How many thousand inhabitants does the city of Mahir have?"),
        ("en", "Q17y", 3, {}, "Since what year has the city of Mahir had its library?"),
        ("en", "Q19y", 3, {}, "Since what year has the company Pinas had a factory?"),
        ("en", "Q22y", 3, {}, "Since what year has there been a bridge over the river Velo?"),
        ("ar", "S1", 1, {"p": MAN}, "وُلد كريم دوتم في مدينة ماهير عام 1903."),
        ("ar", "S2", 1, {"p": MAN, "f": row("f", "lawyer")}, "عمل كريم دوتم محاميًا في مدينة ماهير."),
        (
            "ar",
            "S2",
            2,
            {"f": row("f", "librarian")},
            "في مدينة ماهير، كسبت نورا بيلار رزقها من عملها أمينة مكتبة.",
        ),
        ("ar", "S3", 2, {}, "أُقيم زفاف نورا بيلار وكيفين توسو سنة 1903."),
        ("ar", "S8", 1, {}, "عمدة مدينة ماهير هي نورا بيلار."),
        ("ar", "S12", 1, {"n": 110}, "لدى شركة بينس 110 من الموظفين."),
        ("ar", "S13", 1, {"t": row("t", "war")}, "كتبت نورا بيلار عام 1903 كتابًا عن الحرب."),
        ("ar", "S14", 1, {}, "تُوفيت نورا بيلار في مدينة ماهير عام 1903."),
        ("ar", "S14", 1, {"p": MAN}, "تُوفي كريم دوتم في مدينة ماهير عام 1903."),
        ("ar", "S15", 2, {"w": row("w", "art")}, "مُنحت نورا بيلار جائزة الفنون سنة 1903."),
        ("ar", "S16", 1, {"n": 21}, "يبلغ عدد سكان مدينة ماهير 21 ألف نسمة."),
        ("ar", "S17", 2, {"b": row("b", "hospital")}, "افتتحت مدينة ماهير مستشفاها عام 1903."),
        ("ar", "S17", 2, {"b": row("b", "railway station")}, "افتتحت مدينة ماهير محطة قطاراتها عام 1903."),
        ("ar", "S18", 1, {}, "مديرة شركة بينس هي نورا بيلار."),
        ("ar", "S20", 2, {"n": 210}, "يبلغ طول نهر فيلو 210 كم."),
        ("ar", "Q3q", 2, {}, "ما اسم زوج نورا بيلار؟"),
        ("ar", "Q3q", 3, {}, "بمن اقترنت نورا بيلار؟"),
        ("ar", "Q16n", 2, {}, "كم ألفًا يبلغ عدد سكان مدينة ماهير؟"),
        ("ar", "Q16n", 3, {}, "كم ألف نسمة تضم مدينة ماهير؟"),
        ("ar", "Q17y", 3, {"b": row("b", "market")}, "منذ أي عام تضم مدينة ماهير سوقًا؟"),
        ("ar", "Q17y", 3, {"b": row("b", "hospital")}, "منذ أي عام تضم مدينة ماهير مستشفى؟"),
        ("sw", "S1", 2, {}, "Mnamo mwaka 1903, Nora Belar alizaliwa katika mji wa Mahir."),
        ("sw", "S7", 2, {}, "Mji wa Mahir unajulikana sana kwa chai."),
        ("sw", "S10", 2, {}, "Kampuni ya Pinas ina makao yake makuu katika mji wa Mahir."),
        ("sw", "S16", 2, {}, "Watu elfu 40 wanaishi katika mji wa Mahir."),
        (
            "sw",
            "S17",
            1,
            {"b": row("b", "railway station")},
            "Ufunguzi wa kituo cha treni cha mji wa Mahir ulifanyika mwaka 1903.",
        ),
        (
            "sw",
            "S17",
            2,
            {"b": row("b", "theatre")},
            "Mji wa Mahir ulifungua ukumbi wake wa maigizo mnamo mwaka 1903.",
        ),
        ("sw", "Q2c", 3, {}, "Mahali pa kazi pa Nora Belar palikuwa wapi?"),
        ("sw", "Q3q", 2, {}, "Jina la mume wa Nora Belar ni nani?"),
        ("sw", "Q3q", 2, {"p": MAN}, "Jina la mke wa Karim Dutam ni nani?"),
        ("sw", "Q4s", 2, {}, "Nora Belar alisomea somo gani katika chuo kikuu?"),
        ("sw", "Q15w", 3, {}, "Ni tuzo gani aliyo nayo Nora Belar?"),
        ("sw", "Q16n", 3, {}, "Mji wa Mahir una wakazi elfu ngapi?"),
        ("sw", "B1", 2, {}, "Je, mji wa Mahir ndipo mahali alipozaliwa Nora Belar?"),
        ("ko", "S3", 1, {}, "노라 벨라르는 1903년에 케빈 투소와 결혼했다."),
        ("ko", "S3", 2, {"p": MAN, "q": WOMAN}, "카림 두탐과 노라 벨라르의 결혼식은 1903년에 열렸다."),
        ("ko", "S6", 1, {"p": MAN}, "마히르시는 1903년에 카림 두탐이 세운 도시이다."),
        ("ko", "S7", 1, {"x": row("x", "shoes")}, "마히르시는 신발로 유명하다."),
        ("ko", "S8", 1, {}, "마히르시의 시장은 노라 벨라르이다."),
        ("ko", "S16", 1, {}, "마히르시의 인구는 40,000명이다."),
        ("ko", "S20", 1, {}, "벨로강은 길이가 40킬로미터이다."),
        ("ko", "Q12n", 3, {}, "피나스 회사의 종업원 수는 몇 명인가?"),
        ("ko", "Q16n", 3, {}, "천 명 단위로 따지면 마히르시의 주민은 몇 명인가?"),
        ("ko", "B8", 2, {}, "마히르시의 행정을 이끄는 사람은 노라 벨라르인가?"),
        ("ko", "B11", 2, {"x": row("x", "bread")}, "피나스 회사의 주력 제품은 빵인가?"),
    ],
)
def test_sentence(code, key, phrasing, values, text):
    assert sentence(code, key, phrasing, **values).text == text


@pytest.mark.parametrize(
    ("code", "key", "phrasing", "slot", "values", "stem", "token"),
    [
        ("en", "S13", 1, "t", {"t": row("t", "sea")}, "sea", "the sea"),
        ("en", "S13", 1, "t", {"t": row("t", "birds")}, "birds", "birds"),
        ("en", "S2", 2, "f", {"f": row("f", "engineer")}, "engineer", "an engineer"),
        ("ar", "S3", 2, "q", {}, "كيفين توسو", "وكيفين توسو"),
        ("ar", "S2", 1, "f", {"p": MAN, "f": row("f", "lawyer")}, "محاميًا", "محاميًا"),
        ("ar", "S7", 1, "x", {"x": row("x", "rice")}, "الأرز", "بالأرز"),
        ("ar", "S15", 1, "w", {"w": row("w", "art")}, "الفنون", "الفنون"),
        ("sw", "S2", 1, "f", {"f": row("f", "photographer")}, "mpiga picha", "mpiga picha"),
        ("sw", "S16", 1, "n", {}, "40", "40"),
        ("ko", "S1", 1, "y", {}, "1903", "1903년에"),
        ("ko", "S4", 1, "c", {}, "마히르", "마히르"),
        ("ko", "S5", 1, "r", {}, "벨로", "벨로강"),
        ("ko", "S8", 1, "p", {}, "노라 벨라르", "노라 벨라르이다"),
        ("ko", "S13", 1, "t", {"t": row("t", "childhood")}, "어린 시절", "어린 시절에"),
        ("ko", "S15", 1, "w", {}, "문학", "문학상을"),
        ("ko", "S16", 2, "n", {}, "40,000", "40,000명이"),
        ("ko", "S20", 1, "n", {}, "40", "40킬로미터이다"),
    ],
)
def test_answer_span(code, key, phrasing, slot, values, stem, token):
    assert spans(code, key, phrasing, slot, **values) == (stem, token)


def test_arabic_professions_as_they_follow_worked():
    def forms(person):
        count = range(len(GRAMMARS["ar"].lexicon["f"]))
        return [spans("ar", "S2", 1, "f", p=person, f=number)[0] for number in count]

    assert forms(MAN) == (
        "معلمًا طبيبًا محاميًا كاتبًا مهندسًا مزارعًا صحفيًا ممرضًا طيارًا خبازًا رسامًا مطربًا نجارًا مترجمًا أمين_مكتبة مصورًا"
    ).replace(" ", "|").replace("_", " ").split("|")
    assert forms(WOMAN) == (
        "معلمة طبيبة محامية كاتبة مهندسة مزارعة صحفية ممرضة طيارة خبازة رسامة مطربة نجارة مترجمة أمينة_مكتبة مصورة"
    ).replace(" ", "|").replace("_", " ").split("|")


def test_arabic_marks_every_passive():
    unmarked = {"توفي", "توفيت", "ولد", "ولدت", "منح", "منحت", "أقيم", "افتتح", "أسست", "أنشئت", "بني"}
    seen = set()
    for phrasings in GRAMMARS["ar"].phrasings.values():
        for masculine, feminine in phrasings:
            seen |= {token.before for token in (*masculine, *feminine)}
    # The active "founded" of a woman is spelled as the unmarked passive of a city.
    assert seen & unmarked == {"أسست"}
    assert {"تُوفي", "تُوفيت", "وُلد", "مُنحت", "أُقيم", "افتُتح", "أُسست", "أُنشئت", "بُني", "شُيد"} <= seen


@pytest.mark.parametrize(
    ("building", "genitive", "possessive"),
    [
        ("library", "maktaba ya", "maktaba yake"),
        ("museum", "makumbusho ya", "makumbusho yake"),
        ("market", "soko la", "soko lake"),
        ("stadium", "uwanja wa michezo wa", "uwanja wake wa michezo"),
        ("hospital", "hospitali ya", "hospitali yake"),
        ("theatre", "ukumbi wa maigizo wa", "ukumbi wake wa maigizo"),
        ("school", "shule ya", "shule yake"),
        ("railway station", "kituo cha treni cha", "kituo chake cha treni"),
        ("park", "bustani ya", "bustani yake"),
        ("airport", "uwanja wa ndege wa", "uwanja wake wa ndege"),
    ],
)
def test_swahili_concord_of_every_building(building, genitive, possessive):
    number = row("b", building)
    opening = f"Ufunguzi wa {genitive} mji wa Mahir ulifanyika"
    assert sentence("sw", "S17", 1, b=number).text == f"{opening} mwaka 1903."
    assert sentence("sw", "Q17y", 1, b=number).text == f"{opening} lini?"
    assert sentence("sw", "S17", 2, b=number).text == f"Mji wa Mahir ulifungua {possessive} mnamo mwaka 1903."


def test_korean_particles_of_every_noun():
    for kind, items in GRAMMARS["ko"].lexicon.items():
        for word in items:
            # In NFD a final consonant is a letter of its own, U+11A8 to U+11C2; U+11AF is rieul.
            last = ord(unicodedata.normalize("NFD", word)[-1])
            closed, rieul = last >= 0x11A8, last == 0x11AF
            expected = {
                "은": "은" if closed else "는",
                "이": "이" if closed else "가",
                "을": "을" if closed else "를",
                "과": "과" if closed else "와",
                "로": "으로" if closed and not rieul else "로",
            }
            for code, particle in expected.items():
                assert INFLECT["ko"](word, code) == ("", word, particle), kind


def test_korean_keeps_one_style():
    """Statements end in plain -다, questions in -는가 or -인가; the copula is written out, after vowels too."""
    for key, phrasings in GRAMMARS["ko"].phrasings.items():
        for phrasing in range(1, len(phrasings) + 1):
            text = sentence("ko", key, phrasing).text
            if key[0] == "S":
                assert re.search(r"[가-힣]다\.$", text), text
                assert not re.search(r"(도시|미터|명|제품)다\.$", text), text
            else:
                assert re.search(r"([가-힣]는|인|왔는|한)가\?$", text), text


@pytest.mark.parametrize(("code", "opening"), [("en", r"(Is|Was|Does|Did) "), ("ar", "هل "), ("sw", "Je, ")])
def test_yes_no_questions_open_as_such(code, opening):
    for key, phrasings in GRAMMARS[code].phrasings.items():
        for phrasing in range(1, len(phrasings) + 1):
            text = sentence(code, key, phrasing).text
            assert bool(re.match(opening, text)) == (key[0] == "B"), text


@pytest.mark.parametrize(
    ("code", "key", "phrasing", "pairs"),
    [
        ("ar", "Q1c", 3, {("تنحدر", "come")}),
        ("ar", "Q3q", 3, {("اقترنت", "wedding")}),
        ("ar", "Q16n", 2, {("ألفًا", "thousands"), ("سكان", "population")}),
        ("ar", "Q16n", 3, {("ألف", "thousand"), ("نسمة", "inhabitants")}),
        ("sw", "Q1c", 3, {("anatoka", "come")}),
        ("sw", "Q16n", 3, {("elfu", "thousand"), ("wakazi", "inhabitants")}),
        ("ko", "Q16n", 3, {("천", "thousand"), ("주민은", "inhabitants")}),
        ("ko", "S6", 1, {("도시이다", "city"), ("세운", "founded")}),
    ],
)
def test_reworded_sentences_keep_their_links(code, key, phrasing, pairs):
    mine, theirs = sentence(code, key, phrasing), sentence("en", key, phrasing)
    own, other = words(mine.text), words(theirs.text)
    assert pairs <= {(own[i], other[j]) for i, j in links(mine, theirs)}
