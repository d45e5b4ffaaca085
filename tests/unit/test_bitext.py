"""Published archives of sentence pairs: all forms, what is left out and why, and what a broken one is told."""

import gzip
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from workflow_scripts.acquire.bitext import Digests, main
from workflow_scripts.acquire.download import find_file, read_manifest
from workflow_scripts.bitexts import FILES, archives, table
from workflow_scripts.cli import InputError
from workflow_scripts.languages import languages


def lines(*texts: str | bytes) -> bytes:
    return b"".join((text if isinstance(text, bytes) else text.encode()) + b"\n" for text in texts)


def moses(file: Path, name: str, code: str, foreign: bytes, english: bytes, **more: bytes) -> Path:
    """A zip archive as OPUS makes it."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README", "about it")
        archive.writestr(f"{name}.{code}", foreign)
        archive.writestr(f"{name}.en", english)
        for other, content in more.items():
            archive.writestr(other.replace("_", "."), content)
    return file


def opus_100(file: Path, pair: str, code: str, foreign: bytes, english: bytes) -> Path:
    """A tar archive as OPUS-100 comes in, with a test part that is no training data."""
    with tarfile.open(file, "w:gz") as archive:
        for part, side, content in (
            ("test", code, b"secret\n"),
            ("test", "en", b"secret\n"),
            ("train", code, foreign),
            ("train", "en", english),
        ):
            entry = tarfile.TarInfo(f"opus-100-corpus/v1.0/supervised/{pair}/opus.{pair}-{part}.{side}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file


def table_of(file: Path, *rows: str | bytes) -> Path:
    with gzip.open(file, "wb") as packed:
        packed.write(lines(*rows))
    return file


def join(
    folder: Path, language: str, margin: float = 1.04, **given: Path
) -> tuple[list[tuple[str, str]], list[tuple[str, int, int, str]]]:
    """The pairs that are written, and what is left out: corpus, from, to, reason."""
    main(
        [
            f"--language={language}",
            f"--recipe={json.dumps({'margin': margin})}",
            *(f"--{name}={folder / name}" for name in ("foreign", "english", "dropped")),
            "--archives",
            *(f"{corpus.replace('_', '-')}={file}" for corpus, file in given.items()),
        ]
    )
    sides = [(folder / name).read_text("utf-8").split("\n") for name in ("foreign", "english")]
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    assert all(side.pop() == "" for side in sides)
    return (
        list(zip(*sides, strict=True)),
        [(line["corpus"], line["line"], line["to"], line["reason"]) for line in dropped],
    )


def test_corpora_of_all_forms_are_joined_and_a_pair_comes_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Languages before and after English in the alphabet, under a corpus's own code, and the order of corpora."""
    first = moses(tmp_path / "a.zip", "WikiMatrix.de-en", "de", lines("ja", "nein"), lines("yes", "no"))
    second = opus_100(tmp_path / "b.tar.gz", "de-en", "de", lines("ja\tja", "ja"), lines("yes yes", "yes"))
    third = table_of(tmp_path / "c.tsv.gz", "1.2\tnein\tno", "1.1\tdoch\tyes", "1.0399\tx\ty", "1\tx\tz")
    pairs, dropped = join(tmp_path, "de", wikimatrix=first, opus_100=second, wikimatrix_tsv=third)
    assert pairs == [("ja", "yes"), ("nein", "no"), ("ja ja", "yes yes"), ("doch", "yes")]
    assert dropped == [
        ("opus-100", 2, 2, "the pair came before"),
        ("wikimatrix-tsv", 1, 1, "the pair came before"),
        ("wikimatrix-tsv", 3, 4, "the margin is less than 1.04"),
    ]
    assert "wikimatrix-tsv: 4 lines, 1 pairs kept, 3 dropped" in capsys.readouterr().out
    pairs, dropped = join(tmp_path, "de", margin=1.15, wikimatrix_tsv=third, wikimatrix=first)
    assert pairs == [("nein", "no"), ("ja", "yes")]
    assert [line[:3] for line in dropped] == [("wikimatrix-tsv", 2, 4), ("wikimatrix", 2, 2)]
    chinese = moses(tmp_path / "d.zip", "CCAligned.en-zh_CN", "zh_CN", lines("是"), lines("yes"))
    assert join(tmp_path, "zh", ccaligned=chinese) == ([("是", "yes")], [])
    swahili = table_of(tmp_path / "e.tsv.gz", "1.5\tyes\tndiyo\n")
    assert join(tmp_path, "sw", wikimatrix_tsv=swahili)[0] == [("ndiyo", "yes")]


def test_what_cannot_be_used_is_left_out_by_its_number(tmp_path: Path) -> None:
    bad = {
        1: ("\ufeff\u200fنعم \r", " yes", None),
        2: (b"\xe9", "e", "the foreign side is not UTF-8"),
        3: ("e", "é".encode("latin-1"), "the English side is not UTF-8"),
        4: ("", "e", "no foreign sentence"),
        5: ("e", " \t", "no English sentence"),
        6: ("a ||| b", "c", "||| on the foreign side, which separates the sides of a pair"),
        7: ("a\x00", "c", "a control character (U+0000) on the foreign side"),
        8: ("a", "b\rc", "a control character (U+000D) on the English side"),
        9: ("a", "b\u2028c", "a control character (U+2028) on the English side"),
        10: ("w " * 10_000, "w", None),
    }
    archive = moses(
        tmp_path / "a.zip",
        "wikimedia.ar-en",
        "ar",
        lines(*(theirs for theirs, _, _ in bad.values())),
        lines(*(ours for _, ours, _ in bad.values())),
    )
    rows = table_of(
        tmp_path / "b.tsv.gz", "1.2\tone side", "high\ta\tb", "nan\ta\tb", b"1.2\t\xff\ta", "1.2\tc\td"
    )
    pairs, dropped = join(tmp_path, "ar", wikimedia=archive, wikimatrix_tsv=rows)
    assert pairs == [("\u200fنعم", "yes"), (" ".join(["w"] * 10_000), "w"), ("c", "d")]
    assert dropped == [("wikimedia", n, n, reason) for n, (*_, reason) in bad.items() if reason] + [
        ("wikimatrix-tsv", 1, 2, "not score, tab, sentence, tab, sentence"),
        ("wikimatrix-tsv", 3, 3, "the margin is less than 1.04"),
        ("wikimatrix-tsv", 4, 4, "the foreign side is not UTF-8"),
    ]


def test_a_corpus_of_unequal_sides_is_left_out_and_the_next_ones_stay(tmp_path: Path) -> None:
    unequal = moses(tmp_path / "a.zip", "CCAligned.ar-en", "ar", lines("a", "b", "c"), lines("A", "B"))
    equal = moses(tmp_path / "b.zip", "wikimedia.ar-en", "ar", lines("a", "d"), lines("A", "D"))
    pairs, dropped = join(tmp_path, "ar", ccaligned=unequal, wikimedia=equal)
    assert pairs == [("a", "A"), ("d", "D")]
    reason = "3 foreign and 2 English lines; which belong together is not known"
    assert dropped == [("ccaligned", 1, 3, reason)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            {"name": "wikimedia.ar-fr"},
            r"a.zip: 0 files in it end in .ar-en.ar, not one; it holds README, wik",
        ),
        ({"x_ar-en_ar": b"a"}, r"a.zip: 2 files in it end in .ar-en.ar, not one"),
        ({"foreign": b"", "english": b""}, "a.zip: no sentence pair of Arabic and English that can be used"),
    ],
)
def test_an_archive_with_other_members_is_one_sentence(tmp_path: Path, content: dict, sentence: str) -> None:
    given = {"name": "wikimedia.ar-en", "code": "ar", "foreign": b"a\n", "english": b"b\n"} | content
    with pytest.raises(InputError, match=sentence):
        join(tmp_path, "ar", wikimedia=moses(tmp_path / "a.zip", **given))
    assert not (tmp_path / "foreign").exists()


@pytest.mark.parametrize("form", ["zip", "tar.gz", "tsv.gz"])
@pytest.mark.parametrize("fault", ["cut", "changed", "page", "absent"])
def test_a_broken_archive_is_one_sentence(tmp_path: Path, form: str, fault: str) -> None:
    foreign, english = lines(*map(str, range(5000))), lines(*map(str, range(5000, 10_000)))
    file = tmp_path / f"a.{form}"
    match form:
        case "zip":
            moses(file, "wikimatrix.ar-en", "ar", foreign, english)
        case "tar.gz":
            opus_100(file, "ar-en", "ar", foreign, english)
        case _:
            table_of(file, *(f"1.1\t{number}\t{number + 5000}" for number in range(5000)))
    content = file.read_bytes()
    middle = len(content) // 2
    match fault:
        case "cut":
            file.write_bytes(content[:middle])
        case "changed":
            file.write_bytes(
                content[:middle]
                + bytes(byte ^ 0xFF for byte in content[middle : middle + 20])
                + content[middle + 20 :]
            )
        case "page":
            file.write_bytes(b"<html>log in</html>")
        case _:
            file.unlink()
    corpus = {"zip": "wikimatrix", "tar.gz": "opus_100", "tsv.gz": "wikimatrix_tsv"}[form]
    sentence = (
        "no such file" if fault == "absent" else r"not a whole archive \(.*remove it and a\..*\.sha256\.json"
    )
    with pytest.raises(InputError, match=rf"^{re.escape(str(file))}: {sentence}"):
        join(tmp_path, "ar", **{corpus: file})
    assert {path.name for path in tmp_path.iterdir()} <= {file.name}


@pytest.mark.parametrize("part", [1, 7, 1000])
def test_repeated_pairs_are_found_however_many_are_looked_at_together(part: int) -> None:
    digests = Digests()
    numbers = [(number * 7919) % 61 for number in range(200)]
    for number in numbers:
        digests.add((str(number), "x"))
    again = digests.repeated(part)
    assert again.tolist() == [number in numbers[:place] for place, number in enumerate(numbers)]


def test_every_file_of_the_table_has_an_address() -> None:
    manifest = read_manifest()
    assert table().keys() == languages().keys() - {"en"}
    for code in table():
        found = archives(tuple(FILES), code)
        assert found
        for file in found.values():
            assert find_file(manifest, file.removeprefix("data/")).url
    assert archives(("ccaligned", "opus-100", "wikimatrix"), "ceb") == {
        "ccaligned": "data/ccaligned/cx-en.txt.zip",
        "wikimatrix": "data/wikimatrix/ceb-en.txt.zip",
    }
