/** @file How much memory a run takes, by its rows and tasks: told before it starts where there is less. */
import { totalmem } from "node:os";
import { type Dataset, inputShape } from "../data/dataset.js";
import type { FlowGraph } from "../flow/graph.js";
import { answerWidth } from "../flow/masks.js";
import { SPLITS } from "../tasks/evaluation.js";
import { scoringOf } from "../tasks/index.js";

type Counted = Pick<Dataset, "rows" | "splits"> & {
  readonly inputs: Readonly<Record<string, Pick<Dataset["inputs"][string], "spec">>>;
};

/** Node, the libraries that compute, and what they take for themselves. */
const BASE_BYTES = 500e6;
const FLOAT = 4;
/** Its name, its place in the order of its hash, its split; and its cells as they stand in the table, on average. */
const BYTES_PER_ROW = 120;
/** Loss, and five masks. */
const BYTES_PER_ANSWER = FLOAT + 5;

/**
 * Bytes at the peak, which is where the largest split is evaluated: a few of each hundred more or less. Pixels lie in
 * the cache on disk, and are not counted.
 */
export function memoryNeeded(graph: FlowGraph, { rows, splits, inputs }: Counted): number {
  const asked = graph.tasks.filter(({ spec }) => scoringOf(spec).answeredBy !== "training");
  const sum = (of: (spec: (typeof asked)[number]["spec"]) => number): number =>
    asked.reduce((total, { spec }) => total + of(spec), 0);
  const labels = sum(answerWidth);
  const logits = sum((spec) => scoringOf(spec).logitWidth(spec));
  const vectors = Object.values(inputs).reduce((total, { spec }) => {
    const [length = null] = spec.kind === "image" ? [] : inputShape(spec);
    return total + (length ?? 0);
  }, 0);
  const largest = Math.max(...SPLITS.map((split) => splits[split].length));
  const perRow = FLOAT * (labels + logits + vectors) + BYTES_PER_ROW;
  // labels of the split, logits, what they come to, answers
  const perScored = FLOAT * (2 * labels + logits) + BYTES_PER_ANSWER * asked.length;
  return BASE_BYTES + rows * perRow + largest * perScored;
}

/** What a run is warned of; null where it fits. @param available bytes; default: of this machine, or of its container */
export function memoryWarning(graph: FlowGraph, dataset: Counted, available = memoryHere()): string | null {
  const needed = memoryNeeded(graph, dataset);
  if (needed <= available) return null;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  return `this run takes about ${gigabytes(needed)} of memory for ${dataset.rows} rows, and there are ${gigabytes(available)}: it may be ended by the system when it is evaluated. Use fewer rows, or a larger machine.`;
}

function memoryHere(): number {
  // 0, or more than there is, where nothing is set
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
