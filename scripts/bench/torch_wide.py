#!/usr/bin/env python3
"""The wider workloads of `xtask bench X` in PyTorch, and the single operations of `xtask bench O` (`torch_operations.py`).

    python scripts/bench/torch_wide.py [FILTER] [--mode eager|compile|channels_last] [--seconds 4] [--threads 2]

FILTER is a list of names or parts of names, separated by commas. Prints one JSON object a line, in the form of
`xtask bench --json`, for `xtask bench-table`. Each workload runs in a process of its own.
"""
import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("filter", nargs="?", default="")
    parser.add_argument("--mode", default="eager", choices=["eager", "compile", "channels_last"])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


# Each name with what makes it ready, in the order of xtask/src/bench/wide.
WORKLOADS = {}


def workload(*names):
    def add(prepare):
        for name in names:
            WORKLOADS[name] = prepare
        return prepare

    return add


def training(model, optimizer, *batches):
    """Forward, backward and update on one batch after another; reads the loss."""
    model = converted(model).train()
    batches = itertools.cycle([(converted_input(x), labels) for x, labels in batches])
    forward = torch.compile(model) if ARGUMENTS.mode == "compile" else model

    def step():
        x, labels = next(batches)
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(forward(x), labels)
        loss.backward()
        optimizer.step()
        assert loss.item() == loss.item()

    return step


def inference(model, *inputs):
    """The forward pass alone."""
    model = converted(model).eval()
    inputs = itertools.cycle([converted_input(x) for x in inputs])
    forward = torch.compile(model) if ARGUMENTS.mode == "compile" else model

    def step():
        with torch.inference_mode():
            y = forward(next(inputs))
            assert y.flatten()[0].item() == y.flatten()[0].item()

    return step


def converted(model):
    is_last = ARGUMENTS.mode == "channels_last" and not any(p.dim() == 5 for p in model.parameters())
    return model.to(memory_format=torch.channels_last) if is_last else model


def converted_input(x):
    is_last = ARGUMENTS.mode == "channels_last" and x.dim() == 4
    return x.contiguous(memory_format=torch.channels_last) if is_last else x


def run(name, model, optimizer, x, labels):
    """Training or inference, as the name says."""
    if "-train-" not in name:
        return inference(model, x)
    return training(model, optimizer(model.parameters()), (x, labels))


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3, fused=True)


def adamw(parameters):
    return torch.optim.AdamW(parameters, lr=1e-3, fused=True)


def normal(*shape):
    return torch.randn(shape)


def labels(*shape, classes):
    return torch.randint(0, classes, shape)


def define():
    @workload("X1-gru-train-b32", "X1-gru-infer-b32")
    def gru(name):
        class Gru(nn.Module):
            def __init__(self):
                super().__init__()
                self.gru = nn.GRU(128, 256, 2, batch_first=True)
                self.output = nn.Linear(256, 100)

            def forward(self, x):
                return self.output(self.gru(x)[0]).flatten(0, 1)

        return run(name, Gru(), adam, normal(32, 64, 128), labels(32 * 64, classes=100))

    @workload("X2-mobilenet-train-b8", "X2-mobilenet-infer-b1")
    def mobilenet(name):
        layers = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()]
        for i, o, stride in [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]:
            layers += [nn.Conv2d(i, i, 3, stride, 1, groups=i, bias=False), nn.BatchNorm2d(i), nn.ReLU()]
            layers += [nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU()]
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 100)]
        batch = 8 if "train" in name else 1
        return run(name, nn.Sequential(*layers), sgd, normal(batch, 3, 96, 96), labels(batch, classes=100))

    @workload("X3-unet-train-b4", "X3-unet-infer-b4")
    def unet(name):
        def double(i, o):
            layers = []
            for channels in (i, o):
                layers += [nn.Conv2d(channels, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU()]
            return nn.Sequential(*layers)

        class UNet(nn.Module):
            def __init__(self):
                super().__init__()
                self.down = nn.ModuleList([double(3, 32), double(32, 64)])
                self.bottom = double(64, 128)
                self.up = nn.ModuleList([double(128 + 64, 64), double(64 + 32, 32)])
                self.output = nn.Conv2d(32, 4, 1)

            def forward(self, x):
                skipped = []
                for block in self.down:
                    y = block(x)
                    x = F.max_pool2d(y, 2)
                    skipped.append(y)
                x = self.bottom(x)
                for block in self.up:
                    x = block(torch.cat([F.interpolate(x, scale_factor=2), skipped.pop()], 1))
                return self.output(x)

        return run(name, UNet(), adam, normal(4, 3, 64, 64), labels(4, 64, 64, classes=4))

    @workload("X4-vit-tiny-train-b4", "X4-vit-tiny-infer-b4")
    def vit(name):
        class VisionTransformer(nn.Module):
            def __init__(self):
                super().__init__()
                self.patches = nn.Conv2d(3, 192, 16, 16)
                self.position = nn.Parameter(torch.randn(196, 192) * 0.02)
                self.encoder = encoder(12, 192, 3, 768, norm_first=True)
                self.norm = nn.LayerNorm(192)
                self.output = nn.Linear(192, 1000)

            def forward(self, x):
                x = self.patches(x).flatten(2).transpose(1, 2) + self.position
                return self.output(self.norm(self.encoder(x)).mean(1))

        return run(name, VisionTransformer(), adamw, normal(4, 3, 224, 224), labels(4, classes=1000))

    @workload("X5-audio-train-b8", "X5-audio-infer-b8")
    def audio(name):
        layers = []
        for i, o, size, stride in [(1, 64, 80, 4), (64, 64, 3, 1), (64, 128, 3, 1), (128, 256, 3, 1)]:
            layers += [nn.Conv1d(i, o, size, stride), nn.BatchNorm1d(o), nn.ReLU(), nn.MaxPool1d(4)]
        layers += [nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(256, 35)]
        return run(name, nn.Sequential(*layers), adam, normal(8, 1, 16000), labels(8, classes=35))

    @workload("X6-conv3d-train-b2", "X6-conv3d-infer-b2")
    def volume(name):
        layers = []
        for i, o, stride in [(8, 16, 1), (16, 32, 2), (32, 32, 1)]:
            layers += [nn.Conv3d(i, o, 3, stride, 1), nn.BatchNorm3d(o), nn.ReLU()]
        layers += [nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(32, 10)]
        return run(name, nn.Sequential(*layers), sgd, normal(2, 8, 16, 32, 32), labels(2, classes=10))

    @workload(*(f"X7-mlp-odd-{kind}-b{batch}" for kind in ("train", "infer") for batch in (1, 7, 33)))
    def mlp(name):
        batch = int(name.rsplit("-b", 1)[1])
        model = nn.Sequential(nn.Linear(1009, 509), nn.ReLU(), nn.Linear(509, 13))
        return run(name, model, adam, normal(batch, 1009), labels(batch, classes=13))

    @workload("X8-conv-odd-train-b5", "X8-conv-odd-infer-b5")
    def convolutions(name):
        model = nn.Sequential(
            nn.Conv2d(17, 19, 5, padding=2), nn.ReLU(),
            nn.Conv2d(19, 23, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(23, 31, 3), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(31, 13),
        )
        return run(name, model, sgd, normal(5, 17, 37, 41), labels(5, classes=13))

    @workload("X9-transformer-odd-train-b5", "X9-transformer-odd-infer-b5")
    def transformer(name):
        class Transformer(nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder = encoder(2, 99, 3, 391, norm_first=False)
                self.output = nn.Linear(99, 101)

            def forward(self, x):
                return self.output(self.encoder(x)).flatten(0, 1)

        return run(name, Transformer(), adamw, normal(5, 61, 99), labels(5 * 61, classes=101))

    @workload("X10-words-sgd-train-b64", "X10-words-adam-train-b64", "X10-words-infer-b64")
    def words(name):
        class BagOfWords(nn.Module):
            def __init__(self, sparse):
                super().__init__()
                self.embedding = nn.Embedding(50_000, 128, sparse=sparse)
                self.output = nn.Linear(128, 4)

            def forward(self, x):
                return self.output(self.embedding(x).mean(1))

        words = torch.arange(64 * 64).reshape(64, 64) * 7919 % 50_000
        # PyTorch's own sparse gradients, where its optimizer takes them.
        is_sgd = "sgd" in name
        optimizer = (lambda parameters: torch.optim.SGD(parameters, lr=0.1)) if is_sgd else adam
        return run(name, BagOfWords(sparse=is_sgd), optimizer, words, labels(64, classes=4))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.output = encoder(4, 256, 4, 1024, norm_first=False), nn.Linear(256, 1000)

        def forward(self, x):
            return self.output(self.encoder(x)).flatten(0, 1)

    @workload("X11-transformer-remat-train-b16")
    def remat(name):
        class Remat(Transformer):
            def forward(self, x):
                for layer in self.encoder.layers:
                    x = checkpoint(layer, x, use_reentrant=False)
                return self.output(x).flatten(0, 1)

        return run(name, Remat(), adamw, normal(16, 128, 256), labels(16 * 128, classes=1000))

    @workload("X12-lstm-lengths-train-b32")
    def lengths(name):
        class Tagger(nn.Module):
            def __init__(self):
                super().__init__()
                self.lstm = nn.LSTM(128, 256, 2, batch_first=True)
                self.output = nn.Linear(256, 100)
                self.lengths = torch.tensor([1 + row * 23 % 32 * 63 // 31 for row in range(32)])

            def forward(self, x):
                packed = pack_padded_sequence(x, self.lengths, batch_first=True, enforce_sorted=False)
                states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=64)
                return self.output(states).flatten(0, 1)

        return run(name, Tagger(), adam, normal(32, 64, 128), labels(32 * 64, classes=100))

    def normalized(i, o, size, stride=1, groups=1):
        return nn.Sequential(nn.Conv2d(i, o, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(o))

    class Residual(nn.Module):
        def __init__(self, body, shortcut):
            super().__init__()
            self.body, self.shortcut = body, shortcut

        def forward(self, x):
            return self.body(x) + self.shortcut(x)

    @workload("X13-resnext-train-b4", "X13-resnext-infer-b4")
    def resnext(name):
        layers = []
        for i, width, o, stride in [(64, 128, 256, 1), (256, 128, 256, 1), (256, 256, 512, 2), (512, 256, 512, 1)]:
            first, grouped = normalized(i, width, 1), normalized(width, width, 3, stride, groups=32)
            body = nn.Sequential(first, nn.ReLU(), grouped, nn.ReLU(), normalized(width, o, 1))
            layers += [Residual(body, nn.Identity() if i == o else normalized(i, o, 1, stride)), nn.ReLU()]
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 100)]
        return run(name, nn.Sequential(*layers), sgd, normal(4, 64, 56, 56), labels(4, classes=100))

    @workload("X14-efficientnet-train-b8", "X14-efficientnet-infer-b8")
    def efficientnet(name):
        class Excitation(nn.Module):
            def __init__(self, channels, squeezed):
                super().__init__()
                self.squeeze, self.excite = nn.Linear(channels, squeezed), nn.Linear(squeezed, channels)

            def forward(self, x):
                return x * self.excite(F.silu(self.squeeze(x.mean((2, 3))))).sigmoid()[:, :, None, None]

        layers = [normalized(3, 32, 3, 2), nn.SiLU()]
        for i, o, size, stride in [
            (32, 24, 3, 2), (24, 24, 3, 1), (24, 40, 5, 2), (40, 40, 5, 1),
            (40, 80, 3, 2), (80, 80, 3, 1), (80, 112, 5, 1), (112, 112, 5, 1),
        ]:
            wide = 6 * i
            body = nn.Sequential(
                normalized(i, wide, 1), nn.SiLU(), normalized(wide, wide, size, stride, groups=wide), nn.SiLU(),
                Excitation(wide, i // 4), normalized(wide, o, 1),
            )
            layers.append(Residual(body, nn.Identity()) if i == o and stride == 1 else body)
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(112, 100)]
        return run(name, nn.Sequential(*layers), sgd, normal(8, 3, 128, 128), labels(8, classes=100))

    @workload("X15-shufflenet-train-b8", "X15-shufflenet-infer-b8")
    def shufflenet(name):
        class Shuffled(nn.Module):
            def __init__(self):
                super().__init__()
                first, by_channel = normalized(58, 58, 1), normalized(58, 58, 3, groups=58)
                self.branch = nn.Sequential(first, nn.ReLU(), by_channel, normalized(58, 58, 1), nn.ReLU())

            def forward(self, x):
                return F.channel_shuffle(torch.cat([x[:, :58], self.branch(x[:, 58:])], 1), 2)

        layers = [normalized(3, 24, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1), normalized(24, 116, 1), nn.ReLU()]
        layers += [Shuffled() for _ in range(3)]
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(116, 100)]
        return run(name, nn.Sequential(*layers), sgd, normal(8, 3, 96, 96), labels(8, classes=100))

    @workload("X16-atrous-train-b2", "X16-atrous-infer-b2")
    def atrous(name):
        def branch(i, size, dilation):
            convolution = nn.Conv2d(i, 128, size, padding=size // 2 * dilation, dilation=dilation, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(128), nn.ReLU())

        class Pyramid(nn.Module):
            def __init__(self):
                super().__init__()
                sizes = [(1, 1), (3, 6), (3, 12), (3, 18)]
                self.branches = nn.ModuleList(branch(256, size, dilation) for size, dilation in sizes)
                upsample = nn.Upsample(scale_factor=4, mode="bilinear")
                self.output = nn.Sequential(branch(512, 1, 1), nn.Conv2d(128, 21, 1), upsample)

            def forward(self, x):
                return self.output(torch.cat([branch(x) for branch in self.branches], 1))

        return run(name, Pyramid(), sgd, normal(2, 256, 33, 33), labels(2, 132, 132, classes=21))

    @workload("X17-wavenet-train-b2", "X17-wavenet-infer-b1")
    def wavenet(name):
        class Block(nn.Module):
            def __init__(self, dilation):
                super().__init__()
                self.gated, self.output = nn.Conv1d(64, 128, 2, dilation=dilation), nn.Conv1d(64, 64, 1)
                self.dilation = dilation

            def forward(self, x):
                y = self.gated(F.pad(x, (self.dilation, 0)))
                return x + self.output(y[:, :64].tanh() * y[:, 64:].sigmoid())

        model = nn.Sequential(*[Block(1 << doublings) for doublings in range(8)], nn.Conv1d(64, 256, 1))
        batch = 2 if "train" in name else 1
        return run(name, model, adam, normal(batch, 64, 4000), labels(batch, 4000, classes=256))

    @workload("X18-new-lengths-train-b2", "X18-new-lengths-infer-b2")
    def new_lengths(name):
        lengths = [20 + index * 131 % 300 for index in range(300)]
        batches = [(normal(2, length, 256), labels(2 * length, classes=1000)) for length in lengths]
        model = Transformer()
        if "-train-" not in name:
            return inference(model, *[x for x, _ in batches])
        return training(model, adamw(model.parameters()), *batches)

    @workload("X19-transformer-recorded-train-b16", "X19-transformer-recorded-infer-b16")
    def recorded(name):
        return run(name, Transformer(), adamw, normal(16, 128, 256), labels(16 * 128, classes=1000))


def encoder(num_layers, features, heads, feedforward, norm_first):
    layer = nn.TransformerEncoderLayer(
        features, heads, feedforward, dropout=0.0, activation="gelu", batch_first=True, norm_first=norm_first
    )
    return nn.TransformerEncoder(layer, num_layers, enable_nested_tensor=False)


def processors():
    """The seconds that the machine's processors, and this process, have been in use."""
    ticks = [float(field) for field in open("/proc/stat").readline().split()[1:9]]
    own = os.times()
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK"), own.user + own.system


def others_since(before, begin):
    now = processors()
    return max(0.0, (now[0] - before[0]) - (now[1] - before[1])) / (time.perf_counter() - begin)


def wait_until_quiet(patience):
    end = time.perf_counter() + patience
    while time.perf_counter() < end:
        before, begin = processors(), time.perf_counter()
        time.sleep(0.5)
        if others_since(before, begin) < 0.04:
            return


def sample(call, seconds):
    """Times in seconds, and how many cores other processes took; as xtask/src/bench/timing.rs."""
    begin, warm = time.perf_counter(), 0
    while warm < 3 or time.perf_counter() - begin < 0.3:
        call()
        warm += 1
    best = None
    for _ in range(4):
        wait_until_quiet(float(os.environ.get("QUIET_WAIT", "120")))
        times, before, begin = [], processors(), time.perf_counter()
        while len(times) < 5 or (time.perf_counter() - begin < seconds and len(times) < 1000):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        other = others_since(before, begin)
        if best is None or other < best[1]:
            best = times, other
        if best[1] < 0.08:
            break
    return best


def main():
    define()
    parts = [part for part in ARGUMENTS.filter.split(",") if part]
    if any(part.startswith("O") for part in parts):
        WORKLOADS.update(torch_operations.definitions(ARGUMENTS.mode == "channels_last"))
    names = [name for name in WORKLOADS if not parts or any(part in name for part in parts)]
    if len(names) != 1:
        for name in names:
            rest = ["--mode", ARGUMENTS.mode, "--seconds", str(ARGUMENTS.seconds), "--threads", str(ARGUMENTS.threads)]
            subprocess.run([sys.executable, __file__, name, *rest], check=True)
        return
    torch.set_num_threads(ARGUMENTS.threads)
    torch.manual_seed(0)
    times, other = sample(WORKLOADS[names[0]](names[0]), ARGUMENTS.seconds)
    record = {
        "peer": f"torch-{ARGUMENTS.mode}",
        "w": names[0],
        "median_ms": round(statistics.median(times) * 1e3, 4),
        "min_ms": round(min(times) * 1e3, 4),
        "n": len(times),
        "other": round(other, 2),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "note": f"{ARGUMENTS.threads} threads",
    }
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    ARGUMENTS = arguments()
    import torch
    import torch.nn.functional as F
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
    from torch.utils.checkpoint import checkpoint

    import torch_operations

    main()
