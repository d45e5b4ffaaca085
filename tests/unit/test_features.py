"""Contexts and windows: exact characters through normalisation, every answer in place."""

import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, Document, Question, write_documents, write_questions
from workflow_scripts.encoder.vocabulary import learn
from workflow_scripts.qa import features
from workflow_scripts.qa.contexts import blocks, tokenise, write
from workflow_scripts.qa.pieces import Pieces, cuts_at_blanks, exactly
from workflow_scripts.qa.windows import annotation_to_learn, cut, window_starts
from workflow_scripts.qa.windows import write as write_windows
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.pretraining import Vocabulary

PASSAGES = [
    "The city of Ramor lies on the banks of the river Tesi.",
    unicodedata.normalize("NFD", "Żółw café 1,000 東京タワー [SEP] [MASK]"),
    "রামর শহরে তেসি নদী আছে। র‍্যাম",
    "",
    "라모르시는 테시강 기슭에 자리하고 있다.",
    "نهر تيسي يمر بمدينة رامور.",
]


# A passage, and an answer in it that pieces must fit to the character.
HAZARDS = {
    "leading  blanks and\u00a0a no-break space": "a no-break space",
    unicodedata.normalize("NFD", "수도는 라모르시, café."): unicodedata.normalize("NFD", "라모르시"),
    unicodedata.normalize("NFD", "The café, then."): unicodedata.normalize("NFD", "café"),
    "東京タワーと大阪城 are": "大阪城",
    "ﾀﾜｰ ｶﾞﾗｽ。": "ｶﾞﾗｽ",
    "শহর র\u200d্যাম, বড় ড়াকা": "র\u200d্যাম",
    "دریای می\u200cخواهم است": "می\u200cخواهم",
    "مدينة رامور\u200f، نهر": "رامور",
    "zero\u200b Ramor\u200b width": "Ramor",
    "q\u0323\u0307z क़िला हिंदी था": "क़िला",
    "½ of ﬁve ① ㎏": "ﬁve",
    "▁Ramor ▁ Tesi": "Tesi",
    "¨Ramor lies": "lies",
    "soft\u00adhyphen\ufeff end": "end",
}


def document(passages=PASSAGES) -> Document:
    text, spans = "Title\n", []
    for passage in passages:
        spans.append((len(text), len(text) + len(passage)))
        text += passage + "\n\n"
    return Document("d", "en", "Title", "", text, tuple(spans), "d")


@pytest.fixture(scope="module", params=["wordpiece", "unigram"])
def tokenizer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    learn([*PASSAGES, *HAZARDS], Vocabulary(kind=request.param, size=500)).save_pretrained(folder)
    return features.load_tokenizer(folder / "tokenizer.json")


def annotated(doc: Document, answer: str, passage: int) -> Annotation:
    start = doc.text.index(answer, doc.passages[passage][0])
    return Annotation(passage, start, start + len(answer), answer)


def test_pieces_cover_every_character_that_is_not_blank(tokenizer):
    doc = document()
    contexts = tokenise([doc], tokenizer, 45)
    covered = {c for s, e in zip(contexts.starts, contexts.ends, strict=True) if s >= 0 for c in range(s, e)}
    for start, end in doc.passages:
        wanted = {c for c in range(start, end) if not doc.text[c].isspace()}
        # Zero-width characters belong to no piece of their own.
        missing = {c for c in wanted - covered if unicodedata.category(doc.text[c]) != "Cf"}
        assert not missing, [doc.text[c] for c in missing]


def test_markers_open_every_passage_and_text_that_looks_like_one_is_text(tokenizer):
    contexts = tokenise([document()], tokenizer, 45)
    blank = tokenizer.token_to_id("▁")
    at = np.flatnonzero((contexts.starts < 0) & (contexts.pieces != (-1 if blank is None else blank)))
    assert [tokenizer.id_to_token(int(p)) for p in contexts.pieces[at]] == [
        f"[ContextId={n}]" for n in range(6)
    ]
    assert (contexts.passages[at] == np.arange(6)).all()
    assert tokenizer.token_to_id("[SEP]") not in contexts.pieces


@pytest.mark.parametrize("passage", HAZARDS)
def test_pieces_fit_an_answer_to_the_character(tokenizer, passage):
    doc = document([passage])
    contexts = tokenise([doc], tokenizer, 45)
    given = annotated(doc, HAZARDS[passage], 0)
    windows, _ = cut([Question("q", "q", "d", "en", "?", (given,))], contexts, tokenizer, Features())
    first, last = int(windows.start[0]), int(windows.end[0])
    assert (contexts.starts[first], contexts.ends[last]) == (given.start, given.end)
    assert contexts.starts[first - 1] < given.start  # no piece before the first belongs to the answer as well


def test_a_lone_blank_stands_for_no_character():
    """ "▁" before "東京" is where "東" is, and "▁b" takes in the blank, where a tokeniser does not split at blanks."""
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), ("▁", -1.0), ("▁b", -1.0), ("東", -1.0)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    text = "東  b 東"
    encoding = tokenizer.encode(text)
    assert encoding.tokens == ["▁", "東", "▁", "▁b", "▁", "東"]
    offsets = np.array(encoding.offsets, dtype=np.int32)
    places = exactly(np.array(encoding.ids), offsets, text, np.zeros(len(text), dtype=bool), 1)
    assert places.tolist() == [[-1, -1], [0, 1], [-1, -1], [3, 4], [-1, -1], [5, 6]]


def test_passages_beyond_the_limit_are_not_seen(tokenizer):
    assert tokenise([document()], tokenizer, 2).passages.max() == 1


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("Ramor", 0),
        (unicodedata.normalize("NFD", "Żółw café"), 1),
        ("東京", 1),
        ("তেসি নদী", 2),
        ("라모르", 4),
        ("رامور", 5),
    ],
)
def test_the_answer_is_found_again_in_some_window(tokenizer, answer, passage):
    doc = document()
    contexts = tokenise([doc], tokenizer, 45)
    question = Question("q", "q", "d", "en", "Where is Ramor?", (annotated(doc, answer, passage),))
    recipe = Features(max_length=40, stride=12, question_length=16)
    windows, lost = cut([question], contexts, tokenizer, recipe)
    positive = np.flatnonzero(windows.start >= 0)
    assert len(positive)
    assert not lost
    for window in positive:
        first = windows.first[window] + windows.start[window]
        last = windows.first[window] + windows.end[window]
        text = doc.text[contexts.starts[first] : contexts.ends[last]]
        assert answer in text
        assert len(text) <= len(answer) + 4  # pieces may reach a little further, e.g. over a particle
        assert windows.answer_type[window] == features.SPAN


def test_windows_cover_the_context_and_overlap_by_the_stride(tokenizer):
    recipe = Features(max_length=40, stride=12, question_length=16)
    lengths, capacities = np.array([100, 30, 0]), np.array([30, 30, 30])
    number, starts = window_starts(lengths, capacities, recipe)
    assert list(number) == [0, 0, 0, 0, 0, 1, 2]
    assert list(starts) == [0, 18, 36, 54, 72, 0, 0]
    _, starts = window_starts(np.array([100]), np.array([60]), Features(step=25, stride=None))
    assert list(starts) == [0, 25, 50]


def test_a_context_of_a_megabyte_is_covered_to_its_end(tokenizer):
    text = "The river is long. " * 55_000
    document = Document("d", "en", "", "", text, ((0, len(text)),), "d")
    at = text.rindex("long")
    question = Question("q", "q", "d", "en", "How is it?", (Annotation(0, at, at + 4, "long"),))
    contexts = tokenise([document], tokenizer, 45)
    windows, lost = cut([question], contexts, tokenizer, Features())
    assert not lost
    answered = np.flatnonzero(windows.start >= 0)
    first = windows.first[answered[-1]] + windows.start[answered[-1]]
    last = windows.first[answered[-1]] + windows.end[answered[-1]]
    assert text[contexts.starts[first] : contexts.ends[last]] == "long"
    assert contexts.starts[first] == at
    assert windows.first[-1] + windows.length[-1] == len(contexts.pieces)


def test_long_questions_keep_their_end(tokenizer):
    doc = document()
    contexts = tokenise([doc], tokenizer, 45)
    question = Question("q", "q", "d", "en", "banks of the river " * 30 + "Tesi", ())
    windows, _ = cut([question], contexts, tokenizer, Features(question_length=8))
    pieces = windows.question_pieces
    assert len(pieces) == 8
    assert tokenizer.token_to_id("[Q]") not in pieces  # TyDi's baseline keeps the last pieces
    short = Question("q", "q", "d", "en", "Tesi", ())
    windows, _ = cut([short], contexts, tokenizer, Features(question_length=8))
    assert windows.question_pieces[0] == tokenizer.token_to_id("[Q]")


def test_which_annotation_is_trained_on():
    null, late = Annotation(), Annotation(3, 10, 12, "ab")
    passage_only, beyond = Annotation(1), Annotation(50, 1, 2, "x")

    def chosen(*annotations):
        return annotation_to_learn(Question("q", "q", "d", "en", "?", annotations), 45)

    assert chosen(null, late, passage_only) == late
    assert chosen(passage_only, null) == passage_only
    assert chosen(beyond, null) is None
    assert chosen() is None


def test_yes_no_spans_its_passage(tokenizer):
    doc = document()
    contexts = tokenise([doc], tokenizer, 45)
    question = Question("q", "q", "d", "en", "Is it?", (Annotation(4, -1, -1, "", "YES"),))
    windows, _ = cut([question], contexts, tokenizer, Features())
    window = int(np.flatnonzero(windows.answer_type == features.YES)[0])
    first, last = (windows.first[window] + at[window] for at in (windows.start, windows.end))
    assert set(contexts.passages[first : last + 1]) == {4}
    assert doc.text[contexts.starts[first] : contexts.ends[last]] == PASSAGES[4]


def test_arrays_come_back_from_the_file(tokenizer, tmp_path):
    contexts = tokenise([document()], tokenizer, 45)
    features.save(tmp_path / "c.safetensors", contexts, "doc_ids", {})
    again = features.load_contexts(tmp_path / "c.safetensors")
    assert again.doc_ids == ["d"]
    assert all(
        (getattr(again, n) == getattr(contexts, n)).all()
        for n in ("bounds", "pieces", "starts", "ends", "passages")
    )


def test_arrays_are_mapped_not_read(tokenizer, tmp_path):
    features.save(tmp_path / "c.safetensors", tokenise([document()], tokenizer, 45), "doc_ids", {})
    again = features.load_contexts(tmp_path / "c.safetensors")
    assert not again.pieces.flags.writeable
    whole = again.pieces
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    assert isinstance(whole, np.memmap)


FIRST = pre_tokenizers.Metaspace(prepend_scheme="first")  # only the first word of a text gets a "▁"


def test_words_alone_give_what_whole_texts_give(tokenizer):
    """Also where a blank stands beside what might cling to it, and where memory is lost on the way."""
    random = np.random.default_rng(0)
    letters = [
        *"ab ,.'#-…।、⑴",
        *"  \n\t\u00a0\u3000\u200b\u2581\x1c\x85",
        *"=\u0338\u0301\u0308\u200d\u200c\u0600\u06dd\u3099",
    ]
    letters += [*"か東é한হि\u0bcdﾞｶ´\u0344\u1100\u1161\ufeff", "[SEP]", "Ramor", " Tesi", "রামর"]
    texts = ["".join(random.choice(letters, 40)) for _ in range(300)] + list(HAZARDS)
    at, heads = random.integers(0, 1000, len(texts)).tolist(), random.integers(0, 9, len(texts)).tolist()
    whole, words, forgetful = Pieces(tokenizer), Pieces(tokenizer), Pieces(tokenizer)
    assert words.by_word
    whole.by_word = False
    wanted = whole.cut(texts, at, heads)
    for found in (words.cut(texts, at, heads), words.cut(texts, at, heads)):
        for one, other in zip(wanted, found, strict=True):
            assert one.dtype == other.dtype
            assert (one == other).all()
    for number, text in enumerate(texts[:20]):
        forgetful.forget()
        ids, *_ = forgetful.cut([text], [0], [0])
        assert len(ids) == wanted[3][number]


def test_a_whole_text_is_not_taken_for_the_marker_before_it(tokenizer):
    """Texts are looked up by what they are, and so are the pieces in front of them."""
    whole = Pieces(tokenizer)
    whole.by_word = False
    ids, _, _, count = whole.cut([" 5", "5", ""], [0, 0, 0], [5, 5, 5])
    expected = tokenizer.encode(" 5", add_special_tokens=False).ids
    assert ids[: count[0]].tolist() == [5, *expected]
    assert count[2] == 1


@pytest.mark.parametrize(
    ("pre_tokenizer", "normalizer", "cuts"),
    [
        (pre_tokenizers.BertPreTokenizer(), normalizers.NFC(), True),
        (pre_tokenizers.Metaspace(), None, False),  # two blanks give a piece "▁"
        (pre_tokenizers.ByteLevel(), None, False),
        (pre_tokenizers.WhitespaceSplit(), normalizers.Replace(" ", "_"), False),
        (pre_tokenizers.WhitespaceSplit(), normalizers.Replace(Regex(" {2,}"), " "), True),
        (pre_tokenizers.WhitespaceSplit(), normalizers.Replace(Regex(" {2,}"), "_"), False),
        (pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), FIRST]), None, False),
    ],
)
def test_only_tokenisers_that_cut_at_blanks_are_given_words(pre_tokenizer, normalizer, cuts):
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer, tokenizer.normalizer = pre_tokenizer, normalizer
    assert cuts_at_blanks(tokenizer) is cuts
    tokenizer.add_tokens(["New York"])
    assert not cuts_at_blanks(tokenizer)


def test_files_are_what_the_library_writes_and_the_same_every_time(tokenizer, tmp_path):
    contexts = tokenise([document()], tokenizer, 45)
    for name in ("a", "b"):
        features.save(tmp_path / name, contexts, "doc_ids", {"é": 1})
    arrays = {name: getattr(contexts, name) for name in features.CONTEXT_ARRAYS}
    with safe_open(tmp_path / "a", "np") as file:
        save_file(arrays, tmp_path / "c", file.metadata())
    written = [(tmp_path / name).read_bytes() for name in "abc"]
    assert written[0] == written[1]
    # The library writes metadata in any order, so that only lengths and what follows are compared.
    at = written[0].index(b'"bounds"')
    assert (len(written[2]), written[2][at:]) == (len(written[0]), written[0][at:])


def test_a_corpus_in_blocks_gives_the_same_contexts(tokenizer):
    docs = [replace(document(), doc_id=str(number)) for number in range(20)]
    together = list(blocks(docs, tokenizer, 45))
    apart = [block for doc in docs for block in blocks([doc], tokenizer, 45)]
    assert (len(together), len(apart)) == (1, 20)
    for name in ("pieces", "starts", "ends", "passages", "lengths"):
        whole = getattr(together[0], name)
        assert (whole == np.concatenate([getattr(block, name) for block in apart])).all()


def test_files_that_are_no_features_are_told(tokenizer, tmp_path):
    features.save(tmp_path / "c.safetensors", tokenise([document()], tokenizer, 45), "doc_ids", {})
    (tmp_path / "text").write_text("no features")
    for file, sentence in (
        ("c.safetensors", r"not windows of this workflow; give a file that qa\.windows wrote"),
        ("text", "not a whole safetensors file"),
        ("none", "no such file"),
    ):
        with pytest.raises(InputError, match=sentence):
            features.load_windows(tmp_path / file)


def test_contexts_of_another_vocabulary_are_refused(tokenizer):
    doc = document()
    contexts = replace(tokenise([doc], tokenizer, 45), vocabulary="another")
    with pytest.raises(InputError, match="the contexts were made with another tokenizer"):
        cut([], contexts, tokenizer, Features())


def test_a_document_without_passages_and_a_question_without_text_give_a_window(tokenizer):
    docs = [Document("e", "en", "", "", "text", (), "e"), document()]
    contexts = tokenise(docs, tokenizer, 45)
    assert list(contexts.bounds[:2]) == [0, 0]
    questions = [Question("p", "p", "e", "en", "", ()), Question("q", "q", "d", "en", "", ())]
    windows, lost = cut(questions, contexts, tokenizer, Features())
    assert not lost
    assert (windows.question[0], windows.length[0], windows.start[0]) == (0, 0, -1)
    assert set(windows.question) == {0, 1}
    assert list(windows.question_pieces) == [tokenizer.token_to_id("[Q]")] * 2


def test_a_tokeniser_that_knows_nothing_of_the_text_is_told(tokenizer, tmp_path):
    write_documents(tmp_path / "documents", [document(["ჯჯ ჯ"])])
    with pytest.raises(
        InputError, match=r"pieces are unknown to the tokenizer; give the tokenizer\.json of an encoder"
    ):
        write(tmp_path / "contexts", tmp_path / "documents", tokenizer, "digest", 45)
    assert not (tmp_path / "contexts").exists()


def test_what_cannot_be_answered_is_told(tokenizer, tmp_path, capsys):
    """No passages, an answer across windows, a question longer than a window, a context of a megabyte."""
    long = "The city of Ramor lies on the banks of the river Tesi. " * 20_000
    docs = [Document("none", "en", "", "", "text", (), "none"), document([f"{long}Ramor"])]
    given = Annotation(0, (start := docs[1].text.rindex("Ramor")), start + 5, "Ramor")
    whole = Annotation(0, docs[1].passages[0][0], docs[1].passages[0][1], f"{long}Ramor")
    questions = [
        Question("n", "n", "none", "en", "?", ()),
        Question("q", "q", "d", "en", "Where is it? " * 1000, (given,)),
        Question("w", "w", "d", "en", "?", (whole,)),
    ]
    write_documents(tmp_path / "documents", docs)
    write_questions(tmp_path / "questions", questions, {d.doc_id: d for d in docs})
    digest = features.vocabulary_digest(tokenizer)
    write(tmp_path / "contexts", tmp_path / "documents", tokenizer, digest, 45)
    assert "1 of 2 documents have no passages; questions about them go unanswered" in capsys.readouterr().out
    contexts = features.load_contexts(tmp_path / "contexts")
    write_windows(tmp_path / "windows", tmp_path / "questions", contexts, tokenizer, Features())
    told = capsys.readouterr().out
    assert "1 of 3 questions have an answer that no window holds whole" in told
    windows = features.load_windows(tmp_path / "windows")
    assert np.diff(windows.question_bounds).max() == Features().question_length
    (found,) = np.flatnonzero(windows.start >= 0)
    piece = windows.first[found] + windows.start[found]
    assert (windows.question[found], contexts.starts[piece]) == (1, start)


def test_presets_fill_in_what_is_left_out():
    tydi, squad = Features(preset="tydi"), Features(preset="squad", question_length=32)
    assert (tydi.max_length, tydi.stride, tydi.step, tydi.max_passages) == (512, None, 128, 45)
    assert (squad.max_length, squad.stride, squad.step, squad.question_length) == (384, 128, None, 32)
    assert Features(preset="primeqa").question_length == 128
    given = Features(preset="tydi", stride=100)
    assert (given.stride, given.step) == (100, None)
    assert Features.model_validate_json(tydi.model_dump_json()) == tydi


def test_windows_with_gaps_between_them_are_refused():
    assert Features(max_length=60, question_length=16, stride=None, step=41).step == 41
    with pytest.raises(ValueError, match="step must not exceed"):
        Features(max_length=60, question_length=16, stride=None, step=42)


def test_a_vocabulary_without_markers_is_refused(tmp_path):
    Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]")).save(
        str(tmp_path / "tokenizer.json")
    )
    with pytest.raises(InputError, match=r"no piece \[ContextId=0\]"):
        tokenise([document()], features.load_tokenizer(tmp_path / "tokenizer.json"), 45)
