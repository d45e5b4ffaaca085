"""Set a custom development split aside from training questions, since TyDi QA's own development set is the test set.

Faisal & Anastasopoulos (2021) take their development questions from TyDi's train file; SD-QA publishes such ids
(`dev/<iso3>/<language>.dev.txt`, tab-separated, its ids under the header ID).  Given those lists, the questions they
name are set aside; otherwise a seeded sample of each language, which depends on the ids alone and not on their order.
With `size`, a sample of all questions in which each language has its share, drawn as MuCoT's published code does, by
scikit-learn: of the rows of ChAII's train file the test questions of its k-th split (seed: k).  Training questions then
stay in the order in which scikit-learn leaves them, so that a sample of them is the code's validation questions.

Train questions have one annotation each, so development scores need `--annotators 1`; the histogram printed tells.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

from sklearn.model_selection import train_test_split

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.corpus import Question, read_documents, read_questions, write_dropped, write_questions
from workflow_scripts.files import read_lines
from workflow_scripts.languages import language
from workflow_scripts.recipes.splits import PER_LANGUAGE, Splits


def read_ids(file: str) -> list[str]:
    """The ids of an SD-QA list, in order, each once.  Raises InputError where there is no column ID or it has a gap."""
    lines = [line.removesuffix("\r").split("\t") for line in read_lines(file)]
    if not lines or "ID" not in lines[0]:
        raise InputError(f"{file}: the first line must name tab-separated columns, one of them ID")
    column = lines[0].index("ID")
    for number, line in enumerate(lines[1:], 2):
        if len(line) <= column or not line[column].strip():
            raise InputError(f"{file} line {number}: no id in column {column + 1}")
    return list(dict.fromkeys(line[column].strip() for line in lines[1:]))


def published(
    lists: Sequence[str], questions: Sequence[Question], table: str
) -> tuple[set[str], list[tuple[str, str]]]:
    """Ids named by lists (CODE=FILE each) that are questions of the table, and (id, reason) for those that are not.

    Raises InputError where a list names a question in another language than its own.
    """
    languages = {question.question_id: question.language for question in questions}
    chosen: set[str] = set()
    absent: list[tuple[str, str]] = []
    for given in lists:
        code, separator, file = given.partition("=")
        if not (separator and file):
            raise InputError(f"--ids {given}: expected <language>=<file>")
        for name in read_ids(file):
            if name not in languages:
                absent.append((name, f"listed in {file}, but no question of {table}"))
            elif languages[name] != language(code).code:
                raise InputError(f"{file}: question {name} is in {languages[name]}, not in {code}")
            else:
                chosen.add(name)
    return chosen, absent


def sample(questions: Sequence[Question], per_language: int, seed: int) -> set[str]:
    """Ids of `per_language` questions of each language; the same whatever the order of `questions`.

    Raises InputError where a language would have none left to train on.
    """
    chosen: set[str] = set()
    for code in sorted({question.language for question in questions}):
        ids = [question.question_id for question in questions if question.language == code]
        if len(ids) <= per_language:
            raise InputError(
                f"per_language is {per_language}, but there are only {len(ids)} questions in {code}, which would"
                " leave none to train on"
            )
        ids.sort(key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
        chosen.update(ids[:per_language])
    return chosen


def stratified(
    questions: Sequence[Question], size: int, seed: int
) -> tuple[Sequence[Question], Sequence[Question]]:
    """The others, and `size` questions, each language in its share: as scikit-learn draws them of these in this order.

    Both are in the order in which it draws them.  Raises InputError where it cannot be drawn.
    """
    languages = [question.language for question in questions]
    try:
        others, chosen = train_test_split(questions, test_size=size, random_state=seed, stratify=languages)
    except ValueError as error:
        raise InputError(
            f"size is {size}, of {len(questions)} questions in {', '.join(sorted(set(languages)))}: {error}"
        ) from None
    return others, chosen


def histogram(questions: Sequence[Question]) -> str:
    """How many questions have how many annotations, as a phrase."""
    counts = Counter(len(question.annotations) for question in questions)
    return ", ".join(
        f"{count} with {number} annotation{'' if number == 1 else 's'}"
        for number, count in sorted(counts.items())
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Splits)
    arguments.add_argument("--questions", required=True, help="the questions table to split (.parquet)")
    arguments.add_argument("--documents", required=True, help="its documents table (.parquet)")
    arguments.add_argument(
        "--ids",
        nargs="*",
        default=[],
        metavar="CODE=FILE",
        help="SD-QA lists of development ids by language; without them, a sample",
    )
    arguments.add_argument("--train", required=True, help="questions to train on, to write (.parquet)")
    arguments.add_argument("--dev", required=True, help="questions set aside, to write (.parquet)")
    arguments.add_argument(
        "--dropped", required=True, help="listed ids that are no question of the table (.jsonl)"
    )
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Splits)
    questions = read_questions(given.questions)
    listed, absent = published(given.ids, questions, given.questions)
    others: Sequence[Question] = questions
    if given.ids:
        chosen = listed
        if not chosen:
            raise InputError(f"--ids {' '.join(given.ids)}: no id is a question of {given.questions}")
    elif recipe.size is not None:
        others, drawn = stratified(questions, recipe.size, recipe.seed)
        chosen = {question.question_id for question in drawn}
    else:
        chosen = sample(questions, recipe.per_language or PER_LANGUAGE, recipe.seed)
    dev = [question for question in questions if question.question_id in chosen]
    train = [question for question in others if question.question_id not in chosen]
    if not train:
        raise InputError(f"{given.questions}: every question is set aside, none is left to train on")
    documents = read_documents(given.documents)
    write_questions(given.dev, dev, documents)
    write_questions(given.train, train, documents)
    write_dropped(given.dropped, absent)
    print(f"train: {len(train)} questions, {histogram(train)}")
    print(f"dev: {len(dev)} questions, {histogram(dev)}")
    if given.ids:
        print(f"{len(absent)} listed ids are no question of the table, see {given.dropped}")


if __name__ == "__main__":
    run(main)
