"""Word error rates of questions that were heard, for each pair of question and context language of an evaluation.

The same questions as written are another evaluation's; both are compared as by `evaluate.wer`, which tells rates by
dialect.  The file has, for each pair, `questions`, `words` of them as written, `rate` (all errors over all words) and
`mean` (SD-QA's: of the questions' rates).
"""

import json
from collections.abc import Sequence

from workflow_scripts.cli import InputError, named_files, parser, run
from workflow_scripts.evaluate.wer import errors, plain
from workflow_scripts.files import read_jsonl, write_text


def texts(file: str) -> dict[str, str]:
    """Example id -> question, of a file in TyDi QA's format.  Raises InputError where it is none."""
    try:
        return {str(line["example_id"]): str(line["question_text"]) for _, line in read_jsonl(file)}
    except (KeyError, TypeError) as error:
        raise InputError(f"{file}: not questions in TyDi QA's format (no {error})") from None


def rates(written: dict[str, str], heard: dict[str, str]) -> dict[str, float] | None:
    """The figures of one pair; None where no question is in both and has words."""
    both = [(written[name], text) for name, text in heard.items() if name in written and plain(written[name])]
    if not both:
        return None
    found = [errors(*texts) for texts in both]
    words = sum(one.words for one in found)
    wrong = sum(one.substitutions + one.deletions + one.insertions for one in found)
    return {
        "questions": len(found),
        "words": words,
        "rate": round(wrong / words, 5),
        "mean": round(sum(one.rate for one in found) / len(found), 5),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    for side, what in (("written", "as they are written"), ("heard", "as they were heard")):
        arguments.add_argument(
            f"--{side}", nargs="+", required=True, metavar="NAME=FILE", help=f"gold files: questions {what}"
        )
    arguments.add_argument("--out", required=True, help="the rates (JSON)")
    given = arguments.parse_args(argv)
    written, heard = named_files(given.written, "--written"), named_files(given.heard, "--heard")
    if written.keys() != heard.keys():
        raise InputError(f"--written names {', '.join(written)}, but --heard {', '.join(heard)}")
    found = {}
    for name, file in heard.items():
        of_pair = rates(texts(written[name]), texts(file))
        if of_pair is None:
            raise InputError(f"{file}: none of its questions is in {written[name]}")
        found[name] = of_pair
    write_text(given.out, json.dumps(found, indent=1) + "\n")
    for name, of_pair in found.items():
        print(f"{name}: {100 * of_pair['rate']:.1f} % of {of_pair['words']:,} words")


if __name__ == "__main__":
    run(main)
