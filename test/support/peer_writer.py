"""Writes scalars, texts, PR curves and images with PyTorch's SummaryWriter.

Input on stdin: {"folder": path, "scalars": [[tag, value, step]], "texts": [[tag, text, step]],
"curves": [[tag, labels, scores, step]], "images": [[tag, width, height, pixels, step]]}; a value may be "NaN".
"""

import json
import sys

import numpy
from torch.utils.tensorboard import SummaryWriter

content = json.load(sys.stdin)
writer = SummaryWriter(content["folder"])
for tag, value, step in content["scalars"]:
    writer.add_scalar(tag, float(value), step)
for tag, text, step in content["texts"]:
    writer.add_text(tag, text, step)
for tag, labels, scores, step in content["curves"]:
    writer.add_pr_curve(tag, numpy.array(labels), numpy.array(scores, dtype=numpy.float32), step)
for tag, width, height, pixels, step in content["images"]:
    picture = numpy.array(pixels, dtype=numpy.uint8).reshape(height, width, 3)
    writer.add_image(tag, picture, step, dataformats="HWC")
writer.close()
