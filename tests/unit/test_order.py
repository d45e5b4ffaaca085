"""Batches follow from the step's number alone; an epoch holds every row."""

import numpy as np

from workflow_scripts.training.order import Order, tempered

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
