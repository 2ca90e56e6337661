#!/bin/sh
# Creates .venv/bench with the peers of the training benchmarks (PyTorch and torchvision, CPU builds).
set -eu
cd "$(dirname "$0")/.."
"${PYTHON:-python3}" -m venv .venv/bench
.venv/bench/bin/pip install --quiet "torch>=2.6" torchvision numpy
.venv/bench/bin/python -c 'import torch; print("torch", torch.__version__)'
