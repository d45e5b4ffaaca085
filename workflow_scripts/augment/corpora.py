"""A whole corpus in another language: documents, questions and answers, each answer found again in its new context.

Translators work sentence by sentence (MuCoT, Kumar et al. 2022, section 4), and the translated document is put together
from their sentences with exact intervals on both sides.  What stands between sentences stays as it is; only where
nothing does, and the target language writes blanks, two translations are kept apart by one.  Passages are carried over.
Answers are found again by `relocate`, each with a method and a confidence; a translation of a translation is as sure
as all of its steps together.

Nothing is lost without a line in --dropped.  A sentence without a translation stays in its own language; a question
goes if its answer is in such a sentence, if it has no translation itself, or if it is less sure than --least-label.
"""

import bisect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from workflow_scripts.augment.projection import Lexicon, learn
from workflow_scripts.augment.relocate import NOTHING_KNOWN, Found, Segment, label, relocate
from workflow_scripts.augment.renderings import Rendering, Sentence, add_options, read_rendering
from workflow_scripts.augment.sentences import Span, touched
from workflow_scripts.cli import InputError, Progress, named_files, parser, run
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
    Relocation,
    read_documents,
    read_questions,
    write_documents,
    write_dropped,
    write_questions,
)
from workflow_scripts.languages import language
from workflow_scripts.pairs import Links, Pair, read_links, read_pairs
from workflow_scripts.recipes.relocation import LABELS, Label
from workflow_scripts.words import words

UNSPACED = ("ja", "km", "lo", "my", "th", "zh")  # written without blanks between words


@dataclass(frozen=True)
class Linked:
    """Word links of the sentence pairs of a corpus, by the words of the pair, and what they say all together."""

    lines: Mapping[tuple[tuple[str, ...], tuple[str, ...]], Links] = field(default_factory=dict)
    lexicon: Lexicon = NOTHING_KNOWN

    def of(self, source: str, target: str) -> Links:
        """The links of a text and its translation; none where they are not known."""
        return self.lines.get((tuple(words(source)), tuple(words(target))), []) if self.lines else []


UNLINKED = Linked()


def linked(pairs: Sequence[Pair], links: Sequence[Links]) -> Linked:
    """The links of sentence pairs, a line each."""
    lines = {(tuple(first), tuple(second)): line for (first, second), line in zip(pairs, links, strict=True)}
    return Linked(lines, learn(pairs, links))


@dataclass(frozen=True)
class Translated:
    """A document in the target language.

    segments: a sentence each, where it stood and where it stands; links: of each, empty where there are none, and
    lexicon: what those of the whole corpus say; untranslated: the numbers of those that stay in the source's language.
    """

    document: Document
    segments: list[Segment]
    links: list[Links]
    lexicon: Lexicon
    untranslated: list[int]


def assemble(
    document: Document, told: Sequence[Sentence], target: str, made_by: str, known: Linked = UNLINKED
) -> Translated:
    """A document put together from the translations of its sentences, named `<source_doc_id>@<target>`."""
    parts: list[str] = []
    segments: list[Segment] = []
    links: list[Links] = []
    length = reached = 0
    other = False  # whether the sentence before reads otherwise than its source
    for sentence in told:
        start, end = sentence.span
        source = document.text[start:end]
        text = source if sentence.translation is None else sentence.translation
        gap = document.text[reached:start]
        was, other = other, text != source
        if not gap and segments and target not in UNSPACED and (was or other):
            gap = " "
        parts += [gap, text]
        begin = length + len(gap)
        length = begin + len(text)
        segments.append(Segment((start, end), (begin, length)))
        links.append(known.of(source, text))
        reached = end
    parts.append(document.text[reached:])
    return Translated(
        Document(
            f"{document.source_doc_id}@{target}",
            target,
            document.title,
            document.url,
            "".join(parts),
            tuple(_moved(passage, segments) for passage in document.passages),
            document.source_doc_id,
            made_by,
        ),
        segments,
        links,
        known.lexicon,
        [number for number, sentence in enumerate(told) if sentence.translation is None],
    )


def _moved(passage: Span, segments: Sequence[Segment]) -> Span:
    """Where a passage, whose borders are inside no sentence, stands in the translated document."""

    def after(number: int, place: int) -> int:
        """A place at the beginning of a sentence, or behind it; before the first (-1) nothing is moved."""
        if number < 0:
            return place
        source, target = segments[number].source, segments[number].target
        return target[0] if place == source[0] else target[1] + place - source[1]

    # A border between two sentences that touch is the end of one passage and the start of another.
    first = bisect.bisect_right(segments, passage[0], key=lambda segment: segment.source[0]) - 1
    last = bisect.bisect_left(segments, passage[1], key=lambda segment: segment.source[0]) - 1
    start = after(first, passage[0])
    return start, max(start, after(last, passage[1]))


def translate(
    question: Question, document: Document, made: Translated, rendering: Rendering, target: str
) -> tuple[Question | None, list[str]]:
    """A question about a translated document, and why it, or one of its answers, is left out.

    It is called `<source_id>@<target>`.  It loses an answer in a sentence that has no translation, and is left out if
    it loses all.
    """
    text = question.text if question.language == target else rendering.question(question)
    if text is None:
        return None, [f"its question has no translation from {question.language} to {target}"]
    annotations: list[Annotation] = []
    places: list[Found] = []
    reasons: list[str] = []
    spans = [segment.source for segment in made.segments]
    for annotation in question.annotations:
        if annotation.start < 0:
            annotations.append(annotation)
            continue
        inside = touched(spans, (annotation.start, annotation.end))
        if not inside:
            reasons.append(f"its answer {annotation.text!r} is nothing but blanks")
        elif any(number in made.untranslated for number in inside):
            reasons.append(f"the sentence with its answer {annotation.text!r} has no translation")
        else:
            told = rendering.answer(question, document, annotation.text)
            found = _found(document.text, (annotation.start, annotation.end), made, inside, told)
            answer = made.document.text[found.start : found.end]
            annotations.append(replace(annotation, start=found.start, end=found.end, text=answer))
            places.append(found)
    if reasons and all((one.passage, one.start, one.yes_no) == (-1, -1, "NONE") for one in annotations):
        return None, reasons
    return (
        replace(
            question,
            question_id=f"{question.source_id}@{target}",
            doc_id=made.document.doc_id,
            language=target,
            text=text,
            annotations=tuple(annotations),
            made_by=rendering.made_by(question, document),
            relocation=_together(question.relocation, places),
        ),
        reasons,
    )


def _found(source: str, answer: Span, made: Translated, inside: range, told: str | None) -> Found:
    """Where an answer, which stands in the sentences `inside`, stands in the translated document.

    Blanks around a sentence are carried over as they are, so those at the edge of an answer stay with it.
    """
    start = max(answer[0], made.segments[inside[0]].source[0])
    end = min(answer[1], made.segments[inside[-1]].source[1])
    target = made.document.text
    found = relocate(source, (start, end), target, made.segments, made.links, told, made.lexicon)
    before, after = source[answer[0] : start], source[end : answer[1]]
    first, last = found.start, found.end
    if first == made.segments[inside[0]].target[0] and target.endswith(before, 0, first):
        first -= len(before)
    if last == made.segments[inside[-1]].target[1] and target.startswith(after, last):
        last += len(after)
    return replace(found, start=first, end=last)


def _together(before: Relocation | None, places: Sequence[Found]) -> Relocation | None:
    """How sure a question's answers are: as the least sure of them, and no surer than in what was translated."""
    if not places:
        return before
    worst = min(places, key=lambda found: found.confidence)
    if before is None:
        return Relocation(worst.method, worst.confidence)
    methods = (
        (worst.method, before.method)
        if worst.confidence <= before.confidence
        else (before.method, worst.method)
    )
    return Relocation(
        "sentence" if "sentence" in methods else methods[0], worst.confidence * before.confidence
    )


def label_of(question: Question) -> Label:
    """The label of a question's answers; one that has none, or still has its own, is as sure as can be."""
    if question.relocation is None:
        return "high"
    return label(question.relocation.confidence, question.relocation.method)


@dataclass(frozen=True)
class Outcome:
    """A translated corpus; (id, reason) of what was left out; sentences, and how many of them have no translation."""

    documents: list[Document]
    questions: list[Question]
    dropped: list[tuple[str, str]]
    sentences: int
    untranslated: int


def corpus(
    documents: Mapping[str, Document],
    questions: Sequence[Question],
    rendering: Rendering,
    target: str,
    known: Mapping[str, Linked],
    least: Label,
) -> Outcome:
    """The corpus in the language `target`: documents that a question is left of, and these questions.

    `known` are links by the language of the documents; questions whose label is below `least` are left out.
    """
    made: dict[str, Translated | str] = {}
    used: dict[str, Translated] = {}
    kept: list[Question] = []
    dropped: list[tuple[str, str]] = []
    progress = Progress(f"translating to {target}", len(questions), "questions")
    for question in questions:
        document = documents[question.doc_id]
        name = f"{question.source_id}@{target}"
        if document.doc_id not in made:
            made_by = rendering.made_by(question, document)
            made[document.doc_id] = _document(document, rendering, target, known, made_by)
        translated = made[document.doc_id]
        progress.advance()
        if isinstance(translated, str):
            dropped.append((name, translated))
            continue
        derived, reasons = translate(question, document, translated, rendering, target)
        dropped += [(name, reason) for reason in reasons]
        if derived is None:
            continue
        if LABELS.index(label_of(derived)) < LABELS.index(least):
            dropped.append((name, f"its answer is found again with label {label_of(derived)}, below {least}"))
            continue
        kept.append(derived)
        used[document.doc_id] = translated
    stay = [
        (one.document.doc_id, documents[name].text[slice(*one.segments[number].source)])
        for name, one in used.items()
        for number in one.untranslated
    ]
    dropped += [(name, f"the sentence {text!r} has no translation and stays as it is") for name, text in stay]
    return Outcome(
        [one.document for one in used.values()],
        kept,
        dropped,
        sum(len(one.segments) for one in used.values()),
        len(stay),
    )


def _document(
    document: Document, rendering: Rendering, target: str, known: Mapping[str, Linked], made_by: str
) -> Translated | str:
    """A translated document, or why there is none."""
    if document.language == target:
        return f"its context is in {target} already"
    sentences = rendering.sentences(document)
    if isinstance(sentences, str):
        return sentences
    if all(sentence.translation is None for sentence in sentences):
        return f"its context has no translation from {document.language} to {target}"
    return assemble(document, sentences, target, made_by, known.get(document.language, UNLINKED))


def read_linked(
    pairs: Mapping[str, str], links: Mapping[str, str], backwards: bool = False
) -> dict[str, Linked]:
    """Links by language; backwards: from translations to what they translate.

    Raises InputError where pairs or links of a language lack.
    """
    if set(pairs) != set(links):
        (lacking,) = set(pairs).symmetric_difference(links) or ("",)
        raise InputError(
            f"--pairs and --links must name the same languages, but {lacking} stands in one only"
        )
    found: dict[str, Linked] = {}
    for code, file in pairs.items():
        read = read_pairs(file)
        lines = read_links(links[code], read)
        if backwards:
            read = [(second, first) for first, second in read]
            lines = [[(j, i) for i, j in line] for line in lines]
        found[code] = linked(read, lines)
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--documents", required=True, help="the corpus's documents (.parquet)")
    arguments.add_argument("--questions", required=True, help="its questions (.parquet)")
    arguments.add_argument("--to", dest="target", required=True, help="the language to translate to")
    add_options(arguments)
    arguments.add_argument(
        "--pairs", nargs="*", default=[], metavar="LANGUAGE=FILE", help="sentence pairs of a language, and"
    )
    arguments.add_argument(
        "--links", nargs="*", default=[], metavar="LANGUAGE=FILE", help="the links of their words"
    )
    arguments.add_argument(
        "--least-label",
        choices=LABELS,
        default=LABELS[0],
        help="leave out what is less sure (default: nothing)",
    )
    arguments.add_argument("--out-documents", required=True, help="the documents to write (.parquet)")
    arguments.add_argument("--out-questions", required=True, help="the questions to write (.parquet)")
    arguments.add_argument("--dropped", required=True, help="what was left out, with reasons (.jsonl)")
    given = arguments.parse_args(argv)
    target = language(given.target).code
    documents, questions = read_documents(given.documents), read_questions(given.questions)
    known = read_linked(named_files(given.pairs, "--pairs"), named_files(given.links, "--links"))
    rendering = read_rendering(given, target, documents, questions)
    made = corpus(documents, questions, rendering, target, known, given.least_label)
    if not made.questions:
        reason = f"; the first, {made.dropped[0][0]}: {made.dropped[0][1]}" if made.dropped else ""
        raise InputError(
            f"{given.questions}: none of its {len(questions)} questions is translated to {target}{reason}"
        )
    write_documents(given.out_documents, made.documents)
    write_questions(given.out_questions, made.questions, {one.doc_id: one for one in made.documents})
    write_dropped(given.dropped, made.dropped)
    labels = Counter(label_of(question) for question in made.questions)
    print(
        f"{len(made.questions)} of {len(questions)} questions translated to {target}, their answers found again:"
    )
    print(", ".join(f"{labels[name]} {name}" for name in reversed(LABELS)))
    print(
        f"{made.untranslated} of {made.sentences} sentences have no translation and stay, see {given.dropped}"
    )


if __name__ == "__main__":
    run(main)
