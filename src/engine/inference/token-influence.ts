/** @file Which tokens of a row a logit looks at: by the gradient at their embeddings, and by the layers alone. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { at as itemAt } from "../../arrays.js";
import { ConfigError } from "../../errors.js";
import { isPerElement, type TaskNode } from "../../flow/graph.js";
import { featureTensors, type Layer, whileReplaced } from "../model/layer-graph.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { averagingModel, columnsOf, relativeToLargest } from "./receptive-field.js";

/** One answer that is asked about. */
export interface AskedLogit {
  /** Index of the token in its row, where the task is asked per token. */
  readonly position: number | null;
  /** Index among the task's logits. */
  readonly logit: number;
}

/** Per token of the row. */
export interface TokenInfluence {
  /** Magnitude of the logit's gradient with respect to the token's embedding; 1 is the most of all tokens. */
  readonly influence: Float32Array;
  /** 1 where another token in its place can change the logit at all. */
  readonly reachable: Uint8Array;
}

/**
 * ‖∂logit/∂embedding‖ of each token, as in Li et al., "Visualizing and Understanding Neural Models in NLP" (2016), §4.
 * @param inputs of one row
 * @param tokens name of the token input
 * @param asked one result for each
 * @throws ConfigError where no embedding reads the tokens
 */
export async function tokenInfluence(
  network: Network,
  inputs: InputBatch,
  tokens: string,
  task: TaskNode,
  asked: readonly AskedLogit[],
): Promise<TokenInfluence[]> {
  const { offset } = columnsOf(network, task);
  const embeddings = embeddingsOf(network.model, tokens);
  const perToken = isPerElement(task.spec);
  const gradients = asked.map(({ position, logit }) =>
    atEmbeddings(embeddings, inputs[tokens]?.length ?? 0, () => {
      const logits = network.logitsByAxis(network.inputTensors(inputs, 1), false, null);
      const rows = (perToken ? logits.token : logits.sample) as tf.Tensor2D;
      return tf.sum(tf.slice(rows, [position ?? 0, offset + logit], [1, 1]));
    }),
  );
  const paths = await structuralGradients(network, inputs, tokens, task, asked);
  return gradients.map((influence, i) => ({
    influence: relativeToLargest(influence),
    // what does move the logit can move it, whatever the layers are
    reachable: Uint8Array.from(influence, (moves, at) => (moves > 0 || (paths[i]?.[at] ?? 0) > 0 ? 1 : 0)),
  }));
}

/** Gradients of the feature, in a network of the same layers in which nothing is lost. */
async function structuralGradients(
  network: Network,
  inputs: InputBatch,
  tokens: string,
  task: TaskNode,
  asked: readonly AskedLogit[],
): Promise<Float32Array[]> {
  const model = await averagingModel(network.model);
  const feature = featureTensors(model, network.graph).get(task.feature ?? "") as tfl.SymbolicTensor;
  const toFeature = tfl.model({ inputs: model.inputs, outputs: feature });
  const embeddings = embeddingsOf(model, tokens);
  try {
    return asked.map(({ position }) =>
      atEmbeddings(embeddings, inputs[tokens]?.length ?? 0, () => {
        const output = toFeature.apply(network.inputTensors(inputs, 1)) as tf.Tensor;
        return tf.mean(position === null ? output : tf.slice(output, [0, position, 0], [1, 1, -1]));
      }),
    );
  } finally {
    model.dispose();
  }
}

/** Embedding layers that read an input directly. */
function embeddingsOf(model: tfl.LayersModel, input: string): Layer[] {
  const readers = model.layers.filter(
    (layer) =>
      layer.getClassName() === "Embedding" &&
      layer.inboundNodes.some(({ inboundLayers }) => inboundLayers.some(({ name }) => name === input)),
  );
  if (readers.length > 0) return readers;
  throw new ConfigError(
    `What moves an answer is seen at the embeddings of tokens, but no layers.embedding of the trunk reads the input "${input}" itself.`,
    { input },
  );
}

/** Norm of a scalar's gradient at what the embeddings put out, for each token of one row. */
function atEmbeddings(embeddings: readonly Layer[], length: number, scalar: () => tf.Tensor): Float32Array {
  return tf.tidy(() => {
    const zeros = embeddings.map((layer) =>
      tf.zeros([1, length, (layer as unknown as { outputDim: number }).outputDim]),
    );
    const shifted = (...shifts: tf.Tensor[]): tf.Tensor =>
      whileReplaced(
        embeddings,
        (original, layer) => (ids, options) =>
          tf.add(original(ids, options) as tf.Tensor, itemAt(shifts, embeddings.indexOf(layer))),
        scalar,
      );
    const gradients = tf.grads(shifted)(zeros);
    const squares = gradients.map((gradient) => tf.sum(tf.square(gradient), -1));
    return tf.sqrt(tf.addN(squares)).dataSync<"float32">().slice();
  });
}
