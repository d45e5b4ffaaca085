"""What the micro-world writes in each of its ten languages: forms, whole sentences, answer spans, files."""

import itertools
import random

import pytest
import regex

from workflow_scripts.acquire import tydiqa
from workflow_scripts.acquire.microworld.__main__ import write_world
from workflow_scripts.acquire.microworld.grammar import fill, read_grammar
from workflow_scripts.acquire.microworld.inflection import INFLECT, hi, ml, mr, te
from workflow_scripts.acquire.microworld.names import FIRST_NAMES, WRITERS, invent, render
from workflow_scripts.corpus import read_documents, read_questions
from workflow_scripts.files import read_lines
from workflow_scripts.languages import language
from workflow_scripts.recipes.microworld import Microworld
from workflow_scripts.words import words

GRAMMARS = {code: read_grammar(code) for code in WRITERS}
VALUES = {
    "p": "noraa belaar",
    "q": "mohan raaguko",
    "c": "maahir",
    "r": "donaaro",
    "k": "kuurniin",
    "y": 1907,
    "n": 30,
    **dict.fromkeys("fsxtbw", 0),
}
ZWNJ = "\u200c"


def sentence(code, key, phrasing, **values):
    return fill(GRAMMARS[code], key, phrasing, {**VALUES, **values})


@pytest.mark.parametrize(
    ("code", "word", "inflection", "form"),
    [
        ("bn", "দাহান", "ke", ("", "দাহান", "কে")),
        ("bn", "দাহান", "r", ("", "দাহানের", "")),
        ("bn", "নোরা", "r", ("", "নোরা", "র")),
        ("hi", "ताँबा", "o", ("", "ताँबे", "")),
        ("hi", "शहद", "o", ("", "शहद", "")),
        ("hi", "डॉक्टर", "f", ("", "डॉक्टर", "")),
        ("mr", "तांदूळ", "चे", ("", "तांदळाचे", "")),
        ("mr", "कॉफी", "मुळे", ("", "कॉफी", "मुळे")),
        ("mr", "रेल्वे स्थानक", "चे", ("", "रेल्वे स्थानकाचे", "")),
        ("ta", "ராஜு", "pgen", ("", "ராஜு", "வின்")),
        ("ta", "ராஜு", "pdat", ("", "ராஜு", "வுக்கு")),
        ("ta", "தாமரை", "pdat", ("", "தாமரை", "க்கு")),
        ("ta", "பேர்மே", "pgen", ("", "பேர்மே", "யின்")),
        ("ta", "பேர்மே", "pdat", ("", "பேர்மே", "வுக்கு")),
        ("ta", "கரீம்", "pgen", ("", "கரீமின்", "")),
        ("ta", "பட்டு", "ben", ("", "பட்டு", "க்காக")),
        ("ta", "எண்ணெய்", "dat", ("", "எண்ணெய்", "க்கு")),
        ("ta", "விளையாட்டு", "adj", ("", "விளையாட்டு", "க்கான")),
        ("ta", "நகைகள்", "obj", ("", "நகைகளை", "")),
        ("ta", "அரிசி", "obj", ("", "அரிசி", "")),
        ("te", "తోలు", "acc", ("", "తోలు", "ను")),
        ("te", "బూట్లు", "dat", ("", "బూట్లకు", "")),
        ("te", "నక్షత్రాలు", "obl", ("", "నక్షత్రాల", "")),
        ("te", "కరీం", "pacc", ("", "కరీం", "ను")),
        ("te", "ఆసుపత్రి", "acc", ("", "ఆసుపత్రి", "ని")),
        ("te", "విద్య", "adj", ("", "విద్యా", "")),
        ("te", "వైద్యుడు", "f", ("", "వైద్యురాలిగా", "")),
        ("te", "రైతు", "f", ("", "రైతు", "గా")),
        ("ml", "ബിജു", "pdat", ("", "ബിജു", "വിന്")),
        ("ml", "സരോജ", "pdat", ("", "സരോജ", "യ്ക്ക്")),
        ("ml", "ഷാജി", "pdat", ("", "ഷാജി", "ക്ക്")),
        ("ml", "താമരൈ", "pdat", ("", "താമരൈ", "ക്ക്")),
        ("ml", "ബാർസൗ", "pgen", ("", "ബാർസൗ", "വിന്റെ")),
        ("ml", "രാജേഷ്", "pacc", ("", "രാജേഷിനെ", "")),
        ("ml", "സമീർ", "pgen", ("", "സമീറിന്റെ", "")),
        ("ml", "രാമൻ", "pgen", ("", "രാമന്റെ", "")),
        ("ml", "തേൻ", "gen", ("", "തേനിന്റെ", "")),
        ("ml", "പക്ഷികൾ", "acc", ("", "പക്ഷികളെ", "")),
        ("ml", "കല", "adj", ("", "കല", "യ്ക്കുള്ള")),
        ("ml", "നഴ്സ്", "m", ("", "നഴ്സായി", "")),
        ("ml", "ഗായകൻ", "f", ("", "ഗായിക", "യായി")),
    ],
)
def test_inflection(code, word, inflection, form):
    assert INFLECT[code](word, inflection) == form


@pytest.mark.parametrize("code", WRITERS)
def test_an_unknown_code_is_an_error(code):
    with pytest.raises(KeyError):
        INFLECT[code](GRAMMARS[code].lexicon["x"][0], "nonsense")


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        (hi.OBLIQUE, "hi"),
        (hi.FEMININE, "hi"),
        (mr.OBLIQUE, "mr"),
        (mr.FEMININE, "mr"),
        (te.FEMININE, "te"),
        (te.COMPOUND, "te"),
        (te.SINGULAR_IN_LU, "te"),
        (ml.FEMININE, "ml"),
    ],
)
def test_every_listed_exception_is_a_noun_of_the_lexicon(listed, code):
    assert set(listed) <= {noun for nouns in GRAMMARS[code].lexicon.values() for noun in nouns}


@pytest.mark.parametrize(
    ("code", "phonemic", "written"),
    [
        ("hi", "saanjai", "सांजाई"),
        ("mr", "saanjai", "सांजै"),
        ("te", "saanjai", "సాంజై"),
        ("ml", "saanjai", "സാൻജൈ"),
        ("hi", "tinsuu", "तिंसू"),
        ("mr", "tinsuu", "तिन्सू"),
        ("hi", "miinho", "मीन्हो"),
    ],
)
def test_n_before_a_consonant(code, phonemic, written):
    assert render(phonemic, code) == written


@pytest.mark.parametrize(
    ("code", "key", "phrasing", "values", "text"),
    [
        ("bn", "S7", 1, {"x": 3}, "মাহির শহরটি কাগজের জন্য বিখ্যাত।"),
        ("bn", "S3", 2, {}, "১৯০৭ সালে নোরা বেলার ও মোহন রাগুকোর বিবাহ অনুষ্ঠিত হয়।"),
        ("bn", "Q14y", 3, {}, "নোরা বেলারের মৃত্যুর সাল কত?"),
        ("hi", "S2", 2, {}, "माहिर शहर में नोरा बेलार शिक्षिका के रूप में अपनी आजीविका कमाती थीं।"),
        ("hi", "S8", 1, {}, "माहिर शहर की महापौर नोरा बेलार हैं।"),
        ("hi", "S11", 2, {"x": 6}, "कूर्नीन कंपनी का मुख्य उत्पादन जूतों का है।"),
        ("hi", "S13", 2, {"t": 10}, "नोरा बेलार की नदियों से संबंधित एक पुस्तक 1907 में प्रकाशित हुई।"),
        ("hi", "S17", 1, {"b": 9}, "माहिर शहर के हवाई अड्डे का उद्घाटन 1907 में हुआ।"),
        ("hi", "Q15w", 3, {}, "नोरा बेलार किस पुरस्कार की विजेता थीं?"),
        ("mr", "S1", 2, {}, "नोरा बेलार या १९०७ साली माहिर शहरात जन्मल्या."),
        ("mr", "S1", 2, {"p": "mohan raaguko"}, "मोहन रागुको हे १९०७ साली माहिर शहरात जन्मले."),
        ("mr", "S7", 1, {"x": 5}, "माहिर शहर साखरेसाठी प्रसिद्ध आहे."),
        ("mr", "S11", 1, {"x": 6}, "कूर्नीन कंपनी बुटांचे उत्पादन करते."),
        ("mr", "S17", 2, {"b": 6}, "माहिर शहराने १९०७ साली आपल्या शाळेचे उद्घाटन केले."),
        ("ta", "S2", 2, {}, "நோரா பேலார் மாஹிர் நகரில் ஆசிரியராக இருந்து வருவாய் ஈட்டினார்."),
        ("ta", "S7", 1, {"x": 3}, "மாஹிர் நகரம் காகிதத்திற்குப் புகழ்பெற்றது."),
        ("ta", "S13", 2, {}, "நோரா பேலார் பறவைகள் பற்றி எழுதிய நூல் 1907-ஆம் ஆண்டில் வெளியிடப்பட்டது."),
        ("ta", "S15", 2, {}, "1907-ஆம் ஆண்டில் இலக்கியத்திற்கான விருது நோரா பேலாருக்கு வழங்கப்பட்டது."),
        ("ta", "B11", 2, {"x": 19}, "கூர்னீன் நிறுவனம் பெரும்பாலும் நகைகளை உற்பத்தி செய்கிறதா?"),
        ("te", "S2", 1, {"f": 11}, "మాహిర్ నగరంలో నోరా బేలార్ గాయనిగా పనిచేశారు."),
        ("te", "S2", 1, {"f": 14}, f"మాహిర్ నగరంలో నోరా బేలార్ లైబ్రేరియన్{ZWNJ}గా పనిచేశారు."),
        (
            "te",
            "S3",
            1,
            {"q": "raaman belaar"},
            f"నోరా బేలార్ 1907లో రామన్ బేలార్{ZWNJ}ను వివాహం చేసుకున్నారు.",
        ),
        ("te", "S7", 2, {"x": 6}, "ప్రజల్లో మాహిర్ నగరం బూట్లకు పేరుగాంచింది."),
        ("te", "S17", 2, {"b": 9}, "1907లో మాహిర్ నగర విమానాశ్రయాన్ని ప్రారంభించారు."),
        ("ml", "S2", 1, {}, "മാഹിർ നഗരത്തിൽ നോര ബേലാർ അധ്യാപികയായി ജോലി ചെയ്തു."),
        ("ml", "S3", 1, {"q": "raaman belaar"}, "നോര ബേലാർ 1907-ൽ രാമൻ ബേലാറിനെ വിവാഹം കഴിച്ചു."),
        ("ml", "S4", 2, {"s": 2}, "മാഹിർ സർവകലാശാലയിൽനിന്ന് നോര ബേലാർ ചരിത്രത്തിൽ ബിരുദം നേടി."),
        ("ml", "S7", 1, {"x": 19}, "മാഹിർ നഗരം ആഭരണങ്ങളുടെ പേരിൽ പ്രസിദ്ധമാണ്."),
        ("ml", "S13", 1, {"t": 7}, "നോര ബേലാർ 1907-ൽ കടലിനെക്കുറിച്ച് ഒരു പുസ്തകം എഴുതി."),
        ("ml", "S15", 1, {}, "നോര ബേലാർ 1907-ൽ സാഹിത്യത്തിനുള്ള പുരസ്കാരം നേടി."),
    ],
)
def test_sentences(code, key, phrasing, values, text):
    assert sentence(code, key, phrasing, **values).text == text


@pytest.mark.parametrize(
    ("code", "key", "phrasing", "slot", "values", "stem", "token"),
    [
        ("bn", "S3", 1, "q", {}, "মোহন রাগুকো", "মোহন রাগুকোকে"),
        ("bn", "S7", 1, "x", {"x": 4}, "সাবানের", "সাবানের"),
        ("hi", "S7", 1, "x", {"x": 2}, "ताँबे", "ताँबे"),
        ("mr", "S1", 1, "y", {}, "१९०७", "१९०७"),
        ("mr", "S7", 2, "x", {}, "चहा", "चहामुळे"),
        ("mr", "S7", 2, "x", {"x": 3}, "कागदामुळे", "कागदामुळे"),
        ("ta", "S1", 1, "y", {}, "1907", "1907-ஆம்"),
        ("ta", "S2", 1, "f", {"f": 5}, "விவசாயி", "விவசாயியாகப்"),
        ("ta", "S2", 1, "f", {"f": 1}, "மருத்துவராக", "மருத்துவராகப்"),
        ("te", "S1", 1, "y", {}, "1907", "1907లో"),
        ("te", "S3", 1, "q", {"q": "raaman belaar"}, "రామన్ బేలార్", f"రామన్ బేలార్{ZWNJ}ను"),
        ("te", "S13", 2, "t", {}, "పక్షుల", "పక్షులపై"),
        ("te", "S15", 1, "w", {}, "సాహిత్య", "సాహిత్య"),
        ("ml", "S1", 2, "y", {}, "1907", "1907-ൽ"),
        ("ml", "S3", 1, "q", {}, "മോഹൻ രാഗുകോ", "മോഹൻ രാഗുകോയെ"),
        ("ml", "S3", 1, "q", {"q": "raaman belaar"}, "രാമൻ ബേലാറിനെ", "രാമൻ ബേലാറിനെ"),
        ("ml", "S7", 1, "x", {}, "തേയില", "തേയിലയുടെ"),
    ],
)
def test_answers(code, key, phrasing, slot, values, stem, token):
    made = sentence(code, key, phrasing, **values)
    piece = made.piece(slot)
    assert made.text[piece.stem_start : piece.stem_end] == stem
    assert made.text[piece.start : piece.end] == token


@pytest.mark.parametrize("code", WRITERS)
def test_no_answer_cuts_a_letter(code):
    grammar, pools = GRAMMARS[code], invent(random.Random(2), 60)
    chosen = random.Random(2)
    for key, phrasing, row in itertools.product((f"S{n}" for n in range(1, 23)), (1, 2), range(20)):
        values = {
            **VALUES,
            "p": f"{FIRST_NAMES['mf'[row % 2]][row]} {chosen.choice(pools['surname'])}",
            "q": f"{FIRST_NAMES['fm'[row % 2]][row]} {chosen.choice(pools['surname'])}",
            "c": chosen.choice(pools["city"]),
            "r": chosen.choice(pools["river"]),
            "k": chosen.choice(pools["company"]),
            **{kind: row % len(nouns) for kind, nouns in grammar.lexicon.items()},
        }
        made = fill(grammar, key, phrasing, values)
        # Clusters of Unicode; but ZWNJ, which belongs to the letter before it, is left to the ending.
        borders = {0} | {match.end() for match in regex.finditer(r"\X", made.text)}
        borders |= {place for place, sign in enumerate(made.text) if sign == ZWNJ}
        for piece in made.pieces:
            if piece.slot:
                stem = made.text[piece.stem_start : piece.stem_end]
                assert {piece.stem_start, piece.stem_end} <= borders, (made.text, stem)
                assert stem.strip(f" {ZWNJ}") == stem != ""


# A world in ten languages

TEN = Microworld(
    languages=tuple(WRITERS),
    train_articles=20,
    dev_articles=2,
    test_articles=10,
    documents=5,
    sentence_pairs=40,
    names=120,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ten")
    write_world(TEN, folder)
    return folder


@pytest.mark.parametrize(("name", "count", "annotators"), [("train", 22, 1), ("dev", 10, 3)])
def test_the_reader_accepts_every_record(world, tmp_path, name, count, annotators):
    file = world / f"tydi/tydiqa-v1.0-{name}.jsonl.gz"
    outputs = [f"--{table}={tmp_path / table}" for table in ("documents", "questions", "dropped")]
    tydiqa.main(["--in", str(file), "--languages", *WRITERS, *outputs])
    assert read_lines(tmp_path / "dropped") == []
    documents, questions = read_documents(tmp_path / "documents"), read_questions(tmp_path / "questions")
    for code in WRITERS:
        asked = [question for question in questions if question.language == code]
        assert len(asked) == count
        for question in asked:
            document = documents[question.doc_id]
            assert len(question.annotations) == annotators
            for one in question.annotations:
                assert document.text[one.start : one.end] == one.text == one.text.strip()
            letters = [
                sign for sign in document.title + document.text + question.text if regex.match(r"\p{L}", sign)
            ]
            assert all(regex.match(rf"\p{{Script={language(code).script}}}", letter) for letter in letters)


def test_the_parallel_text_links_every_name_and_number(world):
    for code in WRITERS:
        if code == "en":
            continue
        stem = str(world / f"parallel/{code}-en.")
        files = [read_lines(stem + end) for end in (code, "en", "links")]
        assert [len(lines) for lines in files] == [TEN.sentence_pairs] * 3
        for theirs, gold in zip(*files[1:], strict=True):
            linked = {int(pair.split("-")[1]) for pair in gold.split()}
            # Names and numbers are what English writes in capitals or digits inside a sentence.
            english = enumerate(words(theirs))
            slots = {n for n, word in english if n and word != "University" and regex.match("[A-Z0-9]", word)}
            assert slots <= linked, (theirs, gold)
