"""Whole corpora in another language: intervals that hold on both sides, and no record lost without a word."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_sentences import random_text
from workflow_scripts.align import links as links_step
from workflow_scripts.augment import corpora, pairs, parts
from workflow_scripts.augment.renderings import Sentence, legible
from workflow_scripts.augment.sentences import sentences
from workflow_scripts.augment.texts import read_texts
from workflow_scripts.augment.translations import Translation, write_translations
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
from workflow_scripts.recipes.relocation import LABELS

# Two passages and a heading; between the sentences stand blanks of several kinds.
TEXT = " नदी\n\nराम दिल्ली में रहता है।  वह 12 साल का है।\nसीता पटना में है।\n"
PASSAGES = ((TEXT.index("राम"), TEXT.index("\nसीता")), (TEXT.index("सीता"), len(TEXT) - 1))
ENGLISH = {
    "नदी": "River",
    "राम दिल्ली में रहता है।": "Ram lives in Delhi.",
    "वह 12 साल का है।": "He is 12.",
    "सीता पटना में है।": "Sita is in Patna.",
    "राम कहाँ है?": "Where is Ram?",
    "सीता कहाँ है?": "Where is Sita?",
    "क्या राम है?": "Is Ram?",
    "दिल्ली": "Delhi",
    "पटना": "Patna",
    "है।  वह 12": "lives in Delhi.  He is 12",
}


def document(
    text: str = TEXT, passages: tuple[tuple[int, int], ...] = PASSAGES, code: str = "hi"
) -> Document:
    return Document("d", code, "t", "u", text, passages, "d")


def answer(text: str, passage: int = 0, within: str = TEXT, annotator: str | None = None) -> Annotation:
    start = within.index(text)
    return Annotation(passage, start, start + len(text), text, annotation_id=annotator)


def question(name: str, text: str, *answers: Annotation, code: str = "hi") -> Question:
    return Question(name, name, "d", code, text, answers)


def table(file: Path, texts: Mapping[str, str], source: str = "hi", target: str = "en") -> Path:
    """A table that says what has each text is which translation, made by "mt"."""
    write_translations(file, [Translation("", source, target, a, b, "mt") for a, b in texts.items()])
    return file


class Case:
    """A folder with a corpus, in which steps are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, questions: Sequence[Question], documents: Sequence[Document] = (document(),)) -> None:
        write_documents(self.folder / "documents", list(documents))
        write_questions(self.folder / "questions", list(questions), {one.doc_id: one for one in documents})

    def translate(
        self, *more: object, to: str = "en", of: str = "", made: str = "made-"
    ) -> tuple[dict[str, Document], list[Question], list[tuple[str, str]]]:
        """What the step makes of the tables whose names begin with `of`."""
        names = ("documents", "questions")
        given = [f"--{name}={self.folder / (of + name)}" for name in names]
        out = [f"--out-{name}={self.folder / (made + name)}" for name in names]
        corpora.main([*given, *out, f"--to={to}", f"--dropped={self.folder / 'dropped'}", *map(str, more)])
        dropped = [json.loads(line) for line in (self.folder / "dropped").read_text("utf-8").splitlines()]
        return (
            read_documents(self.folder / f"{made}documents"),
            read_questions(self.folder / f"{made}questions"),
            [(line["id"], line["reason"]) for line in dropped],
        )


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_documents_passages_and_all_kinds_of_answers(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    both = answer("है।  वह 12", annotator="across")
    case.write(
        [
            question("1", "राम कहाँ है?", answer("दिल्ली", annotator="a"), Annotation(), both),
            question("2", "क्या राम है?", Annotation(0, yes_no="YES"), Annotation(1)),
            question("3", "सीता कहाँ है?", answer("पटना", 1)),
            question("4", "Where is Ram?", answer("दिल्ली"), code="en"),
        ]
    )
    documents, questions, dropped = case.translate("--translations", table(case.folder / "t", ENGLISH))
    text = " River\n\nRam lives in Delhi.  He is 12.\nSita is in Patna.\n"
    assert documents == {
        "d@en": Document("d@en", "en", "t", "u", text, ((8, 38), (39, 56)), "d", "mt"),
    }
    assert [text[start:end] for start, end in documents["d@en"].passages] == [
        "Ram lives in Delhi.  He is 12.",
        "Sita is in Patna.",
    ]
    one, two, three, _ = questions
    assert [(q.question_id, q.source_id, q.doc_id, q.language, q.made_by) for q in questions] == [
        (f"{n}@en", n, "d@en", "en", "mt") for n in "1234"
    ]
    assert [q.text for q in questions] == ["Where is Ram?", "Is Ram?", "Where is Sita?", "Where is Ram?"]
    assert one.annotations[0] == answer("Delhi", within=text, annotator="a")
    assert one.annotations[1] == Annotation()
    across = one.annotations[2]
    assert (across.passage, across.annotation_id) == (0, "across")
    assert across.start < text.index("He") < across.end
    assert two.annotations == (Annotation(0, yes_no="YES"), Annotation(1))
    assert two.relocation is None
    assert three.annotations == (answer("Patna", 1, text),)
    assert three.relocation is not None
    assert three.relocation.confidence > 0.5
    assert dropped == []
    assert "0 of 4 sentences have no translation" in capsys.readouterr().out


def test_a_perfect_translator_changes_nothing(case: Case) -> None:
    """Each text translated to itself: the same document and the same spans, whatever the text and its passages."""
    rng = random.Random(3)
    documents, questions = [], []
    for number in range(150):
        text = " ".join(random_text(rng) for _ in range(3))
        borders = sorted(rng.sample(range(len(text) + 1), 4)) if len(text) > 4 else [0, 0, 0, 0]
        name = str(number)
        documents.append(
            Document(name, "hi", "", "", text, ((borders[0], borders[1]), (borders[2], borders[3])), name)
        )
        answers = []
        for _ in range(3):
            start = rng.randrange(len(text))
            end = rng.randrange(start, len(text)) + 1
            if text[start:end].strip():
                answers.append(Annotation(-1, start, end, text[start:end]))
        questions.append(Question(name, name, name, "hi", f"q{name}?", tuple(answers)))
    case.write(questions, documents)
    texts = parts.corpus_texts({one.doc_id: one for one in documents}, questions)
    same = table(case.folder / "t", {text: text for _, text in texts})
    made, asked, dropped = case.translate("--translations", same)
    assert dropped == []
    for one in documents:
        assert (made[f"{one.doc_id}@en"].text, made[f"{one.doc_id}@en"].passages) == (one.text, one.passages)
    for before, after in zip(questions, asked, strict=True):
        found = [(one.start, one.end) for one in after.annotations]
        assert found == [(one.start, one.end) for one in before.annotations], before.question_id


def test_what_has_no_translation(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence stays, a question goes if its answer is in such a one or it has none itself; each has its line."""
    case.write(
        [
            question("1", "राम कहाँ है?", answer("दिल्ली")),
            question("2", "सीता कहाँ है?", answer("पटना", 1), answer("दिल्ली")),
            question("3", "क्या राम है?", answer("दिल्ली")),
            question("4", "सीता कहाँ है?", answer("पटना", 1), Annotation(0, yes_no="NO")),
            question("5", "सीता कहाँ है?", answer("पटना", 1), Annotation()),
        ]
    )
    texts = {a: b for a, b in ENGLISH.items() if a not in ("सीता पटना में है।", "दिल्ली")}
    texts |= {"क्या राम है?": " \n", "नदी": "\x00\t", "वह 12 साल का है।": " He\x00is\n12. "}
    documents, questions, dropped = case.translate("--translations", table(case.folder / "t", texts))
    text = " नदी\n\nRam lives in Delhi.  He is 12.\nसीता पटना में है।\n"
    assert documents["d@en"].text == text
    assert [q.question_id for q in questions] == ["1@en", "2@en", "4@en"]
    # an answer without a translation is looked for all the same
    (found,) = questions[0].annotations
    assert found.start >= text.index("Ram")
    assert found.end <= text.index("Delhi.") + len("Delhi.")
    assert len(questions[1].annotations) == 1
    assert questions[2].annotations == (Annotation(0, yes_no="NO"),)
    lost = "the sentence with its answer 'पटना' has no translation"
    assert dropped == [
        ("2@en", lost),
        ("3@en", "its question has no translation from hi to en"),
        ("4@en", lost),
        ("5@en", lost),
        ("d@en", "the sentence 'नदी' has no translation and stays as it is"),
        ("d@en", "the sentence 'सीता पटना में है।' has no translation and stays as it is"),
    ]
    assert "2 of 4 sentences have no translation" in capsys.readouterr().out


def test_a_corpus_of_which_nothing_is_translated(case: Case) -> None:
    case.write([question("1", "राम कहाँ है?", answer("दिल्ली"))])
    questions_only = table(case.folder / "t", {"राम कहाँ है?": "Where is Ram?"})
    with pytest.raises(
        InputError, match="none of its 1 questions is translated to en; the first, 1@en: its context"
    ):
        case.translate("--translations", questions_only)
    with pytest.raises(InputError, match="its context is in hi already"):
        case.translate("--translations", questions_only, to="hi")
    assert not (case.folder / "made-documents").exists()
    with pytest.raises(InputError, match="give either --translations or --records"):
        case.translate()
    with pytest.raises(InputError, match="--records needs --made-by"):
        case.translate("--records", "hi=x")
    with pytest.raises(InputError, match="but hi stands in one only"):
        case.translate("--translations", questions_only, "--pairs", "hi=x")


def test_a_question_s_own_translation_goes_first(case: Case) -> None:
    case.write([question(name, "राम कहाँ है?", answer("दिल्ली")) for name in ("1", "2")])
    own = Translation("2", "hi", "en", "राम कहाँ है?", "And Ram?", "someone")
    write_translations(case.folder / "own", [own])
    given = table(case.folder / "t", ENGLISH), table(case.folder / "later", {"राम कहाँ है?": "no"})
    _, questions, _ = case.translate("--translations", given[0], given[1], case.folder / "own")
    assert [(one.text, one.made_by) for one in questions] == [
        ("Where is Ram?", "mt"),
        ("And Ram?", "someone"),
    ]


def told_english(one: Document) -> list[Sentence]:
    """Its three sentences in English."""
    return [
        Sentence(span, text) for span, text in zip(sentences(one), ("It is.", "He is.", "Is."), strict=True)
    ]


def test_sentences_without_a_blank_between_them() -> None:
    """Languages that write blanks get one, unless nothing was translated, so that no two words become one."""
    one = document("है।वह है।\nहै।", ((0, 3), (3, 13)))
    spans = sentences(one)

    def made(target: str, *texts: str | None) -> corpora.Translated:
        told = [Sentence(span, text) for span, text in zip(spans, texts, strict=True)]
        return corpora.assemble(one, told, target, "mt")

    borders = corpora.assemble(document(one.text, ((3, 3), (3, 9))), told_english(one), "en", "mt")
    assert borders.document.passages == ((7, 7), (7, 13))
    english = made("en", "It is.", "He is.", "Is.")
    assert english.document.text == "It is. He is.\nIs."
    assert english.document.passages == ((0, 6), (7, 17))
    assert made("ja", "ある。", "彼。", "いる。").document.text == "ある。彼。\nいる。"
    assert made("mr", "है।", "वह है।", "है।").document.text == one.text
    assert made("en", None, None, "Is.").document.text == "है।वह है।\nIs."
    for translated in (english, made("ja", "ある。", "彼。", "いる。")):
        texts = [translated.document.text[slice(*segment.target)] for segment in translated.segments]
        assert texts in (["It is.", "He is.", "Is."], ["ある。", "彼。", "いる。"])
        assert [segment.source for segment in translated.segments] == spans


def test_what_can_be_read_of_a_translation() -> None:
    assert legible(" a\x00b\u2028c\n", "x") == "a b c"
    assert legible("a\tb", "x\ty") == "a\tb"  # the source has it too
    assert legible("\u200f א\u200d", "x") == "\u200f א\u200d"
    assert legible("\x00 \n\ud800", "x") is None


def test_a_chain_of_languages(case: Case) -> None:
    """hi → en → bn: ids come from the original, and the end is as sure as both steps together."""
    case.write([question("1", "राम कहाँ है?", answer("दिल्ली"))])
    case.translate("--translations", table(case.folder / "t", ENGLISH), made="en-")
    first = read_questions(case.folder / "en-questions")[0].relocation
    bengali = {
        "River": "নদী",
        "Ram lives in Delhi.": "রাম দিল্লি থাকে।",
        "He is 12.": "সে ১২।",
        "Sita is in Patna.": "সীতা পাটনায়।",
        "Where is Ram?": "রাম কোথায়?",
        "Delhi": "দিল্লি",
    }
    documents, questions, dropped = case.translate(
        "--translations", table(case.folder / "b", bengali, "en", "bn"), to="bn", of="en-"
    )
    (made,) = documents.values()
    assert (made.doc_id, made.source_doc_id, made.language) == ("d@bn", "d", "bn")
    assert made.text == " নদী\n\nরাম দিল্লি থাকে।  সে ১২।\nসীতা পাটনায়।\n"
    (asked,) = questions
    assert (asked.question_id, asked.source_id, asked.doc_id) == ("1@bn", "1", "d@bn")
    assert asked.annotations[0].text == "দিল্লি"
    assert asked.relocation is not None
    assert first is not None
    assert 0 < asked.relocation.confidence < first.confidence
    assert dropped == []


def test_an_answer_of_which_only_the_sentence_was_known_stays_so(case: Case) -> None:
    unsure = Relocation("sentence", 0.2)
    case.write([Question("1", "1", "d", "hi", "राम कहाँ है?", (answer("दिल्ली"),), "x", unsure)])
    _, (asked,), _ = case.translate("--translations", table(case.folder / "t", ENGLISH))
    assert asked.relocation is not None
    assert asked.relocation.method == "sentence"
    assert asked.relocation.confidence < 0.2 + 1e-6
    assert corpora.label_of(asked) == "sentence"
    with pytest.raises(InputError, match="its answer is found again with label sentence, below low"):
        case.translate("--translations", case.folder / "t", "--least-label", "low")


def test_word_links_reach_their_sentences(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs, links and the corpus one after the other; each sentence's links are those of its words."""
    case.write([question("1", "राम कहाँ है?", answer("दिल्ली"))])
    given = table(case.folder / "t", ENGLISH)
    tables = [f"--{name}={case.folder / name}" for name in ("documents", "questions")]
    pairs.main(
        [*tables, "--from=hi", "--to=en", f"--translations={given}", f"--out={case.folder / 'hi.txt'}"]
    )
    lines = (case.folder / "hi.txt").read_text("utf-8").splitlines()
    assert lines == [
        "राम कहाँ है ? ||| Where is Ram ?",
        "दिल्ली ||| Delhi",
        "नदी ||| River",
        "राम दिल्ली में रहता है । ||| Ram lives in Delhi .",
        "वह 12 साल का है । ||| He is 12 .",
        "सीता पटना में है । ||| Sita is in Patna .",
    ]
    monkeypatch.setattr(
        "sys.argv",
        [
            "links",
            f"--pairs={case.folder / 'hi.txt'}",
            f"--out={case.folder / 'hi.links'}",
            f"--dropped={case.folder / 'hi.dropped.jsonl'}",
            f"--report={case.folder / 'hi.report.json'}",
        ],
    )
    links_step.main()
    linked = corpora.read_linked({"hi": f"{case.folder}/hi.txt"}, {"hi": f"{case.folder}/hi.links"})
    told = [Sentence(span, ENGLISH[TEXT[slice(*span)]]) for span in sentences(document())]
    made = corpora.assemble(document(), told, "en", "mt", linked["hi"])
    written = (case.folder / "hi.links").read_text("utf-8").splitlines()
    assert [" ".join(f"{i}-{j}" for i, j in line) for line in made.links] == written[2:]
    assert any(made.links)
    given_links = [f"--pairs=hi={case.folder / 'hi.txt'}", f"--links=hi={case.folder / 'hi.links'}"]
    _, (asked,), _ = case.translate("--translations", given, *given_links)
    assert asked.annotations[0].text == "Delhi"


def test_pairs_of_a_language_of_which_there_is_nothing(case: Case) -> None:
    case.write([question("1", "राम कहाँ है?", answer("दिल्ली"))])
    tables = [f"--{name}={case.folder / name}" for name in ("documents", "questions")]
    given = [*tables, f"--translations={table(case.folder / 't', ENGLISH)}", f"--out={case.folder / 'out'}"]
    with pytest.raises(InputError, match="nothing of this corpus is translated from ta to en"):
        pairs.main([*given, "--from=ta", "--to=en"])


def test_the_texts_of_a_corpus(case: Case) -> None:
    """Once each, and of contexts only those that are asked about."""
    twice = [question(name, "राम कहाँ है?", answer("दिल्ली"), Annotation()) for name in ("1", "2")]
    other = Document("e", "hi", "", "", "कोई नहीं।", (), "e")
    english = Question("3", "3", "d", "en", "Who?", (answer("दिल्ली"),))
    case.write([*twice, english], [document(), other])
    tables = [f"--{name}={case.folder / name}" for name in ("documents", "questions")]
    asked = [("hi", "राम कहाँ है?"), ("en", "Who?")]
    told = ["नदी", "राम दिल्ली में रहता है।", "वह 12 साल का है।", "सीता पटना में है।"]
    for what, expected in (
        ("questions", asked),
        ("corpus", [*asked, ("hi", "दिल्ली"), *(("hi", text) for text in told)]),
    ):
        parts.main([*tables, f"--what={what}", f"--out={case.folder / 'texts'}"])
        assert read_texts(case.folder / "texts") == expected


# Whole records


def record(name: str = "1", **changes: Any) -> dict[str, Any]:
    """A record of the document above."""
    told = [[TEXT[slice(*span)], ENGLISH[TEXT[slice(*span)]]] for span in sentences(document())]
    made = {
        "id": name,
        "sentences": told,
        "question": "Where is Ram?",
        "answer_text": "Delhi",
        "gold_start": 9,
    }
    return made | changes


def records(case: Case, *lines: Any) -> str:
    file = case.folder / "records"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return f"--records=hi={file}"


def test_whole_records(case: Case) -> None:
    """The first record that is about the document tells its sentences; each tells its own question and answer."""
    texts = ("1", "2", "3", "4")
    case.write([question(name, "राम कहाँ है?", answer("दिल्ली")) for name in texts])
    given = records(
        case,
        record("1", sentences=[["कुछ और", "Something else"]]),
        record("2", sentences=[[f" {a} ", b] for a, b in record()["sentences"]]),
        record("3", question="\n", sentences=[["राम", "R"]]),
    )
    documents, questions, dropped = case.translate(given, "--made-by=people")
    text = " River\n\nRam lives in Delhi.  He is 12.\nSita is in Patna.\n"
    assert documents == {
        "d@en": Document("d@en", "en", "t", "u", text, ((8, 38), (39, 56)), "d", "people"),
    }
    assert [(one.question_id, one.annotations) for one in questions] == [
        (name, (answer("Delhi", within=text),)) for name in ("1@en", "2@en")
    ]
    assert dropped == [(name, "its question has no translation from hi to en") for name in ("3@en", "4@en")]


def test_records_that_are_not_about_the_context(case: Case) -> None:
    case.write([question("1", "राम कहाँ है?", answer("दिल्ली"))])
    told = record()["sentences"]
    for wrong in (told[:-1], told[1:], [*told, ["और", "and"]], [[TEXT.strip(), "all"]], []):
        reason = "the first, 1@en: the sentences of its record are not those of its context"
        with pytest.raises(InputError, match=reason):
            case.translate(records(case, record(sentences=wrong)), "--made-by=people")
    with pytest.raises(InputError, match="there is no record of it"):
        case.translate(records(case, record("7")), "--made-by=people")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([{"id": "1"}], "records line 1: sentences is missing"),
        ([record(), record()], "records line 2: record 1 stands in .*records too"),
        ([record(sentences=[["a"]])], r"records line 1: sentences.0.1 is missing"),
        (["x"], "records line 1: "),
    ],
)
def test_lines_that_are_no_records(case: Case, lines: list[Any], sentence: str) -> None:
    case.write([question("1", "राम कहाँ है?", answer("दिल्ली"))])
    with pytest.raises(InputError, match=sentence):
        case.translate(records(case, *lines), "--made-by=people")


def test_a_file_of_records_in_another_language(case: Case) -> None:
    case.write([question("1", "राम कहाँ है?", answer("दिल्ली"))])
    file = records(case, record()).partition("hi=")[2]
    with pytest.raises(
        InputError, match=f"record 1 belongs to a context in hi, not in ta; name the file hi={file}"
    ):
        case.translate(f"--records=ta={file}", "--made-by=people")


def test_labels_say_how_sure(case: Case) -> None:
    """What is left out with --least-label is what the other records' labels are below."""
    case.write(
        [
            question("1", "राम कहाँ है?", answer("दिल्ली")),
            question("2", "क्या राम है?", Annotation(0, yes_no="YES")),
            Question("3", "3", "d", "hi", "राम कहाँ है?", (answer("दिल्ली"),), "x", Relocation("sentence", 0.1)),
        ]
    )
    given = table(case.folder / "t", ENGLISH)
    counts = Counter(corpora.label_of(one) for one in case.translate("--translations", given)[1])
    for number, least in enumerate(LABELS):
        _, questions, dropped = case.translate("--translations", given, "--least-label", least)
        assert len(questions) == sum(counts[name] for name in LABELS[number:])
        assert len(questions) + len(dropped) == 3
