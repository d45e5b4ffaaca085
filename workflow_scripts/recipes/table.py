"""What a table of scores shows."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe

Task = Literal["passage", "minimal"]
Metric = Literal["em", "f1", "jaccard", "mucot_f1"]
Spread = Literal["deviation", "interval"]


class Heading(Recipe):
    """A line between rows, such as "mBERT + Alignment FT"."""

    heading: str = Field(description="its text")


class Row(Recipe):
    """One model's scores."""

    model: str = Field(description="name of the model, as in --scores")
    label: str = Field(description="printed under Model")
    training: str = Field(description="printed under Tr. Data")
    alignment: tuple[str, ...] | None = Field(
        None, description="languages the encoder was aligned in; null: not aligned, no marks"
    )
    missing: str | None = Field(
        None,
        description="folder of the checkpoint that this model needs and that is not there; its cells say n/a",
    )


class Table(Recipe):
    """A table in the layout of aligned_qa's Tables 2 and 3, or of several scores of the answers' texts."""

    title: str = Field(description="first words of the caption")
    evaluation: str = Field(description="name of the evaluation, for the caption")
    annotators: Positive = Field(description="annotators who had to agree, for the caption")
    seeds: tuple[int, ...] = Field(
        min_length=1, description="seeds of each model's scores, in the order of --scores"
    )
    repeats: tuple[str, ...] = Field(
        ("",),
        min_length=1,
        description="what else each model was made for several times, such as splits; --scores go over these, each with"
        " all seeds",
    )
    spread: Spread = Field(
        "deviation",
        description="of several runs: their standard deviation, or half of a 95 % interval of the mean",
    )
    task: Task | None = Field(None, description="TyDi QA's task whose F1 is shown; null: metrics are")
    metrics: tuple[Metric, ...] = Field(
        (), description="scores of the answers' texts that are shown, in this order; none: task is"
    )
    threshold: Literal["swept", "dev"] = Field(
        "swept",
        description="best F1 on the evaluated questions, or F1 at the thresholds of another evaluation",
    )
    thresholds_from: str | None = Field(None, description="name of that evaluation, for the caption")
    columns: tuple[tuple[str, ...], ...] = Field(
        description="blocks of question-context pairs; a block of several ends with its average"
    )
    average: Literal["pairs", "questions"] = Field(
        "pairs",
        description="what counts the same in it: each pair, or each question of all pairs of the block",
    )
    chosen: Literal["weights", "columns"] = Field(
        "weights",
        description="weights: scores of each model as it is; columns: each cell is of the step that is best in its own"
        " column on dev, read from steps.jsonl",
    )
    chosen_on: tuple[str, ...] = Field(
        (), description="columns: names of the evaluations that are dev, for the caption"
    )
    starred: tuple[str, ...] = Field(
        (),
        description="models whose cells are starred where they are significantly better, in the order of the effects in"
        " --effects",
    )
    over: tuple[str, ...] = Field((), description="what these are better than, for the caption")
    rows: tuple[Row | Heading, ...] = Field(description="models, and headings between them")


class PairsColumn(Recipe):
    """An alignment's sentence pairs."""

    alignment: str = Field(description="its name, as in --pairs, and the column's head")
    languages: tuple[str, ...] = Field(description="languages whose pairs it has")
    missing: tuple[str, ...] = Field((), description="languages that it lacks pairs of; their cells say n/a")


class ReadColumn(Recipe):
    """What an encoder has read."""

    head: str = Field(description="the column's head")
    encoder: Literal["mbert", "xlmr"] | tuple[str, ...] | None = Field(
        description="a published encoder, or the languages of another; null: not known"
    )


class PairsTable(Recipe):
    """A table in the layout of aligned_qa's Table 9."""

    title: str = Field(description="first words of the caption")
    languages: tuple[str, ...] = Field(min_length=1, description="a row each")
    encoders: tuple[ReadColumn, ...] = Field(
        (), description="columns that say which languages encoders have read"
    )
    columns: tuple[PairsColumn, ...] = Field(min_length=1, description="columns that count alignments' pairs")


class RecordsCorpus(Recipe):
    """A corpus that a training set has."""

    name: str = Field(description="its name, as in --questions")
    made: str = Field(description="how its questions came about: as published, translated, …")


class RecordsSet(Recipe):
    """A training set."""

    name: str = Field(description="its name, as in --left-out")
    label: str = Field(description="what tables print under Tr. Data")
    corpora: tuple[RecordsCorpus, ...] = Field(
        min_length=1, description="its corpora; the first is the original"
    )


class RecordsTable(Recipe):
    """A table of what training sets are made of."""

    title: str = Field(description="first words of the caption")
    sets: tuple[RecordsSet, ...] = Field(min_length=1, description="training sets")


class Printed(Recipe):
    """Which rows of a published table stand beside those of a table of scores."""

    table: Literal[
        "aligned_qa_table2",
        "aligned_qa_table3",
        "aligned_qa_table4",
        "aligned_qa_table5",
        "aligned_qa_table6",
        "aligned_qa_table7",
        "aligned_qa_table8",
        "mucot_table2",
        "mucot_table3",
    ] = Field(description="a file of resources/paper_tables")
    rows: tuple[Positive | None, ...] = Field(
        min_length=1,
        description="numbers of its rows (of MuCoT's columns, of Table 6's systems), in the order of the models;"
        " null: it has no such row",
    )
