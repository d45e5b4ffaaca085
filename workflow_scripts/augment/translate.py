"""Translate the texts of some tables from one language to another: this shard's, and of these what the cache lacks.

Each distinct text is translated once and belongs to one shard.  What the cache holds is taken from there, without a
network or a model; the rest is translated in batches, each kept in the cache before the next one leaves, so that a job
that is killed loses at most what was on its way.  Texts without a letter (numbers, punctuation) stay as they are, as
MuCoT's numerals do.  A text that is longer than the translator takes is cut into parts, and says so in `made_by`.

The table has one row a text, with `item` empty: the translation of whatever has this text.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import regex

from workflow_scripts.augment.cache import Cache, LimitReached, Lost, digest, owns, parse_shard, place
from workflow_scripts.augment.texts import read_texts
from workflow_scripts.augment.translations import Translation, write_translations
from workflow_scripts.augment.translators import Translated, Translator, open_translator
from workflow_scripts.cli import InputError, Progress, parser, read_recipe, run
from workflow_scripts.corpus import write_dropped
from workflow_scripts.files import write_jsonl
from workflow_scripts.languages import language
from workflow_scripts.recipes.translators import KINDS, AnyTranslator, Google, code
from workflow_scripts.recipes.translators import Translator as Recipe

LETTER = regex.compile(r"\p{L}")
UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Part:
    """A text, or a part of one, as it goes to the translator: `key` in the cache, blanks that were around it."""

    key: str
    text: str
    before: str = ""
    after: str = ""


def shortened(text: str) -> str:
    """A text's beginning, on one line, for messages."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def kept(cache: Cache, key: str) -> Translated | None:
    """What the cache holds for a text or part."""
    text = cache.get(key)
    return None if text is None else Translated(text, cache.get(f"{key}.note") or "")


def keep(cache: Cache, answers: Mapping[str, Translated]) -> None:
    """Write answers, with their notes, to the cache: notes first, so that a kill leaves no answer without its note."""
    lines = {f"{key}.note": answer.note for key, answer in answers.items() if answer.note}
    lines.update({key: answer.text for key, answer in answers.items()})
    cache.add(lines)


def parts_of(text: str, translator: Translator) -> list[Part]:
    """A text as it is sent: without NUL characters and surrounding blanks, and cut where it is too long."""
    pieces = translator.cut(text.replace("\0", " ").strip())
    if len(pieces) == 1:
        return [Part(digest(text), pieces[0])]
    parts = []
    for piece in pieces:
        inner = piece.strip()
        at = piece.find(inner)
        parts.append(Part(f"{digest(text)}.{digest(inner)}", inner, piece[:at], piece[at + len(inner) :]))
    return parts


def joined(parts: Sequence[Part], cache: Cache) -> Translated:
    """The translation of a text that was cut, once the cache holds its parts."""
    text, notes = "", [f"in {len(parts)} parts"]
    for part in parts:
        answer = kept(cache, part.key) if LETTER.search(part.text) else Translated(part.text)
        assert answer is not None, part.key
        text += part.before + answer.text.strip() + part.after
        notes += [answer.note] if answer.note else []
        notes += [] if answer.text.strip() or not part.text else ["one of them empty"]
    return Translated(text.strip(), ", ".join(dict.fromkeys(notes)))


class Announcing:
    """The journal of one run: announces in the cache what a translator is about to send, within the limit."""

    def __init__(self, cache: Cache, parts: Sequence[Part], limit: int | None) -> None:
        self.cache, self.parts, self.limit, self.sent = cache, parts, limit, 0

    def _items(self, numbers: Sequence[int]) -> dict[str, int]:
        return {self.parts[number].key: len(self.parts[number].text) for number in numbers}

    def sending(self, numbers: Sequence[int]) -> None:
        """Announce; raises InputError where the limit would be exceeded."""
        items = self._items(numbers)
        try:
            self.cache.sending(items, self.limit)
        except LimitReached as error:
            raise over_limit(str(error)) from None
        self.sent += sum(items.values())

    def refused(self, numbers: Sequence[int]) -> None:
        """Take the announcement back."""
        items = self._items(numbers)
        self.cache.refused(items)
        self.sent -= sum(items.values())


def over_limit(counts: str) -> InputError:
    """The sentence that stops a run at `max_characters`."""
    return InputError(
        f"max_characters: {counts} characters; raise it to go on, what has been translated is kept in the cache"
    )


def cost(recipe: AnyTranslator, characters: int) -> str:
    """The characters with their estimated price, where there is one."""
    if not isinstance(recipe, Google):
        return f"{characters:,} characters"
    price = characters * recipe.price_per_million_characters / 1e6
    return (
        f"{characters:,} characters, about {price:.2f} at {recipe.price_per_million_characters:g} a million"
    )


def translate(
    texts: Sequence[str], recipe: AnyTranslator, source: str, target: str, cache: Cache
) -> dict[str, Translated]:
    """The translation of each text; what the cache lacks is translated and kept there.

    Raises InputError where the translator cannot do it, or `max_characters` would be exceeded: then before anything is
    sent, if the cache says so.
    """
    found = {text: kept(cache, digest(text)) for text in texts}
    missing = [text for text, answer in found.items() if answer is None]
    held = sum(len(text) for text in texts) - sum(len(text) for text in missing)
    print(f"{len(texts) - len(missing)} of {len(texts)} texts from the cache ({held:,} characters)")
    if missing:
        translator = open_translator(recipe, source, target)
        parts = {text: parts_of(text, translator) for text in missing}
        sent = {part.key: part for cut in parts.values() for part in cut if LETTER.search(part.text)}
        todo = [part for part in sent.values() if cache.get(part.key) is None]
        characters = sum(len(part.text) for part in todo)
        print(f"{len(missing)} texts to translate: {cost(recipe, characters)}", flush=True)
        limit = recipe.max_characters if isinstance(recipe, Google) else None
        if limit is not None and cache.announced + characters > limit:
            raise over_limit(
                f"{cache.announced:,} have been sent, {characters:,} more would exceed the limit of {limit:,}"
            )
        journal = Announcing(cache, todo, limit)
        progress = Progress(f"{source}-{target}", characters, "characters")
        for batch in translator.translate([part.text for part in todo], journal):
            keep(cache, {todo[number].key: answer for number, answer in batch.items()})
            progress.advance(sum(len(todo[number].text) for number in batch))
        whole = {digest(text): joined(cut, cache) for text, cut in parts.items() if len(cut) > 1}
        if whole:
            keep(cache, whole)
        found |= {text: kept(cache, digest(text)) for text in missing}
        if isinstance(recipe, Google):
            print(f"sent {cost(recipe, journal.sent)}; {cache.announced:,} with these settings so far")
    return {text: answer for text, answer in found.items() if answer is not None}


def tell_lost(lost: Iterable[Lost], texts: Mapping[str, str]) -> list[dict[str, str | int]]:
    """A record a text that may have been paid for twice; `texts` by digest."""
    return [
        {
            "digest": entry.digest,
            "text": shortened(texts.get(entry.digest.partition(".")[0], "")),
            "characters": entry.size,
            "times": entry.times,
        }
        for entry in lost
    ]


def rows(
    texts: Mapping[str, str], answers: Mapping[str, Translated], source: str, target: str, made_by: str
) -> tuple[list[Translation], list[tuple[str, str]]]:
    """The table, in the order of `texts` (digest -> text), and (digest, reason) for texts that it lacks."""
    table, dropped = [], []
    for name, text in texts.items():
        answer = answers.get(text)
        if answer is None:
            table.append(Translation("", source, target, text, text, UNCHANGED))
        elif not answer.text.strip():
            dropped.append((name, f"its translation is empty: {shortened(text)!r}"))
        else:
            by = f"{made_by} ({answer.note})" if answer.note else made_by
            table.append(Translation("", source, target, text, answer.text.replace("\0", " "), by))
    return table, dropped


def arguments() -> argparse.ArgumentParser:
    """The command line's arguments."""
    made = parser(__doc__)
    made.add_argument("--texts", required=True, nargs="+", help="tables of texts (.parquet)")
    made.add_argument("--from", dest="source", required=True, help="language to translate from")
    made.add_argument("--to", dest="target", required=True, help="language to translate to")
    made.add_argument("--shard", default="0/1", help="this job's number/number of jobs, from 0: 0/8 to 7/8")
    made.add_argument("--recipe", required=True, help="JSON text or a JSON file: the translator")
    made.add_argument("--cache", required=True, type=Path, help="folder that keeps translations for good")
    made.add_argument("--out", required=True, help="the table of translations to write (.parquet)")
    made.add_argument("--dropped", required=True, help="texts without a translation, with reasons (.jsonl)")
    made.add_argument("--resent", help="texts that may have been paid for twice (.jsonl)")
    made.epilog = "recipe keys by kind:\n" + "\n".join(
        f"  {kind.model_fields['kind'].default}:\n"
        + "\n".join(f"    {name}: {field.description}" for name, field in kind.model_fields.items())
        for kind in KINDS
    )
    return made


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    given = arguments().parse_args(argv)
    recipe = read_recipe(given.recipe, Recipe).root
    source, target = language(given.source).code, language(given.target).code
    parse_shard(given.shard)
    if source == target:
        raise InputError(f"--from {source} --to {target}: nothing to translate")
    named = {
        digest(text): text for table in given.texts for code_, text in read_texts(table) if code_ == source
    }
    if not named:
        raise InputError(f"{', '.join(given.texts)}: no text in {source}")
    texts = {name: text for name, text in sorted(named.items()) if owns(given.shard, name)}
    wanted = [text for text in texts.values() if LETTER.search(text)]
    print(
        f"{source} to {target}, shard {given.shard}: {len(texts)} texts;"
        f" {len(texts) - len(wanted)} without a letter stay as they are"
    )
    nulls = [text for text in wanted if "\0" in text]
    if nulls:
        print(f"{len(nulls)} texts hold NUL characters, translated as blanks: {shortened(nulls[0])!r}, …")
    # The limit counts all languages; codes in the folder's name, so that another code is another translation.
    settings = recipe.settings()
    codes = {"from": code(recipe, source), "to": code(recipe, target)}
    account = place(given.cache, recipe.kind, settings)
    folder = account / quote("-".join(codes.values()), safe="")
    with Cache(folder, settings | codes, given.shard, account=account) as cache:
        lost = tell_lost(cache.lost, texts)
        if lost:
            print(
                f"{len(lost)} texts were on their way when an earlier job ended; they may be paid for twice:"
            )
            for entry in lost:
                print(f"  {entry['text']} ({entry['digest']}, {entry['characters']} characters)")
        answers = translate(wanted, recipe, source, target, cache)
        resent = tell_lost(cache.lost, texts)
    table, dropped = rows(texts, answers, source, target, recipe.name())
    write_translations(given.out, table)
    write_dropped(given.dropped, dropped)
    if given.resent:
        write_jsonl(given.resent, resent)
    print(f"{len(table)} translations, {len(dropped)} dropped, see {given.dropped}")


if __name__ == "__main__":
    run(main)
