/** @file A pretrained backbone for a new project: what its model.json says of itself. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fetchModel } from "../../engine/model/pretrained/fetch-model.js";
import { noModel } from "../../engine/model/pretrained/no-model.js";
import { lineOf, UsageError } from "../../errors.js";
import { configPath } from "../project-files.js";

/** What a configuration says of a backbone. */
export interface Backbone {
  /** As the configuration names it: relative to the project, or an address. */
  readonly model: string;
  /** The layer that puts out the last map. */
  readonly output: string;
  readonly size: readonly [height: number, width: number];
  readonly channels: 1 | 3;
  /** `input` of `pretrained`, as code; null: a preprocessor_config.json beside the model says it. */
  readonly input: string | null;
}

/** A layer as Keras and tfjs write it. */
interface SavedLayer {
  readonly name: string;
  readonly kind: string;
  readonly shape: readonly unknown[];
  /** Names of the layers that it reads. */
  readonly reads: readonly string[];
}

/** Where a model takes pictures of any size. */
const USUAL_SIDE = 224;

/**
 * @param typed a folder with a model.json, such a file, or its address
 * @throws UsageError where it is no LayersModel of pictures, or nothing says what it was trained to see; ConfigError where
 *   an address cannot be fetched
 */
export async function readBackbone(typed: string, projectDir: string): Promise<Backbone> {
  const isAddress = /^https?:\/\//.test(typed);
  if (/\.onnx$/i.test(typed)) {
    throw refusal(typed, "is an ONNX model, whose map is not looked for here", "Write it into the configuration");
  }
  const named = isAddress ? await fetchModel(typed) : resolve(typed);
  const file = existsSync(named) && statSync(named).isDirectory() ? join(named, "model.json") : named;
  const layers = layersOf(file, typed);
  const [height, width, channels] = layers.find(({ kind }) => kind === "InputLayer")?.shape.slice(1) ?? [];
  if (channels !== 3 && channels !== 1) throw refusal(typed, "reads no pictures", "Take a model of pictures");
  const output = lastMap(layers);
  if (output === null) throw refusal(typed, "has no pool behind its last map", "Name the layer by hand");
  const hasFile = existsSync(join(dirname(file), "preprocessor_config.json"));
  const input = hasFile ? null : knownInput(layers);
  if (input === undefined) {
    throw new UsageError(
      `Nothing says what the model ${typed} was trained to see: its layers are none that are known here. Put a preprocessor_config.json beside it: {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]} for most, {"image_mean": 0.5, "image_std": 0.5} where pixels are brought to [-1, 1].`,
      { model: typed },
    );
  }
  const side = (value: unknown): number => (typeof value === "number" ? value : USUAL_SIDE);
  const local = configPath(basename(file) === "model.json" ? dirname(file) : file, typed, projectDir);
  return { model: isAddress ? typed : local, output, size: [side(height), side(width)], channels, input };
}

function refusal(model: string, what: string, wayOut: string): UsageError {
  return new UsageError(
    `The model ${model} ${what}. ${wayOut}, as docs/training.md shows (pretrained), or give --pretrained the folder of a tfjs LayersModel that ends in a pool and classes.`,
    { model },
  );
}

function layersOf(file: string, typed: string): SavedLayer[] {
  const found = modelLayers(documentOf(file, typed));
  if (found.length > 0) return found;
  throw refusal(typed, "is no LayersModel: its model.json lists no layers", "Write it into the configuration");
}

function documentOf(file: string, typed: string): unknown {
  if (!existsSync(file)) {
    throw new UsageError(`There is no model ${typed}: ${basename(file)} is not there. Correct the path.`, {
      model: typed,
    });
  }
  const bytes = readFileSync(file);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw refusal(typed, `cannot be read: ${noModel(bytes) ?? lineOf(error)}`, "Take a sound copy of it");
  }
}

/** Layers of the outermost model, in the order of the file. */
function modelLayers(document: unknown): SavedLayer[] {
  const topology = fieldsOf(fieldsOf(document).modelTopology);
  const { config } = fieldsOf(topology.model_config ?? topology);
  const listed = Array.isArray(config) ? config : fieldsOf(config).layers;
  if (!Array.isArray(listed)) return [];
  const layers = listed.map(fieldsOf).map((layer) => {
    const own = fieldsOf(layer.config);
    const shape = own.batch_input_shape;
    return {
      name: String(layer.name ?? own.name),
      kind: String(layer.class_name),
      shape: Array.isArray(shape) ? shape : [],
      reads: inboundNames(layer.inbound_nodes),
    };
  });
  // a sequential model says no more than the order, and its first layer has the shape of the input
  const [first] = layers;
  const isChain = layers.every(({ reads }) => reads.length === 0);
  if (first === undefined || !isChain) return layers;
  const input = first.kind === "InputLayer" ? [] : [{ ...first, name: "", kind: "InputLayer" }];
  return [...input, ...layers.map((layer, i) => ({ ...layer, reads: i === 0 ? [] : [layers[i - 1]?.name ?? ""] }))];
}

function inboundNames(nodes: unknown): string[] {
  const [first]: unknown[] = Array.isArray(nodes) ? nodes : [];
  return Array.isArray(first) ? first.flatMap((edge) => (Array.isArray(edge) ? [String(edge[0])] : [])) : [];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Layers that make a vector of the map. */
const POOLS = new Set(["GlobalAveragePooling2D", "GlobalMaxPooling2D", "Flatten"]);

/** What the last pool reads. */
function lastMap(layers: readonly SavedLayer[]): string | null {
  return layers.findLast(({ kind }) => POOLS.has(kind))?.reads[0] ?? null;
}

/** By names of layers that Keras gives these networks, what they were trained to see; the first that is there. */
const KNOWN: readonly (readonly [layer: string, input: string])[] = [
  // MobileNet v1 and v2, Xception, Inception v3
  ["conv_pw_13_relu", "{ range: [-1, 1] }"],
  ["block_16_project", "{ range: [-1, 1] }"],
  ["block14_sepconv2", "{ range: [-1, 1] }"],
  ["mixed10", "{ range: [-1, 1] }"],
  // DenseNet: the names of its blocks are like those of ResNet
  ["conv5_block16_concat", "{ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }"],
  ["conv5_block32_concat", "{ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }"],
  // ResNet v1 and VGG; v2 has a layer before the pool that v1 lacks
  ["post_relu", "{ range: [-1, 1] }"],
  ["conv5_block3_out", '{ range: [0, 255], mean: [103.939, 116.779, 123.68], channels: "bgr" }'],
  ["block5_conv3", '{ range: [0, 255], mean: [103.939, 116.779, 123.68], channels: "bgr" }'],
];

/** `undefined`: nothing is known. */
function knownInput(layers: readonly SavedLayer[]): string | undefined {
  // a model that scales its pixels by itself takes them as they are
  if (layers.some(({ kind }) => kind === "Rescaling" || kind === "Normalization")) return "{ range: [0, 255] }";
  const names = new Set(layers.map(({ name }) => name));
  return KNOWN.find(([layer]) => names.has(layer))?.[1];
}
