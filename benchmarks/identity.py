"""Does every answer survive a perfect translation?  Each text is translated to itself; each span must come back as is.

    python -m benchmarks.identity [FILE…] [--pack DIR]

Reads SQuAD-format files (.json) and files with ChAII's columns (.csv) as the workflow does, cuts their contexts into
sentences, puts them together again as a translated corpus, and finds every answer of every annotator again.  --pack
names the real-data pack, of which SQuAD's dev set, XQuAD in English, Arabic and Hindi, ARCD and ChAII's rows are read.
MuCoT's published search is run on the same sentences, with the first answer of each record.

Prints a table of records whose spans are valid in the source: how many come back exactly, how many have an answer that
crosses the end of a sentence, how many the published search loses and how many it finds elsewhere; then a JSON object.
The exit code is 1 if one record does not come back.

Where a translation is its own source, relocation carries offsets over and searches nothing: what is measured is that no
character is lost or moved on the way.  How well answers are searched for, `relocation` and `recovery` measure.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.mucot import published_search
from benchmarks.roundtrip import languages_of
from workflow_scripts.acquire.chaii import read_chaii
from workflow_scripts.acquire.squad import read_squad
from workflow_scripts.augment.corpora import Translated, assemble, translate
from workflow_scripts.augment.renderings import Rendering, Sentence
from workflow_scripts.augment.sentences import sentences, touched
from workflow_scripts.cli import InputError, run
from workflow_scripts.corpus import Document, Question

FILES = [
    "squad/dev-v1.1.json",
    "xquad/xquad.en.json",
    "xquad/xquad.ar.json",
    "xquad/xquad.hi.json",
    "arcd/arcd.json",
    "chaii/train_subset.csv",
]
IDENTITY = Rendering(
    lambda document: [Sentence(span, document.text[slice(*span)]) for span in sentences(document)],
    lambda question: question.text,
    lambda question, document, answer: answer,
    lambda question, document: "identity",
)


def read(file: str) -> tuple[list[Document], list[Question]]:
    """The documents and questions of a file, as the workflow reads it."""
    if file.endswith(".csv"):
        documents, questions, _, _ = read_chaii([file], ["hi", "ta"])
        return documents, questions
    # ARCD's name tells no language; which one it is matters to where sentences end
    asked_in, code = ("ar", "ar") if "arcd" in Path(file).name else languages_of(file)
    documents, questions, _, _ = read_squad([file], asked_in, code, [], None)
    return documents, questions


def outcome(question: Question, document: Document, made: Translated) -> Counter[str]:
    """What becomes of a record: counts of `records`, `exact`, `across`, `lost` and `elsewhere` (of the published)."""
    answers = [one for one in question.annotations if one.start >= 0]
    spans = [segment.source for segment in made.segments]
    derived, _ = translate(question, document, made, IDENTITY, document.language)
    across = any(len(touched(spans, (one.start, one.end))) > 1 for one in answers)
    same = derived is not None and derived.annotations == question.annotations
    texts = [document.text[slice(*span)] for span in spans]
    found = published_search(texts, texts, answers[0].text, answers[0].start)
    return Counter(
        records=1,
        exact=same,
        across=across,
        across_exact=across and same,
        lost=found is None,
        elsewhere=found is not None and spans[found[0]][0] + found[1] != answers[0].start,
    )


def figures(file: str) -> Counter[str]:
    """The sums of `outcome` over a file's records."""
    documents, questions = read(file)
    contexts = {document.doc_id: document for document in documents}
    made = {
        document.doc_id: assemble(document, found, document.language, "identity")
        for document in documents
        if not isinstance(found := IDENTITY.sentences(document), str)
    }
    total: Counter[str] = Counter()
    for document in documents:
        same = made[document.doc_id].document
        if (same.text, same.passages) != (document.text, document.passages):
            raise AssertionError(f"{file}: document {document.doc_id} is not put together again as it was")
    for question in questions:
        if any(one.start >= 0 for one in question.annotations):
            total += outcome(question, contexts[question.doc_id], made[question.doc_id])
    return total


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", help="SQuAD-format files (.json) and files like ChAII's (.csv)")
    parser.add_argument("--pack", type=Path, help="folder of the real-data pack")
    given = parser.parse_args(argv)
    files = [*given.files, *(str(given.pack / file) for file in FILES if given.pack)]
    if not files:
        raise InputError("give files, or --pack with the folder of the real-data pack")
    began = time.process_time()
    counts = {file: figures(file) for file in files}
    total = sum(counts.values(), Counter[str]())
    print(
        "| file | records | exact | across sentences | of these exact | published: exact | lost | elsewhere |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for file, found in [*counts.items(), ("all", total)]:
        peer = found["records"] - found["lost"] - found["elsewhere"]
        columns = [found[name] for name in ("records", "exact", "across", "across_exact")]
        print(
            "|",
            " | ".join(map(str, [Path(file).name, *columns, peer, found["lost"], found["elsewhere"]])),
            "|",
        )
    records = max(total["records"], 1)
    ours, peer = total["exact"], total["records"] - total["lost"] - total["elsewhere"]
    summary = {
        "name": "identity",
        "ours": round(ours / records, 5),
        "peer": round(peer / records, 5),
        "unit": "share of records whose spans come back exactly",
        "ratio": round(ours / max(peer, 1), 4),
        "files": {file: dict(found) for file, found in counts.items()},
        "cpu_seconds": round(time.process_time() - began, 1),
    }
    print(json.dumps(summary))
    sys.exit(int(ours < total["records"]))


if __name__ == "__main__":
    run(main)
