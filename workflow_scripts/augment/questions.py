"""Derive questions in other languages from a table of translations: TyDi+aug of Faisal & Anastasopoulos (2021), 3.1.

Article, passages and answers stay as they are, only the question is asked in another language, so the derived corpus
has a questions table of its own and the documents of its root.  `--from en --to ar bn` gives English questions in
Arabic and Bengali, `--from ar bn --to en` the others in English; a language is not translated into itself.  The
translation of a question goes before one of its text, whosever that is (`item` empty).
"""

from collections.abc import Sequence

from workflow_scripts.augment.translations import Translation, read_translations
from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import (
    Question,
    derive,
    read_documents,
    read_questions,
    write_dropped,
    write_questions,
)
from workflow_scripts.languages import language


def translated(
    questions: Sequence[Question],
    translations: Sequence[Translation],
    sources: Sequence[str],
    targets: Sequence[str],
) -> tuple[list[Question], list[tuple[str, str]]]:
    """Each question in a source language once for each other target language, and (id, reason) where that fails.

    Raises InputError for a question that is itself derived, and for an item, or a text of no item, that is translated
    into one language twice.
    """
    table: dict[tuple[str, str, str, str], Translation] = {}
    for given in translations:
        key = given.key()
        if key in table:
            raise InputError(f"two translations of {given.subject()} from {key[1]} to {key[2]}; give one")
        table[key] = given
    derived: list[Question] = []
    dropped: list[tuple[str, str]] = []
    for question in questions:
        if question.question_id != question.source_id:
            raise InputError(
                f"question {question.question_id} is itself a translation; derive questions from original ones"
            )
        for target in targets if question.language in sources else ():
            if target == question.language:
                continue
            own = (question.question_id, question.language, target, "")
            found = table.get(own) or table.get(("", question.language, target, question.text))
            name = f"{question.source_id}@{target}"
            if found is None:
                dropped.append((name, f"no translation from {question.language} to {target}"))
            elif not found.text.strip():
                dropped.append((name, f"its translation from {question.language} to {target} is empty"))
            elif found.source_text != question.text:
                dropped.append((name, f"what was translated is another text: {found.source_text!r}"))
            else:
                derived.append(derive(question, target, found.text, found.made_by))
    return derived, dropped


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--questions", required=True, help="original questions (.parquet)")
    arguments.add_argument("--documents", required=True, help="their documents table (.parquet)")
    arguments.add_argument(
        "--translations", required=True, nargs="+", help="tables of translations (.parquet)"
    )
    arguments.add_argument(
        "--from", dest="sources", required=True, nargs="+", help="languages of the originals"
    )
    arguments.add_argument("--to", dest="targets", required=True, nargs="+", help="languages to ask in")
    arguments.add_argument("--out", required=True, help="the derived questions to write (.parquet)")
    arguments.add_argument(
        "--dropped", required=True, help="questions without a translation, with reasons (.jsonl)"
    )
    given = arguments.parse_args(argv)
    for code in (*given.sources, *given.targets):
        language(code)
    if set(given.sources) == set(given.targets) and len(set(given.sources)) == 1:
        raise InputError(f"--from {given.sources[0]} --to {given.targets[0]}: nothing to translate")
    translations = [row for table in given.translations for row in read_translations(table)]
    derived, dropped = translated(
        read_questions(given.questions), translations, given.sources, list(dict.fromkeys(given.targets))
    )
    if not derived:
        raise InputError(
            f"{given.questions}: no question in {', '.join(given.sources)} has a translation into"
            f" {', '.join(given.targets)} in {', '.join(given.translations)} ({len(dropped)} dropped)"
        )
    write_questions(given.out, derived, read_documents(given.documents))
    write_dropped(given.dropped, dropped)
    print(f"{len(derived)} questions derived, {len(dropped)} dropped, see {given.dropped}")


if __name__ == "__main__":
    run(main)
