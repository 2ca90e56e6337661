/** @file What an exported model is worth beside the run that it was made of: every metric of both on the same rows. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { scoreSplitSliced } from "../../analysis/score.js";
import { evaluateSplits } from "../../asking/evaluate-splits.js";
import { openOnnxModel, signatureSpecs } from "../../asking/exports/open-export.js";
import { predictedSplits, type StoredRun, storedPlaces } from "../../asking/stored-run.js";
import type { Dataset } from "../../data/dataset.js";
import { loadOnnxRuntime } from "../../engine/model/pretrained/onnx-runtime.js";
import { DataError } from "../../errors.js";
import { inSlices } from "../../platform/yield-to.js";
import { onDemandMetricsOf } from "../../project/metrics.js";
import { readPredictions } from "../../records/predictions/read.js";
import { runFiles } from "../../records/run-folder.js";
import type { EvaluatedGates, EvaluationRow, Split } from "../../tasks/evaluation.js";
import { behaviourOf } from "../../tasks/index.js";

/** One metric of one task of the run, and of the exported model on the same rows. */
export interface MeasuredMetric {
  readonly task_path: string;
  readonly metric_name: string;
  readonly gates: EvaluatedGates;
  /** Whether its task is judged by it first. */
  readonly headline: boolean;
  readonly num_samples: number;
  /** null where it is undefined. */
  readonly run: number | null;
  readonly exported: number | null;
  /** exported − run */
  readonly difference: number | null;
}

/** The exported model, evaluated as its run was. */
export interface Measured {
  readonly split: Split;
  readonly rows: number;
  readonly runtime: "onnxruntime-node";
  /** Whether tables or pictures are other than in training: part of the differences may be theirs. */
  readonly data_changed: boolean;
  readonly metrics: readonly MeasuredMetric[];
}

export interface MeasureOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string, done: number, total: number) => void) | undefined;
}

/**
 * Evaluates a model on the run's test split, on valid where there is none, with the labels of its stored predictions.
 * @param model bytes of the ONNX model
 * @throws BackendError without onnxruntime-node; DataError where the rows cannot be read any more
 */
export async function measureExport(
  stored: StoredRun,
  model: Uint8Array,
  { signal, onProgress }: MeasureOptions = {},
): Promise<Measured> {
  const { graph, dir, config, project } = stored;
  // whoever lacks it should not wait for pictures to be decoded
  loadOnnxRuntime(project?.dir ?? null);
  const split = measuredSplit(dir);
  const kept = await readPredictions(runFiles(dir).predictions(split), graph, split);
  const dataset = await openRows(stored, { signal, onProgress });
  try {
    const rows = placesOf(kept.ids, dataset.ids, split);
    const outputs = await outputsOf(stored, model, dataset, rows, { signal, onProgress });
    const [run, exported] = [
      await evaluated(stored, kept, signal),
      await evaluated(stored, { ...kept, outputs }, signal),
    ];
    const headlines = new Map(graph.tasks.map(({ path, spec }) => [path, behaviourOf(spec).headlineMetric(spec)]));
    return {
      split,
      rows: kept.ids.length,
      runtime: "onnxruntime-node",
      data_changed: dataset.digest !== config.dataDigest,
      metrics: run.map((row, i) => besideEachOther(row, exported[i], headlines)),
    };
  } finally {
    dataset.close();
  }
}

/** Logits of the model, as the engine keeps those of the run. */
async function outputsOf(
  stored: StoredRun,
  model: Uint8Array,
  dataset: Dataset,
  rows: Int32Array,
  options: MeasureOptions,
): Promise<Float32Array[]> {
  // a runtime that reads its models from files alone is asked, too
  const scratch = mkdtempSync(join(tmpdir(), "cool-measure-"));
  try {
    const file = join(scratch, "model.onnx");
    writeFileSync(file, model);
    const { answerer, close } = await openOnnxModel(stored, file);
    try {
      return await answerer.outputs(dataset.inputs, rows, options, dataset);
    } finally {
      await close();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function measuredSplit(dir: string): Split {
  const splits = predictedSplits(dir);
  const split = splits.includes("test") ? "test" : splits.find((one) => one === "valid");
  if (split !== undefined) return split;
  throw new DataError("The run has predictions of neither test nor valid. Give data.split one of them and run again.", {
    splits,
  });
}

/** All rows of the run's tables, as its inputs read them. */
async function openRows(run: StoredRun, options: MeasureOptions): Promise<Dataset> {
  const { graph, config, dir, project } = run;
  const { table, tables, allow } = config.settings.data;
  const { loadRows } = await import("../../data/load.js");
  return loadRows({
    ...{ graph, table, tables, allow },
    inputs: signatureSpecs(config.inputs),
    projectDir: project?.dir ?? config.projectDir,
    cacheDir: resolve(dir, "..", "..", "cache"),
    stored: storedPlaces(run),
    onBadImage: "skip",
    signal: options.signal,
    onProgress: (done, total) => options.onProgress?.("decoding images", done, total),
  });
}

/** Where the rows of a split stand in the tables. */
function placesOf(ids: readonly string[], all: readonly string[], split: Split): Int32Array {
  const places = new Map(all.map((id, row) => [id, row]));
  return Int32Array.from(ids, (id) => {
    const place = places.get(id);
    if (place !== undefined) return place;
    throw new DataError(`The row ${id} of ${split} is not in the run's tables any more, or its picture is gone.`, {
      id,
    });
  });
}

async function evaluated(
  { graph, thresholds, config }: StoredRun,
  outputs: Parameters<typeof scoreSplitSliced>[1],
  signal: AbortSignal | undefined,
): Promise<EvaluationRow[]> {
  const scored = await inSlices(scoreSplitSliced(graph, outputs, thresholds), signal);
  const { settings } = config;
  return evaluateSplits(graph, [scored], [], onDemandMetricsOf(settings), {}, settings.evaluate.tolerance);
}

function besideEachOther(
  row: EvaluationRow,
  exported: EvaluationRow | undefined,
  headlines: ReadonlyMap<string, string | null>,
): MeasuredMetric {
  const { task_path, metric_name, gates, num_samples, metric_res: run } = row;
  const own = exported?.metric_res ?? null;
  const difference = run === null || own === null ? null : own - run;
  const headline = headlines.get(task_path) === metric_name;
  return { task_path, metric_name, gates, headline, num_samples, run, exported: own, difference };
}
