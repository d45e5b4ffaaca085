"""Training resumes to the bit, stops cleanly, and refuses what it cannot do."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from tests.unit import tiny
from workflow_scripts.cli import InputError, LaterError
from workflow_scripts.recipes.training import Optimisation
from workflow_scripts.training import loop, optimisers
from workflow_scripts.training.work_folder import locked

RECIPE = Optimisation(learning_rate=0.01, matrix_rate=0.01, precision="fp32")


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.ModuleDict({"layer": nn.ModuleList([nn.Linear(4, 4)])})
        self.head = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def forward(self, x):
        return self.head(x + self.block["layer"][0](x))


def model() -> nn.Module:
    torch.manual_seed(0)
    return Blocks()


def batch(step):
    random = torch.Generator().manual_seed(step)
    return [{"x": torch.randn(6, 4, generator=random), "attention_mask": torch.ones(6, 1, dtype=torch.int64)}]


def loss(net, inputs):
    value = (net(inputs["x"]) - inputs["x"].sum(1, keepdim=True)).square().mean()
    return value, {}


def run(work, net, steps=30, make=batch, identity="a", recipe=RECIPE):
    return loop.train(
        net, make, loss, steps=steps, recipe=recipe, seed=3, work=work, identity=identity, label="test"
    )


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def stopping_at(step):
    def make(number):
        if number == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return batch(number)

    return make


def test_sigterm_saves_and_the_next_run_ends_in_the_same_bits(tmp_path):
    whole, parts = model(), model()
    run(tmp_path / "whole", whole)
    (tmp_path / "parts").mkdir()
    with pytest.raises(SystemExit) as stop:
        run(tmp_path / "parts", parts, make=stopping_at(11))
    assert stop.value.code == 143
    resumed = model()
    seen = []
    run(tmp_path / "parts", resumed, make=lambda step: seen.append(step) or batch(step))
    assert seen == list(range(12, 30))
    assert torch.equal(weights(whole), weights(resumed))


def test_the_course_of_a_run_is_told_whole_after_a_resumption(tmp_path):
    told = run(tmp_path / "whole", model(), steps=60)["losses"]
    assert [step for step, _ in told] == [1, 21, 41, 60]
    with pytest.raises(SystemExit):
        run(tmp_path / "parts", model(), steps=60, make=stopping_at(45))
    assert run(tmp_path / "parts", model(), steps=60)["losses"] == told
    assert loop.thinned([(step, float(step)) for step in range(1, 8)], 3) == [(3, 2.0), (6, 5.0), (7, 7.0)]


def test_a_signal_some_time_before_the_end_saves_too(tmp_path, capsys):
    """As `sbatch --signal=USR1@120` sends it."""

    def make(step):
        if step == 11:
            os.kill(os.getpid(), signal.SIGUSR1)
        return batch(step)

    with pytest.raises(SystemExit) as stop:
        run(tmp_path, model(), make=make)
    assert stop.value.code == 128 + signal.SIGUSR1
    run(tmp_path, model())
    told = capsys.readouterr().err
    assert "test: stopped by SIGUSR1 at step 12; run again to resume" in told
    assert "test: resumed at step 12" in told


def test_who_waits_for_a_run_that_ends_trains_no_step_again(tmp_path, capsys):
    first, second = model(), model()
    with locked(tmp_path) as work:
        (tmp_path / "waiting.1").touch()
        told = run(work, first)
        loop.finish(work)
    with locked(tmp_path) as work:
        again = run(work, second, make=lambda step: pytest.fail("a step is trained again"))
        (tmp_path / "waiting.1").unlink()
        loop.finish(work)
    assert "test: resumed at step 30" in capsys.readouterr().err
    assert torch.equal(weights(first), weights(second))
    assert {**again, "seconds": 0} == {**told, "seconds": 0}
    assert not list(tmp_path.rglob("*.pt"))


def test_an_owner_that_lost_its_folder_writes_no_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)

    def make(step):
        if step == 11:  # another run takes over
            (tmp_path / "owner.2").touch()
            (tmp_path / "run.1").rename(tmp_path / "run.2")
        return batch(step)

    with pytest.raises(LaterError, match="another process trains here now"), locked(tmp_path) as work:
        run(work, model(), make=make)
    assert not (tmp_path / "run.1").exists()
    assert torch.load(tmp_path / "run.2" / "checkpoint.pt")["step"] == 11


def test_tensorboard_shows_each_step_once_after_a_resumption(tmp_path):
    with pytest.raises(SystemExit):
        run(tmp_path, model(), steps=60, make=stopping_at(45))
    time.sleep(1.1)  # a name of a file of events tells the second
    run(tmp_path, model(), steps=60)
    shown = EventAccumulator(str(tmp_path / "events"))
    shown.Reload()
    assert {"loss", "norm", "learning_rate", "pieces_per_second"} <= set(shown.Tags()["scalars"])
    assert sorted(event.step for event in shown.Scalars("loss")) == [0, 20, 40, 59]


def test_tensorboard_does_not_show_what_a_run_did_that_begins_again(tmp_path):
    with pytest.raises(InputError):  # before the first checkpoint
        run(tmp_path, model(), steps=60, make=lambda step: batch(step) if step < 30 else [])
    run(tmp_path, model(), steps=60)
    shown = EventAccumulator(str(tmp_path / "events"))
    shown.Reload()
    assert sorted(event.step for event in shown.Scalars("loss")) == [0, 20, 40, 59]


def test_a_checkpoint_of_another_run_is_not_used(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tmp_path, model(), make=stopping_at(11))
    seen = []
    run(tmp_path, model(), make=lambda step: seen.append(step) or batch(step), identity="b")
    assert seen == list(range(30))
    assert "starting afresh" in capsys.readouterr().err


def test_training_learns(tmp_path):
    net = model()
    before = loss(net.eval(), batch(999)[0])[0].item()
    run(tmp_path, net, steps=300)
    assert loss(net.eval(), batch(999)[0])[0].item() < before / 2


def test_the_parts_of_a_batch_add_up(tmp_path):
    def summed(net, inputs):
        return (net(inputs["x"]) - inputs["x"].sum(1, keepdim=True)).square().sum(), {}

    def parted(step):
        return [
            {name: tensor[rows] for name, tensor in whole.items()} for whole in batch(step) for rows in cut
        ]

    cut = (slice(0, 1), slice(1, 4), slice(4, 6))
    ends, told = [], []
    for number, make in enumerate((batch, parted)):
        net = model()
        net.head[1].p = 0.0
        told.append(
            loop.train(
                net,
                make,
                summed,
                steps=5,
                recipe=RECIPE,
                seed=3,
                work=tmp_path / str(number),
                identity="a",
                label="t",
            )
        )
        ends.append(weights(net))
    assert torch.allclose(*ends, atol=1e-6)
    assert told[0]["loss"] == pytest.approx(told[1]["loss"], rel=1e-5)
    assert told[0]["pieces"] == told[1]["pieces"]


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    def broken(step):
        return [{**batch(step)[0], "x": torch.full((6, 4), float("nan"))}]

    with pytest.raises(InputError, match="lower learning_rate"):
        run(tmp_path, model(), make=broken)


def test_rate_rises_then_falls():
    factor = optimisers.rate_factor(Optimisation(warmup=0.1), 100)
    assert factor(0) == pytest.approx(0.1)
    assert factor(9) == 1.0
    assert factor(99) == pytest.approx(1 / 90)
    assert optimisers.rate_factor(Optimisation(warmup=0.1, schedule="constant"), 100)(99) == 1.0


def test_norms_and_biases_do_not_decay():
    net = nn.ModuleDict({"e": nn.Embedding(5, 4), "l": nn.Linear(4, 4), "n": nn.LayerNorm(4)})
    (adamw,) = optimisers.optimisers(net, Optimisation(weight_decay=0.1))
    assert {g["weight_decay"]: sum(p.numel() for p in g["params"]) for g in adamw.param_groups} == {
        0.1: 36,
        0.0: 12,
    }


def test_muon_takes_the_matrices_inside_blocks_only():
    net = nn.ModuleDict(
        {"e": nn.Embedding(5, 4), "layer": nn.ModuleList([nn.Linear(4, 4)]), "head": nn.Linear(4, 2)}
    )
    wrapped = nn.ModuleDict({"encoder": net})
    adamw, muon = optimisers.optimisers(wrapped, Optimisation(matrix_rate=0.01))
    assert [p.shape for g in muon.param_groups for p in g["params"]] == [(4, 4)]
    assert sum(p.numel() for g in adamw.param_groups for p in g["params"]) == 20 + 4 + 8 + 2


def test_the_best_weights_are_kept_and_training_ends_when_none_better_come(tmp_path):
    marks = {5: 1.0, 10: 3.0, 15: 3.0, 20: 2.0, 25: 0.0}
    kept = {}

    def selection(net, patience):
        def score():
            step = 5 * (1 + len(asked))
            asked.append(step)
            kept[step] = weights(net).clone()
            return loop.Scored(marks.get(step, 0.0), {"asked": step})

        asked = []
        return loop.Selection(score, every=5, patience=patience)

    def run(work, net, **given):
        return loop.train(
            net, batch, loss, steps=30, recipe=RECIPE, seed=3, work=work, identity="a", label="t", **given
        )

    net = model()
    told = run(tmp_path / "patient", net, selection=selection(net, None))
    assert (told["steps"], told["best_step"]) == (30, 10)
    assert [
        (step, details["asked"]) for (step, _), details in zip(told["scores"], told["details"], strict=True)
    ] == [(step, step) for step in range(5, 31, 5)]
    assert torch.equal(weights(net), kept[10])
    net = model()
    told = run(tmp_path / "hasty", net, selection=selection(net, 2))
    assert (told["steps"], told["best_step"]) == (20, 10)
    assert torch.equal(weights(net), kept[10])


def test_a_resumed_run_selects_as_an_undisturbed_one(tmp_path):
    def run(work, net, make):
        count = []
        chosen = loop.Selection(lambda: loop.Scored(float(weights(net)[0]), {"b": float(weights(net)[1])}), 4)
        return count, loop.train(
            net,
            make,
            loss,
            steps=30,
            recipe=RECIPE,
            seed=3,
            work=work,
            identity="a",
            label="t",
            selection=chosen,
        )

    whole, parts = model(), model()
    _, told = run(tmp_path / "whole", whole, batch)
    with pytest.raises(SystemExit):
        run(tmp_path / "parts", parts, stopping_at(14))
    resumed = model()
    _, again = run(tmp_path / "parts", resumed, batch)
    assert torch.equal(weights(whole), weights(resumed))
    assert [tuple(pair) for pair in again["scores"]] == [tuple(pair) for pair in told["scores"]]
    assert again["details"] == told["details"]
    assert len(told["details"]) == 8


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the loop catches it."""


def selecting(work, net, marks, make=batch, identity="a", patience=None):
    """Train with the scores `marks` after every fifth step; the summary, and the weights when each was asked for."""
    kept = {}

    def score():
        step = seen[-1] + 1
        kept[step] = weights(net).clone()
        if marks[step] is None:
            raise Killed
        return loop.Scored(marks[step], {})

    seen = []
    told = loop.train(
        net,
        lambda step: seen.append(step) or make(step),
        loss,
        steps=30,
        recipe=RECIPE,
        seed=3,
        work=work,
        identity=identity,
        label="t",
        selection=loop.Selection(score, every=5, patience=patience),
    )
    return told, kept


def test_a_run_killed_after_it_gave_up_trains_no_further(tmp_path, monkeypatch):
    """A checkpoint that is due just then holds all scores; the later ones would be better."""
    marks = {5: 3.0, 10: 2.0, 15: 2.0, 20: 4.0, 25: 4.0, 30: 4.0}
    whole = model()
    told, _ = selecting(tmp_path / "whole", whole, marks, patience=2)
    assert (told["steps"], told["best_step"]) == (15, 5)

    def killed():
        raise Killed

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(loop.processes, "wait", killed)
        with pytest.raises(Killed):
            selecting(tmp_path / "parts", model(), marks, patience=2)
    resumed = model()
    again, _ = selecting(tmp_path / "parts", resumed, marks, patience=2)
    assert again.keys() == told.keys()
    for name in ("steps", "best_step", "loss", "norm"):
        assert again[name] == told[name]
    assert torch.equal(weights(resumed), weights(whole))


def test_the_best_weights_of_another_run_are_not_taken_for_this_one_s(tmp_path):
    marks = {5: 9.0, 10: 1.0, 15: 1.0, 20: 1.0, 25: 1.0, 30: 1.0}
    with pytest.raises(SystemExit):
        selecting(tmp_path, model(), marks, make=stopping_at(11))
    with pytest.raises(Killed):  # another recipe is tried, and killed before its first checkpoint
        selecting(tmp_path, model(), {5: 1.0, 10: None}, make=lambda step: batch(step + 7), identity="b")
    net = model()
    told, kept = selecting(tmp_path, net, marks)
    assert told["best_step"] == 5
    assert torch.equal(weights(net), kept[5])
    loop.finish(tmp_path)
    assert not list(tmp_path.glob("*.pt"))


def test_best_weights_after_the_checkpoint_do_not_replace_those_that_it_speaks_of(tmp_path):
    """On a GPU, or with another number of processes, scores after a kill may be a little other than before it."""
    marks = {5: 2.0, 10: 1.0, 15: 3.0, 20: None, 25: 1.0, 30: 1.0}
    with pytest.raises(SystemExit):
        selecting(tmp_path, model(), marks, make=stopping_at(11))
    with pytest.raises(Killed):
        selecting(tmp_path, model(), marks)
    net, undisturbed = model(), model()
    told, _ = selecting(tmp_path, net, {**marks, 15: 1.9, 20: 1.0})
    _, kept = selecting(tmp_path / "whole", undisturbed, {**marks, 20: 1.0})
    assert told["best_step"] == 5
    assert torch.equal(weights(net), kept[5])


TWO = """
import sys
from pathlib import Path
import torch
from tests.unit.test_loop import RECIPE, batch, loss, model
from workflow_scripts.training import loop, processes

def parted(step):
    (whole,) = batch(step)
    return [{**{n: t[rows] for n, t in whole.items()}} for rows in (slice(0, 3), slice(3, 6))]

def half(net, inputs):
    value, _ = loss(net, inputs)
    return value / 2, {"seen": torch.tensor(float(len(inputs["x"])))}

net = model()
net.head[1].p = 0.0
net.unread = torch.nn.Parameter(torch.ones(4, 4))  # gets no gradient, and so no decay
told = loop.train(net, parted, half, steps=50, recipe=RECIPE, seed=3, work=Path(sys.argv[1]), identity="a", label="t")
if processes.first():
    figures = {name: told[name] for name in ("loss", "seen", "device", "processes")}
    torch.save({"weights": net.state_dict(), **figures}, sys.argv[2])
"""


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path):
    (tmp_path / "two.py").write_text(TWO)
    found = []
    for number in (1, 2):
        launch = () if number == 1 else tiny.TWO_PROCESSES
        work, out = tmp_path / f"work{number}", tmp_path / f"out{number}.pt"
        command = [sys.executable, *launch, tmp_path / "two.py", work, out]
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "ACCELERATE_USE_CPU": "true"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("50/50 steps") == 1
        found.append(torch.load(out))
    one, two = found
    assert (one["processes"], two["processes"]) == (1, 2)
    assert one["device"] == two["device"] == "cpu"
    assert one["seen"] == two["seen"] == 6
    assert one["loss"] == pytest.approx(two["loss"], abs=1e-5)
    for name, value in one["weights"].items():
        assert torch.allclose(value, two["weights"][name], atol=1e-5), name


def test_a_disk_without_room_is_told_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(loop.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(
        InputError, match=r"checkpoints take up to 0\.0 GB in .*, whose disk has 0\.0 GB free"
    ):
        run(tmp_path, model())


def test_a_disk_that_fills_up_stops_no_training(tmp_path, monkeypatch, capsys):
    """A limit on the size of files stands for it: the same error reaches the program."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    expected, limited = model(), model()
    run(tmp_path / "roomy", expected)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "full").mkdir()
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        run(tmp_path / "full", limited)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    told = capsys.readouterr().err
    assert "no checkpoint of step 30; there is none at all" in told
    assert "cannot be written" in told
    assert not list((tmp_path / "full").glob("*checkpoint*"))
    assert torch.equal(weights(expected), weights(limited))
