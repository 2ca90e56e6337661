/** @file Monte-Carlo dropout: the same inputs, answered by many thinned networks. */
import { i32At } from "../../arrays.js";
import type { TaskNode } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import { joinArrays } from "../batches/arrays.js";
import { type Layer, layersBefore, whileInferring, withInnerLayers } from "../model/layer-graph.js";
import type { LogitValues } from "../model/layout.js";
import type { Network, SymbolicTensor } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { computeLogits } from "./compute-logits.js";
import { columnsOf } from "./predict.js";
import { withSeededRandom } from "../model/seeded.js";
import { rowLengths } from "../model/padded-tokens.js";

/**
 * Logits of one batch in one pass under dropout. Dropout layers drop as in training, and every
 * other layer infers: batch normalization keeps its averages, and noise layers add none. The spread of the answers over
 * many passes approximates the uncertainty about the weights: Gal & Ghahramani, "Dropout as a Bayesian Approximation:
 * Representing Model Uncertainty in Deep Learning" (ICML 2016).
 * @param seed same seed, same masks; every pass takes its own
 */
export function sampleLogits(network: Network, inputs: InputBatch, rows: number, seed: string): LogitValues {
  const layers = withInnerLayers(network.layers);
  const dropouts = layers.filter(drops);
  // a layer that holds others hands on to them how it is called
  const others = layers.filter((layer) => !drops(layer) && withInnerLayers([layer]).length === 1);
  const pass = (): LogitValues => computeLogits(network, inputs, rows, null, true);
  return withSeededRandom(seed, () => whileUnseeded(dropouts, () => whileInferring(others, pass)));
}

/** Logits of rows that come batch by batch, in any order; those of very many classes too, which are not kept else. */
export class CollectedLogits {
  readonly #network: Network;
  /** [rows, layout.width] */
  readonly #rows: Float32Array;
  /** Of each row [its tokens, layout.tokenWidth]. */
  readonly #tokens: Float32Array[] = [];

  constructor(network: Network, rows: number) {
    this.#network = network;
    this.#rows = new Float32Array(rows * network.layout.width);
  }

  /** @param rows which of all rows the batch holds */
  put(rows: Int32Array, inputs: InputBatch, { sample, token }: LogitValues): void {
    const { width, tokenWidth } = this.#network.layout;
    const lengths = tokenWidth === 0 ? null : rowLengths(this.#network, inputs, rows.length);
    const padded = token.length / rows.length;
    rows.forEach((row, i) => {
      this.#rows.set(sample.subarray(i * width, (i + 1) * width), row * width);
      if (lengths === null) return;
      this.#tokens[row] = token.slice(i * padded, i * padded + i32At(lengths, i) * tokenWidth);
    });
  }

  /** Per task of the graph, [rows, width] or [tokens, width]; of masked language modelling none. */
  get tasks(): Float32Array[] {
    const { layout } = this.#network;
    const tokens = joinArrays(this.#tokens);
    return layout.columns.map(({ axis, offset, width }) => {
      switch (axis) {
        case "sample":
          return columnsOf(this.#rows, layout.width, offset, width);
        case "token":
          return columnsOf(tokens, layout.tokenWidth, offset, width);
        case "masked":
          return new Float32Array(0);
        default:
          return axis satisfies never;
      }
    });
  }
}

/** Tasks with a head whose answers never vary: no dropout lies between the inputs and their logits. */
export function tasksWithoutDropout(network: Network): TaskNode[] {
  const { model, graph } = network;
  return graph.tasks.filter(({ path, spec }) => {
    if (behaviourOf(spec).answeredBy !== "network") return false;
    const logits = model.getLayer(path).output as SymbolicTensor;
    return !withInnerLayers(layersBefore([logits])).some(drops);
  });
}

const DROPOUT_CLASSES = new Set(["Dropout", "AlphaDropout", "GaussianDropout"]);

interface RecurrentRates {
  readonly dropout?: number;
  readonly recurrentDropout?: number;
}

/** Layers of their own, and recurrent ones that drop inputs or states. */
function drops(layer: Layer): boolean {
  // a frozen one behaves as in inference
  if (!layer.trainable && DROPOUT_CLASSES.has(layer.getClassName())) return false;
  const { rate, cell } = layer as unknown as { readonly rate?: number; readonly cell?: RecurrentRates };
  const rates = DROPOUT_CLASSES.has(layer.getClassName()) ? [rate] : [cell?.dropout, cell?.recurrentDropout];
  return rates.some((each) => each !== undefined && each > 0);
}

/** A seed of a layer's own would draw the same mask in every pass. */
function whileUnseeded<T>(dropouts: readonly Layer[], work: () => T): T {
  const seeded = (dropouts as readonly (Layer & { seed?: unknown })[]).filter(({ seed }) => seed != null);
  const seeds = seeded.map(({ seed }) => seed);
  for (const layer of seeded) layer.seed = undefined;
  try {
    return work();
  } finally {
    seeded.forEach((layer, i) => {
      layer.seed = seeds[i];
    });
  }
}
