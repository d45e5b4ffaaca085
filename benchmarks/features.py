"""How fast does text become windows, and in how much memory?

    python -m benchmarks.features --vocab vocab.txt --squad FILE [FILE …] [--runs 3] [--memory]

From SQuAD-format files, every context once with its first question, three programs make windows of 384 pieces that
overlap by 128, with multilingual BERT's vocabulary, in one thread:

- ours: qa.contexts and qa.windows, from Parquet tables to files;
- pairs: the tokenisation of transformers' run_qa example, `tokenizer(question, context, truncation="only_second",
  stride=128, return_overflowing_tokens=True, return_offsets_mapping=True)`, a thousand examples at a time, with its
  loop that marks answers;
- loop: the per-token loop that TyDi QA's baseline preprocesses with, in Python, written out as it is documented: a
  pass over the characters of a word for control characters, for ideographs, for blanks and for punctuation, the longest
  match, the piece of every byte, padded lists for each window.

Their runs alternate; characters of contexts and questions per CPU second are counted, medians compared.  Tokenisers
are loaded, and the digest of the vocabulary taken, before the clock starts: they take the same time for any text.  Only
a part of the text goes through the loop.  Where a peer does less than half of what it did when it was first measured
(1.16 and 0.19 million characters per CPU second), something else was going on, and its ratio is void.

With --memory, the two steps are run as commands on 100 and on 400 MB of text in documents of 13,000 characters with a
question each, made of the same contexts, and their peak resident memory is told; no other figure is measured then.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from benchmarks.published import SMALL, mbert
from workflow_scripts.cli import run
from workflow_scripts.corpus import Annotation, Document, Question, write_documents, write_questions
from workflow_scripts.encoder import checkpoint
from workflow_scripts.files import read_lines
from workflow_scripts.qa import contexts, windows
from workflow_scripts.qa.features import load_contexts, load_tokenizer, load_windows, vocabulary_digest
from workflow_scripts.recipes.features import Features

RECIPE = Features(max_length=384, stride=128)
PUBLISHED = {"pairs": 1.16e6, "loop": 0.19e6}  # characters per CPU second, as first measured
WANTED = {"pairs": 1.6, "loop": 8.0}
# Runs a command and prints its peak memory in KiB and CPU seconds; a process of its own, because a command starts with
# the peak of the process that starts it.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
"""
LOOP_CHARACTERS = 300_000
DOCUMENT_CHARACTERS = 13_000
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
Example = tuple[Document, Question]


def read(files: list[Path]) -> list[Example]:
    """Every distinct context with the first question that is asked about it, from SQuAD-format files."""
    made: dict[str, Example] = {}
    for file in files:
        for article in json.loads(file.read_text("utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                text, asked = paragraph["context"], paragraph["qas"][0]
                name = str(len(made))
                answer = asked["answers"][0]
                start, given = answer["answer_start"], answer["text"]
                annotations = (
                    (Annotation(0, start, start + len(given), given),)
                    if text[start : start + len(given)] == given
                    else ()
                )
                document = Document(name, "en", "", "", text, ((0, len(text)),), name)
                made.setdefault(
                    text, (document, Question(name, name, name, "en", asked["question"], annotations))
                )
    return list(made.values())


class Ours:
    """qa.contexts and qa.windows."""

    def __init__(self, folder: Path, encoder: Path) -> None:
        self.folder, self.tokenizer = folder, load_tokenizer(encoder / "tokenizer.json")
        began = time.process_time()
        self.vocabulary = vocabulary_digest(self.tokenizer)
        self.digest_seconds = time.process_time() - began

    def prepare(self, examples: list[Example]) -> None:
        """Write the tables, which other steps do."""
        write_documents(self.folder / "documents", [document for document, _ in examples])
        write_questions(
            self.folder / "questions",
            [question for _, question in examples],
            {document.doc_id: document for document, _ in examples},
        )

    def __call__(self, examples: list[Example]) -> int:
        """Windows made."""
        documents = self.folder / "documents"
        contexts.write(
            self.folder / "contexts", documents, self.tokenizer, self.vocabulary, RECIPE.max_passages
        )
        made = load_contexts(self.folder / "contexts")
        windows.write(self.folder / "windows", self.folder / "questions", made, self.tokenizer, RECIPE)
        return len(load_windows(self.folder / "windows").first)


class Pairs:
    """The run_qa example's prepare_train_features."""

    def __init__(self, encoder: Path) -> None:
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(encoder)

    def __call__(self, examples: list[Example]) -> int:
        """Windows made."""
        return sum(self.features(examples[at : at + 1000]) for at in range(0, len(examples), 1000))

    def features(self, examples: list[Example]) -> int:
        """Windows of a batch of examples."""
        tokenized = self.tokenizer(
            [question.text.lstrip() for _, question in examples],
            [document.text for document, _ in examples],
            truncation="only_second",
            max_length=RECIPE.max_length,
            stride=RECIPE.stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        sample_mapping = tokenized.pop("overflow_to_sample_mapping")
        offset_mapping = tokenized.pop("offset_mapping")
        starts, ends = [], []
        for i, offsets in enumerate(offset_mapping):
            input_ids = tokenized["input_ids"][i]
            cls_index = input_ids.index(self.tokenizer.cls_token_id)
            sequence_ids = tokenized.sequence_ids(i)
            answers = examples[sample_mapping[i]][1].annotations
            if not answers:
                starts.append(cls_index)
                ends.append(cls_index)
                continue
            start_char, end_char = answers[0].start, answers[0].end
            token_start = 0
            while sequence_ids[token_start] != 1:
                token_start += 1
            token_end = len(input_ids) - 1
            while sequence_ids[token_end] != 1:
                token_end -= 1
            if not (offsets[token_start][0] <= start_char and offsets[token_end][1] >= end_char):
                starts.append(cls_index)
                ends.append(cls_index)
                continue
            while token_start < len(offsets) and offsets[token_start][0] <= start_char:
                token_start += 1
            starts.append(token_start - 1)
            while offsets[token_end][1] >= end_char:
                token_end -= 1
            ends.append(token_end + 1)
        return len(starts)


class Token(NamedTuple):
    """A stretch of text as the model reads it and as it was, and whether it is fed to the model."""

    text: str
    original: str
    good: bool


def is_control(character: str) -> bool:
    """What is set apart from words, and fed as unknown."""
    code = ord(character)
    if code in (0, 0xFFFD):
        return True
    return character not in "\t\n\r" and unicodedata.category(character) in ("Cc", "Cf")


def is_cjk(character: str) -> bool:
    """Ideographs."""
    code = ord(character)
    return any(first <= code <= last for first, last in IDEOGRAPHS)


def is_punctuation(character: str) -> bool:
    """Signs of ASCII that are no letters, and Unicode's punctuation."""
    code = ord(character)
    if 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(character).startswith("P")


class Loop:
    """TyDi QA's baseline (tokenization.py, preproc.py), but for its two bugs, as documented."""

    def __init__(self, encoder: Path) -> None:
        self.vocabulary = Tokenizer.from_file(str(encoder / "tokenizer.json")).get_vocab()

    def __call__(self, examples: list[Example]) -> int:
        """Windows made."""
        return sum(len(self.features(document, question)) for document, question in examples)

    def isolate(self, tokens: list[Token], alone: Callable[[str], bool], good: bool) -> list[Token]:
        """Tokens cut so that every character for which `alone` holds is one by itself."""
        cut: list[Token] = []
        for token in tokens:
            if not token.good:
                cut.append(token)
                continue
            gathered: list[str] = []
            for character in token.text:
                if alone(character):
                    if gathered:
                        word = "".join(gathered)
                        cut.append(Token(word, word, good=True))
                        gathered = []
                    cut.append(Token(character, character, good=good))
                else:
                    gathered.append(character)
            if gathered:
                word = "".join(gathered)
                cut.append(Token(word, word, good=True))
        return cut

    def pieces(self, word: str) -> list[Token]:
        """The pieces of what stands between two blanks: cleaned, CJK characters, blanks and punctuation set apart."""
        tokens = self.isolate([Token(word, word, good=True)], is_control, good=False)
        tokens = self.isolate(tokens, is_cjk, good=True)
        tokens = self.isolate(tokens, str.isspace, good=True)
        found: list[Token] = []
        for token in self.isolate(tokens, is_punctuation, good=True):
            found += self.longest(token) if token.good else [token]
        return found

    def longest(self, token: Token) -> list[Token]:
        """The longest pieces of a word, from its beginning."""
        if len(token.text) > 200:
            return [Token("[UNK]", token.text, good=True)]
        begin, found = 0, []
        while begin < len(token.text):
            end = len(token.text)
            while begin < end:
                piece = ("##" if begin else "") + token.text[begin:end]
                if piece in self.vocabulary:
                    break
                end -= 1
            if begin == end:
                return [Token("[UNK]", token.text, good=True)]
            found.append(Token(piece, token.text[begin:end], good=True))
            begin = end
        return found

    def tokenise(self, text: str) -> tuple[list[int], list[int], list[int], dict[int, int]]:
        """Pieces, first and last byte of each, and the piece of every byte, -1 at blanks."""
        ids: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        piece_of: dict[int, int] = {}
        at = 0
        for word in text.split(" "):
            inside = 0
            octets = len(word.encode("utf-8"))
            for token in self.pieces(word):
                length = len(token.original.encode("utf-8"))
                for byte in range(octets):
                    if inside <= byte < inside + length:
                        piece_of[at + byte] = len(ids)
                ids.append(self.vocabulary.get(token.text, 100))
                starts.append(at + inside)
                ends.append(at + inside + length - 1)
                inside += length
            piece_of[at + octets] = -1
            at += octets + 1
        return ids, starts, ends, piece_of

    def features(self, document: Document, question: Question) -> list[dict[str, Any]]:
        """Windows of one example, each a dictionary of padded lists."""
        asked = self.tokenise(question.text)[0][-RECIPE.question_length :]
        ids, starts, ends, piece_of = self.tokenise(document.text)
        first = last = -1
        if question.annotations:
            answer = question.annotations[0]
            begin = len(document.text[: answer.start].encode("utf-8"))
            end = begin + len(answer.text.encode("utf-8")) - 1
            while begin <= end and piece_of.get(begin, -1) < 0:
                begin += 1
            while end >= begin and piece_of.get(end, -1) < 0:
                end -= 1
            first, last = piece_of.get(begin, -1), piece_of.get(end, -1)
        capacity = RECIPE.max_length - len(asked) - 3
        made: list[dict[str, Any]] = []
        at = 0
        while True:
            length = min(capacity, len(ids) - at)
            tokens, segments = [101, *asked, 102], [0] * (len(asked) + 2)
            begins, stops = [-1] * len(tokens), [-1] * len(tokens)
            for number in range(at, at + length):
                tokens.append(ids[number])
                segments.append(1)
                begins.append(starts[number])
                stops.append(ends[number])
            tokens.append(102)
            segments.append(1)
            mask = [1] * len(tokens)
            padding = [0] * (RECIPE.max_length - len(tokens))
            inside = at <= first and last < at + length and first >= 0
            made.append(
                {
                    "input_ids": tokens + padding,
                    "input_mask": mask + padding,
                    "segment_ids": segments + padding,
                    "wp_start_offset": begins + padding,
                    "wp_end_offset": stops + padding,
                    "start": first - at + len(asked) + 2 if inside else 0,
                    "end": last - at + len(asked) + 2 if inside else 0,
                }
            )
            if at + length >= len(ids):
                return made
            at += capacity - (RECIPE.stride or 0)


def size(examples: list[Example]) -> int:
    """Characters of contexts and questions."""
    return sum(len(document.text) + len(question.text) for document, question in examples)


def rate(program: Any, examples: list[Example]) -> float:
    """Characters per CPU second."""
    gc.collect()
    gc.freeze()  # what is there already is nobody's garbage
    began = time.process_time()
    program(examples)
    return size(examples) / (time.process_time() - began)


def make_encoder(folder: Path, vocabulary: Path) -> Path:
    """The tokeniser of mBERT as the checkpoint step writes it, beside a model of no size."""
    source = mbert(folder / "source", read_lines(vocabulary), **SMALL)
    command = [
        sys.executable,
        "-m",
        checkpoint.__name__,
        "--source",
        str(source),
        "--out",
        str(folder / "encoder"),
    ]
    subprocess.run(command, check=True)
    return folder / "encoder"


def memory(folder: Path, encoder: Path, examples: list[Example]) -> None:
    """Run both steps on 100 and on 400 MB of text, and print their peak resident memory."""
    peaks: dict[str, dict[int, float]] = {"contexts": {}, "windows": {}}
    for megabytes in (100, 400):
        documents, questions = long_documents(examples, megabytes * 10**6)
        write_documents(folder / "documents", documents)
        write_questions(
            folder / "questions", questions, {document.doc_id: document for document in documents}
        )
        del documents, questions
        read = ["--documents", str(folder / "documents")]
        asked = ["--questions", str(folder / "questions"), "--contexts", str(folder / "contexts")]
        for step, arguments in (("contexts", read), ("windows", asked)):
            command = [sys.executable, "-m", f"workflow_scripts.qa.{step}", *arguments]
            command += ["--tokenizer", str(encoder / "tokenizer.json")]
            measured = [sys.executable, "-c", MEASURE, *command, "--out", str(folder / step)]
            told = subprocess.run(measured, check=True, stdout=subprocess.PIPE, text=True).stdout
            peak, seconds = told.splitlines()[-1].split()
            peaks[step][megabytes] = round(int(peak) / 1024, 1)
            print(
                f"{step}: {peaks[step][megabytes]} MiB at {megabytes} MB of text, {float(seconds):.0f} CPU seconds",
                flush=True,
            )
    ratios = {step: round(peak[400] / peak[100], 3) for step, peak in peaks.items()}
    print(
        json.dumps(
            {"name": "features_memory", "unit": "MiB", "peaks": peaks, "ratios": ratios, "wanted": 1.1}
        )
    )


def long_documents(examples: list[Example], octets: int) -> tuple[list[Document], list[Question]]:
    """Documents of about 13,000 characters with a question each, in so many bytes of text, contexts their passages.

    Contexts come again in other company, with a number that no other has, so that words are not all known soon.
    """
    documents: list[Document] = []
    questions: list[Question] = []
    written = number = 0
    while written < octets:
        spans: list[tuple[int, int]] = []
        text = ""
        while len(text) < DOCUMENT_CHARACTERS:
            # a step without a common divisor with the number of contexts, so that neighbours change
            document, question = examples[number * 7919 % len(examples)]
            context = f"{number} {document.text}"
            spans.append((len(text), len(text) + len(context)))
            text += context + "\n"
            number += 1
        name = str(len(documents))
        documents.append(Document(name, "en", "", "", text, tuple(spans), name))
        # The question is that of the last context.
        moved = spans[-1][1] - len(document.text)
        answers = tuple(
            replace(a, passage=len(spans) - 1, start=a.start + moved, end=a.end + moved)
            for a in question.annotations
        )
        questions.append(
            replace(question, question_id=name, source_id=name, doc_id=name, annotations=answers)
        )
        written += len(text.encode("utf-8"))
    return documents, questions


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vocab", type=Path, required=True, help="vocab.txt of bert-base-multilingual-cased")
    parser.add_argument("--squad", type=Path, nargs="+", required=True, help="SQuAD-format files")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program")
    parser.add_argument("--memory", action="store_true", help="measure memory instead of speed")
    given = parser.parse_args()
    os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", OMP_NUM_THREADS="1")
    examples = read(given.squad)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encoder = make_encoder(folder, given.vocab)
        if given.memory:
            memory(folder, encoder, examples)
            return
        ours = Ours(folder, encoder)
        ours.prepare(examples)
        every = len(examples) // max(1, size(examples) // LOOP_CHARACTERS)
        programs = {"ours": (ours, examples), "pairs": (Pairs(encoder), examples)}
        programs["loop"] = (Loop(encoder), examples[:: max(1, every)])
        rates: dict[str, list[float]] = {side: [] for side in programs}
        for number in range(1, given.runs + 1):
            for side, (program, some) in programs.items():
                rates[side].append(rate(program, some))
            shown = ", ".join(f"{side} {values[-1] / 1e6:.2f}" for side, values in rates.items())
            print(f"run {number}: million characters a CPU second: {shown}", file=sys.stderr, flush=True)
    show(rates, examples, ours.digest_seconds)


def show(rates: dict[str, list[float]], examples: list[Example], digest: float) -> None:
    """Print the figures."""
    medians = {side: statistics.median(values) for side, values in rates.items()}
    characters = size(examples)
    print(
        f"{len(examples)} contexts, {characters} characters; the vocabulary's digest takes {digest:.2f} CPU seconds"
    )
    print(f"ours: {medians['ours'] / 1e6:.2f} million characters a CPU second (2 wanted)")
    ratios, void = {}, {}
    for side, wanted in WANTED.items():
        ratios[side] = round(medians["ours"] / medians[side], 2)
        void[side] = medians[side] < PUBLISHED[side] / 2
        print(
            f"{side}: {medians[side] / 1e6:.2f} ({PUBLISHED[side] / 1e6:.2f} when first measured); ours is"
            f" {ratios[side]} times as fast ({wanted} wanted){', void: the peer is too slow' * void[side]}"
        )
    summary = {
        "name": "features",
        "ours": round(medians["ours"]),
        "peer": round(medians["pairs"]),
        "unit": "characters per CPU second",
        "ratio": ratios["pairs"],
        "loop": round(medians["loop"]),
        "loop_ratio": ratios["loop"],
        "void": [side for side, slow in void.items() if slow] or None,
        "peer_published": PUBLISHED,
        "contexts": len(examples),
        "characters": characters,
        "digest_seconds": round(digest, 3),
        "rates": {side: [round(value) for value in values] for side, values in rates.items()},
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    run(main)
