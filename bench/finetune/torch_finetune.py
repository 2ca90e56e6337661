"""The PyTorch peer of the fine-tuning benchmark: torchvision's MobileNet v2 with random weights, and three heads.

    torch_finetune.py export FOLDER            writes the backbone, the heads, pictures and labels, for both sides
    torch_finetune.py train FOLDER --case finetuned --steps 20     prints one JSON line: losses, speed, peak memory

The recipe is AdamW, a warm-up before half a cosine over the first 20 steps, and gradients of norm 1 at most. Batch
normalization of the backbone stays as it was saved, which is what dnn-cool does where nothing else is asked for.
"""

import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

SIZE, PICTURES, BATCH, CLASSES = 64, 64, 8, 5
STEPS, WARM_STEPS = 20, 5
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HEADS = {"present": 1, "kind": CLASSES, "place": 4}
WEIGHTS = {"present": 1.0, "kind": 1.0, "place": 10.0}
# the whole network at a larger rate makes differences of the last digits grow faster from step to step
OPTIMIZERS = {
    "frozen": {"kind": "adamw", "learningRate": 2e-3, "weightDecay": 0.01},
    "finetuned": {"kind": "adamw", "learningRate": 1e-5, "weightDecay": 0.01},
}
# pictures that pass the frozen backbone together
FEATURE_BATCH = 16


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = torchvision.models.mobilenet_v2(width_mult=0.35, weights=None).features
        self.heads = nn.ModuleDict({name: nn.Linear(1280, width) for name, width in HEADS.items()})

    def features(self, pixels):
        mean, deviation = (torch.tensor(values).reshape(3, 1, 1) for values in (MEAN, DEVIATION))
        values = pixels.to(next(self.parameters()).dtype)
        return self.backbone((values / 255 - mean) / deviation).mean((2, 3))

    def forward(self, features):
        return {name: head(features) for name, head in self.heads.items()}


def loss_of(logits, labels):
    """Σ weight · mean over the rows that are asked and labelled; what is where is asked where something is present."""
    present, kind, place = labels["present"], labels["kind"], labels["place"]
    asked = present == 1
    masks = {"present": ~present.isnan(), "kind": asked & ~kind.isnan(), "place": asked & ~place[:, 0].isnan()}
    total = 0.0
    for name, mask in masks.items():
        if not mask.any():
            continue
        own = logits[name][mask]
        if name == "present":
            loss = F.binary_cross_entropy_with_logits(own[:, 0], present[mask])
        elif name == "kind":
            loss = F.cross_entropy(own, kind[mask].long())
        else:
            loss = F.smooth_l1_loss(own.sigmoid(), place[mask], beta=1 / 9)
        total = total + WEIGHTS[name] * loss
    return total


def random_pictures():
    """Patches of colour; a bright square of one of five tones where something is present."""
    coarse = torch.randint(0, 256, (PICTURES, 3, 8, 8)).float()
    pixels = F.interpolate(coarse, size=(SIZE, SIZE), mode="bilinear") * 0.6
    present = torch.arange(PICTURES) % 3 != 0
    kind = torch.randint(0, CLASSES, (PICTURES,))
    extent = 0.2 + 0.3 * torch.rand(PICTURES, 2)
    corner = torch.rand(PICTURES, 2) * (1 - extent)
    for i in range(PICTURES):
        if present[i]:
            (left, top), (width, height) = (corner[i] * SIZE).int().tolist(), (extent[i] * SIZE).int().tolist()
            pixels[i, kind[i] % 3, top : top + height, left : left + width] = 120 + 30 * float(kind[i])
    labels = {
        "present": present.float(),
        "kind": torch.where(present, kind.float(), torch.nan),
        "place": torch.where(present[:, None], torch.cat([corner + extent / 2, extent], 1), torch.nan),
    }
    # some labels are missing
    labels["present"][[7, 30]] = torch.nan
    labels["kind"][[4, 19, 40]] = torch.nan
    labels["place"][[5, 22]] = torch.nan
    return pixels.clamp(0, 255).round().to(torch.uint8), labels


class Export:
    """Layers in the order in which they are applied, with their weights as tfjs has them."""

    def __init__(self):
        self.layers, self.values = [], []

    def add(self, kind, weights=(), **facts):
        arrays = [np.ascontiguousarray(w.detach().numpy(), dtype=np.float32) for w in weights]
        self.layers.append({"kind": kind, **facts, "shapes": [a.shape for a in arrays]})
        self.values += [a.reshape(-1) for a in arrays]

    def leaf(self, module):
        if isinstance(module, nn.Conv2d):
            depthwise = module.groups > 1
            order = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
            kind = "depthwise" if depthwise else "conv"
            facts = {"filters": module.out_channels, "kernel": module.kernel_size[0], "stride": module.stride[0]}
            self.add(kind, [module.weight.permute(*order)], padding=module.padding[0], **facts)
        elif isinstance(module, nn.BatchNorm2d):
            self.add("norm", [module.weight, module.bias, module.running_mean, module.running_var], epsilon=module.eps)
        elif isinstance(module, nn.ReLU6):
            self.add("relu6")
        else:
            raise TypeError(type(module))

    def walk(self, module):
        if getattr(module, "use_res_connect", False):
            self.add("fork")
            self.walk(module.conv)
            self.add("join")
        elif next(module.children(), None) is None:
            self.leaf(module)
        else:
            for child in module.children():
                self.walk(child)


def norms_of(network):
    return [module for module in network.backbone.modules() if isinstance(module, nn.BatchNorm2d)]


def export(folder):
    torch.manual_seed(0)
    network = Network()
    pixels, labels = random_pictures()
    # fresh averages would let the signal die away in inference mode
    for norm in norms_of(network):
        norm.momentum = None
        # as of a network that has learned: with none, channels that are never on stand exactly where ReLU6 bends
        nn.init.uniform_(norm.weight, 0.5, 1.0)
        nn.init.normal_(norm.bias, 0, 0.3)
    with torch.no_grad():
        for start in range(0, PICTURES, BATCH):
            network.features(pixels[start : start + BATCH])
    written = Export()
    written.walk(network.backbone)
    for name, head in network.heads.items():
        written.add("head", [head.weight.T, head.bias], name=name)
    folder.mkdir(parents=True, exist_ok=True)
    np.concatenate(written.values).tofile(folder / "weights.bin")
    pixels.permute(0, 2, 3, 1).contiguous().numpy().tofile(folder / "pictures.bin")
    document = {
        "size": SIZE,
        "pictures": PICTURES,
        "batch": BATCH,
        "classes": CLASSES,
        "weights": WEIGHTS,
        "optimizers": OPTIMIZERS,
        "mean": MEAN,
        "deviation": DEVIATION,
        "steps": STEPS,
        "warm_steps": WARM_STEPS,
        "layers": written.layers,
        "labels": {name: torch.nan_to_num(values, -1).tolist() for name, values in labels.items()},
    }
    (folder / "export.json").write_text(json.dumps(document))
    torch.save({"network": network.state_dict(), "pixels": pixels, "labels": labels}, folder / "torch.pt")


def seconds_of(work):
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def all_features(network, pixels):
    with torch.no_grad():
        parts = [network.features(pixels[start : start + FEATURE_BATCH]) for start in range(0, PICTURES, FEATURE_BATCH)]
    return torch.cat(parts)


def train(folder, case, steps, warmup, tuned, double):
    saved = torch.load(folder / "torch.pt")
    network = Network()
    network.load_state_dict(saved["network"])
    network.eval()
    pixels, labels = saved["pixels"], saved["labels"]
    if double:
        network = network.double()
        labels = {name: values.double() for name, values in labels.items()}
    if tuned:
        network = network.to(memory_format=torch.channels_last)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
    features, feature_seconds = None, None
    if case == "frozen":
        network.backbone.requires_grad_(False)
        features, feature_seconds = seconds_of(lambda: all_features(network, pixels))
    for norm in norms_of(network):
        norm.requires_grad_(False)
    parameters = [p for p in network.parameters() if p.requires_grad]
    config = OPTIMIZERS[case]
    facts = {"lr": config["learningRate"], "weight_decay": config["weightDecay"]}
    optimizer = torch.optim.AdamW(parameters, **facts, fused=tuned or None)
    warm = LinearLR(optimizer, start_factor=0.1, total_iters=WARM_STEPS)
    falling = CosineAnnealingLR(optimizer, T_max=STEPS - WARM_STEPS)
    schedule = SequentialLR(optimizer, [warm, falling], milestones=[WARM_STEPS])

    def step(index):
        start = index * BATCH % PICTURES
        rows = slice(start, start + BATCH)
        optimizer.zero_grad()
        seen = features[rows] if features is not None else network.features(pixels[rows])
        loss = loss_of(network(seen), {name: values[rows] for name, values in labels.items()})
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if index < STEPS:
            schedule.step()
        return loss.item()

    measured = [seconds_of(lambda: step(index)) for index in range(steps)]
    timed = [seconds for _, seconds in measured[warmup:]]
    return {
        "losses": [loss for loss, _ in measured[:STEPS]],
        "images_per_second": BATCH / statistics.median(timed),
        "features_per_second": None if feature_seconds is None else PICTURES / feature_seconds,
        # Linux gives kibibytes
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "version": f"torch {torch.__version__}, torchvision {torchvision.__version__}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["export", "train"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", choices=list(OPTIMIZERS), default="finetuned")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--tuned", action="store_true", help="channels-last, and a fused optimizer")
    parser.add_argument("--double", action="store_true", help="64-bit floats: what rounding alone does to the losses")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.mode == "export":
        export(args.folder)
    else:
        print(json.dumps(train(args.folder, args.case, args.steps, args.warmup, args.tuned, args.double)))


if __name__ == "__main__":
    main()
