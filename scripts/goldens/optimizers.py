#!/usr/bin/env python3
"""Makes optimizers.json, schedules.json and clipping.json with PyTorch.

    python scripts/goldens/optimizers.py crates/optim/tests/golden

* optimizers: ten steps with given gradients, in double precision: the parameters after each step, and the
  state after the last.
* schedules: the learning rate in each step.
* clipping: gradients before and after.

Numbers start as single-precision ones, written in full, so that both sides start from the same bits.
"""
import json
import pathlib
import platform
import sys

import torch
from torch import optim

NUM_STEPS = 10
SHAPES = {"weight": (3, 4), "bias": (4,)}


def real(generator, *shape, low=-1.0, high=1.0):
    x = torch.rand(shape, generator=generator, dtype=torch.float32) * (high - low) + low
    return x.to(torch.float64)


def array(x):
    return {"shape": list(x.shape), "data": x.detach().flatten().tolist()}


def arrays(named):
    return {name: array(x) for name, x in named.items()}


def optimizer_case(g, name, options, make):
    parameters = {key: real(g, *shape).requires_grad_() for key, shape in SHAPES.items()}
    start = arrays(parameters)
    optimizer = make(parameters.values(), **options)
    steps = []
    for _ in range(NUM_STEPS):
        gradients = {key: real(g, *shape) for key, shape in SHAPES.items()}
        for key, parameter in parameters.items():
            parameter.grad = gradients[key]
        # Weight decay through the gradient must not change what is written.
        written = arrays(gradients)
        optimizer.step()
        steps.append({"gradients": written, "parameters": arrays(parameters)})
    state = {}
    for key, parameter in parameters.items():
        for slot, x in optimizer.state[parameter].items():
            if slot != "step" and x is not None:
                state[f"{slot}.{key}"] = array(x)
    return {"optimizer": name, "options": options, "start": start, "steps": steps, "state": state}


def optimizers(g):
    for options in [
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.05},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.1, "weight_decay": 0.02},
        {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.02},
    ]:
        yield optimizer_case(g, "sgd", options, optim.SGD)
    for name, make in [("adam", optim.Adam), ("adam_w", optim.AdamW)]:
        for options in [
            {"lr": 0.01},
            {"lr": 0.01, "betas": [0.8, 0.95]},
            {"lr": 0.01, "eps": 0.01},
            {"lr": 0.01, "weight_decay": 0.1},
            {"lr": 0.01, "betas": [0.0, 0.9], "eps": 0.001, "weight_decay": 0.3},
        ]:
            yield optimizer_case(g, name, options, make)


def rates(learning_rate, num_steps, make):
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=learning_rate)
    scheduler = make(optimizer)
    found = []
    for _ in range(num_steps):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def warm(num_steps, make):
    """A linear rise that reaches the first rate in its last step, and another schedule after it."""

    def made(optimizer):
        rise = optim.lr_scheduler.LinearLR(optimizer, 1 / num_steps, 1.0, num_steps - 1)
        return optim.lr_scheduler.SequentialLR(optimizer, [rise, make(optimizer)], [num_steps])

    return made


def schedules():
    s = optim.lr_scheduler

    def case(schedule, options, learning_rate, num_steps, make):
        return {"schedule": schedule, "options": options, "rates": rates(learning_rate, num_steps, make)}

    yield case("constant", {"learning_rate": 0.3}, 0.3, 5, lambda o: s.ConstantLR(o, 1.0))
    options = {"initial": 0.3, "step_size": 4, "gamma": 0.5}
    yield case("step_decay", options, 0.3, 20, lambda o: s.StepLR(o, 4, 0.5))
    options = {"initial": 0.2, "milestones": [3, 7, 8], "gamma": 0.1}
    yield case("multi_step", options, 0.2, 15, lambda o: s.MultiStepLR(o, [3, 7, 8], 0.1))
    yield case("exponential", {"initial": 0.2, "gamma": 0.9}, 0.2, 30, lambda o: s.ExponentialLR(o, 0.9))
    options = {"initial": 0.2, "minimum": 0.01, "num_steps": 20}
    yield case("cosine", options, 0.2, 21, lambda o: s.CosineAnnealingLR(o, 20, 0.01))
    options = {"maximum": 0.4, "num_steps": 25, "rising_share": 0.3, "initial_divisor": 25, "final_divisor": 1e4}
    yield case("one_cycle", options, 0.1, 25, lambda o: s.OneCycleLR(o, 0.4, 25))
    options = {"maximum": 0.4, "num_steps": 12, "rising_share": 0.5, "initial_divisor": 10, "final_divisor": 100}
    make = lambda o: s.OneCycleLR(o, 0.4, 12, pct_start=0.5, div_factor=10, final_div_factor=100)
    yield case("one_cycle", options, 0.1, 12, make)
    options = {"num_steps": 5, "initial": 0.2, "minimum": 0.0, "cosine_steps": 10}
    yield case("warmup_cosine", options, 0.2, 15, warm(5, lambda o: s.CosineAnnealingLR(o, 10)))


def clipping(g):
    for max_norm in [0.5, 100.0]:
        gradients = {key: real(g, *shape) for key, shape in SHAPES.items()}
        before = arrays(gradients)
        holders = [torch.zeros_like(x).requires_grad_() for x in gradients.values()]
        for holder, x in zip(holders, gradients.values()):
            holder.grad = x
        norm = torch.nn.utils.clip_grad_norm_(holders, max_norm)
        yield {"max_norm": max_norm, "norm": norm.item(), "before": before, "after": arrays(gradients)}


def main():
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    g = torch.Generator().manual_seed(0)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, cases in [("optimizers", optimizers(g)), ("schedules", schedules()), ("clipping", clipping(g))]:
        made = {"versions": versions, "cases": list(cases)}
        text = json.dumps(made, separators=(",", ":")).replace('{"gradients"', '\n{"gradients"')
        (folder / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
