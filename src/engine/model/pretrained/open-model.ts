/** @file A saved model, opened: its layers, its content's digest, and what it was trained to see. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { ConfigError, nearestNames } from "../../../errors.js";
import { f32At } from "../../../arrays.js";
import { readSavedModel } from "../saved-checkpoint.js";
import { readLayersModel } from "../transfer.js";
import { fetchModel } from "./fetch-model.js";
import {
  checkPreprocessing,
  type PreprocessingInput,
  preprocessingBeside,
  readPreprocessorConfig,
} from "./preprocessing.js";
import type { PretrainedOptions } from "./pretrained.js";

/** A model that can be built into a trunk. The one who opens it disposes it. */
export interface OpenedModel {
  readonly model: tfl.LayersModel;
  /** sha256 over its files, hex. */
  readonly digest: string;
  /** null where nothing says what it was trained to see. */
  readonly preprocessing: PreprocessingInput | null;
}

/** The model.json that options name, fetched where it is an address. @param baseDir what paths are relative to */
export async function modelFile({ model }: PretrainedOptions, baseDir: string): Promise<string> {
  const named = /^https?:\/\//.test(model) ? await fetchModel(model) : resolve(baseDir, model);
  return existsSync(named) && statSync(named).isDirectory() ? join(named, "model.json") : named;
}

/**
 * Opens a LayersModel.
 * @param file its model.json
 * @param baseDir what paths of options are relative to
 * @throws ConfigError where there is no model, or none that can be used
 */
export async function openModel(
  { model, input }: PretrainedOptions,
  file: string,
  baseDir: string,
): Promise<OpenedModel> {
  const preprocessing =
    typeof input === "string"
      ? readPreprocessorConfig(resolve(baseDir, input))
      : input === undefined
        ? preprocessingBeside(file)
        : checkPreprocessing(input);
  assertKnownLayers(file);
  const opened = await readLayersModel(file);
  assertFiniteWeights(opened, model);
  return { model: opened, digest: digestOf(file), preprocessing };
}

function digestOf(file: string): string {
  const hash = createHash("sha256").update(readFileSync(file));
  for (const { paths = ["weights.bin"] } of readSavedModel(file).weightsManifest) {
    for (const path of paths) hash.update(readFileSync(join(dirname(file), path)));
  }
  return hash.digest("hex");
}

/** @throws ConfigError for a layer of a class that tfjs does not have */
function assertKnownLayers(file: string): void {
  const known = tf.serialization.SerializationMap.getMap().classNameMap;
  const unknown = layerClasses(file).find(({ kind }) => !Object.hasOwn(known, kind));
  if (unknown === undefined) return;
  const { kind, name } = unknown;
  const [nearest] = nearestNames(kind, Object.keys(known));
  const hint = nearest === undefined ? "" : ` (the nearest that there is: ${nearest})`;
  throw new ConfigError(
    `The layer "${name}" of ${file} is of the class ${kind}, which tfjs does not have${hint}. Take an output before it when you convert the model, or register the class in the configuration with tf.serialization.registerClass.`,
    { file, layer: name, class: kind },
  );
}

interface LayerClass {
  readonly kind: string;
  readonly name: string;
}

/** Of all layers that a model's file lists, in models within it too; none where it is no model. */
function layerClasses(file: string): LayerClass[] {
  const found: LayerClass[] = [];
  const waiting = [jsonOf(file)];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const layers = fieldsOf(node).layers;
    for (const layer of Array.isArray(layers) ? layers.map(fieldsOf) : []) {
      const { class_name: kind, config } = layer;
      if (typeof kind === "string") found.push({ kind, name: String(layer.name ?? fieldsOf(config).name) });
    }
    waiting.push(...Object.values(fieldsOf(node)).filter((value) => typeof value === "object" && value !== null));
  }
  return found;
}

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // reading it as a model says what is wrong
    return undefined;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function assertFiniteWeights(opened: tfl.LayersModel, model: string): void {
  for (const layer of opened.layers) {
    for (const weight of layer.getWeights()) {
      const values = weight.dataSync<"float32">();
      for (let i = 0; i < values.length; i++) {
        if (Number.isFinite(f32At(values, i))) continue;
        throw new ConfigError(
          `The model ${model} cannot be used: its layer "${layer.name}" has a weight that is ${f32At(values, i)}. Take a sound copy of the model.`,
          { model, layer: layer.name },
        );
      }
    }
  }
}
