/** @file Answers of a network to rows of the run's dataset. */
import { at, f64At, i32At } from "../arrays.js";
import { frequencyBaseline, guessedRows, type GuessedTokens } from "../analysis/masked-language.js";
import { tokenLengths } from "../data/batches.js";
import { isTokenSource } from "../data/dataset.js";
import type { BatchMasker } from "../engine/batches/mask-tokens.js";
import type { BatchAnswerer } from "../engine/inference/answer-batches.js";
import type { Network } from "../engine/model/network.js";
import { activeRows, bothMasks, labelledRows, neededOffsets, type RowMask } from "../flow/masks.js";
import type { EvaluationRow, Split } from "../tasks/evaluation.js";
import { behaviourOf, isEvaluated, isMasked, type MaskedNode } from "../tasks/index.js";
import type { RunContext } from "./run-context.js";

export interface PredictRowsOptions {
  /** Told as work in progress under this name; default: not told. */
  readonly what?: string | undefined;
  /** What passes the batches; default: this thread. */
  readonly answerer?: BatchAnswerer | undefined;
}

/**
 * Logits of some rows of the run's dataset, per task.
 * @throws InterruptedError where the run's signal fires
 */
export async function predictRows(
  { dataset, signal, loggers }: Pick<RunContext, "dataset" | "signal" | "loggers">,
  network: Network,
  rows: Int32Array,
  { what, answerer }: PredictRowsOptions = {},
): Promise<Float32Array[]> {
  const [{ predictLogits }, { readInputs }] = await Promise.all([
    import("../engine/inference/predict.js"),
    import("../engine/batches/batch-reader.js"),
  ]);
  return predictLogits(network, rows, (some) => readInputs(network, dataset, some), {
    lengths: tokenLengths(dataset.inputs),
    labelled: dataset,
    ...(answerer === undefined ? {} : { answerer }),
    ...(signal === undefined ? {} : { signal }),
    ...(what === undefined ? {} : { onProgress: (done: number, total: number) => loggers.work({ what, done, total }) }),
  });
}

/** Loss mask of each task over all rows: active by ground truth, and labelled. */
export function lossMasks({
  project: { graph },
  dataset,
}: {
  readonly project: Pick<RunContext["project"], "graph">;
  readonly dataset: Pick<RunContext["dataset"], "rows" | "labels" | "offsets">;
}): RowMask[] {
  const answers = dataset.labels.map((labels) => labels.answers);
  const active = activeRows(graph, answers, dataset.rows, dataset.offsets);
  return graph.tasks.map(({ index, spec }) =>
    // a masked token is its own label
    behaviourOf(spec).answeredBy === "training"
      ? at(active, index)
      : bothMasks(at(active, index), labelledRows(spec, answers[index] as Float32Array)),
  );
}

type MaskedContext = Pick<RunContext, "project" | "settings" | "dataset" | "signal">;

/** null where no tokens are masked. */
export async function maskerOf({
  project,
  settings,
}: Pick<RunContext, "project" | "settings">): Promise<BatchMasker | null> {
  if (maskedTaskOf(project) === undefined) return null;
  const { createBatchMasker } = await import("../engine/batches/mask-tokens.js");
  return createBatchMasker(project.graph, project.inputs, settings.train.seed);
}

function maskedTaskOf({ graph }: RunContext["project"]) {
  return graph.tasks.find(isMasked);
}

/** How well the masked tokens of a split were guessed, as rows of its evaluation. */
export function maskedRows(project: RunContext["project"], split: Split, tally: GuessedTokens | null): EvaluationRow[] {
  const task = maskedTaskOf(project);
  return task === undefined || tally === null ? [] : guessedRows(split, task, tally);
}

/** How well masked tokens of a split are guessed, where that is asked for. */
export async function evaluateMasked(
  context: MaskedContext,
  network: Network,
  split: Split,
  answerer: BatchAnswerer | undefined,
): Promise<EvaluationRow[]> {
  const { project, dataset, signal } = context;
  const task = maskedTaskOf(project);
  const rows = dataset.splits[split];
  if (task === undefined || !isEvaluated(task.spec) || rows.length === 0) return [];
  const mask = await maskerOf(context);
  if (mask === null) return [];
  const { guessMasked } = await import("../engine/inference/guess-masked.js");
  const options = { ...(signal === undefined ? {} : { signal }), ...(answerer === undefined ? {} : { answerer }) };
  const masks = lossMasks(context);
  const { hidden, ...tally } = await guessMasked(network, dataset, rows, masks, mask, options);
  const train = countTokens(dataset, task, at(masks, task.index), hidden.length);
  return guessedRows(split, task, tally, frequencyBaseline(train, hidden));
}

/** How often each token of the vocabulary occurs in train, where the task is asked. */
function countTokens(
  { inputs, offsets, splits }: RunContext["dataset"],
  { spec }: MaskedNode,
  mask: RowMask,
  vocabularySize: number,
): Float64Array {
  const counts = new Float64Array(vocabularySize);
  const source = inputs[spec.input];
  if (source === undefined || !isTokenSource(source)) return counts;
  const starts = neededOffsets(offsets);
  for (const row of splits.train) {
    const start = i32At(starts, row);
    source.read([row]).forEach((id, position) => {
      // ids count from 1, and 0 is padding
      if (id > 0 && mask[start + position] === 1) counts[id - 1] = f64At(counts, id - 1) + 1;
    });
  }
  return counts;
}
