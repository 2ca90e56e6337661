/** @file `pretrained({ … })`: a saved model as a trunk, or as a part of one. Light: the model is read when it is used. */
import { ConfigError, CoolError } from "../../../errors.js";
import { checkOptions, oneOf, type OptionRule, TEXT } from "../../../options.js";
import type { Block } from "../ready-trunks.js";
import type { SymbolicTensor } from "../trunk.js";
import type { TextPooling } from "./external-model.js";
import type { PreprocessingInput } from "./preprocessing.js";

/**
 * What of a saved model keeps its weights: all of it, nothing, the layers of these names (`"block_1_*"`: all that begin
 * so), a layer and all before it, or as many layers with weights from the beginning.
 */
export type FreezeChoice =
  | boolean
  | readonly string[]
  | { readonly upTo: string; readonly depth?: never }
  | { readonly depth: number; readonly upTo?: never };

export interface PretrainedOptions {
  /**
   * A tfjs LayersModel or graph model: its model.json (or the folder that holds it); or an .onnx file. Relative to the
   * project, or an http(s) address, which is fetched once. Graph models and ONNX run beside the network, frozen; ONNX
   * models also read the texts of a `tokenizer` input.
   */
  readonly model: string;
  /** Name of the layer (of a graph model, the node) whose output is taken; default: the model's own output. */
  readonly output?: string;
  /**
   * What keeps its weights; default true: all of it. Frozen layers always behave as in inference: their batch
   * normalization neither reads nor moves with the batch, and they drop nothing.
   */
  readonly freeze?: FreezeChoice;
  /**
   * What the model was trained to see: the values of its pixels, or the path of a preprocessor_config.json, relative to
   * the project. Default: the preprocessor_config.json beside the model.
   */
  readonly input?: PreprocessingInput | string;
  /**
   * Of texts, where the output has a vector for each token: what becomes of them. `mean` (default): their mean, without
   * padding; `first`: that of the first token, `[CLS]` of BERT; `last`: that of the last token, of decoders; `none`: all
   * of them, [batch, length, n], for tasks per token.
   */
  readonly pooling?: TextPooling;
  /**
   * Batch normalization of layers that train: `frozen` (default) goes on normalizing by the statistics that the model
   * was saved with, so that fine-tuning begins where the saved model stood; `train` follows the batches.
   */
  readonly batchNormalization?: "frozen" | "train";
}

/** Saved models that are open, to be built into a trunk. */
export interface OpenModels {
  /** @throws ModelWanted where the model has not been opened yet */
  apply(options: PretrainedOptions, input: SymbolicTensor): SymbolicTensor;
}

/** A trunk needs a saved model that has yet to be read: reading takes its time, and trunk functions do not wait. */
export class ModelWanted extends CoolError {
  readonly options: PretrainedOptions;

  constructor(options: PretrainedOptions) {
    super(`The model ${options.model} has not been read yet.`, { model: options.model });
    this.options = options;
  }
}

let open: OpenModels | null = null;

/** Runs `work`, in which trunks may apply saved models. `work` must be synchronous. */
export function withOpenModels<T>(models: OpenModels, work: () => T): T {
  const before = open;
  open = models;
  try {
    return work();
  } finally {
    open = before;
  }
}

const FREEZE: OptionRule = {
  accepts: (value) => typeof value === "boolean" || isNames(value) || isPlace(value),
  expected: 'true, false, names of layers (["conv1", "block_1_*"]), { upTo: "layer" } or { depth: 3 }',
};

const INPUT: OptionRule = {
  accepts: (value) => typeof value === "object" || (typeof value === "string" && value !== ""),
  expected: "{ range, mean, std, channels } or the path of a preprocessor_config.json",
};

/**
 * A saved model as a part of a trunk: `const map = pretrained({ model: "mobilenet/model.json", output: "conv_pw_13_relu",
 * input: { range: [-1, 1] } })(image, layers)`. Its layers become layers of the network under their own names, so that a
 * checkpoint holds them and opens without us. Where nothing below it trains, what it puts out is computed once per
 * picture and cached (`train.featureCache`). What is frozen of a batch normalization is all of it: its statistics, its
 * scale and its offset.
 * @throws ConfigError for options that cannot be; where it is applied, also for a model that cannot be read, has no such
 * layer, or does not fit the input
 */
export function pretrained(options: PretrainedOptions): Block {
  checkOptions<PretrainedOptions>("pretrained", options, {
    model: TEXT,
    output: TEXT,
    freeze: FREEZE,
    input: INPUT,
    batchNormalization: oneOf("frozen", "train"),
    pooling: oneOf("mean", "first", "last", "none"),
  });
  if (options.model === undefined) {
    throw new ConfigError('pretrained({ … }) names no model. Add e.g. model: "mobilenet/model.json".', {
      call: "pretrained",
    });
  }
  return (input) => {
    if (open !== null) return open.apply(options, input);
    throw new ConfigError(
      `pretrained({ model: "${options.model}" }) is applied outside of a trunk. Apply it in the trunk function of defineProject.`,
      { model: options.model },
    );
  };
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string" && name !== "");
}

function isPlace(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const [[key, place] = [], ...more] = Object.entries(value);
  if (more.length > 0) return false;
  if (key === "upTo") return typeof place === "string" && place !== "";
  return key === "depth" && Number.isInteger(place) && Number(place) > 0;
}
