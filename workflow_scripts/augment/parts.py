"""The texts of a corpus that translators are given: its questions, or with them its answers and all sentences.

`--what questions` is what is asked in other languages over the same contexts (aligned_qa); `--what corpus` is all that
a translated corpus is put together from (MuCoT): sentences as `sentences` cuts them, and answers by themselves, which
tell what to look for in the translated context.  Contexts that no question asks about are left out.
"""

from collections.abc import Iterator, Mapping, Sequence

from workflow_scripts.augment.sentences import sentences
from workflow_scripts.augment.texts import write_texts
from workflow_scripts.cli import parser, run
from workflow_scripts.corpus import Document, Question, read_documents, read_questions


def question_texts(questions: Sequence[Question]) -> Iterator[tuple[str, str]]:
    """(language, text) of every question."""
    return ((question.language, question.text) for question in questions)


def corpus_texts(
    documents: Mapping[str, Document], questions: Sequence[Question]
) -> Iterator[tuple[str, str]]:
    """(language, text) of every question, of every answer, and of every sentence of a document that is asked about."""
    yield from question_texts(questions)
    for question in questions:
        code = documents[question.doc_id].language
        yield from ((code, answer.text) for answer in question.annotations if answer.text)
    for name in dict.fromkeys(question.doc_id for question in questions):
        document = documents[name]
        yield from ((document.language, document.text[slice(*span)]) for span in sentences(document))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--documents", required=True, help="the corpus's documents (.parquet)")
    arguments.add_argument("--questions", required=True, help="its questions (.parquet)")
    arguments.add_argument("--what", required=True, choices=("questions", "corpus"), help="see above")
    arguments.add_argument("--out", required=True, help="the table of texts to write (.parquet)")
    given = arguments.parse_args(argv)
    questions = read_questions(given.questions)
    found = dict.fromkeys(
        question_texts(questions)
        if given.what == "questions"
        else corpus_texts(read_documents(given.documents), questions)
    )
    write_texts(given.out, found)
    print(f"{len(found)} texts of {sum(len(text) for _, text in found)} characters")


if __name__ == "__main__":
    run(main)
