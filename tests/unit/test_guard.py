"""The leakage guard: what counts as the same question or context, what is left out, and what stops the run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from workflow_scripts.acquire import guard, squad, tydiqa
from workflow_scripts.acquire.duplicates import context_key, question_key
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, Document, Question, derive, write_documents, write_questions

ARTICLE = "The river Tesi is long.\nIt flows through Ramor, a city of many bridges.\nSee also"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Cafe\u0301\u00a0 au\nlait ", "Café au lait"),
        ("The “River” Tesi…", 'the "river" tesi.'),
        ("na\u200dme\u200f \ufeffis", "name is"),
        ("Ｒａｍｏｒ １２", "Ramor 12"),
        ("क\u093cलम", "\u0958लम"),  # composed or not
        ("STRASSE", "straße"),
        ("a_b-c", "abc"),
    ],
)
def test_copies_of_a_context(first: str, second: str) -> None:
    assert context_key(first) == context_key(second)


@pytest.mark.parametrize(
    ("first", "second"), [("Café", "Cafe"), ("in 1990", "in 1991"), ("한국", "하구"), ("নদী", "গদী")]
)
def test_other_contexts(first: str, second: str) -> None:
    assert context_key(first) != context_key(second)


def test_a_context_without_letters_and_digits_has_no_key() -> None:
    assert context_key(" \n— … \u200b") == b""


def test_gold_passage_questions_are_tydis() -> None:
    assert question_key("swahili-8211684794284159625-4") == "8211684794284159625"
    assert question_key("korean--2362216650565587286-0") == "-2362216650565587286"
    for other in ("56be4db0acb8001400a502ec", "-2362216650565587286", "dev-12-3", "train-12-3"):
        assert question_key(other) == other


def document(name: str, text: str, source: str | None = None) -> Document:
    """A document whose passages are the lines of its text."""
    spans, at = [], 0
    for line in text.split("\n"):
        spans.append((at, at + len(line)))
        at += len(line) + 1
    return Document(name, "en", "", "", text, tuple(spans), source or name)


class Tables:
    """Corpora written to a folder, and the guard between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, documents: list[Document], questions: list[Question]) -> str:
        """A corpus; returns its name."""
        write_documents(self.folder / f"{name}.documents", documents)
        write_questions(self.folder / f"{name}.questions", questions, {d.doc_id: d for d in documents})
        return name

    def corpus(self, name: str, *documents: Document) -> str:
        """A corpus that asks one question on each document, called by both names."""
        asked = [
            Question(f"{name}-{one.doc_id}", f"{name}-{one.doc_id}", one.doc_id, "en", "?")
            for one in documents
        ]
        return self.write(name, list(documents), asked)

    def compare(self, train: list[str], evaluation: list[str], *more: str) -> list[dict[str, str]]:
        """What is left out, with reasons."""
        arguments = ["--label", "aug", *more]
        for option, names in (("train", train), ("evaluation", evaluation)):
            arguments += [f"--{option}", *(f"{name}={self.folder}/{name}.questions" for name in names)]
            arguments += [f"--{option}-documents", *(f"{self.folder}/{name}.documents" for name in names)]
        outputs = ("report", "dropped", "left-out")
        guard.read_documents.cache_clear()
        guard.main([*arguments, *(f"--{name}={self.folder / name}" for name in outputs)])
        dropped = self.lines("dropped")
        assert self.lines("left-out") == [{"corpus": line["corpus"], "id": line["id"]} for line in dropped]
        return dropped

    def read(self, name: str) -> guard.Corpus:
        """A corpus as the guard reads it."""
        guard.read_documents.cache_clear()
        return guard.read_corpus(name, f"{self.folder}/{name}.questions", f"{self.folder}/{name}.documents")

    def lines(self, name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in (self.folder / name).read_text("utf-8").splitlines()]

    def dropped(self, train: list[str], evaluation: list[str]) -> dict[str, str]:
        """Reason by question, where leaks are dropped."""
        return {line["id"]: line["reason"] for line in self.compare(train, evaluation, "--drop-leaks")}


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path)


# What leaks.  Every training corpus also holds a document that has nothing to do with it.
FREE = document("free", "Something else.")


def test_the_same_context_leaks_every_question_on_it(tables: Tables) -> None:
    copied = document("b", ARTICLE.upper().replace("\n", " "))
    questions = [Question(name, name, "b", "en", "?") for name in ("one", "two")]
    tables.write("train", [copied, FREE], [*questions, Question("three", "three", "free", "en", "?")])
    tables.corpus("test", document("a", ARTICLE))
    reason = "its context is document a of test"
    assert tables.dropped(["train"], ["test"]) == {"one": reason, "two": reason}


def test_a_gold_passage_leaks_its_article(tables: Tables) -> None:
    tables.corpus("train", document("a", ARTICLE), FREE)
    tables.corpus("test", document("b", "It flows through Ramor, a city of many\u00a0bridges"))
    assert tables.dropped(["train"], ["test"]) == {
        "train-a": "a passage of its context is document b of test"
    }


def test_an_article_leaks_its_gold_passages(tables: Tables) -> None:
    tables.corpus("train", document("b", "It flows through Ramor, a city of many bridges."), FREE)
    tables.corpus("test", document("a", ARTICLE))
    assert tables.dropped(["train"], ["test"]) == {
        "train-b": "its context is a passage of document a of test"
    }


def test_a_passage_with_an_answer_leaks_other_articles_that_hold_it(tables: Tables) -> None:
    """Once it is long enough to be about one thing; a short one stands in many articles."""
    answer = "It flows through Ramor, a city of many bridges over many rivers."
    texts = [f"Another article.\n{answer.upper()}", "Another one.\nSee also", "A third.\nThe Tesi."]
    tables.corpus("train", *(document(str(number), text) for number, text in enumerate(texts)))
    article = document("a", f"The Tesi.\n{answer}\nSee also")
    asked = [Question(str(n), str(n), "a", "en", "?", (Annotation(n),)) for n in (1, 2)]
    tables.write("test", [document("b", "Mto."), article], asked)
    assert tables.dropped(["train"], ["test"]) == {
        "train-0": "a passage of its context is a passage with an answer, of document a of test"
    }


def test_articles_may_share_a_passage(tables: Tables) -> None:
    tables.corpus("train", document("a", ARTICLE), FREE)
    tables.corpus("test", document("b", "Ramor is a city.\nSee also"), document("c", "—"))
    assert tables.dropped(["train"], ["test"]) == {}


def test_a_translated_document_leaks_its_original_and_its_sisters(tables: Tables) -> None:
    tables.corpus("train", document("a", ARTICLE), document("a-sw", "Mto Tesi ni mrefu.", "a"), FREE)
    tables.corpus("test", document("a-ko", "테시강은 길다.", "a"))
    reason = "its context has the same source as document a-ko of test"
    assert tables.dropped(["train"], ["test"]) == {"train-a": reason, "train-a-sw": reason}


def test_what_leaks_in_one_language_leaks_in_the_others(tables: Tables) -> None:
    """The test set copies the English text; it knows nothing of the Swahili one, which was made from it."""
    tables.corpus("train", document("a", ARTICLE), FREE)
    tables.corpus("augmented", document("a-sw", "Mto Tesi ni mrefu.", "a"))
    tables.corpus("test", document("b", ARTICLE))
    dropped = tables.dropped(["augmented", "train"], ["test"])
    assert dropped["train-a"] == "its context is document b of test"
    assert dropped["augmented-a-sw"].startswith(
        "its context has the same source as another, of which was said"
    )


def test_a_question_leaks_in_every_language_and_with_its_context(tables: Tables) -> None:
    """XQuAD: the same ids in every language, and nothing else that says that the paragraphs are the same."""
    asked = Question("q", "q", "a", "en", "?")
    more = Question("r", "r", "a", "en", "?")
    tables.write(
        "english",
        [document("a", "The river."), FREE],
        [asked, more, replace(asked, question_id="s", source_id="s", doc_id="free")],
    )
    tables.write("translated", [document("a", "The river.")], [derive(asked, "ar", "ق", "x")])
    tables.write("test", [document("b", "Mto.")], [replace(asked, doc_id="b", language="sw")])
    assert tables.compare(["english", "translated"], ["test"], "--drop-leaks") == [
        {"corpus": "english", "id": "q", "reason": "test asks it too"},
        {
            "corpus": "english",
            "id": "r",
            "reason": "on its context question q is asked, which test asks",
        },
        {"corpus": "translated", "id": "q@ar", "reason": "test asks it too"},
    ]


def test_only_documents_that_are_asked_about_count(tables: Tables) -> None:
    """The two sides of a split share one documents table."""
    both = [document("a", ARTICLE), FREE]
    tables.write("train", both, [Question("q", "q", "free", "en", "?")])
    tables.write("dev", both, [Question("r", "r", "a", "en", "?")])
    assert tables.dropped(["train"], ["dev"]) == {}


def test_an_id_that_two_corpora_have_is_left_out_of_one(tables: Tables) -> None:
    """Different questions of one name, in corpora that are trained on together."""
    tables.write("first", [document("a", ARTICLE)], [Question("1", "x", "a", "en", "?")])
    tables.write("second", [FREE], [Question("1", "y", "free", "en", "?")])
    tables.corpus("test", document("b", ARTICLE))
    assert [line["corpus"] for line in tables.compare(["first", "second"], ["test"], "--drop-leaks")] == [
        "first"
    ]


# What comes of it


def test_a_leak_stops_the_run_with_a_sentence(tables: Tables) -> None:
    asked = Question("q", "q", "a", "en", "?")
    tables.write(
        "train", [document("a", ARTICLE), FREE], [asked, replace(asked, question_id="r", source_id="r")]
    )
    tables.write("test", [document("b", "Mto.")], [replace(asked, doc_id="b")])
    with pytest.raises(InputError) as error:
        tables.compare(["train"], ["test"])
    assert str(error.value) == (
        "training set aug: 2 of its 2 questions leak, 1 of them because they are evaluated and 1 because their context"
        " is; the first is question q of train: test asks it too; say drop_leaks: true under training_sets.aug to train"
        " without them, or evaluate on something else"
    )
    assert not {"report", "dropped", "left-out"} & {file.name for file in tables.folder.iterdir()}


def test_a_training_set_of_leaks_only_stops_it_too(tables: Tables) -> None:
    tables.corpus("train", document("a", ARTICLE))
    tables.corpus("test", document("b", ARTICLE))
    with pytest.raises(InputError, match=r"^training set aug: all of its 1 questions leak"):
        tables.dropped(["train"], ["test"])


def test_nothing_shared(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    tables.corpus("train", FREE)
    tables.corpus("test", document("a", ARTICLE))
    for more in ([], ["--drop-leaks"]):
        assert tables.compare(["train"], ["test"], *more) == []
    assert json.loads((tables.folder / "report").read_text("utf-8")) == {
        "train": {"questions": 1, "contexts": 1},
        "evaluation": {"questions": 1, "contexts": 1},
        "left_out": {"evaluated": 0, "on_evaluated_contexts": 0},
    }
    assert "nothing shared" in capsys.readouterr().out


def test_a_further_evaluation_changes_reasons_but_not_the_list(tables: Tables) -> None:
    """Training depends on the list: it must be the same to the byte while the same questions are left out."""
    tables.corpus("train", document("a", ARTICLE), FREE)
    tables.corpus("test", document("b", ARTICLE))
    tables.corpus("other", document("c", ARTICLE), document("d", "New."))
    before = tables.compare(["train"], ["test"], "--drop-leaks")
    found = (tables.folder / "left-out").read_bytes()
    after = tables.compare(["train"], ["other", "test"], "--drop-leaks")
    assert before[0]["reason"] != after[0]["reason"]
    assert (tables.folder / "left-out").read_bytes() == found


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--train", "a", "--train-documents", "a"], "--train a: give name=file"),
        (
            ["--train", "a=a", "--train-documents", "a", "b"],
            "--train names 1 tables, --train-documents 2; give",
        ),
    ],
)
def test_tables_that_do_not_belong_together(arguments: list[str], sentence: str) -> None:
    rest = [
        "--evaluation=b=b",
        "--evaluation-documents=b",
        "--report=r",
        "--dropped=d",
        "--left-out=l",
        "--label=x",
    ]
    with pytest.raises(InputError, match=sentence):
        guard.main([*arguments, *rest])


def test_a_question_without_its_document(tables: Tables) -> None:
    tables.corpus("train", FREE, document("a", ARTICLE))
    tables.corpus("test", document("b", "Mto."))
    write_documents(tables.folder / "train.documents", [FREE])
    with pytest.raises(InputError, match="question train-a belongs to document a, which is not in"):
        tables.compare(["train"], ["test"])


# Real files


def squad_corpus(folder: Path, name: str, files: list[Path], language: str, *more: str) -> str:
    outputs = {
        "documents": f"{name}.documents",
        "questions": f"{name}.questions",
        "dropped": f"{name}.unused",
    }
    squad.main(
        [
            "--in",
            *map(str, files),
            f"--language={language}",
            *(f"--{option}={folder / file}" for option, file in outputs.items()),
            *more,
        ]
    )
    return name


def test_xquad_is_a_part_of_squad_in_every_language(pack: Path, tables: Tables) -> None:
    """All 240 paragraphs of XQuAD are in SQuAD's development set; the Arabic ones share no word with them."""
    dev = [pack / "squad" / "dev-v1.1.json"]
    xquad = {code: pack / "xquad" / f"xquad.{code}.json" for code in ("en", "ar")}
    squad_corpus(tables.folder, "squad", dev, "en")
    rest = squad_corpus(tables.folder, "rest", dev, "en", "--exclude-contexts", str(xquad["en"]))
    for code, file in xquad.items():
        squad_corpus(tables.folder, code, [file], code)
        dropped = tables.compare(["squad"], [code], "--drop-leaks")
        assert len(dropped) == 1190
        with pytest.raises(
            InputError, match="1190 of its 10570 questions leak, 1190 of them because they are evaluated"
        ):
            tables.compare(["squad"], [code])
        assert tables.compare([rest], [code]) == []
    # without the questions' ids, the contexts give them away, in their own language
    corpora = {name: tables.read(name) for name in ("squad", "en", "ar")}
    renamed = {
        name: replace(corpora[name], source_ids=[f"{name} {n}" for n in corpora[name].source_ids])
        for name in ("en", "ar")
    }
    assert len(guard.leaks([corpora["squad"]], guard.evaluated([renamed["en"]]))) == 1190
    assert guard.leaks([corpora["squad"]], guard.evaluated([renamed["ar"]])) == []


@pytest.mark.parametrize(("code", "name", "contexts"), [("sw", "swahili", 140), ("ko", "korean", 7)])
def test_goldp_shares_questions_and_contexts_with_its_own_dev_files(
    pack: Path, tables: Tables, code: str, name: str, contexts: int
) -> None:
    """Two questions each, and many more contexts that are asked about in both files."""
    for part in ("train", "dev"):
        squad_corpus(tables.folder, part, [pack / "tydiqa_goldp" / f"{name}_tydiqa_{part}.json"], code)
    dropped = tables.compare(["train"], ["dev"], "--drop-leaks")
    assert len(dropped) == 2 + contexts
    assert json.loads((tables.folder / "report").read_text("utf-8"))["left_out"] == {
        "evaluated": 2,
        "on_evaluated_contexts": contexts,
    }


def test_goldp_contexts_are_passages_of_tydis_articles(pack: Path, tables: Tables) -> None:
    """Two of tiny_dev's questions are in the GoldP files: the ids say so, and so does each context by itself."""
    outputs = [f"--{kind}={tables.folder}/tydi.{kind}" for kind in ("documents", "questions", "dropped")]
    codes = ["en", "ar", "bn", "fi", "id", "ja", "sw", "ko", "ru", "te", "th"]
    tydiqa.main(["--in", str(pack / "tydiqa_primary" / "tiny_dev.jsonl.gz"), "--languages", *codes, *outputs])
    gold = {
        code: pack / "tydiqa_goldp" / f"{name}_tydiqa_dev.json"
        for code, name in (("ar", "arabic"), ("id", "indonesian"))
    }
    for code, file in gold.items():
        squad_corpus(tables.folder, code, [file], code)
    assert {line["reason"] for line in tables.compare(list(gold), ["tydi"], "--drop-leaks")} == {
        "tydi asks it too"
    }
    corpora = {name: tables.read(name) for name in ("tydi", *gold)}
    renamed = replace(corpora["tydi"], source_ids=[f"x{name}" for name in corpora["tydi"].source_ids])
    found = guard.leaks([corpora[code] for code in gold], guard.evaluated([renamed]))
    assert len(found) == len(tables.lines("dropped")) == 2
    assert all(leak.reason.startswith("its context is a passage with an answer, of") for leak in found)
