"""Sentence pairs of a corpus and its translation, for a word aligner, whose links help to find answers again.

What is paired: sentences of the documents, questions, and answers that were translated by themselves, which are short
and therefore teach the aligner most.  Each distinct pair stands there once, as `words ||| words`; who reads the links
looks a pair up by its words.
"""

from collections.abc import Mapping, Sequence

from workflow_scripts.augment.renderings import Rendering, add_options, read_rendering
from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import Document, Question, read_documents, read_questions
from workflow_scripts.files import write_text
from workflow_scripts.languages import language
from workflow_scripts.pairs import Pair
from workflow_scripts.words import words


def pairs(
    documents: Mapping[str, Document], questions: Sequence[Question], rendering: Rendering, source: str
) -> list[Pair]:
    """The distinct pairs of word lists, from the language `source`, in the order of the questions."""
    found: dict[tuple[str, str], None] = {}

    def add(text: str, translation: str | None) -> None:
        if translation is not None:
            found[text, translation] = None

    seen: set[str] = set()
    for question in questions:
        document = documents[question.doc_id]
        if question.language == source:
            add(question.text, rendering.question(question))
        if document.language != source:
            continue
        for annotation in question.annotations:
            if annotation.text:
                add(annotation.text, rendering.answer(question, document, annotation.text))
        told = rendering.sentences(document) if document.doc_id not in seen else []
        seen.add(document.doc_id)
        if not isinstance(told, str):
            for sentence in told:
                add(document.text[slice(*sentence.span)], sentence.translation)
    split = {
        (tuple(words(text)), tuple(words(translation))): None
        for text, translation in found
        if text != translation
    }
    return [(list(first), list(second)) for first, second in split if first and second]


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--documents", required=True, help="the corpus's documents (.parquet)")
    arguments.add_argument("--questions", required=True, help="its questions (.parquet)")
    arguments.add_argument("--from", dest="source", required=True, help="language of the first of each pair")
    arguments.add_argument("--to", dest="target", required=True, help="language of the second")
    add_options(arguments)
    arguments.add_argument("--out", required=True, help="file of 'words ||| words' to write")
    given = arguments.parse_args(argv)
    source, target = language(given.source).code, language(given.target).code
    documents, questions = read_documents(given.documents), read_questions(given.questions)
    rendering = read_rendering(given, target, documents, questions)
    found = pairs(documents, questions, rendering, source)
    if not found:
        raise InputError(
            f"{given.questions}: nothing of this corpus is translated from {source} to {target} in"
            f" {', '.join(given.translations or given.records)}"
        )
    write_text(given.out, "".join(f"{' '.join(first)} ||| {' '.join(second)}\n" for first, second in found))
    print(f"{len(found)} pairs {source}-{target}")


if __name__ == "__main__":
    run(main)
