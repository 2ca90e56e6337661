/** @file The network of a run at work: inputs or a dataset → logits, scored. */
import { type ScoredSplit, scoreSplitSliced } from "../analysis/score.js";
import { tokenLengths } from "../data/batches.js";
import { type Dataset, firstPixels, type InputSource, type PixelSource } from "../data/dataset.js";
import { scalesPerRow, unitScaleFrom } from "../data/labels/unit-scale.js";
import { sourceOffsets } from "../data/labels/token-labels.js";
import type { BatchAnswerer } from "../engine/inference/answer-batches.js";
import type { OnnxNetwork } from "../engine/inference/onnx/onnx-network.js";
import type { Network } from "../engine/model/network.js";
import { DataError } from "../errors.js";
import { isPerElement, type TaskSpec } from "../flow/graph.js";
import { answerWidth, tokensIn } from "../flow/masks.js";
import { inSlices } from "../platform/yield-to.js";
import type { UnitScale } from "../decoding/decoders.js";
import type { Labels } from "../tasks/index.js";
import { withExternals } from "./external-sources.js";
import type { OpenInputs, PredictOptions } from "./open-inputs.js";
import { type ReplicaNeeds, withAnswerer } from "./replicas.js";
import type { StoredRun } from "./stored-run.js";

/** Rows that pass the network together. */
export const PREDICT_BATCH = 64;

/** What is asked: the layers of a run, or a model that another program has written. */
export type AskedNetwork = Network | OnnxNetwork;

/** Whether ONNX Runtime computes a network. */
export function isOnnx(network: AskedNetwork): network is OnnxNetwork {
  return "release" in network;
}

/** What is asked besides its network, of a run or of an export. */
export type AskedRun = Pick<StoredRun, "graph" | "thresholds" | "config" | "dir" | "project">;

/** Lets a run's network answer, on this thread or on replicas. */
export class RunAnswerer {
  readonly #stored: AskedRun;
  readonly #network: AskedNetwork;
  readonly #replicas: ReplicaNeeds | null;
  /** Looked up once: a server asks row by row. */
  #engine: ReturnType<typeof loadEngine> | null = null;

  /** @param replicas of layers; null: a model of another program answers on its own */
  constructor(stored: AskedRun, network: AskedNetwork, replicas: ReplicaNeeds | null) {
    this.#stored = stored;
    this.#network = network;
    this.#replicas = replicas;
  }

  /** Logits, decoded answers and activity of opened inputs, which have no labels but those of known tasks. */
  async score(opened: OpenInputs, options: PredictOptions): Promise<ScoredSplit> {
    const outputs = await this.outputs(opened.sources, everyRow(opened), options);
    return this.scoreOutputs(opened, outputs, options.signal);
  }

  /** The same of outputs that are there, in terms of the run's graph. */
  async scoreOutputs(
    { sources, ids, known }: OpenInputs,
    outputs: readonly Float32Array[],
    signal?: AbortSignal,
  ): Promise<ScoredSplit> {
    const { graph, thresholds } = this.#stored;
    const pixels = firstPixels(sources);
    const offsets = sourceOffsets(graph, sources, ids.length);
    const labels = graph.tasks.map(({ path, spec }): Labels => {
      const entries = offsets !== null && isPerElement(spec) ? tokensIn(offsets) : ids.length;
      return {
        answers: known.get(path) ?? new Float32Array(entries * answerWidth(spec)).fill(Number.NaN),
        unitScale: unitScale(spec, pixels),
      };
    });
    return inSlices(scoreSplitSliced(graph, { split: "test", ids, offsets, outputs, labels }, thresholds), signal);
  }

  /**
   * What the engine keeps of each task's logits, in the order of the graph: see `predictLogits`.
   * @param labelled labels of all rows, for what is said about answers beside them
   */
  async outputs(
    sources: Readonly<Record<string, InputSource>>,
    rows: Int32Array,
    { signal, onProgress }: Pick<PredictOptions, "signal" | "onProgress">,
    labelled?: Pick<Dataset, "labels" | "offsets">,
  ): Promise<Float32Array[]> {
    this.#engine ??= loadEngine();
    const { predictLogits, readInputs } = await this.#engine;
    const inputs = await withExternals(sources, rows, this.#stored, { signal, onProgress });
    const network = this.#network;
    const read = (some: Int32Array) => readInputs(network, { inputs }, some);
    const predict = (answerer: BatchAnswerer | undefined) =>
      predictLogits(network, rows, read, {
        batchSize: PREDICT_BATCH,
        lengths: tokenLengths(sources),
        ...(signal === undefined ? {} : { signal }),
        ...(labelled === undefined ? {} : { labelled }),
        ...(answerer === undefined ? {} : { answerer }),
        onProgress: (done, total) => onProgress?.("predicting", done, total),
      });
    if (isOnnx(network)) return predict(network);
    if (this.#replicas === null) return predict(undefined);
    return withAnswerer(network, { ...this.#replicas, most: Math.ceil(rows.length / PREDICT_BATCH) }, predict);
  }

  /** What the trunk makes of rows, [rows, numbers]; null where no dense head reads it, or only answers are known. */
  async features(
    sources: Readonly<Record<string, InputSource>>,
    rows: Int32Array,
    { signal, onProgress }: Pick<PredictOptions, "signal" | "onProgress">,
  ): Promise<Float32Array | null> {
    const [{ rowFeatures }, { readInputs }] = await Promise.all([
      import("../engine/inference/features.js"),
      import("../engine/batches/batch-reader.js"),
    ]);
    const network = this.#network;
    if (isOnnx(network)) return null;
    const inputs = await withExternals(sources, rows, this.#stored, { signal, onProgress });
    return rowFeatures(network, rows, (some) => readInputs(network, { inputs }, some), signal);
  }
}

async function loadEngine() {
  const [{ predictLogits }, { readInputs }] = await Promise.all([
    import("../engine/inference/predict.js"),
    import("../engine/batches/batch-reader.js"),
  ]);
  return { predictLogits, readInputs };
}

/** Numbers of all rows of opened inputs. */
export function everyRow({ ids }: Pick<OpenInputs, "ids">): Int32Array {
  return Int32Array.from(ids, (_, row) => row);
}

function unitScale(spec: TaskSpec, source: PixelSource | undefined): UnitScale {
  if (scalesPerRow(spec) === 0) return null;
  if (source === undefined) throw new DataError("A task is scaled by the image's size, but there is no image.", {});
  const { originalWidth: width, originalHeight: height, spec: input } = source;
  return unitScaleFrom(spec, { width, height, input });
}
