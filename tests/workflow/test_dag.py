"""What would be run, without running it: jobs of the shipped configurations, mistakes, and the form of the rules."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import ROOT, Tree
from workflow_scripts.recipes.linker import LinkerTraining
from workflow_scripts.recipes.links import Links

RULES = [*sorted((ROOT / "rules").glob("*.smk")), ROOT / "Snakefile"]


def test_the_default(tree: Tree) -> None:
    assert tree.jobs(config=None) == {
        "microworld": 1,
        "tydiqa": 3,
        "squad": 1,
        "chaii": 1,
        "split_custom_dev": 1,
        "split_chaii_test_0": 1,
        "split_chaii_dev_0": 1,
        "matched": 8,
        "translations_from_files": 3,
        "translated_questions": 9,
        "bitext": 10,
        "bitext_links": 10,
        "translated_corpus": 5,
        "transliterated_corpus": 4,
        "guard": 10,
        "held_out_with_links": 9,
        "sentence_pairs": 30,
        "links": 30,
        "pretrain": 2,
        "align_encoder": 8,
        "contexts": 17,
        "windows": 44,
        "tune": 31,
        "predict_tydi_test": 15,
        "predict_tydi_hard": 4,
        "predict_tydi_dev": 10,
        "predict_tydi_own": 2,
        "predict_chaii": 1,
        "predict_chaii_in_english": 1,
        "predict_chaii_test_0": 15,
        "map_back_tydi_translate_test": 2,
        "map_back_chaii_translate_test": 1,
        "gold_tydi_test": 1,
        "gold_tydi_hard": 1,
        "gold_tydi_dev": 1,
        "gold_tydi_translate_test": 1,
        "gold_chaii": 1,
        "gold_chaii_test_0": 1,
        "gold_chaii_translate_test": 1,
        "score": 58,
        "effects": 3,
        "table": 11,
        "table_of_pairs": 1,
        "table_of_records": 1,
        "table_of_effects": 3,
        "figure_of_effects": 3,
        "figure_of_heat_maps": 9,
        "figure_of_sizes": 3,
        "misheard_words": 1,
        "figure_of_heard": 1,
        "figure_of_retrieval": 1,
        "figure_of_relocation": 1,
        "figure_of_training": 2,
        "compare": 9,
        "retrieval": 1,
        "retrieval_table": 1,
        "transcribed_questions": 3,
        "gold_tydi_heard": 1,
        "predict_tydi_heard": 10,
        "table_of_sections": 4,
        "table_of_outcomes": 1,
        "table_of_settings": 1,
        "table_of_alignments": 1,
    }


def test_one_table_asks_for_no_more_than_it_shows(tree: Tree) -> None:
    jobs = tree.jobs("results/tables/table2.csv", config=None)
    assert jobs["table"] == 1
    assert jobs["score"] == jobs["predict_tydi_test"] == jobs["tune"] == 10
    assert "predict_tydi_dev" not in jobs


def test_all_tables_are_the_papers(tree: Tree) -> None:
    """Nine of aligned_qa and three of MuCoT, in three forms, and beside the printed ones where these have numbers."""
    files = tree.pending("all_tables", config=None)
    made = {file.removeprefix("tables/") for file in files if file.startswith("tables/")}
    names = [
        *(f"table{number}" for number in range(1, 10)),
        *(f"mucot_table{number}" for number in (1, 2, 3)),
    ]
    beside = [f"{name}.compare" for name in names if name not in ("table1", "table9", "mucot_table1")]
    assert made == {f"{name}.{end}" for name in (*names, *beside) for end in ("csv", "md", "tex")}


def test_mucots_tables_train_every_model_once(tree: Tree) -> None:
    """Those of both tables share the SQuAD stage and the two models without copies."""
    tables = ["results/tables/mucot_table2.csv", "results/tables/mucot_table3.csv"]
    assert tree.jobs(*tables, config=None)["tune"] == 1 + 2 + 6 + 6
    jobs = tree.jobs(
        *tables,
        "--config",
        "for_each={k: [0, 1, 2, 3, 4], to: [ml, te, bn, mr], more: [dravidian,"
        " indo-aryan, all, in-dravidian, in-indo-aryan, in-all]}",
        config=None,
    )
    assert jobs["tune"] == 1 + 5 * (2 + 6 + 6)
    assert jobs["translated_corpus"] == 5  # with chaii-en, which mbert-squad answers in another table


def test_real_files(tree: Tree, tmp_path: Path) -> None:
    """A configuration file takes the default's place: nothing of the micro-world is left."""
    jobs = tree.jobs("--config", f"mirror={tmp_path}", config="config/real.yaml")
    assert jobs == {
        "download": 29,
        "squad": 14,
        "tydiqa": 1,
        "translations_from_corpora": 6,
        "translated_questions": 6,
        "guard": 1,
        "sentence_pairs": 7,
        "links": 7,
        "pretrain": 2,
        "align_encoder": 2,
        "contexts": 30,
        "windows": 42,
        "tune": 4,
        "predict_xquad": 4,
        "predict_goldp": 4,
        "predict_tiny_dev": 4,
        "gold_xquad": 1,
        "gold_goldp": 1,
        "gold_tiny_dev": 1,
        "score": 12,
        "table": 4,
        "figure_of_heat_maps": 1,
        "figure_of_training": 2,
    }


def test_prefetch_fetches_what_the_tables_read(tree: Tree) -> None:
    """No more and no less: files of encoders and languages that no table shows stay where they are."""
    assert tree.jobs("prefetch", config="config/real.yaml") == {"download": 29, "prefetch": 1}
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    raw["encoders"]["tiny"] = {"checkpoint": "lab/bert"}
    raw["encoders"]["unused"] = {"checkpoint": "lab/other"}
    (tree.folder / "hub.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    told = tree.snakemake("--dry-run", "--printshellcmds", "prefetch", config="hub.yaml")
    assert "cluster.prefetch --models lab/bert >" in told.stdout + told.stderr


def test_links_by_an_encoder(tree: Tree) -> None:
    """Only the named alignment is linked by it, and every encoder that is aligned waits for this one."""
    raw = yaml.safe_load((tree.folder / "config.yaml").read_text("utf-8"))
    asked = {"linker": "neural", "encoder": "xlmr", "layer": 2, "filter": {"min_score": 0.1}}
    raw["alignments"]["tydi-l"]["links"] = asked
    (tree.folder / "neural.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), "utf-8")
    before, jobs = tree.jobs(config=None), tree.jobs(config="neural.yaml")
    assert {rule: jobs[rule] - before.get(rule, 0) for rule in jobs if jobs[rule] != before.get(rule)} == {
        "links": -4,
        "neural_links": 4,
        "figure_of_sizes": -1,  # what differs in its linker, too, is not drawn by size alone
    }
    wanted = "results/aligned/mbert/tydi-l/model.safetensors"
    told = tree.snakemake("--dry-run", "--printshellcmds", wanted, config="neural.yaml")
    commands = [
        shlex.split(line) for line in (told.stdout + told.stderr).splitlines() if "align.links" in line
    ]
    assert len(commands) == 4
    for command in commands:
        assert command[command.index("--encoder") + 1] == "results/encoders/xlmr"
        recipe = json.loads(command[command.index("--recipe") + 1])
        assert Links.model_validate(recipe) == Links(**{k: v for k, v in asked.items() if k != "encoder"})
    assert tree.jobs(wanted, config="neural.yaml")["pretrain"] == 2


def test_links_by_an_encoder_that_is_trained_to_link(tree: Tree) -> None:
    """It is trained from another entry on sentence pairs of its own choice, before it links."""
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    tune = {"layer": 1, "steps": 5, "objectives": ["so", "mlm"]}
    raw["encoders"]["linker"] = {
        "tune": tune,
        "of": "tiny",
        "pairs": "microworld",
        "filter": {"sentences": 30},
    }
    raw["alignments"]["ar"]["links"] = {"linker": "neural", "encoder": "linker", "layer": 1}
    (tree.folder / "linker.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    before, jobs = tree.jobs(), tree.jobs(config="linker.yaml")
    assert {rule: jobs.get(rule, 0) - before.get(rule, 0) for rule in {**before, **jobs}} == {
        **dict.fromkeys(before, 0),
        "links": -1,
        "neural_links": 1,
        "linker_pairs": 1,
        "train_linker": 1,
    }
    told = tree.snakemake("--dry-run", "--printshellcmds", config="linker.yaml")
    commands = [shlex.split(line) for line in (told.stdout + told.stderr).splitlines() if "python -m" in line]
    (command,) = (command for command in commands if "workflow_scripts.align.linker" in command)
    assert command[command.index("--encoder") + 1] == "results/encoders/tiny"
    assert command[command.index("--pairs") + 1] == "ar=results/linker_pairs/linker/ar.txt"
    assert LinkerTraining.model_validate_json(command[command.index("--recipe") + 1]) == LinkerTraining(
        **tune
    )
    (command,) = (
        command
        for command in commands
        if "results/linker_pairs/linker/ar.txt" in command
        and "--out" in command
        and "workflow_scripts.acquire.parallel" in command
    )
    assert json.loads(command[command.index("--recipe") + 1])["sentences"] == 30


def test_the_papers_own_size(tree: Tree) -> None:
    """All of aligned_qa but for the three encoders that others aligned and that are not there."""
    jobs = tree.jobs(config="config/aligned_qa.yaml")
    assert jobs["checkpoint"] == 2
    assert jobs["download"] == 2 + 5 + 2 * 8 + 2 + 3 + 2 * 4 + 2 * 111
    assert jobs["public_sentences"] == 4
    assert jobs["sentence_pairs"] == 3 * 4 + 2 * 111
    assert jobs["align_encoder"] == 3 + 5
    assert jobs["tune"] == 12
    assert (jobs["table"], jobs["table_of_sections"], jobs["table_of_pairs"]) == (2, 4, 1)
    assert "pretrain" not in jobs


def test_languages_without_sentences_are_told_and_left_out(tree: Tree, tmp_path: Path) -> None:
    mirror = tmp_path / "parallel" / "moses"
    mirror.mkdir(parents=True)
    for code in ("ar", "sw"):
        for end in (code, "en"):
            (mirror / f"{code}-en.{end}").touch()
    named = ("results/tables/table9.csv", "--config", f"mirror={tmp_path}")
    assert tree.jobs(*named, config="config/aligned_qa.yaml") == {
        "download": 4,
        "sentence_pairs": 2,
        "table_of_pairs": 1,
    }
    told = tree.snakemake("--dry-run", *named, config="config/aligned_qa.yaml")
    (line,) = (line for line in told.stderr.splitlines() if line.startswith("parallel."))
    assert line.startswith("parallel.moses: no sentence pairs of af, am, an, as,")
    assert line.endswith("; what asks for all languages leaves them out")
    one = "results/parallel/tydi-s/ko.txt"
    text = (tree.folder / "config/aligned_qa.yaml").read_text("utf-8")
    (tree.folder / "explicit.yaml").write_text(text.replace("tydi-s: {pairs: tydi", "tydi-s: {pairs: moses"))
    assert tree.jobs(one, *named[1:], config="explicit.yaml") == {"download": 2, "sentence_pairs": 1}


def test_mucot(tree: Tree) -> None:
    """SQuAD once for each encoder; on five splits, every set of copies with and without the contrastive term."""
    splits = {f"{what}_{k}": 1 for what in ("split_chaii_test", "split_chaii_dev") for k in range(5)}
    evaluated = {f"predict_chaii_test_{k}": 34 for k in range(5)} | {
        f"gold_chaii_test_{k}": 1 for k in range(5)
    }
    jobs = tree.jobs(config="config/mucot.yaml")
    assert jobs == splits | evaluated | {
        "download": 2,
        "squad": 1,
        "chaii": 1,
        "texts": 1,
        "translate": 16,  # two languages into four, in two shards
        "bitext": 8,
        "bitext_links": 8,
        "translated_corpus": 4,
        "transliterated_corpus": 4,
        "matched": 60,
        "guard": 51,
        "checkpoint": 2,
        "contexts": 20,
        "windows": 132,
        "tune": 172,  # 20 of mBERT and 14 of XLM-R on each split, after one of each on SQuAD
        "score": 170,
        "table": 5,
        "compare": 2,
        "effects": 1,
        "table_of_effects": 1,
        "figure_of_effects": 1,
        "figure_of_sizes": 4,
        "figure_of_relocation": 1,
        "figure_of_training": 2,
        "table_of_records": 1,
    }
    one = ("--config", "for_each={k: [3]}", "--", "results/tables/mucot_table2.csv")
    told = tree.snakemake("--dry-run", "--printshellcmds", *one, config="config/mucot.yaml")
    starts = re.findall(r"qa\.tune\w* --encoder (\S+) .*--label (\S+)", told.stdout + told.stderr)
    assert ("results/models/mbert-squad/seed0", "mbert-squad-chaii-all-contrast-3") in starts
    assert ("results/encoders/mbert", "mbert-chaii-3") in starts
    assert len(set(starts)) == 9


def test_mucots_published_copies(tree: Tree) -> None:
    """They take the place of those made here by the lines that config/mucot.yaml has for them."""
    text = (tree.folder / "config/mucot.yaml").read_text("utf-8")
    made = re.compile(r"^  chaii-(in-)?\{to\}: \{kind: trans.*\n", re.M)
    text = re.sub(r"^  # (chaii-(in-)?\{to\}: \{kind: versions)", r"  \1", made.sub("", text), flags=re.M)
    (tree.folder / "published.yaml").write_text(text, "utf-8")
    jobs = tree.jobs("results/tables/mucot-records.csv", config="published.yaml")
    assert "translate" not in jobs
    assert "transliterated_corpus" not in jobs
    assert (jobs["versions_from_files"], jobs["download"], jobs["matched"]) == (8, 3, 60)


def test_whole_corpora_in_other_languages(tree: Tree) -> None:
    """ChAII's rows to English from records, and on to Bengali by a service; one of its shards serves two corpora."""
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    raw["microworld"]["languages"] = ["en", "ar", "hi", "ta", "bn"]
    folder = "results/microworld/chaii"
    records = {code: f"{folder}/translations/{code}-en.jsonl" for code in ("hi", "ta")}
    raw["translations"] |= {
        "google": {"kind": "google", "project": "p", "max_characters": 10, "shards": 3},
        "nllb": {"kind": "seq2seq", "model": "some/model"},
    }
    raw["corpora"] |= {
        "chaii": {"kind": "chaii", "files": [f"{folder}/train.csv"], "languages": ["hi", "ta"]},
        "chaii-en": {"kind": "translated", "of": "chaii", "to": "en", "records": records},
        "chaii-bn": {"kind": "translated", "of": "chaii-en", "to": "bn", "translations": "google"},
        "chaii-te": {"kind": "translated", "of": "chaii", "to": "te", "translations": "nllb", "links": None},
        "letters": {"kind": "transliterated", "of": "chaii-en", "to": "bn"},
        "asked": {
            "kind": "translated-questions",
            "of": "chaii",
            "from": ["hi"],
            "to": ["te", "bn"],
            "translations": "google",
        },
    }
    added = ["chaii", "chaii-en", "chaii-bn", "chaii-te", "letters", "asked"]
    raw["training_sets"]["aug"]["corpora"] += added
    (tree.folder / "whole.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    before, jobs = tree.jobs(), tree.jobs(config="whole.yaml")
    assert {
        rule: count - before.get(rule, 0) for rule, count in jobs.items() if count != before.get(rule)
    } == {
        "chaii": 1,
        "texts": 3,  # chaii-en's and chaii's, and the questions of chaii
        "translate_by_service": 3 * 3,  # en-bn, hi-te and hi-bn
        "translate": 2,  # hi-te and ta-te
        "bitext": 3,  # hi-en, ta-en and en-bn
        "bitext_links": 3,
        "translated_corpus": 3,
        "transliterated_corpus": 1,
        "translated_questions": 1,
        "figure_of_relocation": 1,
        "contexts": 5,  # that questions are asked on other contexts adds nothing
        "windows": 6,
    }
    told = tree.snakemake("--dry-run", "--printshellcmds", config="whole.yaml")
    commands = [
        shlex.split(line) for line in (told.stdout + told.stderr).splitlines() if "python -m " in line
    ]
    shards = [command for command in commands if "results/translations/google/en-bn/2.parquet" in command]
    (translate,) = (command for command in shards if "workflow_scripts.augment.translate" in command)
    for option, value in (
        ("--texts", "results/texts/chaii-en.corpus.parquet"),
        ("--shard", "2/3"),
        ("--from", "en"),
        ("--to", "bn"),
        ("--cache", "cache"),
        ("--recipe", "$XLQA_TRANSLATOR_google"),
    ):
        assert translate[translate.index(option) + 1] == value
    (corpus,) = (command for command in shards if "workflow_scripts.augment.corpora" in command)
    assert corpus[corpus.index("--links") + 1] == "en=results/bitext/chaii-bn/en.links"
    (unlinked,) = (
        command
        for command in commands
        if "results/documents/chaii-te.parquet" in command
        and "te" in command
        and "workflow_scripts.augment.corpora" in command
    )
    assert unlinked[unlinked.index("--links") + 1].startswith("--")


def test_one_key_on_the_command_line(tree: Tree) -> None:
    """Two more seeds triple what depends on the seed, and nothing else."""
    one, three = tree.jobs(), tree.jobs("--config", "seeds=[0,1,2]")
    assert {rule for rule in one if three[rule] != one[rule]} == {"tune", "predict_test", "score"}
    assert three["tune"] == 3 * one["tune"]


def test_thresholds_candidates_and_confidences(tree: Tree) -> None:
    """Where they are asked for; and then dev is answered and scored before test is."""
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    translated = {"kind": "translated-questions", "of": "dev", "translations": "train"}
    raw["corpora"] |= {
        "dev-en-to-xx": translated | {"from": ["en"], "to": ["ar"]},
        "dev-xx-to-en": translated | {"from": ["ar"], "to": ["en"]},
    }
    raw["evaluations"]["dev"] = {"corpora": ["dev", "dev-en-to-xx", "dev-xx-to-en"], "annotators": 1}
    raw["evaluations"]["test"]["thresholds_from"] = "dev"
    raw["tables"]["minimal"]["threshold"] = "dev"
    raw["tables"]["effects"] = {
        "kind": "effects",
        "title": "Effects at thresholds of dev",
        "evaluation": "test",
        "task": "minimal",
        "thresholds": "dev",
        "columns": [["en-ar", "ar-en"]],
        "effects": [{"label": "x", "system": ["tiny-ar"], "base": ["tiny-mono"]}],
    }
    raw["prediction"] = {"n_best": 3, "squad": True}
    raw["calibration"] = {"tiny": {"models": ["tiny-mono"], "fitted_on": "dev", "evaluation": "test"}}
    (tree.folder / "dev.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    jobs = tree.jobs(config="dev.yaml")
    assert {rule: jobs[rule] for rule in ("predict_dev", "predict_test", "score", "thresholds")} == {
        "predict_dev": 2,
        "predict_test": 2,
        "score": 4,
        "thresholds": 2,
    }
    assert (jobs["calibrate"], jobs["calibration_table"]) == (1, 1)
    told = tree.snakemake("--dry-run", "--printshellcmds", config="dev.yaml")
    commands = [
        shlex.split(line) for line in (told.stdout + told.stderr).splitlines() if "python -m " in line
    ]

    def command(*words: str) -> list[str]:
        (found,) = (line for line in commands if {*words} <= {*line})
        return found

    answers = "results/predictions/tiny-mono/seed0"
    predict = command("workflow_scripts.qa.predict", f"en-ar={answers}/test/en-ar.jsonl")
    for option, end in (("--squad", "squad.json"), ("--odds", "odds.json"), ("--nbest", "nbest.jsonl")):
        files = predict[predict.index(option) + 1 : predict.index(option) + 5]
        assert sorted(files) == [
            f"{p}={answers}/test/{p}.{end}" for p in ("ar-ar", "ar-en", "en-ar", "en-en")
        ]
    kept = "results/scores/tiny-mono/seed0/dev.questions.jsonl"
    thresholds = "results/thresholds/tiny-mono/seed0/dev.json"
    command("workflow_scripts.evaluate.threshold", kept, thresholds)
    score = command("workflow_scripts.evaluate.score", "results/scores/tiny-mono/seed0/test.json")
    assert score[score.index("--thresholds") + 1] == thresholds
    assert "--thresholds" not in command(
        "workflow_scripts.evaluate.score", "results/scores/tiny-mono/seed0/dev.json"
    )
    effects = command("workflow_scripts.evaluate.effects")
    given = effects[effects.index("--thresholds") + 1 : effects.index("--thresholds") + 3]
    assert f"tiny-mono={thresholds}" in given
    calibrate = command("workflow_scripts.evaluate.calibrate")
    assert calibrate[calibrate.index("--dev-nbest") + 1] == f"tiny-mono/0={answers}/dev"
    assert calibrate[calibrate.index("--test-nbest") + 1] == f"tiny-mono/0={answers}/test"
    assert calibrate[calibrate.index("--dev-questions") + 1] == f"tiny-mono/0={kept}"


def test_a_published_checkpoint(tree: Tree) -> None:
    text = (tree.folder / "tests/config/small.yaml").read_text("utf-8")
    raw = yaml.safe_load(text)
    raw["encoders"]["tiny"] = {"checkpoint": "bert-base-multilingual-cased"}
    (tree.folder / "checkpoint.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    jobs = tree.jobs(config="checkpoint.yaml")
    assert jobs["checkpoint"] == 1
    assert "pretrain" not in jobs


def test_an_encoder_that_others_aligned(tree: Tree) -> None:
    """While its folder is not there nothing is made for it and nothing fails; then it is loaded, not trained."""
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    raw["alignments"]["cao"] = {"checkpoint": "data/cao", "languages": ["de"]}
    raw["models"]["tiny-cao"] = {"label": "CAO", "encoder": "tiny", "alignment": "cao", "training_set": "aug"}
    raw["tables"]["minimal"]["rows"].append("tiny-cao")
    (tree.folder / "cao.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    assert tree.jobs(config="cao.yaml") == tree.jobs()

    (tree.folder / "data/cao").mkdir(parents=True)
    (tree.folder / "data/cao/config.json").write_text("{}", "utf-8")
    jobs = tree.jobs(config="cao.yaml")
    assert jobs["aligned_checkpoint"] == jobs["align_encoder"] == 1
    assert jobs["tune"] == 3


def test_a_model_that_others_are_tuned_after_is_tuned_once(tree: Tree) -> None:
    """It is no row of a table, and its training set is guarded all the same."""
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    raw["training_sets"]["before"] = {"label": "before", "corpora": ["train"], "drop_leaks": True}
    first = {"label": "tiny", "encoder": "tiny", "training_set": "before"}
    raw["models"]["first"] = first
    raw["models"]["tiny-mono"]["after"] = "first"
    raw["models"]["tiny-aug"] = first | {"training_set": "aug", "after": "first"}
    raw["tables"] = {"minimal": raw["tables"]["minimal"] | {"rows": ["tiny-mono", "tiny-aug"]}}
    (tree.folder / "after.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    jobs = tree.jobs("--config", "seeds=[0,1]", config="after.yaml")
    assert (jobs["tune"], jobs["predict_test"], jobs["guard"]) == (2 * 3, 2 * 2, 3)
    told = tree.snakemake("--dry-run", "--printshellcmds", config="after.yaml")
    starts = re.findall(r"qa\.tune --encoder (\S+) .*--label (\S+)", told.stdout + told.stderr)
    assert sorted(starts) == [
        ("results/encoders/tiny", "first"),
        ("results/models/first/seed0", "tiny-aug"),
        ("results/models/first/seed0", "tiny-mono"),
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["seeds=[0,0]"], "error: seeds: 0 is given twice; each may stand there once"),
        (
            ["sedes=[0]"],
            "error: configuration: unknown key 'sedes'; did you mean 'seeds'? known are for_each, mirror, seeds,",
        ),
        (
            ["mirror=no/folder"],
            "error: mirror: there is no folder no/folder; name one with the layout of data/, or null",
        ),
    ],
)
def test_a_mistake_ends_the_run_with_a_sentence(tree: Tree, arguments: list[str], sentence: str) -> None:
    done = tree.snakemake("--dry-run", "--config", *arguments)
    assert done.returncode != 0
    last = done.stderr.splitlines()[-1]
    assert last.startswith(sentence)
    assert "Traceback" not in done.stderr
    assert 'File "' not in done.stderr


def test_from_another_folder(tree: Tree, tmp_path: Path) -> None:
    """The default configuration and the hand-written tables lie beside the Snakefile; results go where one is."""
    arguments = ["-s", str(tree.folder / "Snakefile"), "--directory", str(tmp_path)]
    assert tree.jobs(*arguments, config=None) == tree.jobs(config=None)
    shutil.copy(tree.folder / "tests/config/small.yaml", tmp_path / "config.yaml")
    assert tree.jobs(*arguments, config=None) == tree.jobs()


def test_names_of_files_may_hold_blanks(tree: Tree) -> None:
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    blank = {
        "my translations.tsv": raw["translations"]["train"]["files"],
        "my ids.txt": raw["splits"]["custom-dev"]["ids"],
        "my text.txt": raw["encoders"]["tiny"]["text"],
    }
    raw["parallel"]["microworld"]["foreign"] = "my sentences.txt"
    (tree.folder / "my sentences.txt").touch()
    for name, files in blank.items():
        (tree.folder / name).touch()
        first = next(iter(files))
        files[first] = [name] if isinstance(files[first], list) else name
    (tree.folder / "blanks.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    told = tree.snakemake("--dry-run", "--printshellcmds", config="blanks.yaml")
    assert told.returncode == 0, told.stdout + told.stderr
    commands = [
        shlex.split(line) for line in (told.stdout + told.stderr).splitlines() if "python -m " in line
    ]
    words = [word for command in commands for word in command]
    for name in (*blank, "my sentences.txt"):
        assert [word for word in words if word.rpartition("=")[2] == name], name


def test_the_world_is_made_from_the_tables_of_its_languages_only(tree: Tree) -> None:
    told = tree.snakemake("--filegraph", "results/microworld/text/en.txt")
    read = re.findall(r"resources/microworld/([\w.]+)", told.stdout)
    assert set(read) == {"en.txt", "lexicon_en.tsv", "ar.txt", "lexicon_ar.tsv"}


def test_nothing_is_printed_among_what_programs_read(tree: Tree) -> None:
    done = tree.snakemake("--rulegraph")
    assert done.stdout.lstrip().startswith("digraph")


def test_a_model_on_several_gpus_and_nodes_is_the_same_model(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only how many processes share its steps is another: nothing among what makes a result stale."""
    monkeypatch.setenv("XLQA_GPUS", "8")
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    raw["models"]["tiny-mono"] |= {"devices": 2, "nodes": 2}
    (tree.folder / "several.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    target = "results/models/tiny-mono/seed0/model.safetensors"
    told = [
        tree.snakemake("--dry-run", "--printshellcmds", target, config=config)
        for config in ("tests/config/small.yaml", "several.yaml")
    ]
    one, several = (
        next(line for line in (done.stdout + done.stderr).splitlines() if "qa.tune " in line) for done in told
    )
    assert "cluster.launch --devices 2 --nodes 2 workflow_scripts.qa.tune " in several
    assert several.replace("--devices 2 --nodes 2", "--devices 1 --nodes 1") == one


def test_lint(tree: Tree) -> None:
    done = tree.snakemake("--lint", config=None)
    assert done.returncode == 0, done.stdout + done.stderr


# The form of the rules


def test_the_snakefile_is_short() -> None:
    assert len((ROOT / "Snakefile").read_text("utf-8").splitlines()) <= 60


def rules() -> list[tuple[str, str]]:
    """(name, text) of every rule but `all`."""
    parts = [
        part
        for file in RULES
        for part in re.split(r"\n\s*(?=(?:use rule|rule|checkpoint)\b)", file.read_text("utf-8"))
    ]
    texts = [part for part in parts if part.startswith(("rule", "checkpoint")) and "shell:" in part]
    return [(re.sub(r"\s+", " ", text[:60]), text) for text in texts]


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in rules()])
def test_every_rule_runs_one_step_and_knows_its_code(text: str) -> None:
    launched = r"(?:workflow_scripts\.cluster\.launch (?:--\w+ {resources\.\w+} )*)?"
    (step,) = re.findall(rf"python -m {launched}(workflow_scripts\.[a-z._]+|{{params\.step}})", text)
    assert ("gpu=" in text) == ("cluster.launch" in text)
    if step == "{params.step}":  # one of several
        (chosen,) = re.findall(r"\bstep=(\w+),", text)
        assert f"code=lambda wildcards: code_hash({chosen}(wildcards))" in text
    else:
        (hashed,) = re.findall(r'code=code_hash\("([a-z._]+)"\)', text)
        assert hashed.removesuffix(".__main__") == step
    for directive in ("log", "benchmark", "params", "resources", "conda", "message"):
        assert re.search(rf"^\s+{directive}:", text, re.M), f"no {directive}"
    # what a job asks for grows when it is tried again, which only the profile says
    assert re.search(r"\bmem_mb=memory\(\d", text)
    assert re.search(r"\bruntime=minutes\(\d", text)
    assert "retries:" not in text
    assert "2>&1" in text
    for directive in ("script", "run"):
        assert not re.search(rf"^\s+{directive}:", text, re.M)


def test_the_rules_import_no_learning_library() -> None:
    for file in RULES:
        assert not re.search(r"^(import|from) (torch|transformers|accelerate)", file.read_text("utf-8"), re.M)
