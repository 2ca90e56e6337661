/** @file A model that a trunk asks for and that runs beside the network: opened once, to know what it puts out. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { InputSpec } from "../../../data/dataset.js";
import { ConfigError } from "../../../errors.js";
import { type ModelNeeds, modelDigest, type TextNeeds } from "./external-model.js";
import type { ExternalPart } from "./external-part.js";
import { fetchModel } from "./fetch-model.js";
import { openExternalModel } from "./open-external.js";
import { packGraph } from "./packed-graph.js";
import {
  checkPreprocessing,
  preprocessingBeside,
  type PreprocessingInput,
  readPreprocessorConfig,
} from "./preprocessing.js";
import type { PretrainedOptions } from "./pretrained.js";

/** What of its options makes a model another one. */
export type Wanted = Pick<PretrainedOptions, "model" | "output" | "input" | "pooling">;

/** Where things are. */
interface Places {
  /** What paths are relative to, and whose packages are loaded. */
  readonly baseDir: string;
  /** The model.json of a graph model; null: it is ONNX. */
  readonly graph: string | null;
}

/**
 * @param input name of the input of the data that the model is applied to
 * @throws BackendError where what runs it is not installed; ConfigError, UnknownNameError where it cannot be used so
 */
export async function describeExternal(
  wanted: Wanted,
  input: string,
  spec: InputSpec,
  { baseDir, graph }: Places,
): Promise<{ readonly part: ExternalPart; readonly file: string }> {
  const { model, output, pooling } = wanted;
  const named = graph ?? (await onnxFile(model, baseDir));
  const format: ExternalPart["format"] = graph === null ? "onnx" : "tfjs";
  const preprocessing = spec.kind === "image" ? preprocessingOf(wanted, named, baseDir) : {};
  if (spec.kind !== "image") assertOfTexts(wanted, input, spec);
  const { file, digest } =
    graph === null ? { file: named, digest: modelDigest(named, model) } : packGraph(graph, model);
  const declared = { preprocessing, ...(pooling === undefined ? {} : { pooling }) };
  const needs = needsOf({ model, file, output, ...declared }, spec, { projectDir: baseDir, isNew: true });
  const opened = await openExternalModel(format, needs);
  await opened.close();
  const part: ExternalPart = {
    ...{ name: `${input}.${format}`, input, model, digest, format, output: opened.output, shape: opened.shape },
    ...{ preprocessing, ...(opened.pooling === undefined ? {} : { pooling: opened.pooling }) },
  };
  return { part, file };
}

/** What a model is opened for, by the input that it reads. @param isNew whether it may not fit its tokenizer */
export function needsOf(
  {
    model,
    file,
    output,
    preprocessing,
    pooling,
  }: Pick<ExternalPart, "model" | "preprocessing" | "pooling"> & Pick<ModelNeeds, "file" | "output">,
  spec: InputSpec,
  { projectDir, isNew }: { readonly projectDir: string | null; readonly isNew: boolean },
): ModelNeeds | TextNeeds {
  const rest = { model, file, output, projectDir };
  if (spec.kind === "image") return { ...rest, preprocessing, size: spec.size, channels: spec.channels };
  const { maxLength = 0, tokenizer } = spec.kind === "tokens" ? spec : {};
  if (tokenizer == null || tokenizer.padding === null) throw new Error("no texts of a tokenizer");
  const { ids, padding } = tokenizer;
  const cutBy = { file: tokenizer.file, ids, padding };
  return { ...rest, text: { tokenizer: cutBy, maxLength, pooling: pooling ?? null, isNew } };
}

/** @throws ConfigError unless the model can be applied to what is no picture */
function assertOfTexts({ model, input }: Wanted, name: string, spec: InputSpec): void {
  if (spec.kind !== "tokens" || spec.tokenizer === undefined) {
    throw new ConfigError(
      `The model ${model} is applied to the tokens of "${name}", whose ids are not those that it was trained with. Read the column with its own tokenizer: tokenizer({ column, file: "tokenizer.json" }).`,
      { model, input: name },
    );
  }
  if (input === undefined) return;
  throw new ConfigError(
    `pretrained({ model: "${model}", input: … }) says what becomes of pixels, but the model is applied to the texts of "${name}". Leave out input.`,
    { model, input: name },
  );
}

async function onnxFile(model: string, baseDir: string): Promise<string> {
  const file = /^https?:\/\//.test(model) ? await fetchModel(model) : resolve(baseDir, model);
  if (existsSync(file) && statSync(file).isDirectory()) throw notAFile(model);
  return file;
}

function notAFile(model: string): ConfigError {
  return new ConfigError(`The ONNX model ${model} is a folder. Name the .onnx file in it.`, { model });
}

function preprocessingOf({ model, input, pooling }: Wanted, file: string, baseDir: string): PreprocessingInput {
  if (pooling !== undefined) {
    throw new ConfigError(
      `pretrained({ model: "${model}", pooling: "${pooling}" }) says what becomes of tokens, but the model is applied to pictures. Leave out pooling.`,
      { model },
    );
  }
  if (typeof input === "string") return readPreprocessorConfig(resolve(baseDir, input));
  const found = input === undefined ? preprocessingBeside(file) : checkPreprocessing(input);
  if (found !== null) return found;
  throw new ConfigError(
    `Nothing says what the model ${model} was trained to see. Declare it, e.g. pretrained({ input: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } }), or lay its preprocessor_config.json beside it.`,
    { model },
  );
}
