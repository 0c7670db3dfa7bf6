"""Random integers, equal to those of `numpy.random.default_rng(seed).integers(0, count, shape)`.

numpy.random is 3 % of a short run to import. The bootstrap needs this one thing of it: PCG64 (O'Neill 2014, with 128
bits of state and the output XSL-RR), seeded by a SeedSequence, and bounded by Lemire's multiplication (2019).
"""

from __future__ import annotations

import math
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645  # of PCG64
TOGETHER = 1 << 14  # states that are advanced at once: a megabyte with all that it takes
POOL = 4  # words that a SeedSequence mixes its entropy into

Words = NDArray[np.uint64]


def places(seed: int, count: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Numbers from 0 to `count` - 1, all as likely.

    Examples
    --------
    >>> places(1, 10, (2, 3)).tolist() == np.random.default_rng(1).integers(0, 10, (2, 3)).tolist()
    True
    """
    size = math.prod(shape)
    if 1 < count < 1 << 32 and size:
        drawn = _words(seed, (size + 1) // 2).astype("<u8").view("<u4")[:size] * np.uint64(count)
        if (drawn & np.uint64(0xFFFFFFFF)).min() >= (1 << 32) % count:  # else one was to be drawn again
            return (drawn >> np.uint64(32)).astype(np.int64).reshape(shape)
    return np.random.default_rng(seed).integers(0, count, shape)


def _words(seed: int, count: int) -> Words:
    """The first words of 64 bits of the generator."""
    high, low, high_step, low_step = _seeded(seed)
    step = ((high_step << 64 | low_step) << 1 | 1) % (1 << 128)
    state = ((step + (high << 64 | low)) * MULTIPLIER + step) % (1 << 128)
    states = _split((state * MULTIPLIER + step) % (1 << 128))
    factor, summand = MULTIPLIER, step  # of as many steps as there are states
    while states.shape[1] < min(count, TOGETHER):
        states = np.concatenate([states, _advanced(states, _split(factor), _split(summand))], axis=1)
        factor, summand = factor * factor % (1 << 128), (factor + 1) * summand % (1 << 128)
    words = np.empty(count, np.uint64)
    for first in range(0, count, states.shape[1]):
        if first:
            states = _advanced(states, _split(factor), _split(summand))
        part = words[first : first + states.shape[1]]
        part[:] = _turned(states[:, : len(part)])
    return words


def _turned(states: Words) -> Words:
    """The words `[N]` that the generator gives of its states `[2, N]`."""
    high, low = states
    turn, word = high >> np.uint64(58), high ^ low
    turned: Words = word >> turn | word << (-turn & np.uint64(63))
    return turned


def _split(number: int) -> Words:
    """The upper and lower half `[2, 1]` of 128 bits."""
    return np.array([[number >> 64], [number & (1 << 64) - 1]], np.uint64)


def _advanced(states: Words, factor: Words, summand: Words) -> Words:
    """`states * factor + summand` of numbers `[2, N]` of 128 bits."""
    half, below = np.uint64(32), np.uint64(0xFFFFFFFF)
    (high, low), (factor_high, factor_low) = states, factor
    a, b, c, d = low >> half, low & below, factor_low >> half, factor_low & below
    middle = b * c + (b * d >> half)
    crossed = a * d + (middle & below)
    high = a * c + (middle >> half) + (crossed >> half) + high * factor_low + low * factor_high + summand[0]
    low = low * factor_low + summand[1]
    return np.stack([high + (low < summand[1]), low])


def _seeded(seed: int) -> list[int]:
    """The four words of 64 bits that a SeedSequence makes of a seed."""
    entropy = [seed >> shift & 0xFFFFFFFF for shift in range(0, max(1, seed.bit_length()), 32)]
    constant = 0x43B0D7E5

    def mixed(word: int) -> int:
        nonlocal constant
        word ^= constant
        constant = constant * 0x931E8875 & 0xFFFFFFFF
        word = word * constant & 0xFFFFFFFF
        return word ^ word >> 16

    def joined(one: int, other: int) -> int:
        word = (0xCA01F9DD * one - 0x4973F715 * other) & 0xFFFFFFFF
        return word ^ word >> 16

    pool = [mixed(word) for word in (entropy + [0] * POOL)[:POOL]]
    for source in range(POOL):
        for place in range(POOL):
            if source != place:
                pool[place] = joined(pool[place], mixed(pool[source]))
    for word in entropy[POOL:]:
        pool = [joined(one, mixed(word)) for one in pool]
    constant, words = 0x8B51F9DD, []
    for word in islice(cycle(pool), 8):
        word ^= constant
        constant = constant * 0x58F38DED & 0xFFFFFFFF
        word = word * constant & 0xFFFFFFFF
        words.append(word ^ word >> 16)
    return [low | high << 32 for low, high in zip(words[::2], words[1::2], strict=True)]
