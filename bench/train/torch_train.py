"""The PyTorch peer of the training benchmark: same networks, same masked losses, random data in memory.

Prints one JSON line: network, variant, threads, images_per_second, step_ms_median, peak_rss_mb, torch.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

SIZE = 64
LENGTH = 64
WORDS = 1000
# a few batches in turn, so that no step finds its inputs in the cache of the step before
BATCHES = 8

# (kind, width of the head): 4 binary, 8 bounded regressions, one multilabel, one classification
HEADS = [("binary", 1)] * 4 + [("regression", 1)] * 8 + [("multilabel", 3), ("classification", 7)]
# shares of the rows in which each question is asked, as in the home security example
ASKED = [1.0, 10 / 11, 2 / 11, 8 / 11] + [7 / 11] * 10


class Multitask(nn.Module):
    """Three convolutions of stride 2, global average pool, one linear head per task."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.heads = nn.ModuleList(nn.Linear(64, width) for _, width in HEADS)

    def forward(self, images):
        features = self.trunk(images)
        return [head(features) for head in self.heads]


class Security(nn.Module):
    """The trunk of examples/home-security: three convolutions, flattened, a dense layer per feature, a head per task."""

    def __init__(self):
        super().__init__()
        self.common = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        # answers, the face's place, the body's place
        self.features = nn.ModuleList(nn.Sequential(nn.Linear(4096, 64), nn.ReLU()) for _ in range(3))
        self.heads = nn.ModuleList(nn.Linear(64, width) for _, width in HEADS)

    def forward(self, images):
        common = self.common(images)
        features = [layer(common) for layer in self.features]
        # four binary tasks, four coordinates of the face, four of the body, and the two about clothes
        reads = [0] * 4 + [1] * 4 + [2] * 4 + [0] * 2
        return [head(features[read]) for head, read in zip(self.heads, reads)]


class Convnet(nn.Module):
    """Three convolutions, each with a max pool, global average pool, ten classes."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, 10),
        )

    def forward(self, images):
        return self.layers(images)


class MobileNet(nn.Module):
    """MobileNet v1 of width 0.5: depthwise separable blocks with batch normalization, ten classes."""

    BLOCKS = [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2)] + [(256, 1)] * 5 + [(512, 2), (512, 1)]

    def __init__(self):
        super().__init__()
        parts, width = self.normalized(nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)), 16
        for filters, stride in self.BLOCKS:
            parts += self.normalized(nn.Conv2d(width, width, 3, stride, padding=1, groups=width, bias=False))
            parts += self.normalized(nn.Conv2d(width, filters, 1, bias=False))
            width = filters
        self.layers = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))

    @staticmethod
    def normalized(convolution):
        # eps and momentum as in tfjs-layers
        normalization = nn.BatchNorm2d(convolution.out_channels, eps=1e-3, momentum=0.01)
        return [convolution, normalization, nn.ReLU6(inplace=True)]

    def forward(self, images):
        return self.layers(images)


class UNet(nn.Module):
    """Two levels down and up again, then a map of 16 channels and its average, ten classes."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([self.twice(3, 16), self.twice(16, 32), self.twice(32, 64)])
        self.up = nn.ModuleList([self.twice(96, 32), self.twice(48, 16)])
        self.map = nn.Conv2d(16, 16, 1)
        self.head = nn.Linear(16, 10)

    @staticmethod
    def twice(width, filters):
        return nn.Sequential(
            nn.Conv2d(width, filters, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1),
            nn.ReLU(),
        )

    def forward(self, images):
        top = self.down[0](images)
        inner = self.down[1](F.max_pool2d(top, 2))
        bottom = self.down[2](F.max_pool2d(inner, 2))
        x = self.up[0](torch.cat([F.interpolate(bottom, scale_factor=2), inner], dim=1))
        x = self.up[1](torch.cat([F.interpolate(x, scale_factor=2), top], dim=1))
        return self.head(self.map(x).mean(dim=(2, 3)))


class Tokens(nn.Module):
    """An embedding, two encoder blocks with attention of four heads, the mean over the tokens, ten classes."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS + 1, 64)
        self.blocks = nn.Sequential(
            *[nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True) for _ in range(2)]
        )
        self.head = nn.Linear(64, 10)

    def forward(self, ids):
        return self.head(self.blocks(self.embedding(ids)).mean(dim=1))


NETWORKS = {
    "multitask": Multitask,
    "security": Security,
    "convnet": Convnet,
    "mobilenet": MobileNet,
    "unet": UNet,
    "tokens": Tokens,
}
# rows of a batch, where they are not 32
BATCH = {"mobilenet": 8, "unet": 16}
# pixels of a side, where they are not 64
SIDE = {"mobilenet": 224}


def multitask_loss(outputs, targets):
    """Sum over tasks of the mean over the rows of each task's mask."""
    total = 0.0
    for (kind, _), logits, (labels, mask) in zip(HEADS, outputs, targets):
        if kind in ("binary", "multilabel"):
            per_row = F.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(dim=1)
        elif kind == "regression":
            per_row = (torch.sigmoid(logits) - labels).square().mean(dim=1)
        else:
            per_row = F.cross_entropy(logits, labels, reduction="none")
        total = total + (per_row * mask).sum() / mask.sum().clamp(min=1)
    return total


def has_many_heads(network):
    return network in ("multitask", "security")


def random_labels(kind, width, rows):
    if kind in ("binary", "multilabel"):
        return torch.randint(0, 2, (rows, width)).float()
    if kind == "regression":
        return torch.rand(rows, width)
    return torch.randint(0, width, (rows,))


def random_batch(network, rows):
    if network == "tokens":
        return torch.randint(1, WORDS + 1, (rows, LENGTH)), torch.randint(0, 10, (rows,))
    side = SIDE.get(network, SIZE)
    images = torch.randint(0, 256, (rows, 3, side, side), dtype=torch.uint8)
    if not has_many_heads(network):
        return images, torch.randint(0, 10, (rows,))
    targets = [
        (random_labels(kind, width, rows), (torch.rand(rows) < share).float())
        for (kind, width), share in zip(HEADS, ASKED)
    ]
    return images, targets


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_gflops(size=1024, times=5):
    """Of a product of float32 matrices, per second of CPU time; the fastest of some."""
    a, b = torch.rand(size, size), torch.rand(size, size)
    torch.mm(a, b)
    seconds = []
    for _ in range(times):
        before = cpu_seconds()
        torch.mm(a, b)
        seconds.append(cpu_seconds() - before)
    return 2 * size**3 / min(seconds) / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=list(NETWORKS), required=True)
    parser.add_argument("--variant", choices=["default", "tuned"], default="default")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    tuned = args.variant == "tuned"
    model = NETWORKS[args.network]()
    loss_of = multitask_loss if has_many_heads(args.network) else F.cross_entropy
    rows = BATCH.get(args.network, 32)
    is_image = args.network != "tokens"
    if tuned and is_image:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=tuned or None)
    batches = [random_batch(args.network, rows) for _ in range(BATCHES)]
    if tuned and is_image:
        batches = [(images.contiguous(memory_format=torch.channels_last), targets) for images, targets in batches]

    def step(index):
        inputs, targets = batches[index % BATCHES]
        optimizer.zero_grad()
        loss = loss_of(model(inputs.float() / 255 if is_image else inputs), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    for index in range(args.warmup):
        step(index)
    step_seconds = []
    cpu_before = cpu_seconds()
    for index in range(args.steps):
        start = time.perf_counter()
        step(index)
        step_seconds.append(time.perf_counter() - start)
    cpu = cpu_seconds() - cpu_before
    # Linux gives kibibytes
    peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    print(
        json.dumps(
            {
                "network": args.network,
                "variant": args.variant,
                "threads": args.threads,
                "images_per_second": rows * args.steps / sum(step_seconds),
                "step_ms_median": 1000 * statistics.median(step_seconds),
                "cpu_ms_per_step": 1000 * cpu / args.steps,
                "peak_rss_mb": peak_rss,
                "peak_gflops": peak_gflops(),
                "torch": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
