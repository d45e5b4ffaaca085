"""Word error rates of transcribed questions by language and dialect, as SD-QA reports them (Faisal et al. 2021).

Substituted, left out and added words for each word of the question as written, after both are put in small letters and
a question mark at the end is cut off; nothing else is normalised, so "Je," and "je" are two words.  A question that
nothing was heard of has the rate 1.  Two figures: SD-QA's, the mean of the questions' rates, each rounded to three
places as its files have them; and the usual one, all errors over all words.

Files are SD-QA's, in any form, or `example_id<TAB>text`; those that hold no written questions need `--gold` or, where
they have been read into a corpus, `--questions`.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import jiwer

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import read_questions
from workflow_scripts.files import write_text
from workflow_scripts.languages import language
from workflow_scripts.sdqa_format import GOLD, Transcript, read_sdqa

PLACES = 3


@dataclass(frozen=True)
class Errors:
    """Word errors of one transcript: what is wrong with it and how many words the question has."""

    substitutions: int
    deletions: int
    insertions: int
    words: int

    @property
    def rate(self) -> float:
        """The word error rate as SD-QA's files have it, rounded."""
        return round((self.substitutions + self.deletions + self.insertions) / self.words, PLACES)


@dataclass(frozen=True)
class Row:
    """The figures of one dialect; `empty` transcripts count among the questions."""

    language: str
    dialect: str
    questions: int
    empty: int
    words: int
    substitutions: int
    deletions: int
    insertions: int
    mean: float
    corpus: float


def plain(text: str) -> str:
    """A question in small letters without the question mark at its end."""
    return text.strip().lower().removesuffix("?").rstrip()


def errors(gold: str, heard: str) -> Errors:
    """The word errors of what was heard of a question, by an alignment with the fewest (jiwer)."""
    found = jiwer.process_words(plain(gold), plain(heard))
    words = found.hits + found.substitutions + found.deletions
    return Errors(found.substitutions, found.deletions, found.insertions, words)


def row(dialect: str, transcripts: Iterable[Transcript]) -> Row:
    """The figures of one dialect's transcripts, each of which has its written question, and that has words.

    Raises InputError for a dialect whose locale tells no known language.
    """
    both = [(one.text, errors(one.gold or "", one.text)) for one in transcripts]
    found = [each for _, each in both]
    code = dialect.split("-")[1] if dialect.count("-") == 2 else ""
    if not code:
        raise InputError(f"dialect {dialect!r}: give region and locale, such as kenya-sw-KE")
    words = sum(each.words for each in found)
    substitutions = sum(each.substitutions for each in found)
    deletions = sum(each.deletions for each in found)
    insertions = sum(each.insertions for each in found)
    return Row(
        language=language(code).code,
        dialect=dialect,
        questions=len(found),
        empty=sum(not text for text, _ in both),
        words=words,
        substitutions=substitutions,
        deletions=deletions,
        insertions=insertions,
        mean=sum(each.rate for each in found) / len(found),
        corpus=(substitutions + deletions + insertions) / words,
    )


def heard(argument: str) -> list[Transcript]:
    """The transcripts of an argument [DIALECT=]FILE.  Raises InputError where nothing tells their dialect."""
    dialect, equals, file = argument.partition("=")
    if not equals or "/" in dialect:
        dialect, file = "", argument
    found = list(read_sdqa(file))
    if dialect:
        return [replace(one, dialect=dialect) for one in found if one.dialect in (dialect, "")]
    if any(not one.dialect for one in found):
        raise InputError(f"{file}: its name tells no dialect; give --transcripts kenya-sw-KE={file}")
    return found


def with_gold(
    transcripts: Iterable[Transcript],
    gold: Mapping[str, str],
    translated: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> tuple[list[Transcript], int]:
    """Transcripts of spoken questions with the question as written, and how many have none, or one without words.

    gold: example id -> original question; translated: (example id, language) -> its translation, where that was spoken.
    """
    kept: list[Transcript] = []
    without = 0
    for one in transcripts:
        if one.dialect == GOLD:
            continue
        spoken = translated.get((one.example_id, "".join(one.dialect.split("-")[1:2])))
        written = one.gold or spoken or gold.get(one.example_id, "")
        if plain(written):
            kept.append(replace(one, gold=written))
        else:
            without += 1
    return kept, without


def rows(transcripts: Sequence[Transcript]) -> list[Row]:
    """A row for each dialect, sorted by language and dialect."""
    dialects = dict.fromkeys(one.dialect for one in transcripts)
    found = [row(dialect, (one for one in transcripts if one.dialect == dialect)) for dialect in dialects]
    return sorted(found, key=lambda one: (one.language, one.dialect))


def to_csv(table: Sequence[Row]) -> str:
    """The rows as comma-separated values with a header, rates in full."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(Row.__dataclass_fields__)
    writer.writerows([getattr(one, name) for name in Row.__dataclass_fields__] for one in table)
    return buffer.getvalue()


def to_markdown(table: Sequence[Row]) -> str:
    """The rows as a Markdown table, rates in percent; under each language of several dialects their average."""
    lines = [
        "Word error rates in percent: mean over questions (SD-QA's) and all errors over all words.",
        "",
        "| language | dialect | questions | empty | mean WER | corpus WER |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for code in dict.fromkeys(one.language for one in table):
        own = [one for one in table if one.language == code]
        name = language(code).name
        for one in own:
            rates = f"{100 * one.mean:.1f} | {100 * one.corpus:.1f}"
            lines.append(f"| {name} | {one.dialect} | {one.questions} | {one.empty} | {rates} |")
        if len(own) > 1:
            mean, corpus = (
                100 * sum(rates) / len(own)
                for rates in zip(*((one.mean, one.corpus) for one in own), strict=True)
            )
            lines.append(f"| {name} | *average* | | | {mean:.1f} | {corpus:.1f} |")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--transcripts",
        required=True,
        nargs="+",
        metavar="[DIALECT=]FILE",
        help="transcripts; with a dialect, such as kenya-sw-KE, those in it or in none that the file tells",
    )
    arguments.add_argument("--gold", nargs="*", default=[], metavar="FILE", help="SD-QA's lists of questions")
    arguments.add_argument(
        "--questions", nargs="*", default=[], metavar="TABLE", help="questions as written (.parquet)"
    )
    arguments.add_argument("--out", required=True, help="the table to write (.csv)")
    arguments.add_argument("--markdown", required=True, help="the table to write for reading (.md)")
    given = arguments.parse_args(argv)
    questions = [one for table in given.questions for one in read_questions(table)]
    gold = {one.source_id: one.text for one in questions if one.question_id == one.source_id}
    translated = {
        (one.source_id, one.language): one.text for one in questions if one.question_id != one.source_id
    }
    gold |= {
        one.example_id: one.text for file in given.gold for one in read_sdqa(file) if one.dialect == GOLD
    }
    transcripts = [one for argument in dict.fromkeys(given.transcripts) for one in heard(argument)]
    kept, without = with_gold(transcripts, gold, translated)
    if not kept:
        raise InputError(
            f"{', '.join(given.transcripts)}: no transcript has its question as written; name SD-QA's lists with"
            " --gold"
        )
    made = rows(kept)
    write_text(given.out, to_csv(made))
    write_text(given.markdown, to_markdown(made))
    print(to_markdown(made), end="")
    if without:
        print(f"{without} transcripts left out that no written question is known of")


if __name__ == "__main__":
    run(main)
