#!/usr/bin/env python3
"""Makes small PyTorch files and pytorch_files.json with PyTorch.

    python scripts/goldens/pytorch_files.py crates/checkpoint/tests/golden

The same state dict as an archive, in the format from before PyTorch 1.6, and within what a training program saves; and
two files that must be refused, as loading them would call a function.
"""
import collections
import json
import pathlib
import platform
import sys

import torch


class Call:
    def __reduce__(self):
        return print, ("a file was loaded and ran this",)


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    table = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
    state = collections.OrderedDict(
        [
            ("layer.weight", table.clone()),
            ("layer.transposed", table.t()),  # shares the storage of the next
            ("layer.part", table[1:3, 2:5]),
            ("norm.running_mean", torch.tensor([1.5, -2.5], dtype=torch.float64)),
            ("norm.num_batches_tracked", torch.tensor(7)),
            ("half", torch.tensor([0.5, 65504.0], dtype=torch.float16)),
            ("brain", torch.tensor([1.0, -3.0], dtype=torch.bfloat16)),
            ("mask", torch.tensor([True, False, True])),
            ("bytes", torch.tensor([[0, 255]], dtype=torch.uint8)),
            ("empty", torch.zeros(0, 3)),
        ]
    )
    torch.save(state, folder / "archive.pth")
    torch.save(state, folder / "stream.pth", _use_new_zipfile_serialization=False)
    parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    program = {"epoch": 3, "rate": 0.1, "note": None, "state_dict": {"weight": parameter}, "history": [1, -2, 2**40]}
    torch.save(program, folder / "program.pth")
    torch.save({"weight": torch.ones(1), "other": Call()}, folder / "call_archive.pth")
    torch.save({"weight": torch.ones(1), "other": Call()}, folder / "call_stream.pth", _use_new_zipfile_serialization=False)
    tensors = {
        name: {
            "dtype": str(x.dtype).removeprefix("torch."),
            "shape": list(x.shape),
            "bytes": x.contiguous().view(torch.uint8).flatten().tolist() if x.numel() and x.dim() else list(
                x.numpy().tobytes()
            ),
        }
        for name, x in state.items()
    }
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    path = folder / "pytorch_files.json"
    path.write_text(json.dumps({"versions": versions, "tensors": tensors}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
