"""The page of results in a browser: what it says, how it is filtered, read from the right, by keyboard, on a phone."""

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.conftest import ROOT, require
from workflow_scripts import config as configuration
from workflow_scripts.acquire import tydiqa
from workflow_scripts.acquire.microworld.__main__ import write_world
from workflow_scripts.evaluate import effects, examples, gold, score
from workflow_scripts.files import read_jsonl, write_jsonl
from workflow_scripts.provenance import page_recipe
from workflow_scripts.report import effects as effects_table
from workflow_scripts.report import effects_figure, page, tables

pytestmark = pytest.mark.slow

SETTINGS = {
    "microworld": {
        "languages": ["en", "ar", "ko"],
        "train_articles": 6,
        "dev_articles": 5,
        "test_articles": 24,
        "hard_articles": 5,
        "documents": 10,
        "sentence_pairs": 10,
        "text_names": 20,
        "squad_articles": [5, 5],
    },
    "corpora": {
        name: {
            "kind": "tydi",
            "files": [f"results/microworld/tydi/tydiqa-v1.0-{part}.jsonl.gz"],
            "languages": ["en", "ar", "ko"],
        }
        for name, part in (("train", "train"), ("test", "dev"))
    },
    "encoders": {"tiny": {"pretrain": {}, "text": {"en": ["results/microworld/text/en.txt"]}}},
    "training_sets": {"mono": {"label": "mono", "corpora": ["train"]}},
    "models": {
        name: {"label": name, "encoder": "tiny", "training_set": "mono"} for name in ("hasty", "careful")
    },
    "evaluations": {"test": {"corpora": ["test"], "annotators": 2}},
    "tables": {
        "minimal": {
            "title": "Minimal answers <&>",
            "evaluation": "test",
            "task": "minimal",
            "rows": [{"heading": "Ours"}, "hasty", "careful"],
            "columns": [["en-en"], ["ar-ar", "ko-ko"]],
        },
        "worth": {
            "kind": "effects",
            "title": "What care is worth",
            "evaluation": "test",
            "task": "minimal",
            "columns": [["en-en"], ["ar-ar", "ko-ko"]],
            "resamples": 1000,
            "effects": [
                {"label": "care", "system": ["careful"], "base": ["hasty"]},
                {"label": "haste", "system": ["hasty"], "base": ["careful"]},
            ],
        },
    },
    "examples": {"test": {"models": ["hasty", "careful"], "per_pair": 22}},
}
PAIRS = ["en-en", "ar-ar", "ko-ko"]


def answered(record: dict[str, Any], right: bool, said: bool) -> dict[str, Any]:
    """A line of predictions: what the first annotator answered, the beginning of the first passage, or nothing."""
    passages = record["passage_answer_candidates"]
    of = record["annotations"][0]
    span = of["minimal_answer"]
    first = passages[0]["plaintext_start_byte"]
    passage, place, decision = 0, (first, passages[0]["plaintext_end_byte"]), "NONE"
    if right:
        passage, decision = of["passage_answer"]["candidate_index"], of["yes_no_answer"]
        place = (span["plaintext_start_byte"], span["plaintext_end_byte"])
    elif not said:
        passage, place = -1, (-1, -1)
    return {
        "example_id": record["example_id"],
        "language": record["language"],
        "passage_answer_index": passage,
        "passage_answer_score": 1.0 + right,
        "minimal_answer": {"start_byte_offset": place[0], "end_byte_offset": place[1]},
        "minimal_answer_score": 1.0 + right,
        "yes_no_answer": decision,
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run's results: questions of the generated world, answered by rule; everything else by the steps.

    The careful one is right but on every fourth question, of which it says nothing; the hasty one is right on every
    third, and elsewhere says the beginning of the article.
    """
    folder = tmp_path_factory.mktemp("page") / "results"
    settings = configuration.load(SETTINGS)
    assert settings.microworld is not None
    write_world(settings.microworld, folder / "microworld")
    corpus = [f"--{part}={folder}/{part}.parquet" for part in ("documents", "questions")]
    files = ["--in", f"{folder}/microworld/tydi/tydiqa-v1.0-dev.jsonl.gz", "--dropped", f"{folder}/dropped"]
    tydiqa.main([*files, "--languages", "en", "ar", "ko", *corpus])
    gold.main([*corpus, "--pair", *(f"{pair}={folder}/gold/{pair}.jsonl" for pair in PAIRS)])
    common = ["--gold", f"{folder}/gold", "--pairs", *PAIRS, "--annotators", "2"]
    right: dict[str, Callable[[int], bool]] = {"hasty": lambda n: n % 3 == 0, "careful": lambda n: n % 4 > 0}
    for model, is_right in right.items():
        for pair in PAIRS:
            records = [record for _, record in read_jsonl(folder / f"gold/{pair}.jsonl")]
            lines = [answered(record, is_right(n), model == "hasty") for n, record in enumerate(records)]
            write_jsonl(folder / f"predictions/{model}/{pair}.jsonl", lines)
        scored = [f"--out={folder}/{model}.json", f"--questions={folder}/{model}.questions.jsonl"]
        score.main([*common, "--predictions", f"{folder}/predictions/{model}", *scored])
    said = [f"{model}={folder}/predictions/{model}" for model in right]
    out = ["--per-pair", "22", "--out", f"{folder}/examples/test.json"]
    examples.main([*common, "--predictions", *said, *out])

    def forms(kind: str, name: str, **ends: str) -> list[str]:
        return [f"--{option}={folder}/{kind}/{name}.{end}" for option, end in ends.items()]

    written = {"csv": "csv", "markdown": "md", "latex": "tex"}
    recipe = configuration.table_recipe(settings, "minimal").model_dump_json()
    scores = [f"{model}={folder}/{model}.json" for model in right]
    tables.main(["--recipe", recipe, "--scores", *scores, *forms("tables", "minimal", **written)])
    recipe = configuration.effects_recipe(settings, "worth").model_dump_json()
    questions = [f"{model}={folder}/{model}.questions.jsonl" for model in right]
    verdicts = f"{folder}/effects/worth.json"
    effects.main(["--recipe", recipe, "--questions", *questions, "--out", verdicts])
    effects_table.main(["--recipe", recipe, "--effects", verdicts, *forms("tables", "worth", **written)])
    drawn = forms("figures", "effects/worth", svg="svg", png="png", page="html")
    effects_figure.main(["--recipe", recipe, "--effects", verdicts, *drawn])
    (folder / "models/careful/seed0").mkdir(parents=True)
    (folder / "models/careful/seed0/training.json").write_text('{"steps": 9, "seconds": 3.0, "pieces": 99}')
    places = [f"--{kind}={folder}/{kind}" for kind in ("tables", "effects", "figures", "examples", "costs")]
    places += [f"--template={ROOT}/resources/report/page.html.j2", f"--results={folder}"]
    told = page_recipe(settings)
    told = told.model_copy(update={"figures": {name: told.figures[name] for name in ("effects/worth",)}})
    page.main(["--recipe", told.model_dump_json(), *places, f"--out={folder}/report.html"])
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, or whichever is on the path."""
    program = shutil.which("chromium")
    require(program, "no chromium on the path (apt-get install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, results: Path) -> Iterator[Open]:
    """Opens the page as a browser with these properties does; in the end nothing went wrong and nothing was loaded."""
    address = (results / "report.html").as_uri()
    contexts, complaints = [], []

    def only_the_page(route: Route) -> None:
        if route.request.url.partition("#")[0] == address:
            route.continue_()
        else:
            complaints.append(f"asks for {route.request.url[:200]}")
            route.abort()

    def opening(**properties: Any) -> Page:
        context = browser.new_context(**properties)
        contexts.append(context)
        context.route("**/*", only_the_page)
        shown = context.new_page()
        shown.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.goto(address)
        return shown

    yield opening
    for context in contexts:
        context.close()
    assert complaints == []


def verdicts(results: Path) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = json.loads((results / "effects/worth.json").read_text("utf-8"))
    return found


def test_findings_follow_the_effects(opened: Open, results: Path) -> None:
    shown = opened().locator("#findings ~ ul.findings").first.locator("li")
    told = [
        (label, head, row[place])
        for label, row in zip(("care", "haste"), verdicts(results), strict=True)
        for place, head in ((0, "Q_en,C_en"), (3, "avg"))
    ]
    assert shown.count() == len(told)
    for number, (label, head, verdict) in enumerate(told):
        text = shown.nth(number).inner_text()
        gains = "gains" if verdict["difference"] > 0 else "loses"
        amount = f"{abs(100 * verdict['difference']):.1f}"
        assert text.startswith(
            f"{label}: {gains} {amount} points of F1 (minimal answer) ({head}; 95 % interval"
        )
        clear = verdict["p_two_sided"] < 0.05
        assert ("not clear" in text) == (not clear)
        assert shown.nth(number).get_attribute("class") == (
            ("plus" if gains == "gains" else "minus") if clear else "open"
        )
        assert ("p < .002" in text) == (verdict["p_two_sided"] == 0)
    assert any(verdict["p_two_sided"] == 0 for _, _, verdict in told)


def test_a_table_is_that_of_the_file(opened: Open, results: Path) -> None:
    shown = opened().locator("#table-minimal")
    assert shown.locator("h3").inner_text() == "Minimal answers <&>"
    heads = shown.locator("thead th").all_inner_texts()
    assert shown.locator("tbody th[colspan]").inner_text() == "Ours"
    with (results / "tables/minimal.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            line = shown.locator("tbody tr").filter(has=shown.page.get_by_text(row["Model"], exact=True))
            cells = dict(zip(heads, line.locator("th, td").all_inner_texts(), strict=True))
            for head in ("Q_en,C_en", "Q_ar,C_ar", "Q_ko,C_ko", "avg"):
                assert cells[head] == f"{float(row[head]):.1f}", (row["Model"], head)


def test_marks_of_a_figure_tell_their_numbers(opened: Open, results: Path) -> None:
    """To the pointer and to the keyboard."""
    shown = opened(viewport={"width": 1000, "height": 700})
    tip, marks = shown.locator("#tip"), shown.locator("#figure-effects-worth [aria-roledescription=point]")
    assert marks.count() == 8
    assert not tip.is_visible()

    def expected(verdict: dict[str, Any]) -> list[str]:
        p = verdict["p_two_sided"]
        points = [f"{100 * verdict[key]:+.1f}".replace("-", "−") for key in ("difference", "low", "high")]
        ends = f"p, two-sided: {'< .002' if p == 0 else f'{p:.4f}'.rstrip('0').rstrip('.').removeprefix('0')}"
        return [
            *(f"{name}: {point}" for name, point in zip(("points", "from", "to"), points, strict=True)),
            ends,
        ]

    first = verdicts(results)[0][0]
    marks.first.hover()
    assert tip.is_visible()
    lines = tip.inner_text().splitlines()
    assert "effect: care" in lines
    assert [line for line in lines if not line.startswith(("difference", "effect"))] == expected(first)
    box = tip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1000
    shown.mouse.move(2, 2)
    assert not tip.is_visible()

    focused = "document.activeElement.getAttribute('aria-label') || ''"
    for _ in range(60):
        shown.keyboard.press("Tab")
        if shown.evaluate(focused).startswith("difference"):
            break
    assert tip.inner_text().splitlines() == lines
    shown.keyboard.press("ArrowRight")
    assert tip.inner_text() == marks.nth(1).get_attribute("aria-label").replace("; ", "\n")  # type: ignore[union-attr]
    shown.keyboard.press("Escape")
    assert not tip.is_visible()


def listed(shown: Page) -> list[tuple[str, str]]:
    """(pair, id) of the questions in the browser of answers, all of them."""
    more = shown.get_by_role("button", name="Show more")
    while more.is_visible():
        more.click()
    found = shown.locator("article").evaluate_all("all => all.map(one => [one.dataset.pair, one.dataset.id])")
    return [(pair, name) for pair, name in found]


def test_answers_are_filtered(opened: Open, results: Path) -> None:
    every = json.loads((results / "examples/test.json").read_text("utf-8"))["examples"]
    got = {(one["pair"], one["id"]): [said["f1"] for said in one["answers"].values()] for one in every}
    assert len(every) == 3 * 22
    shown = opened()
    languages, outcome = (
        shown.get_by_label("languages", exact=True),
        shown.get_by_label("answers", exact=True),
    )
    words = shown.get_by_label("words in question or passage")
    assert shown.locator("article").count() == 20
    assert listed(shown) == list(got)
    for name, holds in (
        ("all models right", lambda hasty, careful: hasty == careful == 1),
        ("all models wrong", lambda hasty, careful: hasty == careful == 0),
        ("the last model better than the first", lambda hasty, careful: careful > hasty),
        ("models differ", lambda hasty, careful: careful != hasty),
    ):
        outcome.select_option(name)
        expected = [key for key, f1 in got.items() if holds(*f1)]
        assert 0 < len(expected) < len(every), name
        assert listed(shown) == expected, name
    languages.select_option(label="Korean")
    expected = [key for key in expected if key[0] == "ko-ko"]
    assert listed(shown) == expected
    assert shown.get_by_text(f"{len(expected)} of 66 questions").is_visible()
    outcome.select_option("all questions")
    languages.select_option("")
    word = next(one for one in every if one["pair"] == "ar-ar")["question"].split()[-1]
    words.press_sequentially(word)
    assert listed(shown) == [
        (one["pair"], one["id"]) for one in every if word in one["question"] + " " + one["passage"]
    ]
    words.fill("no such words anywhere")
    assert listed(shown) == []
    assert shown.get_by_text("0 of 66 questions").is_visible()


def test_who_has_no_mouse_goes_on_where_questions_were_added(opened: Open) -> None:
    shown = opened()
    shown.get_by_role("button", name="Show more").focus()
    shown.keyboard.press("Enter")
    assert shown.locator("article").count() == 40
    assert shown.locator("article").nth(20).evaluate("one => one === document.activeElement")


# Where a text's first and last letters stand; digits and punctuation have no direction of their own.
ENDS = """element => {
  const text = element.firstChild, letters = [...text.data.matchAll(/\\p{L}/gu)];
  return [letters[0], letters.at(-1)].map(found => {
    const range = document.createRange();
    range.setStart(text, found.index);
    range.setEnd(text, found.index + found[0].length);
    return range.getBoundingClientRect().x;
  });
}"""


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("ko", "ltr")])
def test_a_language_is_shown_in_its_direction(
    opened: Open, results: Path, language: str, direction: str
) -> None:
    every = json.loads((results / "examples/test.json").read_text("utf-8"))["examples"]
    one = next(one for one in every if one["pair"] == f"{language}-{language}" and one["marked"])
    shown = opened()
    shown.get_by_label("languages", exact=True).select_option(one["pair"])
    article = shown.locator(f"article[data-id='{one['id']}']")
    question, passage = article.locator(".question"), article.locator(".passage")
    assert (question.inner_text(), passage.inner_text()) == (one["question"], one["passage"].strip())
    assert passage.locator("mark").inner_text() in one["gold"]
    assert article.locator("dd").first.inner_text() == " / ".join(one["gold"])
    for element in (question, passage, article.locator("bdi").first):
        assert element.evaluate("element => getComputedStyle(element).direction") == direction
        assert element.get_attribute("lang") == language
    first, last = question.evaluate(ENDS)
    assert (first > last) == (direction == "rtl")
    around, within = article.bounding_box(), question.bounding_box()
    assert around is not None
    assert within is not None
    middle = around["x"] + around["width"] / 2
    assert (first > middle) == (direction == "rtl")
    assert around["x"] <= within["x"]
    assert within["x"] + within["width"] <= around["x"] + around["width"]


def test_a_phone_shows_it_without_scrolling_sideways(opened: Open) -> None:
    shown = opened(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    shown.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert shown.evaluate("document.documentElement.scrollWidth") == 390
    shown.evaluate("scrollTo(500, 0)")
    assert shown.evaluate("scrollX") == 0
    # what is too wide is scrolled in its own box
    assert shown.locator("#table-minimal .wide").evaluate("box => getComputedStyle(box).overflowX") == "auto"


# For every text that is there: its colour's contrast with what is behind it, as WCAG 2 computes it.
CONTRASTS = """() => {
  const rgba = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const linear = c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] === 1) return colour;
      if (colour[3] > 0) return over(colour, behind(one.parentElement));
    }
    return [255, 255, 255, 1];
  };
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest("script")) continue;
    const style = getComputedStyle(element);
    const ink = rgba(element.closest("svg") ? style.fill : style.color);
    ink[3] *= Number(style.opacity) * (element.closest("svg") ? Number(style.fillOpacity) : 1);
    const paper = behind(element);
    const [dark, light] = [luminance(over(ink, paper)), luminance(paper)].sort((a, b) => a - b);
    const kind = element.closest("svg") ? "svg" : element.tagName.toLowerCase();
    found.push([kind, (light + .05) / (dark + .05), texts.currentNode.data.trim()]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_background(opened: Open, scheme: str) -> None:
    shown = opened(color_scheme=scheme)
    shown.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    shown.locator("#figure-effects-worth [aria-roledescription=point]").first.hover()
    found = shown.evaluate(CONTRASTS)
    assert {"svg", "mark", "small", "td", "th", "a", "p", "dt", "bdi", "li", "div", "label"} <= {
        kind for kind, _, _ in found
    }
    assert [one for one in found if one[1] < 4.5] == []
    paper = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
