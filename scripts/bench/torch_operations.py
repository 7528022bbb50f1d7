"""The single operations of `xtask bench O` in PyTorch: `torch_wide.py` runs them if they are asked for by name."""
import torch
import torch.nn.functional as F

normal = torch.randn


def places(shape, size):
    """Places along an axis of `size`, in no order."""
    return (torch.arange(torch.Size(shape).numel()) * 7919 % size).reshape(shape)


def forward(make, function):
    """The operation alone; reads a result."""

    def prepare(_name):
        x = make()

        def step():
            with torch.inference_mode():
                y = function(*x)
                assert y.flatten()[0].item() == y.flatten()[0].item()

        return step

    return prepare


def backward(make, function):
    """With the gradients of the inputs that are real numbers."""

    def prepare(_name):
        x = make()
        targets = [x.requires_grad_() for x in x if x.is_floating_point()]
        with torch.no_grad():
            cotangent = torch.randn(function(*x).shape)

        def step():
            y = function(*x)
            gradients = torch.autograd.grad(y, targets, cotangent)
            assert gradients[0].flatten()[0].item() == gradients[0].flatten()[0].item()

        return step

    return prepare


def conv(x, weight, parameters, is_channels_last):
    """A convolution of equal strides, paddings and dilations, with its gradients."""
    stride, padding, dilation, groups = parameters
    function = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[len(x)]
    is_last = is_channels_last and len(x) == 4

    def make():
        tensors = normal(x), normal(weight)
        return [x.contiguous(memory_format=torch.channels_last) for x in tensors] if is_last else list(tensors)

    return backward(make, lambda x, weight: function(x, weight, None, stride, padding, dilation, groups))


def definitions(is_channels_last):
    """Each name with what makes it ready, in the order of xtask/src/bench/operations.rs."""
    matmul = torch.matmul

    def pair(a, b):
        return lambda: [normal(a), normal(b)]

    def one(*shape):
        return lambda: [normal(shape)]

    def convolution(x, weight, parameters):
        return conv(x, weight, parameters, is_channels_last)

    million = 1 << 20
    return {
        "O-sum-columns": forward(one(4096, 4096), lambda x: x.sum(0)),
        "O-sum-rows": forward(one(4096, 4096), lambda x: x.sum(1)),
        "O-sum-all": forward(one(16 * million), lambda x: x.sum()),
        "O-mean-of-channels": forward(one(64, 128, 56, 56), lambda x: x.mean((0, 2, 3))),
        "O-mean-of-images": forward(one(64, 128, 56, 56), lambda x: x.mean((2, 3))),
        "O-max-rows": forward(one(4096, 4096), lambda x: x.amax(1)),
        "O-variance-rows": forward(one(4096, 4096), lambda x: x.var(1)),
        "O-softmax-of-pixels": backward(one(4, 21, 256, 256), lambda x: x.softmax(1)),
        "O-cross-entropy-of-words": backward(
            lambda: [normal(512, 32000), places([512], 32000)], F.cross_entropy
        ),
        "O-cross-entropy-of-pixels": backward(
            lambda: [normal(4, 21, 256, 256), places([4, 256, 256], 21)], F.cross_entropy
        ),
        "O-cumsum-rows": backward(one(4096, 1024), lambda x: x.cumsum(1)),
        "O-cumsum-columns": backward(one(4096, 1024), lambda x: x.cumsum(0)),
        "O-cumsum-long": forward(one(4, 1 << 18), lambda x: x.cumsum(1)),
        "O-sort-rows": forward(one(1024, 4096), lambda x: x.sort(-1)[0]),
        "O-top10-of-rows": forward(one(1024, 4096), lambda x: x.topk(10)[0]),
        "O-top1000": forward(one(100_000), lambda x: x.topk(1000)[0]),
        "O-take-rows": backward(
            lambda: [normal(100_000, 128), places([65536], 100_000)], lambda x, i: F.embedding(i, x)
        ),
        "O-take-columns": backward(
            lambda: [normal(4096, 1024), places([512], 1024)], lambda x, i: x.index_select(1, i)
        ),
        "O-take-along-rows": backward(
            lambda: [normal(4096, 1024), places([4096, 64], 1024)], lambda x, i: x.gather(1, i)
        ),
        "O-scatter-add": forward(
            lambda: [normal(4096, 1024), normal(4096, 512), places([4096, 512], 1024)],
            lambda x, y, i: x.scatter_add(1, i, y),
        ),
        "O-messages-of-a-graph": backward(
            lambda: [normal(10_000, 64), places([100_000], 10_000), places([100_000], 9973)],
            lambda x, i, j: torch.zeros_like(x).index_add(0, j, x.index_select(0, i)),
        ),
        "O-channels-last": forward(one(64, 128, 32, 32), lambda x: x.permute(0, 2, 3, 1).contiguous()),
        "O-transpose": forward(one(4096, 4096), lambda x: x.t().contiguous()),
        "O-heads": forward(one(32, 512, 8, 64), lambda x: x.permute(0, 2, 1, 3).contiguous()),
        "O-cat-channels": forward(pair((32, 64, 56, 56), (32, 32, 56, 56)), lambda *x: torch.cat(x, 1)),
        "O-stack-last": forward(pair((1024, 1024), (1024, 1024)), lambda *x: torch.stack(x, 2)),
        "O-pad": backward(one(32, 64, 56, 56), lambda x: F.pad(x, (1, 1, 1, 1))),
        "O-flip": forward(one(32, 3, 224, 224), lambda x: x.flip(3)),
        "O-tile": backward(one(1024, 256), lambda x: x.tile(4, 4)),
        "O-pixel-shuffle": backward(one(8, 64, 64, 64), lambda x: F.pixel_shuffle(x, 2)),
        "O-matmul-65536x4x4x4": backward(pair((65536, 4, 4), (65536, 4, 4)), matmul),
        "O-matmul-512x32x32x32": backward(pair((512, 32, 32), (512, 32, 32)), matmul),
        "O-matmul-64x128x128x64": backward(pair((64, 128, 64), (64, 64, 128)), matmul),
        "O-matmul-256x1x512x128": backward(pair((256, 1, 128), (256, 128, 512)), matmul),
        "O-matmul-vector": forward(pair((4096, 4096), (4096, 1)), matmul),
        "O-matmul-32-rows": forward(pair((32, 4096), (4096, 4096)), lambda a, b: a @ b.t()),
        "O-matmul-depth-16": backward(pair((4096, 16), (16, 4096)), matmul),
        "O-matmul-tall": backward(pair((100_000, 64), (64, 10)), matmul),
        "O-matmul-odd": backward(pair((509, 1021), (1021, 257)), matmul),
        "O-gram-of-images": backward(one(4, 128, 16384), lambda x: x @ x.transpose(1, 2)),
        "O-scores-of-heads": backward(
            pair((8, 8, 256, 64), (8, 8, 256, 64)), lambda q, k: torch.einsum("bhqd,bhkd->bhqk", q, k)
        ),
        "O-conv-1x1-stride-2": convolution((16, 256, 56, 56), (512, 256, 1, 1), (2, 0, 1, 1)),
        "O-conv-7x7-rgb": convolution((8, 3, 224, 224), (64, 3, 7, 7), (2, 3, 1, 1)),
        "O-conv-patches": convolution((8, 3, 224, 224), (96, 3, 4, 4), (4, 0, 1, 1)),
        "O-conv-5x5": convolution((8, 64, 56, 56), (64, 64, 5, 5), (1, 2, 1, 1)),
        "O-conv-dilation-2": convolution((4, 128, 64, 64), (128, 128, 3, 3), (1, 2, 2, 1)),
        "O-conv-32-groups": convolution((8, 256, 28, 28), (256, 8, 3, 3), (1, 1, 1, 32)),
        "O-conv-depthwise-7x7": convolution((8, 96, 56, 56), (96, 1, 7, 7), (1, 3, 1, 96)),
        "O-conv-depthwise-stride-2": convolution((8, 240, 28, 28), (240, 1, 5, 5), (2, 2, 1, 240)),
        "O-conv-one-channel": convolution((8, 1, 128, 128), (64, 1, 3, 3), (1, 1, 1, 1)),
        "O-conv-1d": convolution((16, 256, 1000), (256, 256, 9), (1, 4, 1, 1)),
        "O-conv-1d-dilation-64": convolution((4, 64, 16000), (128, 64, 2), (1, 0, 64, 1)),
        "O-conv-1d-depthwise": convolution((16, 256, 400), (256, 1, 31), (1, 15, 1, 256)),
        "O-conv-3d": convolution((1, 64, 16, 28, 28), (64, 64, 3, 3, 3), (1, 1, 1, 1)),
        "O-conv-3d-rgb": convolution((2, 3, 16, 112, 112), (64, 3, 3, 3, 3), (1, 1, 1, 1)),
        "O-conv-transposed": backward(
            pair((16, 128, 16, 16), (128, 64, 4, 4)), lambda x, w: F.conv_transpose2d(x, w, None, 2, 1)
        ),
        "O-max-pool-3-stride-2": backward(one(8, 64, 112, 112), lambda x: F.max_pool2d(x, 3, 2, 1)),
        "O-max-pool-5": backward(one(8, 128, 20, 20), lambda x: F.max_pool2d(x, 5, 1, 2)),
        "O-max-pool-1d": backward(one(16, 128, 4000), lambda x: F.max_pool1d(x, 4)),
        "O-max-pool-3d": backward(one(2, 64, 16, 56, 56), lambda x: F.max_pool3d(x, 2)),
        "O-avg-pool-3": backward(
            one(8, 192, 35, 35), lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        ),
        "O-adaptive-pool": backward(one(8, 256, 37, 37), lambda x: F.adaptive_avg_pool2d(x, 7)),
        "O-upsample-bilinear": backward(
            one(8, 64, 64, 64), lambda x: F.interpolate(x, scale_factor=2, mode="bilinear")
        ),
        "O-upsample-nearest": backward(one(8, 64, 64, 64), lambda x: F.interpolate(x, scale_factor=2)),
        "O-group-norm": backward(
            one(8, 128, 56, 56), lambda x: F.group_norm(x, 32, torch.ones(128), torch.zeros(128))
        ),
        "O-instance-norm": backward(one(4, 64, 128, 128), F.instance_norm),
        "O-unit-rows": backward(one(65536, 128), lambda x: x / x.norm(dim=-1, keepdim=True)),
        "O-exp": backward(one(8 * million), torch.exp),
        "O-tanh": backward(one(8 * million), torch.tanh),
        "O-silu": backward(one(8 * million), F.silu),
        "O-softplus": backward(one(8 * million), F.softplus),
        "O-sin": backward(one(8 * million), torch.sin),
        "O-cube": backward(one(8 * million), lambda x: x**3),
        "O-clamp": forward(one(8 * million), lambda x: x.clamp(-1, 1)),
        "O-hard-sigmoid": backward(one(8 * million), F.hardsigmoid),
        "O-add-to-channels": backward(pair((32, 64, 56, 56), (1, 64, 1, 1)), torch.add),
        "O-scale-rows": backward(pair((4096, 2048), (4096, 1)), torch.mul),
        "O-mean-squared-error": backward(pair((8 * million,), (8 * million,)), F.mse_loss),
    }
