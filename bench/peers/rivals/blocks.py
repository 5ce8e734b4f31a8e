"""What the three blocks are made of, for any library: the same numbers as ../cases has.

Kernels of dense layers are [inputs, outputs], those of convolutions [outputs, inputs, height, width].
Seeds follow each other in the order in which parameters are made here.
"""

from itertools import count

from generator import normal


class _Seeded:
    """Makes parameters, each from the next seed."""

    def __init__(self, first):
        self._seeds = count(first)

    def bias(self, size):
        return normal((size,), next(self._seeds), 0.1)

    def norm(self, size):
        return {"scale": normal((size,), next(self._seeds), 0.1, 1), "bias": self.bias(size)}

    def dense(self, inputs, outputs):
        kernel = normal((inputs, outputs), next(self._seeds), inputs**-0.5)
        return {"kernel": kernel, "bias": self.bias(outputs)}

    def kernel(self, outputs, inputs, window):
        scale = (2 / (inputs * window**2)) ** 0.5
        return normal((outputs, inputs, window, window), next(self._seeds), scale)

    def conv(self, outputs, inputs, window):
        return {"kernel": self.kernel(outputs, inputs, window), "bias": self.bias(outputs)}


class Transformer:
    """A pre-norm encoder block without mask, with the exact gelu; Adam."""

    width, heads, feed_forward, rate = 128, 4, 512, 1e-3

    @classmethod
    def params(cls):
        make, width = _Seeded(600), cls.width
        return {
            "norm1": make.norm(width),
            "query": make.dense(width, width),
            "key": make.dense(width, width),
            "value": make.dense(width, width),
            "out": make.dense(width, width),
            "norm2": make.norm(width),
            "dense1": make.dense(width, cls.feed_forward),
            "dense2": make.dense(cls.feed_forward, width),
        }

    @classmethod
    def batch(cls):
        shape = (16, 64, cls.width)
        return normal(shape, 91), normal(shape, 92)


class Inception:
    """GoogLeNet's block 3a, each convolution with bias and relu; momentum."""

    rate, momentum = 0.1, 0.9

    @staticmethod
    def params():
        make = _Seeded(700)
        return {
            "one": make.conv(64, 192, 1),
            "three_reduce": make.conv(96, 192, 1),
            "three": make.conv(128, 96, 3),
            "five_reduce": make.conv(16, 192, 1),
            "five": make.conv(32, 16, 5),
            "pool": make.conv(32, 192, 1),
        }

    @staticmethod
    def batch():
        return normal((8, 192, 28, 28), 93), normal((8, 256, 28, 28), 94)


class DenseBlock:
    """Six layers, each of norm, relu, 1×1, norm, relu, 3×3; momentum."""

    layers, inputs, growth, bottleneck = 6, 64, 32, 128
    rate, momentum = 0.1, 0.9

    @classmethod
    def channels(cls, layer):
        """What a layer sees, counted from 0; of the number of layers: what comes out."""
        return cls.inputs + layer * cls.growth

    @classmethod
    def params(cls):
        make = _Seeded(800)
        return [
            {
                "norm1": make.norm(cls.channels(i)),
                "conv1": make.kernel(cls.bottleneck, cls.channels(i), 1),
                "norm2": make.norm(cls.bottleneck),
                "conv2": make.kernel(cls.growth, cls.bottleneck, 3),
            }
            for i in range(cls.layers)
        ]

    @classmethod
    def batch(cls):
        return normal((8, cls.inputs, 28, 28), 95), normal((8, cls.channels(cls.layers), 28, 28), 96)
