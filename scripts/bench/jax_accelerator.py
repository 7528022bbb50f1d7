#!/usr/bin/env python3
"""The accelerator workloads of `xtask bench A` in JAX.

    python scripts/bench/jax_accelerator.py [FILTER] [--precision f32|tf32|bf16]

On whatever device JAX finds first. Prints one JSON object a line, in the form of `xtask bench --json`, for `xtask
bench-table`. Products are computed in full `f32`, as gyrus does, with `--precision tf32` in TF32, and with `--precision bf16`
of operands rounded to it.
"""
import argparse

import jax
import jax.numpy as jnp
import optax
from jax import lax

import timing


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("filter", nargs="?", default="")
    parser.add_argument("--precision", default="f32", choices=["f32", "tf32", "bf16"])
    parser.add_argument("--seconds", type=float, default=4.0)
    return parser.parse_args()


KEYS = iter(jax.random.split(jax.random.key(0), 1000))


def normal(*shape):
    return jax.random.normal(next(KEYS), shape)


def scaled(*shape):
    """Weights whose last axis is that of the outputs."""
    fan_in = 1
    for size in shape[:-1]:
        fan_in *= size
    return normal(*shape) * fan_in**-0.5


def operand(x):
    return x.astype(jnp.bfloat16) if ARGUMENTS.precision == "bf16" else x


def level():
    return "high" if ARGUMENTS.precision == "tf32" else "highest"


def product(equation, a, b):
    return jnp.einsum(equation, operand(a), operand(b), precision=level(), preferred_element_type=jnp.float32)


def convolution(x, weight, stride=1, padding=0):
    return lax.conv_general_dilated(
        operand(x), operand(weight), (stride, stride), [(padding, padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"), precision=level(),
    ).astype(jnp.float32)


def linear(i, o):
    return {"weight": scaled(i, o), "bias": jnp.zeros(o)}


def apply(p, x):
    return product("...i,io->...o", x, p["weight"]) + p["bias"]


def lenet():
    shapes = [(5, 5, 1, 6), (5, 5, 6, 16), (5, 5, 16, 120)]
    convolutions = [{"weight": scaled(*shape), "bias": jnp.zeros(shape[-1])} for shape in shapes]
    parameters = {"convolutions": convolutions, "linear": [linear(120, 84), linear(84, 10)]}

    def forward(p, x):
        for index, layer in enumerate(p["convolutions"]):
            x = convolution(x, layer["weight"]) + layer["bias"]
            if index < 2:
                x = lax.reduce_window(x, 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID") / 4
            x = jnp.tanh(x)
        x = jnp.tanh(apply(p["linear"][0], x.reshape(len(x), -1)))
        return apply(p["linear"][1], x)

    return parameters, forward


def resnet18():
    def normalised(i, o, size):
        return {"weight": scaled(size, size, i, o), "scale": jnp.ones(o), "shift": jnp.zeros(o)}

    def block(i, o):
        p = {"first": normalised(i, o, 3), "second": normalised(o, o, 3)}
        return p if i == o else p | {"shortcut": normalised(i, o, 1)}

    plan = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]
    parameters = {"stem": normalised(3, 64, 3), "blocks": [block(i, o) for i, o, _ in plan], "output": linear(512, 10)}

    def conv_norm(p, x, stride):
        x = convolution(x, p["weight"], stride, p["weight"].shape[0] // 2)
        mean = x.mean((0, 1, 2))
        variance = ((x - mean) ** 2).mean((0, 1, 2))
        return (x - mean) * lax.rsqrt(variance + 1e-5) * p["scale"] + p["shift"]

    def forward(p, x):
        x = jax.nn.relu(conv_norm(p["stem"], x, 1))
        for q, (_, _, stride) in zip(p["blocks"], plan):
            y = conv_norm(q["second"], jax.nn.relu(conv_norm(q["first"], x, stride)), 1)
            x = jax.nn.relu(y + (conv_norm(q["shortcut"], x, stride) if "shortcut" in q else x))
        return apply(p["output"], x.mean((1, 2)))

    return parameters, forward


def lstm():
    layers = [{"input": linear(i, 1024), "weight": scaled(256, 1024)} for i in (128, 256)]

    def forward(p, x):
        for layer in p["layers"]:
            gates = apply(layer["input"], x).swapaxes(0, 1)

            def cell(carry, gate):
                h, c = carry
                i, f, g, o = jnp.split(gate + product("bh,hg->bg", h, layer["weight"]), 4, -1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                h = jax.nn.sigmoid(o) * jnp.tanh(c)
                return (h, c), h

            zeros = jnp.zeros((x.shape[0], 256))
            x = lax.scan(cell, (zeros, zeros), gates)[1].swapaxes(0, 1)
        return apply(p["output"], x).reshape(-1, 100)

    return {"layers": layers, "output": linear(256, 100)}, forward


def transformer():
    def norm():
        return {"scale": jnp.ones(256), "shift": jnp.zeros(256)}

    def layer():
        sizes = {"qkv": (256, 768), "out": (256, 256), "up": (256, 1024), "down": (1024, 256)}
        return {name: linear(*size) for name, size in sizes.items()} | {"norm_1": norm(), "norm_2": norm()}

    def normalise(p, x):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) * lax.rsqrt(variance + 1e-5) * p["scale"] + p["shift"]

    def forward(p, x):
        batch, steps, width = x.shape
        for q in p["layers"]:
            query, key, value = jnp.moveaxis(apply(q["qkv"], x).reshape(batch, steps, 3, 4, 64), 2, 0)
            weights = jax.nn.softmax(product("bthd,bshd->bhts", query, key) / 8)
            mixed = product("bhts,bshd->bthd", weights, value).reshape(batch, steps, width)
            x = normalise(q["norm_1"], x + apply(q["out"], mixed))
            x = normalise(q["norm_2"], x + apply(q["down"], jax.nn.gelu(apply(q["up"], x), approximate=False)))
        return apply(p["output"], x).reshape(-1, 1000)

    return {"layers": [layer() for _ in range(4)], "output": linear(256, 1000)}, forward


SGD, ADAM, ADAMW = optax.sgd(0.01, momentum=0.9), optax.adam(1e-3), optax.adamw(1e-3, weight_decay=0.01)

# Model, optimizer, shape of the input, number of labels, number of classes.
TRAINING = {
    "A1-lenet-train-b64": (lenet, SGD, (64, 32, 32, 1), 64, 10),
    "A2-resnet18-cifar-train-b256": (resnet18, SGD, (256, 32, 32, 3), 256, 10),
    "A3-lstm-train-b32": (lstm, ADAM, (32, 64, 128), 32 * 64, 100),
    "A4-transformer-train-b16": (transformer, ADAMW, (16, 128, 256), 16 * 128, 1000),
}


def training(build, optimizer, shape, num_labels, num_classes):
    """Forward, backward and update on one batch; reads the loss."""
    parameters, forward = build()
    x, labels = normal(*shape), jax.random.randint(next(KEYS), (num_labels,), 0, num_classes)

    def loss_of(parameters):
        return optax.softmax_cross_entropy_with_integer_labels(forward(parameters, x), labels).mean()

    def update(parameters, state):
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        updates, state = optimizer.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates), state, loss

    update = jax.jit(update, donate_argnums=(0, 1))
    held = [parameters, optimizer.init(parameters)]

    def step():
        *held[:], loss = update(*held)
        assert float(loss) == float(loss)

    return step


SIZE = 8192


def square():
    """A square product of `f32` that is computed at the precision."""
    a, b = normal(SIZE, SIZE), normal(SIZE, SIZE)
    multiply = jax.jit(lambda a, b: jnp.matmul(operand(a), operand(b), precision=level()))
    return lambda: float(multiply(a, b)[0, 0])


def main():
    workloads = {f"A0-mm{SIZE}": square} | {name: lambda given=given: training(*given) for name, given in TRAINING.items()}
    timing.run(workloads, ARGUMENTS, "jax", f"{jax.devices()[0].device_kind}, JAX {jax.__version__}")


if __name__ == "__main__":
    ARGUMENTS = arguments()
    main()
