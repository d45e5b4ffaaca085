"""How much work a job is, and how many bytes it leaves behind, from the configuration alone.

The unit of a step's work is what its time grows with: floating-point operations and steps where an encoder is trained
or read, questions, characters or sentence pairs elsewhere.  How long a unit takes is measured (`cluster.throughput`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from workflow_scripts.cluster.graph import Job
from workflow_scripts.cluster.sizes import CHARACTERS_A_PIECE, QUESTION, SENTENCE, Shape, Size, Sizes
from workflow_scripts.config import (
    MICROWORLD,
    TRANSLATORS,
    Config,
    aligned_languages,
    evaluations_of,
    measured_alignments,
    measured_languages,
    pairs_of,
    texts_for,
)

TERA = 1e12
MEGA = 1e6
# A training step goes forward once and backward at twice the price.
TRAINED = 3.0
# Rules that are written once for each entry of a section, by the beginning of their names.
FAMILIES = ("gold", "map_back", "predict", "split")
# Bytes, counted in files of the generated world: a weight, a piece of a document's features, a window, a line of
# predictions, of gold answers and of scores, a row of a table of questions, what tells of a piece of a vocabulary, and
# what a character of text comes to in Parquet's files.
WEIGHT = 4
OPTIMISER = 8  # for each weight that is trained, while it is
FEATURE, WINDOW, PREDICTION, GOLD, SCORE, ROW, PIECE, TEXT = (
    13.0,
    130.0,
    250.0,
    1500.0,
    330.0,
    90.0,
    24.0,
    0.6,
)


@dataclass(frozen=True, slots=True)
class Work:
    """What a job has to do: amounts of `flops` (10^12 operations), `steps`, or thousands of items; which step it is of.

    `bytes` is what it leaves behind, by kind of thing; `checkpoint`, what it keeps in work/ meanwhile.
    """

    step: str
    amounts: dict[str, float]
    bytes: dict[str, float] = field(default_factory=dict)
    checkpoint: float = 0.0


class Estimator:
    """The work of the jobs of a configuration."""

    def __init__(self, config: Config) -> None:
        self.config, self.sizes = config, Sizes(config)
        self._named = {
            f"{family}_{name}".replace("-", "_"): name
            for family in FAMILIES
            for name in (*config.evaluations, *config.splits)
        }
        self._known: dict[tuple[str, tuple[tuple[str, str], ...]], Work] = {}
        self._of: dict[str, Callable[[Job], Work]] = {
            "microworld": self._microworld,
            "pretrain": self._pretrain,
            "train_linker": self._train_linker,
            "checkpoint": self._checkpoint,
            "aligned_checkpoint": self._checkpoint,
            "trim": self._checkpoint,
            "align_encoder": self._align_encoder,
            "tune": self._tune,
            "predict": self._predict,
            "contexts": self._contexts,
            "windows": self._windows,
            "gold": self._gold,
            "split": self._split,
            "score": self._scored,
            "intervals": self._scored,
            "map_back": self._mapped,
            "guard": self._guard,
            "links": self._links,
            "neural_links": self._links,
            "sentence_pairs": self._sentence_pairs,
            "public_sentences": self._public,
            "held_out": self._held_out,
            "held_out_with_links": self._held_out,
            "bitext": self._bitext,
            "bitext_links": self._bitext,
            "neural_bitext_links": self._bitext,
            "texts": self._texts,
            "translate": self._translate,
            "translate_by_service": self._translate,
            "retrieval": self._retrieval,
            "download": self._download,
        }

    def of(self, job: Job) -> Work:
        """The work of a job.  Those of other seeds are the same."""
        key = (
            job.rule,
            tuple((name, value) for name, value in job.wildcards.items() if name not in ("seed", "shard")),
        )
        if key not in self._known:
            step = self.step(job.rule)
            if "corpus" in job.wildcards and step not in self._of:
                self._known[key] = self._corpus(job)
            else:
                self._known[key] = self._of.get(step, lambda job: Work(step, {}))(job)
        return self._known[key]

    def step(self, rule: str) -> str:
        """What rules that differ in nothing but an entry of the configuration have in common."""
        if rule in self._named:
            return next(family for family in FAMILIES if rule.startswith(family))
        return rule

    # Encoders

    def _made(self, step: str, shape: Shape, flops: float, steps: float, kind: str) -> Work:
        weights = shape.weights * WEIGHT
        return Work(
            step,
            {"flops": flops / TERA, "steps": steps / 1000},
            {kind: weights + shape.vocabulary * PIECE},
            weights + shape.weights * OPTIMISER if steps else 0.0,
        )

    def _pretrain(self, job: Job) -> Work:
        entry = self.config.encoders[job.wildcards["encoder"]]
        assert entry.pretrain is not None
        recipe, shape = entry.pretrain, self.sizes.encoder(job.wildcards["encoder"])
        files = [file for of in entry.text.values() for file in of]
        characters = self.sizes.document_bytes(files)
        world = self.config.microworld
        documents = max(characters / 2000, 1)
        if world is not None and any(file.startswith(f"{MICROWORLD}/") for file in files):
            documents = float(sum(world.documents_of(code) for code in entry.text))
        document = min(characters / documents / CHARACTERS_A_PIECE + 2, recipe.max_length)
        short = min(document, recipe.short_length)
        length = recipe.short_share * short + (1 - recipe.short_share) * document
        pieces = recipe.steps * recipe.batch_size * length
        head = 2 * shape.width * (shape.vocabulary + shape.width) * recipe.mask_share
        flops = TRAINED * (shape.forward(pieces, length) + pieces * head)
        work = self._made("pretrain", shape, flops, recipe.steps, "encoders")
        # pieces are counted and text is cut into them before the first step
        return Work(work.step, {**work.amounts, "characters": characters / MEGA}, work.bytes, work.checkpoint)

    def _checkpoint(self, job: Job) -> Work:
        shape = self.sizes.encoder(job.wildcards["encoder"])
        step = self.step(job.rule)
        return Work(
            step,
            {"weights": shape.weights / MEGA},
            {"encoders": shape.weights * WEIGHT + shape.vocabulary * PIECE},
        )

    def _train_linker(self, job: Job) -> Work:
        name = job.wildcards["encoder"]
        entry, shape = self.config.encoders[name], self.sizes.encoder(name)
        assert entry.tune is not None
        length = 2 * SENTENCE / CHARACTERS_A_PIECE
        pieces = entry.tune.steps * entry.tune.batch_size * length * len(entry.tune.objectives)
        head = 2 * shape.width * (shape.vocabulary + shape.width) * entry.tune.mask_share
        flops = TRAINED * (shape.forward(pieces, length) + pieces * head)
        return self._made("train_linker", shape, flops, entry.tune.steps, "encoders")

    def _align_encoder(self, job: Job) -> Work:
        name = job.wildcards["alignment"]
        recipe, shape = (
            self.config.alignments[name].objective,
            self.sizes.encoder(job.wildcards["encoder"]),
        )
        pairs = [self.sizes.chosen_pairs(name, code) for code in aligned_languages(self.config, name)]
        cyclic = recipe.sampling == "cyclic"
        passes = max(pairs) if cyclic else sum(pairs)
        steps = recipe.steps or recipe.epochs * passes / recipe.batch_size
        a_step = recipe.batch_size * (len(pairs) if cyclic else 1)
        length = SENTENCE / CHARACTERS_A_PIECE + 2
        pieces = steps * a_step * 2 * length
        # the encoder before alignment reads the same sentences
        flops = (TRAINED + 1) * shape.forward(pieces, length)
        work = self._made("align_encoder", shape, flops, steps, "encoders")
        return Work(work.step, {**work.amounts, "pairs": sum(pairs) / 1000}, work.bytes, work.checkpoint)

    def _tune(self, job: Job) -> Work:
        model = self.config.models[job.wildcards["model"]]
        recipe, shape = self.config.tuning[model.tuning], self.sizes.encoder(model.encoder)
        windows, length = self._all_windows(self.config.training_sets[model.training_set].corpora)
        answered = 1 - self.config.microworld.unanswerable if self.config.microworld else 0.5
        windows *= answered + (1 - answered) * recipe.include_unknowns
        batch = recipe.batch_size or max((recipe.batch_pieces or 0) / length, 1)
        steps = recipe.epochs * windows / batch if recipe.epochs else float(recipe.steps)
        pieces = steps * batch * length
        flops = TRAINED * shape.forward(pieces, length)
        if recipe.contrast is not None and recipe.contrast.weight:
            kind, _, number = recipe.contrast.schedule.partition(":")
            having = min(float(number), steps) if kind == "until" else steps / float(number or 1)
            blocks = recipe.contrast.layer / shape.layers
            flops *= 1 + blocks * having / max(steps, 1)
        if recipe.selection is not None:
            asked = [recipe.selection.evaluation, recipe.selection.reported]
            for evaluation in filter(None, asked):
                more, of = self._all_windows(self.config.evaluations[evaluation].corpora)
                flops += steps / recipe.selection.every * shape.forward(more * of, of)
        return self._made("tune", shape, flops, steps, "models")

    # Reading

    def _all_windows(self, corpora: list[str]) -> tuple[float, float]:
        """(windows of some corpora, pieces of a window on average)."""
        total, pieces = 0.0, 0.0
        for name in corpora:
            size = self.sizes.corpus(name)
            each, length = self.sizes.window(size)
            total += size.total * each
            pieces += size.total * each * length
        return total, pieces / max(total, 1)

    def _predict(self, job: Job) -> Work:
        evaluation = self._named[job.rule]
        model = self.config.models[job.wildcards["model"]]
        windows, length = self._all_windows(self.config.evaluations[evaluation].corpora)
        flops = self.sizes.encoder(model.encoder).forward(windows * length, length)
        questions = self._questions(self.config.evaluations[evaluation].corpora)
        more = 2.0 * self.config.prediction.n_best + (1.0 if self.config.prediction.squad else 0.0)
        return Work(
            "predict",
            {"flops": flops / TERA, "windows": windows / 1000},
            {"predictions": questions * PREDICTION * (1 + more / 2)},
        )

    def _mapped(self, job: Job) -> Work:
        questions = self._questions(self.config.evaluations[self._named[job.rule]].corpora)
        return Work("map_back", {"questions": questions / 1000}, {"predictions": questions * PREDICTION})

    def _questions(self, corpora: list[str]) -> float:
        return sum(self.sizes.corpus(name).total for name in corpora)

    def _contexts(self, job: Job) -> Work:
        size = self.sizes.corpus(job.wildcards["corpus"])
        characters = size.documents * size.characters
        return Work(
            "contexts",
            {"characters": characters / MEGA},
            {"features": characters / CHARACTERS_A_PIECE * FEATURE},
        )

    def _windows(self, job: Job) -> Work:
        size = self.sizes.corpus(job.wildcards["corpus"])
        windows = size.total * self.sizes.window(size)[0]
        return Work("windows", {"windows": windows / 1000}, {"features": windows * WINDOW})

    def _gold(self, job: Job) -> Work:
        corpora = self.config.evaluations[self._named[job.rule]].corpora
        questions = self._questions(corpora)
        passages = sum(self.sizes.corpus(name).total * self.sizes.corpus(name).characters for name in corpora)
        return Work("gold", {"questions": questions / 1000}, {"scores": questions * GOLD + 0.05 * passages})

    def _scored(self, job: Job) -> Work:
        questions = self._questions(self.config.evaluations[job.wildcards["evaluation"]].corpora)
        kept = {"scores": questions * SCORE} if job.rule == "score" else {}
        pairs = pairs_of(self.config, job.wildcards["evaluation"])
        return Work(job.rule, {"questions": questions / 1000, "pairs": len(pairs) / 1000}, kept)

    # Data

    def _microworld(self, job: Job) -> Work:
        world = self.config.microworld
        assert world is not None
        articles = sum(
            world.train_articles_of(code) + world.dev_articles + world.test_articles + world.hard_articles
            for code in world.languages
        )
        articles += len(world.squad_languages) * sum(world.squad_articles)
        articles += sum(sum(n) for n in world.chaii_articles.values()) * (1 + len(world.chaii_targets))
        documents = sum(world.documents_of(code) for code in world.languages)
        pairs = world.sentence_pairs * len(world.languages)
        return Work(
            "microworld",
            {"items": (articles + documents + pairs) / 1000},
            {"data": articles * 1600.0 + documents * 450 + pairs * 220},
        )

    def _corpus(self, job: Job) -> Work:
        """Corpora of any kind, and what stands beside them."""
        name = job.wildcards["corpus"]
        size = self.sizes.corpus(name)
        whole = "results/documents/" in "".join(job.outputs)
        characters = size.documents * size.characters if whole else 0.0
        bytes_ = size.total * ROW + characters * TEXT
        if whole:
            amounts = {"questions": size.total / 1000, "characters": characters / MEGA}
        else:
            amounts = {"questions": size.total / 1000}
        return Work(self.step(job.rule), amounts, {"corpora": bytes_})

    def _split(self, job: Job) -> Work:
        size = self.sizes.corpus(self.config.splits[self._named[job.rule]].of)
        return Work("split", {"questions": size.total / 1000}, {"corpora": size.total * ROW})

    def _guard(self, job: Job) -> Work:
        name = job.wildcards["training_set"]
        asked = {
            corpus
            for evaluation in evaluations_of(self.config, name)
            for corpus in self.config.evaluations[evaluation].corpora
        }
        questions = self._questions([*self.config.training_sets[name].corpora, *sorted(asked)])
        return Work("guard", {"questions": questions / 1000})

    def _sentence_pairs(self, job: Job) -> Work:
        entry = self.config.alignments[job.wildcards["alignment"]]
        assert entry.pairs is not None
        there = self.sizes.sentence_pairs(entry.pairs, job.wildcards["language"])
        kept = self.sizes.chosen_pairs(job.wildcards["alignment"], job.wildcards["language"])
        return Work("sentence_pairs", {"pairs": there / 1000}, {"sentence pairs": kept * 200.0})

    def _links(self, job: Job) -> Work:
        name, code = job.wildcards["alignment"], job.wildcards["language"]
        pairs = self.sizes.chosen_pairs(name, code)
        amounts = {"pairs": pairs / 1000}
        encoder = self.config.alignments[name].links.encoder
        if encoder is not None:
            length = SENTENCE / CHARACTERS_A_PIECE + 2
            amounts["flops"] = self.sizes.encoder(encoder).forward(2 * pairs * length, length) / TERA
        return Work(job.rule, amounts, {"sentence pairs": pairs * 40.0})

    def _public(self, job: Job) -> Work:
        for name, entry in self.config.parallel.items():
            if entry.sources and entry.joined() == job.wildcards["joined"]:
                pairs = self.sizes.sentence_pairs(name, job.wildcards["language"])
                return Work("public_sentences", {"pairs": pairs / 1000}, {"sentence pairs": pairs * 190.0})
        return Work("public_sentences", {})

    def _held_out(self, job: Job) -> Work:
        pairs = self.sizes.sentence_pairs(job.wildcards["source"], job.wildcards["language"])
        return Work(job.rule, {"pairs": pairs / 1000})

    def _bitext(self, job: Job) -> Work:
        entry = self.config.corpora[job.wildcards["corpus"]]
        size: Size = self.sizes.corpus(entry.of)  # type: ignore[union-attr]
        code = job.wildcards["language"]
        here = sum(n for pair, n in size.questions.items() if pair.endswith(f"-{code}")) / max(size.total, 1)
        characters = here * (size.documents * size.characters + size.total * QUESTION)
        return Work(job.rule, {"characters": characters / MEGA}, {"sentence pairs": characters * 3.0})

    def _texts(self, job: Job) -> Work:
        size = self.sizes.corpus(job.wildcards["corpus"])
        characters = size.total * QUESTION
        if job.wildcards["what"] == "corpus":
            characters += size.documents * size.characters
        return Work("texts", {"characters": characters / MEGA}, {"translations": characters * TEXT})

    def characters(self, translations: str, pair: str) -> float:
        """Characters that a translator is given in a pair of languages, by all of its jobs together."""
        wanted = texts_for(self.config, translations, pair)
        return sum(self.sizes.translated(corpus, what, pair.split("-")[0]) for corpus, what in wanted)

    def _translate(self, job: Job) -> Work:
        name, pair = job.wildcards["translations"], job.wildcards["pair"]
        entry = self.config.translations[name]
        assert isinstance(entry, TRANSLATORS)
        characters = self.characters(name, pair) / entry.shards
        return Work(job.rule, {"characters": characters / MEGA}, {"translations": characters * 2 * TEXT})

    def _retrieval(self, job: Job) -> Work:
        name = job.wildcards["retrieval"]
        entry = self.config.retrieval[name]
        pairs = sum(
            min(self.config.parallel[entry.pairs].held_out, self.sizes.sentence_pairs(entry.pairs, code))
            for code in measured_languages(self.config, name)
        )
        encoders = 1 + len(measured_alignments(self.config, name))
        length = SENTENCE / CHARACTERS_A_PIECE + 2
        shape = self.sizes.encoder(entry.encoder)
        return Work(
            "retrieval",
            {
                "flops": encoders * shape.forward(2 * pairs * length, length) / TERA,
                "pairs": encoders * pairs / 1000,
            },
        )

    def _download(self, job: Job) -> Work:
        size = self.sizes.bytes_of(f"data/{job.wildcards['file']}")
        return Work("download", {"bytes": size / MEGA}, {"data": size})
