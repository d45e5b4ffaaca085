"""Read TyDi QA's official primary-task files (JSON lines, packed or not) into a corpus.

Each record is a question on one article, named by its example id.  Byte offsets become character offsets; the train
file's single annotation, the dev file's three and the leaderboard input's none are all accepted.
"""

from collections import Counter
from collections.abc import Sequence

from workflow_scripts.acquire.outputs import add_outputs, write_outputs
from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import (
    Document,
    Question,
    example_id,
)
from workflow_scripts.files import read_jsonl
from workflow_scripts.languages import from_tydi, language
from workflow_scripts.tydi_format import Unusable, from_record


def read_tydi(
    files: Sequence[str], languages: Sequence[str]
) -> tuple[list[Document], list[Question], list[tuple[str, str]], Counter[str]]:
    """Documents, questions, (id, reason) of dropped records, and how many records of each language were left out.

    `languages` are the codes to keep.  Raises InputError for a line that is no TyDi record, an unknown language and an
    example id that occurs twice.
    """
    wanted = {language(code).code for code in languages}
    documents: list[Document] = []
    questions: list[Question] = []
    dropped: list[tuple[str, str]] = []
    left_out: Counter[str] = Counter()
    seen: dict[str, str] = {}
    for file in files:
        for number, record in read_jsonl(file):
            where = f"{file} line {number}"
            try:
                name = str(record["example_id"])
                if name != str(example_id(name)):
                    raise InputError(f"{where}: example_id is {name}, but ids are signed 64-bit integers")
                if name in seen:
                    raise InputError(
                        f"{where}: example_id {name} stands on {seen[name]} too; give each record once"
                    )
                seen[name] = where
                spoken = from_tydi(record["language"], where)
                if spoken.code not in wanted:
                    left_out[spoken.name] += 1
                    continue
                document, question = from_record(record, where)
            except Unusable as error:
                dropped.append((name, str(error)))
                continue
            except KeyError as error:
                raise InputError(
                    f"{where}: {error.args[0]} is missing, so this is no TyDi QA primary-task record"
                ) from None
            except (TypeError, AttributeError) as error:
                raise InputError(f"{where}: not a TyDi QA primary-task record ({error})") from None
            documents.append(document)
            questions.append(question)
    return documents, questions, dropped, left_out


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--in", dest="files", required=True, nargs="+", help="official files (.jsonl[.gz])"
    )
    arguments.add_argument("--languages", required=True, nargs="+", help="codes of the languages to keep")
    add_outputs(arguments)
    given = arguments.parse_args(argv)
    documents, questions, dropped, left_out = read_tydi(given.files, given.languages)
    if not documents:
        raise InputError(
            f"{', '.join(given.files)}: no usable record in {', '.join(given.languages)}"
            f" ({len(dropped)} dropped, {left_out.total()} left out)"
        )
    write_outputs(
        given,
        documents,
        questions,
        dropped,
        {
            f"records in {name} left out, which is not asked for": count
            for name, count in sorted(left_out.items())
        },
    )


if __name__ == "__main__":
    run(main)
