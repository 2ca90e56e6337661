/**
 * @file A whole epoch of the example beside its steps alone, and beside PyTorch: what reading, augmentation, validation,
 * metrics, curves and checkpoints cost.
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { median, print, printProgress, runJson, typescript, warnIfBusy, writeResults } from "../report.js";
import { findPython, runTorch } from "../torch.js";
import type { EpochMeasurement } from "./ours.js";

/**
 * Share of raw PyTorch's speed that the Python original reaches in its default training loop, which computes every
 * metric on every batch: measured on a network like this one.
 */
const DNN_COOL_SHARE = 0.39;

const { values: flags } = parseArgs({
  options: {
    project: { type: "string", default: "examples/home-security" },
    rounds: { type: "string", default: "3" },
    epochs: { type: "string", default: "4" },
    backend: { type: "string", default: "auto" },
    threads: { type: "string", default: "2" },
  },
});

interface Round extends EpochMeasurement {
  /** PyTorch's steps on a like network; null where it is not installed. */
  readonly torch: number | null;
}

warnIfBusy();
const python = findPython();
if (python === undefined)
  printProgress("No Python with torch was found: run bench/setup-python.sh to compare with it.");
const rounds = Array.from({ length: Number(flags.rounds) }, (_, round): Round => {
  const { project, epochs, backend } = flags;
  const own = runJson<EpochMeasurement>(process.execPath, [
    ...typescript("bench/epoch/ours.ts"),
    ...["--project", project, "--epochs", epochs, "--backend", backend],
  ]);
  const options = { network: "security", variant: "default", threads: flags.threads, steps: 200, warmup: 10 } as const;
  const torch = python === undefined ? null : runTorch(python, options).images_per_second;
  printProgress(`round ${round + 1}/${flags.rounds}: ${own.whole.toFixed(0)} img/s`);
  return { ...own, torch };
});

const medianOf = (value: (round: Round) => number): number => median(rounds.map(value));
const results = {
  images_per_second: {
    steps: medianOf(({ steps }) => steps),
    training: medianOf(({ training }) => training),
    augmented: medianOf(({ augmented }) => augmented),
    whole: medianOf(({ whole }) => whole),
  },
  within_steps: medianOf(({ within }) => within),
  augmented_within_steps: medianOf(({ augmentedWithin }) => augmentedWithin),
  training_to_steps: medianOf(({ training, steps }) => training / steps),
  augmented_to_steps: medianOf(({ augmented, steps }) => augmented / steps),
  whole_to_steps: medianOf(({ whole, steps }) => whole / steps),
  whole_to_torch: python === undefined ? null : medianOf(({ whole, torch }) => whole / (torch as number)),
  whole_to_dnn_cool:
    python === undefined ? null : medianOf(({ whole, torch }) => whole / (DNN_COOL_SHARE * (torch as number))),
};
const table = new Table({
  head: ["what", "images/s", "÷ steps alone", "time within steps"],
  colAligns: ["left", "right", "right", "right"],
  style: { head: [], border: [] },
});
const { images_per_second: speed } = results;
table.push(
  ["steps alone", speed.steps.toFixed(0), "1.00", "1.00"],
  [
    "training part of an epoch",
    speed.training.toFixed(0),
    results.training_to_steps.toFixed(2),
    results.within_steps.toFixed(3),
  ],
  [
    "the same, augmented",
    speed.augmented.toFixed(0),
    results.augmented_to_steps.toFixed(2),
    results.augmented_within_steps.toFixed(3),
  ],
  ["whole epoch of a run", speed.whole.toFixed(0), results.whole_to_steps.toFixed(2), ""],
);
print(table.toString());
if (results.whole_to_torch !== null && results.whole_to_dnn_cool !== null) {
  print(
    `whole epoch ÷ PyTorch's steps alone: ${results.whole_to_torch.toFixed(2)}; ÷ dnn_cool's default loop: ${results.whole_to_dnn_cool.toFixed(2)}`,
  );
}
printProgress(`Written to ${writeResults("epoch", { ...flags, ...results, rounds })}.`);
