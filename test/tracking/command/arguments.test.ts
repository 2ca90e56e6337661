/** @file A command's arguments as settings: as argparse, Hydra and click read them. */
import { expect, test } from "vitest";
import { argumentsAsConfig } from "../../../src/tracking/command/arguments.js";

test.each<[string, Record<string, unknown>]>([
  ["python train.py --lr 0.1", { lr: 0.1 }],
  ["python3.11 -u train.py --lr=0.1 --name=a=b", { lr: 0.1, name: "a=b" }],
  ["python -m pkg.train --batch-size 64 --amp", { batch_size: 64, amp: true }],
  ["python train.py --amp --layers 64 32 --seed 7", { amp: true, layers: [64, 32], seed: 7 }],
  [
    "python train.py optimizer.lr=1e-3 +trainer.fast=True model=resnet",
    { "optimizer.lr": 0.001, "trainer.fast": true, model: "resnet" },
  ],
  ["python train.py -b 32 --momentum -0.5 data.csv", { b: 32, momentum: [-0.5, "data.csv"] }],
  ["python train.py data.csv --lr 0.1", { args: ["data.csv"], lr: 0.1 }],
  ["python train.py --tag a --tag b", { tag: ["a", "b"] }],
  ["torchrun --nproc_per_node=2 train.py --lr 0.1", { lr: 0.1 }],
  ["./train.sh --lr 0.1", { lr: 0.1 }],
  ["./build/trainer fit --config base.py --lr 0.1", { args: ["fit"], config: "base.py", lr: 0.1 }],
  ["python -c print(1)", {}],
  ["sh train.sh", {}],
  [
    "python train.py --id 12345678901234567890 --hex 0x10 --empty=",
    { id: "12345678901234567890", hex: "0x10", empty: "" },
  ],
])("%s", (command, expected) => {
  expect(argumentsAsConfig(command.split(" "))).toEqual(expected);
});
