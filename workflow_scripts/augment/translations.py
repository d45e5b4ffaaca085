"""Import question translations into a table: from tab-separated files, or from two corpora that ask the same questions.

A file holds `example_id<TAB>text` lines, the form that micro-world, translators and published translations share here.
Two corpora (XQuAD in English and in Arabic) give the text of the second as the translation of the first.  Either way
the table's `item` is the id of the original question.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import Question, read_questions, read_table, write_dropped, write_table
from workflow_scripts.files import read_lines
from workflow_scripts.languages import language


@dataclass(frozen=True)
class Translation:
    """One text in another language; `made_by` is the translator or its source.

    `item` is the question that it translates, or empty: then it translates whatever has this text.
    """

    item: str
    source_language: str
    target_language: str
    source_text: str
    text: str
    made_by: str

    def key(self) -> tuple[str, str, str, str]:
        """What a table has at most one row of: an item, or a text of no item, in two languages."""
        return self.item, self.source_language, self.target_language, "" if self.item else self.source_text

    def subject(self) -> str:
        """What is translated, for messages."""
        return f"item {self.item}" if self.item else f"the text {self.source_text[:60]!r}"


TRANSLATIONS = pa.schema([(name, pa.string()) for name in Translation.__dataclass_fields__])


def write_translations(path: Path | str, translations: Sequence[Translation]) -> None:
    """Write the table; raises InputError where an item, or a text of none, has two translations into one language."""
    seen: set[tuple[str, str, str, str]] = set()
    for given in translations:
        key = given.key()
        if key in seen:
            raise InputError(
                f"{path}: {given.subject()} is translated from {given.source_language} to {given.target_language} twice"
            )
        seen.add(key)
    write_table(path, [asdict(given) for given in translations], TRANSLATIONS)


def read_translations(path: Path | str) -> list[Translation]:
    """The table, in the order of the file."""
    return [Translation(**row) for row in read_table(path, TRANSLATIONS)]


def from_file(
    file: str, source: str, target: str, questions: dict[str, Question], made_by: str
) -> tuple[list[Translation], list[tuple[str, str]]]:
    """Translations of a tab-separated file, and (id, reason) for lines about questions that are not in the corpus.

    Raises InputError naming the line that is malformed, repeats an id or is about a question in another language.
    """
    translations: list[Translation] = []
    unknown: list[tuple[str, str]] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(read_lines(file), 1):
        columns = line.removesuffix("\r").split("\t")
        if len(columns) != 2 or not columns[0].strip():
            raise InputError(f"{file} line {number}: {len(columns)} columns; a line is example_id<TAB>text")
        item, text = columns[0].strip(), columns[1]
        if item in seen:
            raise InputError(
                f"{file} line {number}: id {item} stands on line {seen[item]} too; give each once"
            )
        seen[item] = number
        question = questions.get(item)
        if question is None:
            unknown.append((item, f"{file} line {number}: no such question in the corpus"))
        elif question.language != source:
            raise InputError(
                f"{file} line {number}: question {item} is in {question.language}, not in {source}; name the file"
                f" {question.language}-{target}"
            )
        else:
            translations.append(Translation(item, source, target, question.text, text, made_by))
    return translations, unknown


def from_corpora(
    first: Sequence[Question], second: Sequence[Question], made_by: str
) -> tuple[list[Translation], list[tuple[str, str]]]:
    """The text of each question of `second` as the translation of the question of `first` with the same id.

    Also (id, reason) for questions of `first` that `second` lacks.  Raises InputError where they share no id.
    """
    counterparts = {question.question_id: question for question in second}
    translations: list[Translation] = []
    unknown: list[tuple[str, str]] = []
    for question in first:
        other = counterparts.get(question.question_id)
        if other is None:
            unknown.append((question.question_id, "the other corpus has no question of this id"))
        elif other.language == question.language:
            raise InputError(
                f"--corpora: question {question.question_id} is in {question.language} in both corpora"
            )
        else:
            translations.append(
                Translation(
                    question.question_id,
                    question.language,
                    other.language,
                    question.text,
                    other.text,
                    made_by,
                )
            )
    if not translations:
        raise InputError(
            "--corpora: the two corpora share no question id, so neither is a translation of the other"
        )
    return translations, unknown


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--file",
        nargs="+",
        action="extend",
        default=[],
        metavar="EN-AR=FILE",
        help="translations from and to a language (tab-separated); may be repeated",
    )
    arguments.add_argument(
        "--questions",
        nargs="*",
        default=[],
        metavar="TABLE",
        help="the questions that --file translates (.parquet)",
    )
    arguments.add_argument(
        "--corpora",
        action="append",
        nargs=2,
        default=[],
        metavar=("FIRST", "SECOND"),
        help="two questions tables with the same ids; may be repeated",
    )
    arguments.add_argument("--made-by", required=True, help="who translated, for the record")
    arguments.add_argument("--out", required=True, help="the table of translations to write (.parquet)")
    arguments.add_argument("--dropped", required=True, help="translations of unknown questions (.jsonl)")
    given = arguments.parse_args(argv)
    if not given.file and not given.corpora:
        raise InputError("give --file or --corpora; there is nothing to import")
    if given.file and not given.questions:
        raise InputError("--file needs --questions, the table of the questions that it translates")
    questions = {q.question_id: q for table in given.questions for q in read_questions(table)}
    translations: list[Translation] = []
    dropped: list[tuple[str, str]] = []
    for text in given.file:
        pair, separator, file = text.partition("=")
        source, dash, target = pair.partition("-")
        if not (separator and file and dash) or source == target:
            raise InputError(f"--file {text}: expected <language>-<other language>=<file>")
        found, unknown = from_file(
            file, language(source).code, language(target).code, questions, given.made_by
        )
        if unknown and not found:
            raise InputError(
                f"{file}: none of its {len(unknown)} ids is a question in {', '.join(given.questions)}"
            )
        translations += found
        dropped += unknown
    for first, second in given.corpora:
        found, unknown = from_corpora(read_questions(first), read_questions(second), given.made_by)
        translations += found
        dropped += unknown
    write_translations(given.out, translations)
    write_dropped(given.dropped, dropped)
    print(f"{len(translations)} translations; {len(dropped)} without their question, see {given.dropped}")


if __name__ == "__main__":
    run(main)
