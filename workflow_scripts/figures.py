"""Which figures a configuration has, and what the step that draws each is told: they follow from its entries alone.

A figure is called <kind>/<name>, or <kind> where there is one, and lies in results/figures under that name:

- effects/<table>: differences between models with intervals, of every table of effects
- heat_maps/<table>: question by context, of every table of scores whose pairs share a language on some side
- alignment_size/<table>, training_size/<table>: where rows of a table differ in nothing but the number of sentence
  pairs or the training set, in three sizes at least
- heard/<table>: questions as written and as a recogniser heard them, of tables of sections that show both
- retrieval/<name>: of every measurement of retrieval
- relocation: of the translated corpora that models are trained or evaluated on
- training/<encoder>: the course of training of all models in tables

Nothing is drawn of what has no figures because checkpoints are not there.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from workflow_scripts.config import (
    Config,
    SectionsTableOf,
    TableOf,
    TranslatedCorpus,
    ancestors,
    blocks_of,
    chain_of,
    effects_tables,
    missing_alignment,
    missing_checkpoint,
    models_of,
    pairs_of,
    reported,
    row_name,
    rows_of,
    runs_of,
    sections_recipe,
    sections_table,
    table_recipe,
    table_rows,
    training_label,
)
from workflow_scripts.recipes.figures import (
    AnyTable,
    DataSizes,
    HeatMaps,
    RelocatedCorpus,
    Relocations,
    SizedRow,
    SizeLine,
    TrainedModel,
    TrainingCurves,
)
from workflow_scripts.recipes.sections import Block, Section, SectionsTable
from workflow_scripts.recipes.table import Heading, Row

LEAST_SIZES = 3  # that make a line
SILENT = ("label", "devices", "nodes")  # what of a model changes no result
Grown = Literal["alignment", "training"]


def figures_of(config: Config) -> dict[str, str]:
    """Name -> title of every figure, in the order of the page."""
    titles = {name: entry.title for name, entry in config.tables.items()}
    found = {f"effects/{name}": titles[name] for name in effects_tables(config)}
    found |= {f"heat_maps/{name}": titles[name] for name in heat_mapped(config)}
    for grown in ("alignment", "training"):
        found |= {f"{grown}_size/{name}": titles[name] for name in sized(config, grown)}
    found |= {f"heard/{name}": titles[name] for name in heard_tables(config)}
    found |= {
        f"retrieval/{name}": f"Retrieval by {entry.encoder}"
        for name, entry in config.retrieval.items()
        if not all(missing_alignment(config, alignment) for alignment in entry.alignments)
    }
    if relocated(config):
        found["relocation"] = "Answers found again in translations"
    found |= {f"training/{name}": f"Training of models of {name}" for name in trained_encoders(config)}
    return found


def table_of(config: Config, name: str) -> AnyTable:
    """What the step that writes a table is told, with labels that tell apart rows of different models."""
    recipe = (
        sections_recipe(config, name)
        if isinstance(config.tables[name], SectionsTableOf)
        else table_recipe(config, name)
    )
    if isinstance(recipe, SectionsTable):
        parts = told_apart(config, [section.rows for section in recipe.sections])
        sections = [
            section.model_copy(update={"rows": rows})
            for section, rows in zip(recipe.sections, parts, strict=True)
        ]
        return recipe.model_copy(update={"sections": tuple(sections)})
    of_row = {row_name(config, name, row): runs_of(config, name, row)[0][1] for row in rows_of(config, name)}
    (rows,) = told_apart(config, [recipe.rows], of_row)
    return recipe.model_copy(update={"rows": rows})


def told_apart(
    config: Config, parts: Sequence[Sequence[Row | Heading]], of_row: dict[str, str] | None = None
) -> list[tuple[Row | Heading, ...]]:
    """The rows of a table's parts; behind labels that several rows have with the same training data stands the encoder.

    And the row's name where that is the same, too: what headings tell apart, figures do not.  of_row: name of a row ->
    a model that it shows, where it is called otherwise than its model.
    """

    def encoder(model: str) -> str:
        return config.models[(of_row or {}).get(model, model)].encoder

    models = {(row.label, row.training, row.model) for rows in parts for row in rows if isinstance(row, Row)}
    many = Counter((label, training) for label, training, _ in models)
    same = Counter((label, training, encoder(model)) for label, training, model in models)

    def renamed(row: Row | Heading) -> Row | Heading:
        if isinstance(row, Heading) or many[row.label, row.training] == 1:
            return row
        name = encoder(row.model)
        told = f"{name}, {row.model}" if same[row.label, row.training, name] > 1 else name
        return row.model_copy(update={"label": f"{row.label} ({told})"})

    return [tuple(map(renamed, rows)) for rows in parts]


def has_models(config: Config, name: str) -> bool:
    """Whether some row of a table of scores or of sections has figures: the others' checkpoints are not there."""
    table = table_of(config, name)
    parts = [section.rows for section in table.sections] if isinstance(table, SectionsTable) else [table.rows]
    return any(isinstance(row, Row) and not row.missing for rows in parts for row in rows)


# Heat maps


def heat_mapped(config: Config) -> list[str]:
    """The tables whose pairs are a grid: two of them share the question's language, or the context's."""
    found = []
    for name, entry in config.tables.items():
        pairs: set[str] = set()
        if isinstance(entry, TableOf):
            pairs = {pair for block in entry.columns for pair in block}
        elif isinstance(entry, SectionsTableOf):
            blocks = [block for section in entry.sections for block in blocks_of(entry, section)]
            pairs = {pair for block in blocks for pair in block.pairs if not spoken(blocks)}
        sides = [Counter(pair.split("-")[side] for pair in pairs) for side in (0, 1)]
        if any(count > 1 for side in sides for count in side.values()) and has_models(config, name):
            found.append(name)
    return found


def heat_maps_recipe(config: Config, name: str) -> HeatMaps:
    """What the step that draws heat maps is told."""
    return HeatMaps(table=table_of(config, name))


# Size of the data


class Grows(NamedTuple):
    """A row whose data may be of several sizes: what it shares with others, what it is trained on, a label."""

    alike: str
    data: tuple[str, ...]
    label: str


def grows(config: Config, models: Sequence[str], label: str, grown: Grown) -> Grows | None:
    """What a row has that is the mean of these models; None where nothing of it could grow."""
    entries = [config.models[model] for model in models]
    first = entries[0]
    if any(missing_checkpoint(config, model) for model in models):
        return None
    if grown == "training":
        told = first.model_dump_json(exclude={*SILENT, "training_set"})
        return Grows(told, tuple(dict.fromkeys(entry.training_set for entry in entries)), label)
    if first.alignment is None:
        return None
    alignment = config.alignments[first.alignment]
    if alignment.pairs is None:
        return None
    told = first.model_dump_json(exclude={*SILENT, "alignment"})
    told += alignment.model_dump_json(exclude={"filter": {"sentences"}})
    languages = alignment.languages if alignment.languages == "all" else ", ".join(alignment.languages)
    return Grows(
        told, tuple(dict.fromkeys(filter(None, (entry.alignment for entry in entries)))),
        f"{first.encoder}, aligned in {languages}",
    )  # fmt: skip


def size_lines(config: Config, name: str, grown: Grown) -> list[SizeLine]:
    """The rows of a table that differ in their data only, line by line."""
    entry = config.tables[name]
    rows: list[tuple[str, list[str], str]] = []  # name, models, label
    if isinstance(entry, TableOf):
        labels = iter(row for row in table_recipe(config, name).rows if isinstance(row, Row))
        for row, told in zip(rows_of(config, name), labels, strict=True):
            models = list(dict.fromkeys(model for _, model, _ in runs_of(config, name, row)))
            if row.evaluation == entry.evaluation:
                rows.append((told.model, models, told.label))
    elif isinstance(entry, SectionsTableOf):
        found = {
            model: label or config.models[model].label
            for section in entry.sections
            for model, label in models_of(section.rows)
        }
        rows = [(model, [model], label) for model, label in found.items()]
    lines: dict[str, list[tuple[str, Grows]]] = defaultdict(list)
    for row_called, models, label in rows:
        if (of_row := grows(config, models, label, grown)) is not None:
            lines[of_row.alike].append((row_called, of_row))
    return [
        SizeLine(label=of[0][1].label, rows=[SizedRow(row=row, data=one.data) for row, one in of])
        for of in lines.values()
        if len({one.data for _, one in of}) >= LEAST_SIZES
    ]


def sized(config: Config, grown: Grown) -> list[str]:
    """The tables that show how scores grow with the data."""
    return [name for name in config.tables if size_lines(config, name, grown)]


def sizes_recipe(config: Config, name: str, grown: Grown) -> DataSizes:
    """What the step that draws scores by size is told."""
    lines = size_lines(config, name, grown)
    sets = dict.fromkeys(data for line in lines for row in line.rows for data in row.data)
    corpora = {one: config.training_sets[one].corpora for one in sets} if grown == "training" else {}
    return DataSizes.model_validate(
        {"table": table_of(config, name), "of": grown, "lines": lines, "corpora": corpora}
    )


# Questions as they were heard


def spoken(blocks: Sequence[Block]) -> bool:
    """Whether some of these columns are of questions as a recogniser heard them."""
    return any(block.source == "asr" for block in blocks)


def both_ways(config: Config, entry: SectionsTableOf) -> Iterator[tuple[int, list[Block]]]:
    """Number of a section -> a column as written and one as heard for each pair and task that it shows as heard.

    As written is the evaluation of the section's columns that are not heard, if it has the pair.
    """
    for number, section in enumerate(entry.sections):
        blocks = blocks_of(entry, section)
        written = {block.task: block.evaluation for block in blocks if block.source != "asr"}
        found = []
        for block in blocks:
            other = written.get(block.task)
            if block.source == "asr" and other is not None:
                for pair in block.pairs:
                    if pair in pairs_of(config, other):
                        one = {"task": block.task, "pairs": [pair]}
                        found += [
                            Block.model_validate({**one, "evaluation": other, "source": "gold"}),
                            Block.model_validate({**one, "evaluation": block.evaluation, "source": "asr"}),
                        ]
        if found:
            yield number, found


def heard_tables(config: Config) -> list[str]:
    """The tables of sections that show questions both ways."""
    return [
        name
        for name, entry in config.tables.items()
        if isinstance(entry, SectionsTableOf) and list(both_ways(config, entry)) and has_models(config, name)
    ]


def heard_recipe(config: Config, name: str) -> SectionsTable:
    """What the step that draws questions both ways is told: the table with no other columns than these."""
    recipe = table_of(config, name)
    assert isinstance(recipe, SectionsTable)
    sections = [
        Section(
            heading=recipe.sections[number].heading, columns=tuple(blocks), rows=recipe.sections[number].rows
        )
        for number, blocks in both_ways(config, sections_table(config, name))
    ]
    return recipe.model_copy(update={"sections": tuple(sections)})


def misheard_pairs(config: Config, name: str) -> dict[str, tuple[str, str]]:
    """EVALUATION/PAIR -> the evaluations of a table's questions as written and as heard, whose words are compared."""
    return {
        f"{heard.evaluation}/{heard.pairs[0]}": (written.evaluation, heard.evaluation)
        for _, blocks in both_ways(config, sections_table(config, name))
        for written, heard in zip(blocks[::2], blocks[1::2], strict=True)
    }


# Answers found again


def relocated(config: Config) -> list[str]:
    """The translated corpora that models in tables are trained on or answer, in the order of the configuration."""
    used: set[str] = set()
    for table in config.tables:
        for model, evaluation in table_rows(config, table):
            used.update(config.evaluations[evaluation].corpora)
            if (other := config.evaluations[evaluation].answered_from) is not None:
                used.update(config.evaluations[other].corpora)
            for one in chain_of(config, model):
                used.update(config.training_sets[config.models[one].training_set].corpora)
    made_of = {name for corpus in used for name in ancestors(config, corpus)}
    return [
        name
        for name, entry in config.corpora.items()
        if isinstance(entry, TranslatedCorpus) and name in made_of
    ]


def relocations_recipe(config: Config) -> Relocations:
    """What the step that draws what became of answers is told."""
    found = []
    for name in relocated(config):
        entry = config.corpora[name]
        assert isinstance(entry, TranslatedCorpus)
        found.append(RelocatedCorpus(name=name, of=entry.of))
    return Relocations(corpora=tuple(found))


# The course of training


def trained_models(config: Config, encoder: str) -> list[str]:
    """The models of an encoder that tables show, and those that they are tuned after, each once."""
    shown = dict.fromkeys(
        one
        for _, model, _ in reported(config)
        if not missing_checkpoint(config, model)
        for one in chain_of(config, model)
    )
    return [model for model in shown if config.models[model].encoder == encoder]


def trained_encoders(config: Config) -> list[str]:
    """The encoders of these models."""
    return [name for name in config.encoders if trained_models(config, name)]


def curves_recipe(config: Config, encoder: str) -> TrainingCurves:
    """What the step that draws the course of training is told; runs of one label and training data are one line.

    These are seeds and splits.  Models that are called alike and made otherwise have their name behind the label.
    """
    models = trained_models(config, encoder)
    labels = {model: (config.models[model].label, training_label(config, model)) for model in models}
    made: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)  # how -> the first model
    for model in models:
        made[labels[model]].setdefault(how_trained(config, model), model)
    runs = []
    for model in models:
        selection = config.tuning[config.models[model].tuning].selection
        label, training = labels[model]
        alike = made[label, training]
        told = f"{label} ({alike[how_trained(config, model)]})" if len(alike) > 1 else label
        for seed in config.seeds:
            runs.append(
                TrainedModel(
                    name=f"{model}/seed{seed}",
                    label=told,
                    training=training,
                    selected_by=selection.metric if selection else None,
                )
            )
    return TrainingCurves(title=f"Training of models of {encoder}", runs=tuple(runs))


def how_trained(config: Config, model: str) -> str:
    """The alignment and the settings of a model and of those that it is tuned after; those of splits are equal."""
    entries = [config.models[one] for one in chain_of(config, model)]
    files = {"selection": {"evaluation", "reported"}}  # each split's own questions
    told = [
        (entry.alignment, config.tuning[entry.tuning].model_dump_json(exclude=files)) for entry in entries
    ]
    return json.dumps(told)
