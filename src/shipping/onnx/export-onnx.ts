/** @file A run as one ONNX model: inputs as they come, answers as they are decided. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { StoredRun } from "../../asking/stored-run.js";
import { type ExternalPart, NO_EXTERNALS, storedModel, widthOf } from "../../engine/model/pretrained/external-part.js";
import { pixelChange } from "../../engine/model/pretrained/preprocessing.js";
import { ConfigError, lineOf, StoreError } from "../../errors.js";
import { runFiles } from "../../records/run-folder.js";
import { takeAdopted } from "./adopted.js";
import { type LogitSource, writeAnswers } from "./answers.js";
import { OnnxGraph, type Port } from "./graph.js";
import { encodeModel, NOTHING_TAKEN, OPSET_VERSION, type TakenIn } from "./model.js";
import { type OtherModel, pictureEntrance, readOtherModel, takeIn } from "./merged-model.js";
import { NO_BRANCHES } from "./branches.js";
import { branchedNetwork, NetworkWriter } from "./network.js";
import { type Precision, weightForm } from "./precision.js";
import { assertWholeWeights, readSavedLayers } from "./saved-layers.js";
import { type Entrances, writeEntrances } from "./signature.js";
import { textFeature, textFeeds, type TextValue } from "./text-model.js";
import { type Value, plainValue } from "./values.js";

/** A model and its signature. */
export interface OnnxExport {
  /** The model with texts by key, which any runtime shows. */
  encode(metadata?: Readonly<Record<string, string>>): Uint8Array;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Its operators. */
  readonly graph: OnnxGraph;
}

/** How a model is written. */
export interface OnnxForm {
  readonly precision: Precision;
  /** @see WeightForm */
  readonly smallest?: number;
  /** Default: tensors. */
  readonly gates?: GateForm;
}

/**
 * tensors: the whole network answers, and which answers count is told beside them. if: layers that only gated questions
 * need run where one of these is asked of any row of the batch.
 */
export const GATE_FORMS = ["tensors", "if"] as const;
export type GateForm = (typeof GATE_FORMS)[number];

/**
 * @param version of this package
 * @throws UnsupportedLayer, ConfigError that name what cannot be written
 */
export function exportOnnx(stored: StoredRun, version: string, { precision, smallest, gates }: OnnxForm): OnnxExport {
  const { run, graph: flow, config, thresholds, calibration } = stored;
  const checkpoint = runFiles(stored.dir).checkpoint("best");
  const storeDir = resolve(stored.dir, "..", "..");
  if (config.adopted !== undefined) {
    const other = readOther(config.adopted, storeDir);
    const graph = new OnnxGraph(other.opset, weightForm(precision, smallest));
    const entrances = writeEntrances(graph, config.inputs, flow);
    if (gates === "if") {
      throw new ConfigError(
        `The model ${config.adopted.model} was adopted as it is, and cannot be cut into branches. Export it with --gates tensors.`,
        { model: config.adopted.model },
      );
    }
    const { logits, taken } = takeAdopted(graph, other, config.adopted, { flow, inputs: config.inputs, entrances });
    writeAnswers(graph, flow, thresholds, (path) => logits.get(path)?.name ?? "", entrances, calibration?.tasks);
    return finished(graph, { run, version }, taken);
  }
  const modelFile = join(checkpoint, "model.json");
  const { model, weights } = readCheckpoint(checkpoint);
  const saved = readSavedLayers(model, weights, modelFile);
  const { parts } = config.externals ?? NO_EXTERNALS;
  const others = new Map(parts.map((part) => [part.name, readOther(part, storeDir)]));
  const graph = new OnnxGraph(opsetOf([...others.values()]), weightForm(precision, smallest));
  const entrances = writeEntrances(graph, config.inputs, flow);
  const taken = new Map<string, Taken>();
  const fed = parts.map((part) => feature(graph, part, entrances, others.get(part.name), taken));
  const seen = { ...entrances.seen, ...Object.fromEntries(fed.map(({ name, value }) => [name, value])) };
  const network =
    gates === "if" ? branchedNetwork(graph, flow, saved, seen) : new NetworkWriter(graph, saved, seen, NO_BRANCHES, []);
  const logits: LogitSource = (path, activeOf) => network.value(path, activeOf).name;
  writeAnswers(graph, flow, thresholds, logits, entrances, calibration?.tasks);
  return finished(graph, { run, version, gates }, joined([...taken.values()].map(({ model }) => model)));
}

function finished(
  graph: OnnxGraph,
  {
    run,
    version,
    gates,
  }: { readonly run: StoredRun["run"]; readonly version: string; readonly gates?: GateForm | undefined },
  taken: TakenIn,
): OnnxExport {
  const own = { run: run.id, ...(gates === "if" ? { gates } : {}) };
  return {
    encode: (metadata = {}) =>
      encodeModel(graph, { name: run.name, version, metadata: { ...own, ...metadata } }, taken),
    inputs: graph.inputs,
    outputs: graph.outputs,
    graph,
  };
}

/** @throws StoreError where a file is not there or is damaged */
export function readCheckpoint(checkpoint: string): { readonly model: unknown; readonly weights: Uint8Array } {
  const file = join(checkpoint, "model.json");
  const model = explained(file, () => JSON.parse(readFileSync(file, "utf8")) as unknown);
  const weightsFile = join(checkpoint, "weights.bin");
  const weights = explained(weightsFile, () => readFileSync(weightsFile));
  assertWholeWeights(model, weights, file);
  return { model, weights };
}

function explained<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new StoreError(
      `${file} cannot be read: ${lineOf(error)}. Restore the run's folder.`,
      { file },
      { cause: error },
    );
  }
}

function readOther(part: Pick<ExternalPart, "digest" | "format" | "model">, storeDir: string): OtherModel {
  const file = storedModel(storeDir, part);
  if (existsSync(file)) return readOtherModel(readFileSync(file), part.model);
  throw new StoreError(
    `The model ${part.model}, which feeds this run, is not in its store: ${file}. Copy it there from the store that the run was made in.`,
    { model: part.model, file },
  );
}

/** One model has one version of the standard operators. */
function opsetOf(others: readonly OtherModel[]): number {
  const versions = new Set(others.map(({ opset }) => opset));
  if (versions.size < 2) return others[0]?.opset ?? OPSET_VERSION;
  throw new ConfigError(
    `The ONNX models that feed this run are written with operators of different versions: ${[...versions].join(" and ")}. Export them with the same opset.`,
    { opsets: [...versions] },
  );
}

/** A model in the graph, which several inputs of the network may read. */
interface Taken {
  /** Begins its names. */
  readonly prefix: string;
  readonly model: TakenIn;
}

/** What a model beside the network makes of a picture or a text, as the network reads it. */
function feature(
  graph: OnnxGraph,
  part: ExternalPart,
  { pictures, texts }: Entrances,
  model: OtherModel | undefined,
  taken: Map<string, Taken>,
): { readonly name: string; readonly value: Value } {
  const [picture, text] = [pictures[part.input], texts[part.input]];
  if (model === undefined) throw new Error(`the model ${part.model} was not read`);
  const key = JSON.stringify([part.input, part.digest, part.preprocessing]);
  const own = taken.get(key) ?? takeModel(graph, part, picture ?? text, model);
  taken.set(key, own);
  const output = `${own.prefix}${part.output}`;
  if (text !== undefined) {
    return { name: part.name, value: textFeature(graph, text, output, part) };
  }
  // maps come with their channels last, as tfjs has them
  const isMap = pictureEntrance(model).isChannelsFirst && part.shape.length === 3;
  const last = isMap ? graph.op("Transpose", [output], { perm: [0, 2, 3, 1] }) : output;
  const width = widthOf(part);
  return { name: part.name, value: plainValue(graph.op("Reshape", [last, graph.int64([-1, width])]), [null, width]) };
}

/** Adds a model, fed with pictures or texts as it was trained to see them. */
function takeModel(graph: OnnxGraph, part: ExternalPart, fed: Value | TextValue | undefined, model: OtherModel): Taken {
  if (fed === undefined) throw new Error(`the input "${part.input}" has neither pictures nor texts`);
  const prefix = `${part.name}/`;
  const feeds = "ids" in fed ? textFeeds(graph, fed, model, part) : pictureFeeds(graph, part, fed, model);
  return { prefix, model: takeIn(graph, model, prefix, feeds) };
}

function pictureFeeds(graph: OnnxGraph, part: ExternalPart, picture: Value, model: OtherModel): Map<string, string> {
  const seen = channelsOf(picture);
  const { name, channels, isChannelsFirst: isFirst } = pictureEntrance(model);
  const { kernel, bias } = pixelChange(part.preprocessing, seen, channels ?? seen);
  const product = graph.op("MatMul", [picture.name, graph.floats(kernel, [seen, bias.length])]);
  const changed = graph.op("Add", [product, graph.floats(bias)]);
  return new Map([[name, isFirst ? graph.op("Transpose", [changed], { perm: [0, 3, 1, 2] }) : changed]]);
}

function channelsOf({ shape }: Value): number {
  return shape[3] ?? 3;
}

function joined([first, ...others]: readonly TakenIn[]): TakenIn {
  if (first === undefined) return NOTHING_TAKEN;
  const all = [first, ...others];
  const opsets = new Map(all.flatMap((one) => one.opsets));
  return {
    irVersion: Math.max(...all.map(({ irVersion }) => irVersion)),
    opsets: [...opsets],
    functions: [...new Set(all.flatMap(({ functions }) => functions))],
  };
}
