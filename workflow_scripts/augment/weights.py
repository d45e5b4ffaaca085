"""Constants of projection.py, as `python -m benchmarks.relocation --xquad DIR --fit` prints them."""

WEIGHTS: tuple[float, ...] = (
    0.3792,  # evident inside
    -0.174,  # evident outside
    -0.04398,  # evidence missed
    -4.231,  # evidence missed, share
    0.6391,  # evident beside
    0.1393,  # evident at edge
    -0.2766,  # outside at edge
    0.1423,  # linked inside
    -0.08374,  # linked outside
    -0.8667,  # links missed, share
    0.1047,  # unlinked at edge
    0.4097,  # neighbours
    0.09933,  # sign at edge
    0.009868,  # sign kept at edge
    -0.2032,  # signs
    -0.02904,  # words more
    0.4643,  # words fewer
    -0.8456,  # words more, share
    0.5199,  # words fewer, share
    0.2155,  # rarity more
    -0.7649,  # rarity less
    -0.939,  # characters
    0.3505,  # rare at edge
    -1.109,  # moved, share
    -0.7561,  # moved, words
)
CALIBRATION: tuple[float, ...] = (
    -0.3711,
    3.405,
    -2.986,
    5.421,
    0.6943,
    -1.011,
    2.136,
    -1.316,
)
