/** @file A tfjs graph model as one file: its model.json, then its weights, so that a store keeps it by content. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { io } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { ConfigError, lineOf } from "../../../errors.js";
import { cacheFolder, type Environment } from "../../../platform/cache-folder.js";
import { problemOf } from "../../../platform/document-problem.js";
import { readWeightData, type SavedModel } from "../saved-checkpoint.js";

/** A graph model as it is read. */
export interface PackedGraph {
  readonly modelTopology: object;
  /** Names of its nodes, in their order. */
  readonly nodes: readonly string[];
  readonly weightSpecs: io.WeightsManifestEntry[];
  readonly weightData: ArrayBuffer;
  /** Names that its maker gave inputs and outputs. */
  readonly signature?: object;
  readonly modelInitializer?: object;
  readonly initializerSignature?: object;
}

const entry = z.looseObject({
  name: z.string(),
  shape: z.array(z.number().int().min(0)),
  dtype: z.enum(["float32", "int32", "bool"]),
});

const graph = z.looseObject({
  format: z.literal("graph-model"),
  modelTopology: z.looseObject({ node: z.array(z.looseObject({ name: z.string(), op: z.string() })).min(1) }),
  weightsManifest: z.array(z.looseObject({ weights: z.array(entry), paths: z.array(z.string()).optional() })),
  signature: z.looseObject({}).nullish(),
  modelInitializer: z.looseObject({}).nullish(),
  initializerSignature: z.looseObject({}).nullish(),
});

/** Whether a file is the model.json of a graph model; what cannot be read is none. */
export function isGraphModel(file: string): boolean {
  if (!existsSync(file) || statSync(file).isDirectory()) return false;
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null && "format" in value && value.format === "graph-model";
  } catch {
    return false;
  }
}

// at the beginning of a packed model, so that nothing else is taken for one
const MAGIC = Buffer.from("tfjsgraph1\n");

/**
 * Packs a graph model into one file of the user's cache.
 * @param model its name, for messages
 * @returns where it lies, and its sha256
 * @throws ConfigError where it is none, or its weights are not there
 */
export function packGraph(
  file: string,
  model: string,
  env: Environment = process.env,
): { readonly file: string; readonly digest: string } {
  const bytes = packed(file, model);
  const digest = createHash("sha256").update(bytes).digest("hex");
  const folder = join(cacheFolder(env), "models");
  const target = join(folder, `${digest}.tfjs`);
  if (existsSync(target)) return { file: target, digest };
  const writing = `${target}.${randomUUID()}.writing`;
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(writing, bytes);
    renameSync(writing, target);
  } finally {
    rmSync(writing, { force: true });
  }
  return { file: target, digest };
}

function packed(file: string, model: string): Buffer {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    const problem = problemOf(graph, value);
    if (problem !== null) throw new Error(`"${problem.key}" is wrong: ${problem.problem}`);
    const saved = graph.parse(value);
    const weights = readWeightData(file, saved as unknown as SavedModel);
    const header = {
      format: saved.format,
      modelTopology: saved.modelTopology,
      weightsManifest: [{ weights: saved.weightsManifest.flatMap((group) => group.weights) }],
      ...(saved.signature == null ? {} : { signature: saved.signature }),
      ...(saved.modelInitializer == null ? {} : { modelInitializer: saved.modelInitializer }),
      ...(saved.initializerSignature == null ? {} : { initializerSignature: saved.initializerSignature }),
    };
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return Buffer.concat([MAGIC, length, text, Buffer.from(weights)]);
  } catch (error) {
    throw unreadable(model, error);
  }
}

/** @throws ConfigError where the file is no packed graph model */
export function readPackedGraph(file: string, model: string): PackedGraph {
  try {
    const bytes = readFileSync(file);
    if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error("it is no packed graph model");
    const start = MAGIC.length + 4;
    const end = start + bytes.readUInt32LE(MAGIC.length);
    const value: unknown = JSON.parse(bytes.toString("utf8", start, end));
    const problem = problemOf(graph, value);
    if (problem !== null) throw new Error(`"${problem.key}" is wrong: ${problem.problem}`);
    const { modelTopology, weightsManifest, signature, modelInitializer, initializerSignature } = graph.parse(value);
    const weightData = new ArrayBuffer(bytes.length - end);
    new Uint8Array(weightData).set(bytes.subarray(end));
    return {
      modelTopology,
      nodes: modelTopology.node.map(({ name }) => name),
      weightSpecs: weightsManifest.flatMap(({ weights }) => weights) as io.WeightsManifestEntry[],
      weightData,
      ...(signature == null ? {} : { signature }),
      ...(modelInitializer == null ? {} : { modelInitializer }),
      ...(initializerSignature == null ? {} : { initializerSignature }),
    };
  } catch (error) {
    throw unreadable(model, error);
  }
}

function unreadable(model: string, error: unknown): ConfigError {
  return new ConfigError(
    `The graph model ${model} cannot be read: ${lineOf(error)}. Convert it again with tensorflowjs_converter, and keep its weights beside model.json.`,
    { model },
    { cause: error },
  );
}
