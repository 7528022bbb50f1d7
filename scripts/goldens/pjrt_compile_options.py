#!/usr/bin/env python3
"""Makes crates/pjrt/tests/golden/pjrt_compile_options.json: the options that tell a compiler how many replicas run a
program and where, as jaxlib encodes them.

    pip install jaxlib==0.10.2 numpy
    python scripts/goldens/pjrt_compile_options.py > crates/pjrt/tests/golden/pjrt_compile_options.json

jaxlib writes XLA's debugging options and defaults too: of its message only the fields that gyrus writes are kept, byte
by byte.
"""
import json

import jaxlib
import numpy
from jaxlib import _jax

EXECUTABLE_BUILD_OPTIONS = 3
OVERRIDES = 7
# device_ordinal, num_replicas, num_partitions, device_assignment
KEPT = (1, 4, 5, 9)


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Each field's number, its content, and its bytes with the tag before it."""
    at = 0
    while at < len(data):
        begin = at
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        value, at = varint(data, at)
        content = value
        if kind == 2:
            content = data[at:at + value]
            at += value
        assert kind in (0, 2), kind
        yield number, content, data[begin:at]


def encode(device_ids, overrides=()):
    options = _jax.CompileOptions()
    options.num_replicas = len(device_ids)
    options.num_partitions = 1
    if len(device_ids) > 1:
        options.device_assignment = _jax.DeviceAssignment.create(numpy.array(device_ids).reshape(-1, 1))
    options.env_option_overrides = list(overrides)
    build = next(content for number, content, _ in fields(options.SerializeAsString()) if number == EXECUTABLE_BUILD_OPTIONS)
    kept = b"".join(raw for number, _, raw in fields(build) if number in KEPT)
    assert len(kept) < 0x80
    overrides = b"".join(raw for number, _, raw in fields(options.SerializeAsString()) if number == OVERRIDES)
    return bytes([EXECUTABLE_BUILD_OPTIONS << 3 | 2, len(kept)]) + kept + overrides


cases = [[0], [0, 1], [0, 1, 2, 3], [3, 300, 70000]]
on_cpu = encode([0], [("xla_cpu_enable_fast_min_max", False)])
toolkit = "/opt/nvidia/cu13"
on_cuda = encode(
    [0],
    [
        ("xla_gpu_enable_triton_gemm", False),
        ("xla_gpu_enable_while_loop_unrolling", "WHILE_LOOP_UNROLLING_DOUBLE_BUFFER"),
        ("xla_gpu_cuda_data_dir", toolkit),
    ],
)
made = {
    "made_by": "scripts/goldens/pjrt_compile_options.py",
    "jaxlib": jaxlib.__version__,
    "cases": [{"device_ids": ids, "bytes": list(encode(ids))} for ids in cases]
    + [{"device_ids": [0], "platform": "cpu", "bytes": list(on_cpu)}]
    + [{"device_ids": [0], "platform": "cuda", "cuda_toolkit": toolkit, "bytes": list(on_cuda)}],
}
print(json.dumps(made))
