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

BATCH = 32
SIZE = 64
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


NETWORKS = {"multitask": Multitask, "security": Security, "convnet": Convnet}


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


def random_labels(kind, width):
    if kind in ("binary", "multilabel"):
        return torch.randint(0, 2, (BATCH, width)).float()
    if kind == "regression":
        return torch.rand(BATCH, width)
    return torch.randint(0, width, (BATCH,))


def random_batch(network):
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    if network == "convnet":
        return images, torch.randint(0, 10, (BATCH,))
    targets = [
        (random_labels(kind, width), (torch.rand(BATCH) < share).float())
        for (kind, width), share in zip(HEADS, ASKED)
    ]
    return images, targets


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


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
    loss_of = F.cross_entropy if args.network == "convnet" else multitask_loss
    if tuned:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=tuned or None)
    batches = [random_batch(args.network) for _ in range(BATCHES)]
    if tuned:
        batches = [(images.contiguous(memory_format=torch.channels_last), targets) for images, targets in batches]

    def step(index):
        images, targets = batches[index % BATCHES]
        optimizer.zero_grad()
        loss = loss_of(model(images.float() / 255), targets)
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

    print(
        json.dumps(
            {
                "network": args.network,
                "variant": args.variant,
                "threads": args.threads,
                "images_per_second": BATCH * args.steps / sum(step_seconds),
                "step_ms_median": 1000 * statistics.median(step_seconds),
                "cpu_ms_per_step": 1000 * cpu / args.steps,
                # Linux gives kibibytes
                "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "torch": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
