"""Training steps of the three blocks in JAX: one compiled function each, which donates its state.

XLA takes the cores that it is allowed, so `--threads 1` wants `taskset -c 0` in front.
"""

import jax
import jax.numpy as jnp
from jax import lax

import measure
from blocks import DenseBlock, Inception, Transformer

EPSILON = 1e-5


def stepper(apply, params, state, optimizer, batch):
    """`apply(params, state, x) -> (y, state)`; `optimizer`: `init(params)` and `update(g, o, params)`."""
    init, update = optimizer

    def loss(params, state, x, y):
        output, state = apply(params, state, x)
        return jnp.mean((output - y) ** 2), state

    def step(training, x, y):
        params, state, inner = training
        (value, state), gradient = jax.value_and_grad(loss, has_aux=True)(params, state, x, y)
        params, inner = update(gradient, inner, params)
        return (params, state, inner), value

    compiled = jax.jit(step, donate_argnums=0)
    params, state, (x, y) = jax.tree.map(jnp.asarray, (params, state, batch))
    training = (params, state, init(params))

    def run():
        nonlocal training
        training, value = compiled(training, x, y)
        jax.block_until_ready(training)
        return float(value)

    return run


def zeros(params):
    return jax.tree.map(jnp.zeros_like, params)


def adam(rate, b1=0.9, b2=0.999, epsilon=1e-8):
    def init(params):
        return zeros(params), zeros(params), jnp.zeros(())

    def update(gradient, inner, params):
        mean, square, count = inner
        count = count + 1
        mean = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, mean, gradient)
        square = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, square, gradient)
        c1, c2 = 1 - b1**count, 1 - b2**count
        params = jax.tree.map(
            lambda p, m, v: p - rate * (m / c1) / (jnp.sqrt(v / c2) + epsilon), params, mean, square
        )
        return params, (mean, square, count)

    return init, update


def momentum(rate, decay):
    def update(gradient, trace, params):
        trace = jax.tree.map(lambda t, g: decay * t + g, trace, gradient)
        return jax.tree.map(lambda p, t: p - rate * t, params, trace), trace

    return zeros, update


def layer_norm(x, norm):
    centred = x - x.mean(-1, keepdims=True)
    variance = jnp.mean(centred**2, -1, keepdims=True)
    return centred * lax.rsqrt(variance + EPSILON) * norm["scale"] + norm["bias"]


def dense(x, layer):
    return x @ layer["kernel"] + layer["bias"]


def encoder_block(params, state, x):
    batch, time, width = x.shape

    def heads(h, name):
        return dense(h, params[name]).reshape(batch, time, Transformer.heads, -1)

    h = layer_norm(x, params["norm1"])
    attended = jax.nn.dot_product_attention(heads(h, "query"), heads(h, "key"), heads(h, "value"))
    x = x + dense(attended.reshape(batch, time, width), params["out"])
    h = jax.nn.gelu(dense(layer_norm(x, params["norm2"]), params["dense1"]), approximate=False)
    return x + dense(h, params["dense2"]), state


def convolved(x, kernel):
    axes = ("NCHW", "OIHW", "NCHW")
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=axes)


def unit(x, layer):
    return jax.nn.relu(convolved(x, layer["kernel"]) + layer["bias"][:, None, None])


def max_pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 3, 3), (1, 1, 1, 1), "SAME")


def inception_block(params, state, x):
    branches = [
        unit(x, params["one"]),
        unit(unit(x, params["three_reduce"]), params["three"]),
        unit(unit(x, params["five_reduce"]), params["five"]),
        unit(max_pool(x), params["pool"]),
    ]
    return jnp.concatenate(branches, 1), state


def batch_norm(x, norm, running, share=0.1):
    """By the batch's own statistics, which running ones follow (the variance unbiased)."""
    axes = (0, 2, 3)
    mean = x.mean(axes, keepdims=True)
    centred = x - mean
    variance = jnp.mean(centred**2, axes, keepdims=True)
    factor = lax.rsqrt(variance + EPSILON) * norm["scale"][:, None, None]
    count = x.size // x.shape[1]
    seen = {"mean": mean.reshape(-1), "variance": variance.reshape(-1) * count / (count - 1)}
    followed = jax.tree.map(lambda old, new: (1 - share) * old + share * new, running, seen)
    return centred * factor + norm["bias"][:, None, None], followed


def dense_block(params, state, x):
    next_state = []
    for layer, (first, second) in zip(params, state, strict=True):
        h, first = batch_norm(x, layer["norm1"], first)
        h, second = batch_norm(convolved(jax.nn.relu(h), layer["conv1"]), layer["norm2"], second)
        x = jnp.concatenate([x, convolved(jax.nn.relu(h), layer["conv2"])], 1)
        next_state.append((first, second))
    return x, next_state


def statistics(norm):
    return {"mean": jnp.zeros(norm["scale"].shape), "variance": jnp.ones(norm["scale"].shape)}


def transformer_step():
    optimizer = adam(Transformer.rate)
    return stepper(encoder_block, Transformer.params(), (), optimizer, Transformer.batch())


def inception_step():
    optimizer = momentum(Inception.rate, Inception.momentum)
    return stepper(inception_block, Inception.params(), (), optimizer, Inception.batch())


def dense_step():
    params = DenseBlock.params()
    state = [(statistics(layer["norm1"]), statistics(layer["norm2"])) for layer in params]
    optimizer = momentum(DenseBlock.rate, DenseBlock.momentum)
    return stepper(dense_block, params, state, optimizer, DenseBlock.batch())


measure.run(
    measure.options(),
    {
        "transformer_step": transformer_step,
        "inception_step": inception_step,
        "dense_step": dense_step,
    },
)
