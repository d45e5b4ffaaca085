"""Batches follow from the step's number alone; an epoch holds every row."""

import numpy as np

from workflow_scripts.training.order import Order

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
