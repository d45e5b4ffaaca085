"""Batches follow from the step's number alone; an epoch holds every row."""

import numpy as np
import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.qa.tune import schedule
from workflow_scripts.recipes.tuning import Tuning
from workflow_scripts.training.order import BudgetedOrder, Order, cut, tempered

LENGTHS = np.random.default_rng(0).integers(5, 200, 1003)


def test_an_epoch_holds_every_row_and_tops_up_the_last_batch():
    order = Order(LENGTHS, 32, seed=1)
    rows = np.concatenate([order.rows(step) for step in range(order.batches_per_epoch)])
    assert set(rows) == set(range(1003))
    assert len(rows) == 32 * 32


def test_a_step_is_the_same_whenever_it_is_asked_for():
    forward, backward = Order(LENGTHS, 32, seed=1), Order(LENGTHS, 32, seed=1)
    steps = range(100)
    late_first = {step: backward.rows(step) for step in reversed(steps)}
    assert all((forward.rows(step) == late_first[step]).all() for step in steps)


def test_epochs_and_seeds_differ():
    order = Order(LENGTHS, 32, seed=1)
    assert (order.rows(0) != order.rows(order.batches_per_epoch)).any()
    assert (order.rows(0) != Order(LENGTHS, 32, seed=2).rows(0)).any()


def test_batches_are_of_similar_length():
    order = Order(LENGTHS, 32, seed=1)
    spread = [np.ptp(LENGTHS[order.rows(step)]) for step in range(order.batches_per_epoch)]
    assert np.median(spread) < 20


def test_fewer_rows_than_a_batch():
    assert sorted(Order(np.array([3, 4]), 32, seed=0).rows(7)) == [0, 1]


def test_temperature_evens_out_how_often_groups_come():
    sizes = np.array([900, 90, 10])
    for temperature, expected in ((1.0, [900, 90, 10]), (2.0, [695, 220, 73]), (1e9, [334, 333, 333])):
        draw = tempered(sizes, temperature, seed=1)
        drawn = np.concatenate([draw(epoch, np.random.default_rng(epoch)) for epoch in range(20)])
        assert len(drawn) == 20 * 1000
        counts = np.bincount(np.searchsorted([900, 990], drawn, side="right")) / 20
        assert np.abs(counts - expected).max() < 15
        # within a group all rows come equally often, to one: nothing is favoured where an epoch ends
        often = np.bincount(drawn, minlength=1000)
        for rows in (slice(0, 900), slice(900, 990), slice(990, 1000)):
            assert np.ptp(often[rows]) <= 1


def test_an_epoch_of_a_budget_holds_every_row_once_and_no_batch_is_over_it():
    for budget in (600, 3000, 10**6):
        order = BudgetedOrder(LENGTHS, budget, seed=1)
        for epoch in (0, 3):
            steps = range(epoch * order.batches_per_epoch, (epoch + 1) * order.batches_per_epoch)
            batches = [order.rows(step) for step in steps]
            assert sorted(np.concatenate(batches)) == list(range(1003))
            sizes = [LENGTHS[rows].sum() for rows in batches]
            assert min(sizes) > 0
            assert max(sizes) <= budget
            assert sum(order.share(rows) for rows in batches) == pytest.approx(len(batches))
        assert np.mean(sizes) > min(budget - 250, LENGTHS.sum() - 1)
    assert order.batches_per_epoch == 1


def test_batches_of_a_budget_follow_from_the_step_alone():
    forward, backward = BudgetedOrder(LENGTHS, 2000, seed=1), BudgetedOrder(LENGTHS, 2000, seed=1)
    late_first = {step: backward.rows(step) for step in reversed(range(150))}
    assert forward.batches_per_epoch < 75
    assert all(np.array_equal(forward.rows(step), late_first[step]) for step in range(150))
    assert not np.array_equal(forward.rows(0), forward.rows(forward.batches_per_epoch))
    assert np.median([np.ptp(LENGTHS[rows]) for rows in late_first.values()]) < 20


def test_a_budget_below_three_rows_is_refused():
    with pytest.raises(InputError, match=r"batch_pieces is 90, but the longest window has 31 .*at least 93"):
        BudgetedOrder(np.array([4, 31, 8]), 90, seed=0)


def test_rows_are_cut_where_padding_would_exceed_the_budget():
    lengths = np.array([2, 2, 3, 5, 5, 20, 21])
    cuts = [list(lengths[stretch]) for stretch in cut(lengths, 10)]
    assert cuts == [[2, 2, 3], [5, 5], [20], [21]]
    assert cut(lengths[:0], 10) == []


def test_epochs_of_fewer_rows_than_a_batch_are_whole_ones():
    for epochs, steps in ((1, 1), (3, 3), (2.5, 3)):
        assert schedule(Tuning(epochs=epochs, batch_size=32), LENGTHS[:6], 0)[0] == steps
    assert schedule(Tuning(epochs=3, batch_size=32), LENGTHS[:33], 0)[0] == 4
