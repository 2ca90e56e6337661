/** @file How much memory a run takes, by its rows and tasks: told before it starts where there is less. */
import { totalmem } from "node:os";
import { type Dataset, inputShape } from "../data/dataset.js";
import { sharesOf } from "../data/split.js";
import { estimateRows } from "../data/tables/estimate-rows.js";
import type { FlowGraph } from "../flow/graph.js";
import { answerWidth } from "../flow/masks.js";
import { SPLITS, type Split } from "../tasks/evaluation.js";
import { scoringOf } from "../tasks/index.js";
import type { LoadedProject } from "../project/resolve-project.js";
import type { Settings } from "../project/settings.js";

interface Counted {
  readonly rows: number;
  readonly splits: Readonly<Record<Split, { readonly length: number }>>;
  readonly inputs: Readonly<Record<string, Pick<Dataset["inputs"][string], "spec">>>;
}

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

/** Files that are smaller never take the memory of a machine. */
const LEAST_BYTES = 20e6;
/** The largest split of a table that names its splits itself. */
const USUAL_SHARE = 0.8;

/** The warning before the tables are read, by their size; null where it fits, or where their size says too little. */
export async function earlyWarning(
  { graph, inputs, projectDir }: Pick<LoadedProject, "graph" | "inputs" | "projectDir">,
  { data }: Pick<Settings, "data">,
  available = memoryHere(),
  leastBytes = LEAST_BYTES,
): Promise<string | null> {
  const { table, tables = [], split } = data;
  const sources = [...(table === undefined ? [] : [table]), ...tables.map((one) => one.table)];
  const rows = await estimateRows(sources, projectDir, leastBytes);
  if (rows === null) return null;
  const largest = "train" in split ? Math.max(...sharesOf(split)) : USUAL_SHARE;
  const splits = { train: { length: Math.round(rows * largest) }, valid: { length: 0 }, test: { length: 0 } };
  const specs = Object.fromEntries(Object.entries(inputs).map(([name, spec]) => [name, { spec }] as const));
  return memoryWarning(graph, { rows, splits, inputs: specs }, available);
}

function memoryHere(): number {
  // 0, or more than there is, where nothing is set
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
