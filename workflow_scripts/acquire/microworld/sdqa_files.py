"""SD-QA's files: questions as a speech recogniser hears them, by dialect (Faisal et al. 2021).

A transcript is in small letters and without punctuation.  Names suffer most: the recogniser does not know them and
writes other sounds, or two words for one.  Other words are left out, run into the next, or are taken for one that
begins alike.  Now and then there is nothing.  The rates of the recipe are word error rates: edits of words for each
word of the question.  There is no audio: `audio_file` is empty and `audio_exists` false.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import regex

from workflow_scripts.acquire.microworld.articles import Question, question_phrasings
from workflow_scripts.acquire.microworld.grammar import NAMES, SIGNS, Grammar, Value, fill
from workflow_scripts.acquire.microworld.names import render
from workflow_scripts.acquire.microworld.output import csv_text, lines, number64
from workflow_scripts.acquire.microworld.spelling import CUT_IN_TWO, mishear
from workflow_scripts.acquire.microworld.tydi_files import Example, translated_wording
from workflow_scripts.files import write_jsonl, write_text
from workflow_scripts.languages import language
from workflow_scripts.recipes.microworld import Microworld

EMPTY = 0.05  # transcripts that are empty, for each word error of 1 in the rate
NAMES_SUFFER = 3.0  # how much more often a word of a name is hit than another word
LEFT_OUT, RUN_TOGETHER = 0.4, 0.2  # what becomes of other words that are hit; the rest are mistaken
# Edits of words that a hit costs on average.
NAME_COST, OTHER_COST = 1 + CUT_IN_TWO, 1 + RUN_TOGETHER
BILINGUAL = "bilingual-en-US"  # the dialect of questions that are read aloud in English translation
SPEAKERS = 8  # of each dialect
GRAPHEME = regex.compile(r"\X")
SMALL = str.maketrans(dict.fromkeys(SIGNS, ""))


def write_questions(out: Path, split: str, code: str, found: Sequence[Example]) -> None:
    """SD-QA's list of the questions of its dev or test set, by which others know which questions these are."""
    row = language(code)
    listed = (f"{one.example_id}\tFalse\t{one.record['question_text']}" for one in found)
    header = f"ID\tin XOR {split}\tsentence"
    write_text(out / f"sdqa/{split}/{row.iso3}/{row.tydi}.{split}.txt", lines([header, *listed]))


def write_transcripts(
    out: Path,
    split: str,
    grammar: Grammar,
    found: Sequence[Example],
    dialects: Mapping[str, float],
    seed: int,
) -> None:
    """Transcripts of the questions in each dialect (`region-locale` -> word error rate), in the forms SD-QA has."""
    row = language(grammar.language)
    folder = out / f"sdqa/{split}/{row.iso3}"
    known = words_alike(grammar)
    heard: dict[str, list[str]] = {}
    for dialect, rate in dialects.items():
        draws = ((random.Random(f"{seed} {one.example_id} {dialect}"), one) for one in found)
        heard[dialect] = [transcript(rng, grammar, known, one.article.question, rate) for rng, one in draws]
        region = dialect.partition("-")[0]
        stem = f"{folder}/{region}/{row.tydi}.{split}.{dialect}"
        write_dialect(stem, f"SD-QA/{split}/{row.iso3}/{region}/wav_{row.iso3}", found, heard[dialect])
        write_text(folder / region / "metadata.csv", csv_text(metadata(found, row.iso3, region, seed)))
    table = [["", "ID", f"in XOR {split}", f"{row.tydi}-gold", *heard]]
    for number, (one, *texts) in enumerate(zip(found, *heard.values(), strict=True)):
        table.append([str(number), str(one.example_id), "False", one.record["question_text"], *texts])
    write_text(folder / f"{row.tydi}.{split}.csv", csv_text(table))


def write_dialect(stem: str, audio: str, found: Sequence[Example], texts: Sequence[str]) -> None:
    """What was heard of each question, as `example_id<TAB>text`, as TyDi records and as triples.

    As in the builder of the official files, records and triples skip empty transcripts, and get the question mark that
    written questions have.
    """
    both = list(zip(found, texts, strict=True))
    write_text(f"{stem}.txt", lines(f"{one.example_id}\t{text}" for one, text in both))
    records = [one.record | {"question_text": f"{text} ?"} for one, text in both if text]
    write_jsonl(f"{stem}.jsonl.gz", records)
    triples = (json.dumps(triple(record, audio), ensure_ascii=False) for record in records)
    write_text(f"{stem}.triples.jsonl", lines(triples))


def write_readings(
    out: Path,
    split: str,
    code: str,
    found: Sequence[Example],
    english: Grammar,
    rate: float,
    recipe: Microworld,
) -> None:
    """The questions as bilingual speakers read them in English and a recogniser heard them: `example_id<TAB>text`.

    Of each question the wording that its written translation has.
    """
    known = words_alike(english)
    phrasings = question_phrasings(recipe, "test")
    heard = []
    for one in found:
        _, phrasing = translated_wording(one, english, phrasings, recipe)
        rng = random.Random(f"{recipe.seed} {one.example_id} {BILINGUAL}")
        asked = replace(one.article.question, phrasing=phrasing)
        heard.append(f"{one.example_id}\t{transcript(rng, english, known, asked, rate)}")
    name = f"{language('en').tydi}.{split}.{BILINGUAL}.txt"
    write_text(out / f"sdqa/{split}/{language(code).iso3}/{name}", lines(heard))


def words_alike(grammar: Grammar) -> dict[str, list[str]]:
    """For every word of the language's sentences the others that begin with the same two letters, or with the same."""
    tokens = (token for both in grammar.phrasings.values() for one in both for of in one for token in of)
    known = {plain(token.before): GRAPHEME.findall(plain(token.before)) for token in tokens if not token.slot}
    known.pop("", None)
    begin: dict[str, list[str]] = {}
    for word, letters in sorted(known.items()):
        for start in dict.fromkeys(("".join(letters[:1]), "".join(letters[:2]))):
            begin.setdefault(start, []).append(word)
    found = {}
    for word, letters in known.items():
        starts = ("".join(letters[:2]), letters[0])
        others = ([other for other in begin[start] if other != word] for start in starts)
        found[word] = next(filter(None, others), [])
    return found


def plain(text: str) -> str:
    """A text in small letters without punctuation."""
    return text.lower().translate(SMALL)


def transcript(
    rng: random.Random,
    grammar: Grammar,
    known: Mapping[str, Sequence[str]],
    question: Question,
    errors: float,
) -> str:
    """What is heard of a question, with so many word errors for each word on average ("" for nothing).

    `known` has the words that others are taken for (`words_alike`).
    """
    nothing = EMPTY * errors
    if rng.random() < nothing:
        return ""
    slots = {token.slot for token in grammar.phrasings[question.key][question.phrasing - 1][0]}
    names = [str(value) for slot, value in question.values.items() if slot in slots & set(NAMES)]
    total = len(spoken(grammar, question, {}))
    of_names = sum(len(name.split()) for name in names)
    cost = NAMES_SUFFER * NAME_COST * of_names + OTHER_COST * (total - of_names)
    chance = total * (errors - nothing) / (1 - nothing) / cost
    spelled: dict[Value, str] = {
        name: " ".join(
            mishear(word, grammar.language, rng)
            if rng.random() < NAMES_SUFFER * chance
            else render(word, grammar.language)
            for word in name.split()
        )
        for name in names
    }
    return " ".join(damaged(rng, spoken(grammar, question, spelled), known, chance))


def spoken(grammar: Grammar, question: Question, spelled: Mapping[Value, str]) -> list[tuple[str, bool]]:
    """The question's words in small letters without punctuation, and whether each belongs to a name."""
    sentence = fill(grammar, question.key, question.phrasing, question.values, spelled)
    return [
        (word, piece.slot in set(NAMES))
        for piece in sentence.pieces
        for word in plain(sentence.text[piece.start : piece.end]).split()
    ]


def damaged(
    rng: random.Random,
    words: Sequence[tuple[str, bool]],
    known: Mapping[str, Sequence[str]],
    chance: float,
) -> list[str]:
    """The words, of which each that belongs to no name is hit with a chance."""
    left, position = [], 0
    while position < len(words):
        word, named = words[position]
        position += 1
        if not named and rng.random() < chance:
            fate = rng.random()
            if fate < LEFT_OUT:
                continue
            if fate < LEFT_OUT + RUN_TOGETHER and position < len(words) and not words[position][1]:
                word += words[position][0]
                position += 1
            else:
                others = known.get(word)
                if not others:
                    continue
                word = rng.choice(others)
        left.append(word)
    return left


def triple(record: Mapping[str, Any], audio: str) -> dict[str, Any]:
    """SD-QA's (audio, question, answers) of a TyDi record: every span and passage that an annotator marked, sorted."""
    text = record["document_plaintext"].encode("utf-8")
    marked = [one["minimal_answer"] for one in record["annotations"]]
    marked += [
        record["passage_answer_candidates"][index]
        for one in record["annotations"]
        if (index := one["passage_answer"]["candidate_index"]) >= 0
    ]
    answers = sorted(
        {
            text[span["plaintext_start_byte"] : span["plaintext_end_byte"]].decode("utf-8")
            for span in marked
            if span["plaintext_start_byte"] >= 0
        }
    )
    return {
        "example_id": record["example_id"],
        "question": record["question_text"],
        "answer": answers[0] if answers else "-1",
        "answers": answers,
        "has_answer": bool(answers),
        "audio_path": f"{audio}/{record['example_id']}.wav",
        "audio_exists": False,
    }


def metadata(found: Sequence[Example], iso3: str, region: str, seed: int) -> list[list[object]]:
    """SD-QA's table of who reads which question aloud: invented speakers of a region."""
    header = "example_id user_id region language gender age device lang_spoken mother_tongue audio_file"
    rows: list[list[object]] = [["", *header.split()]]
    for number, one in enumerate(found):
        speaker = (
            f"{iso3.upper()}{number64(seed, iso3, region, number64(one.example_id) % SPEAKERS) % 10**7:07}"
        )
        rng = random.Random(f"{seed} {speaker}")
        who = [
            rng.choice(("female", "male")),
            rng.randint(18, 70),
            rng.choice(("android", "ios")),
            iso3,
            iso3,
        ]
        rows.append([number, one.example_id, speaker, region, iso3, *who, ""])
    return rows
