#!/usr/bin/env python3
"""Makes crates/tensor/tests/golden/tensor_ops.json with PyTorch.

    python scripts/goldens/tensor_ops.py crates/tensor/tests/golden

Each case is one call of a tensor operation: its inputs, the outputs PyTorch computes in double precision,
cotangents for the real outputs, and the gradients of the real inputs (null for the others). Inputs are
single-precision numbers written in full, so that both sides start from the same bits.
"""
import json
import math
import pathlib
import platform
import sys

import torch
import torch.nn.functional as F

G = torch.Generator().manual_seed(20)


def real(*shape, low=-2.0, high=2.0):
    x = torch.rand(shape, generator=G, dtype=torch.float32) * (high - low) + low
    return x.to(torch.float64)


def integers(*shape, high):
    return torch.randint(0, high, shape, generator=G)


def array(x):
    data = [value if math.isfinite(value) else repr(value) for value in x.detach().flatten().tolist()]
    return {"shape": list(x.shape), "data": data, "real": x.is_floating_point()}


def case(name, function, *inputs):
    leaves = [x.requires_grad_() if x.is_floating_point() else x for x in inputs]
    outputs = function(*leaves)
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    cotangents = [real(*y.shape, low=-1, high=1) if y.requires_grad else None for y in outputs]
    differentiated = [(y, c) for y, c in zip(outputs, cotangents) if c is not None]
    wanted = [x for x in leaves if x.requires_grad]
    gradients = [None] * len(leaves)
    if differentiated and wanted:
        ys, cs = zip(*differentiated)
        found = iter(torch.autograd.grad(ys, wanted, cs, allow_unused=True))
        gradients = [next(found) if x.requires_grad else None for x in leaves]
    return {
        "name": name,
        "inputs": [array(x) for x in leaves],
        "outputs": [array(y) for y in outputs],
        "cotangents": [None if c is None else array(c) for c in cotangents],
        "gradients": [None if g is None else array(g) for g in gradients],
    }


def positive(*shape):
    return real(*shape, low=0.25, high=3.0)


def cases():
    a, b = (3, 1, 4), (2, 1)
    yield case("add", lambda x, y: x + y, real(*a), real(*b))
    yield case("sub", lambda x, y: x - y, real(*a), real(*b))
    yield case("mul", lambda x, y: x * y, real(*a), real(*b))
    yield case("div", lambda x, y: x / y, real(*a), positive(*b))
    yield case("rem", torch.fmod, real(*a, low=-5, high=5), torch.tensor([[1.25], [-2.5]], dtype=torch.float64))
    yield case("pow", torch.pow, positive(*a), real(*b))
    yield case("powf 3", lambda x: x**3, real(7))
    yield case("powf 2", lambda x: x**2, real(7))
    yield case("powf -1", lambda x: x**-1, positive(7))
    yield case("powf 0.5", lambda x: x**0.5, positive(7))
    yield case("atan2", torch.atan2, real(*a), real(*b))
    yield case("maximum", torch.maximum, real(*a), real(*b))
    yield case("minimum", torch.minimum, real(*a), real(*b))
    edges = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0, -3.0, 4.0], dtype=torch.float64)
    yield case("clamp", lambda x: x.clamp(-0.5, 1.0), edges)
    yield case("select", torch.where, integers(3, 1, high=2) != 0, real(4), real(3, 4))

    for name in "exp expm1 abs sign floor ceil round sin cos tan tanh erf square neg".split():
        yield case(name, getattr(torch, name), real(11))
    for name in "log sqrt rsqrt reciprocal".split():
        yield case(name, getattr(torch, name), positive(11))
    yield case("log1p", torch.log1p, real(11, low=-0.75))
    yield case("cbrt", lambda x: x.sign() * x.abs() ** (1 / 3), real(11))
    wide = torch.tensor([-800.0, -30.0, -3.5, -1.0, 0.0, 0.25, 1.0, 3.5, 30.0, 800.0], dtype=torch.float64)
    activations = {
        "sigmoid": torch.sigmoid,
        "relu": F.relu,
        "leaky_relu": lambda x: F.leaky_relu(x, 0.1),
        "elu": lambda x: F.elu(x, 1.5),
        "silu": F.silu,
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        # PyTorch's softplus is linear beyond a threshold.
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        "log_sigmoid": F.logsigmoid,
        # The gradient of PyTorch's own has a sixth in single precision.
        "hard_sigmoid": lambda x: (x / 6 + 0.5).clamp(0, 1),
    }
    for name, function in activations.items():
        yield case(name, function, wide.clone())

    yield case("sum", lambda x: x.sum((0, 2)), real(2, 3, 4))
    yield case("product", lambda x: x.prod(1), torch.tensor([[1.5, 0.0, 2.0], [3.0, -2.0, 0.5]], dtype=torch.float64))
    yield case("mean", lambda x: x.mean(-1, keepdim=True), real(2, 3, 4))
    yield case("variance 0", lambda x: x.var((0, 1), correction=0), real(2, 3, 4))
    yield case("variance 1", lambda x: x.var(-1, correction=1), real(2, 3, 4))
    yield case("standard_deviation", lambda x: x.std(-1, keepdim=True), real(2, 3, 4))
    yield case("max", lambda x: x.amax((0, 2)), real(2, 3, 4))
    yield case("min", lambda x: x.amin(1), torch.tensor([[1.0, 1.0, 2.0], [3.0, -2.0, 0.5]], dtype=torch.float64))
    yield case("norm", lambda x: x.norm(dim=-1), torch.tensor([[3.0, 4.0], [0.0, 0.0]], dtype=torch.float64))
    yield case("argmax", lambda x: x.argmax(1), real(3, 5))
    yield case("argmin", lambda x: x.argmin(0), real(3, 5))
    yield case("softmax", lambda x: x.softmax(1), real(2, 5, 3))
    yield case("log_softmax", lambda x: x.log_softmax(-1), real(3, 5))
    yield case("log_sum_exp", lambda x: x.logsumexp(0), real(3, 5))
    yield case("cumsum", lambda x: x.cumsum(1), real(2, 11))

    yield case("permute", lambda x: x.permute(2, 0, 1), real(2, 3, 4))
    yield case("cat", lambda x, y: torch.cat([x, y], 1), real(2, 3), real(2, 2))
    yield case("stack", lambda x, y: torch.stack([x, y], -1), real(2, 3), real(2, 3))
    yield case("split", lambda x: x.split([1, 3], 1), real(2, 4))
    yield case("chunk", lambda x: x.chunk(3, 1), real(2, 7))
    yield case("flip", lambda x: x.flip([0, 2]), real(2, 3, 4))
    yield case("pad", lambda x: F.pad(x, (1, -1, 0, 2), value=0.5), real(2, 3, 4))
    yield case("tile", lambda x: x.repeat(2, 1, 3), real(2, 3))
    yield case("repeat_interleave", lambda x: x.repeat_interleave(3, 1), real(2, 3))
    yield case("tril", lambda x: x.tril(1), real(2, 3, 4))
    yield case("triu", lambda x: x.triu(-1), real(4, 3))
    yield case("get", lambda x: x[1, ..., 1:-1, None, ::2], real(2, 2, 5, 6))

    yield case("take", lambda x, i: x[:, i], real(2, 4, 3), integers(2, 3, high=4))
    yield case("take_along_axis", lambda x, i: x.gather(1, i), real(2, 4), integers(2, 6, high=4))
    yield case("scatter_add", lambda x, i, u: x.scatter_add(1, i, u), real(2, 4), integers(2, 6, high=4), real(2, 6))
    yield case("index_add", lambda x, i, u: x.index_add(0, i, u), real(4, 3), integers(6, high=4), real(6, 3))
    middle = (real(2, 4, 3), integers(5, high=4), real(2, 5, 3))
    yield case("index_add 1", lambda x, i, u: x.index_add(1, i, u), *middle)
    yield case("sort", lambda x: x.sort(1, descending=True), real(3, 6))
    yield case("top_k", lambda x: x.topk(2, 0), real(5, 3))

    vectors = [((4,), (4,)), ((4,), (4, 2)), ((3, 4), (4,)), ((2, 3, 4), (4,)), ((4,), (2, 4, 5))]
    matrices = [((3, 4), (4, 2)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((3, 4), (2, 4, 5))]
    for a, b in vectors + matrices:
        yield case("matmul", torch.matmul, real(*a), real(*b))
    yield case("dot", torch.dot, real(5), real(5))
    for equation, *shapes in [
        ("bik,bkj->bij", (2, 3, 4), (2, 4, 2)),
        ("ijk->ki", (2, 3, 4)),
        ("ij,j,jk->k", (2, 3), (3,), (3, 4)),
        ("abc,dbe->eabd", (2, 3, 4), (2, 3, 2)),
        ("i,j->", (3,), (2,)),
    ]:
        yield case(f"einsum {equation}", lambda *x: torch.einsum(equation, *x), *(real(*shape) for shape in shapes))
    yield case("outer", torch.outer, real(3), real(4))
    yield case("conv 1", lambda x, w: F.conv1d(x, w, stride=2, padding=1), real(2, 3, 7), real(4, 3, 3))
    yield case("conv 2", lambda x, w: F.conv2d(x, w, padding=1, groups=2), real(1, 4, 5, 6), real(2, 2, 3, 3))
    yield case("conv 3", lambda x, w: F.conv3d(x, w, dilation=2), real(1, 2, 3, 4, 4), real(2, 2, 2, 2, 2))
    options = {"stride": 2, "padding": 1, "output_padding": 1}
    transposed = lambda x, w: F.conv_transpose2d(x, w, **options)
    yield case("conv_transpose", transposed, real(1, 3, 3, 4), real(3, 2, 3, 3))
    yield case("max_pool 1", lambda x: F.max_pool1d(x, 3, 2, 1), real(2, 3, 8))
    yield case("max_pool 2", lambda x: F.max_pool2d(x, (2, 3), (2, 1), (1, 0)), real(1, 2, 5, 6))
    yield case("avg_pool include", lambda x: F.avg_pool2d(x, 3, 2, 1), real(1, 2, 5, 6))
    yield case("avg_pool exclude", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), real(1, 2, 5, 6))
    yield case("avg_pool 3", lambda x: F.avg_pool3d(x, 2), real(1, 2, 2, 4, 4))


def main(folder):
    golden = {
        "made_by": "scripts/goldens/tensor_ops.py",
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "cases": list(cases()),
    }
    path = pathlib.Path(folder) / "tensor_ops.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case) for case in golden.pop("cases"))
    head = json.dumps(golden)[:-1]
    path.write_text(f'{head}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main(*sys.argv[1:])
