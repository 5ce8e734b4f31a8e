"""Inputs that every library makes for itself: the numbers of ../generator.ts, place for place."""

import numpy as np


def _bits(places, seed):
    """Thirty-two well mixed bits for each place: MurmurHash3's finaliser over a Weyl sequence."""
    x = places + np.uint32(seed * 0x9E3779B1 % 2**32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return x ^ (x >> np.uint32(16))


def normal(shape, seed, scale=1.0, shift=0.0):
    """Normal numbers by Box and Muller, the cosine half, in float64 and then rounded."""
    count = int(np.prod(shape))
    bits = _bits(np.arange(2 * count, dtype=np.uint32), seed).astype(np.float64).reshape(count, 2)
    radius = np.sqrt(-2 * np.log((bits[:, 0] + 1) / 2**32))
    angle = 2 * np.pi * bits[:, 1] / 2**32
    return (radius * np.cos(angle) * scale + shift).astype(np.float32).reshape(shape)
