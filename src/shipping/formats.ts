/** @file The formats of an export: the files of each, and their signature. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StoredRun } from "../asking/stored-run.js";
import { inputShape } from "../data/dataset.js";
import { ConfigError } from "../errors.js";
import { packageVersion } from "../platform/version.js";
import { runFiles } from "../records/run-folder.js";
import { behaviourOf } from "../tasks/index.js";
import { exportOnnx, type OnnxForm, readCheckpoint } from "./onnx/export-onnx.js";
import type { Port } from "./onnx/graph.js";
import { refuseAlike } from "./savedmodel/input-names.js";
import { savedModelOf } from "./savedmodel/translate.js";
import { refuseUnanswerable, webFiles } from "./web/web-files.js";
import type { Files } from "./write-files.js";

export const FORMATS = ["onnx", "layers", "web", "savedmodel"] as const;
export type ExportFormat = (typeof FORMATS)[number];

/** A tensor of the exported model. @see Port */
export interface SignaturePart {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** A model that is ready to be written. */
export interface Draft {
  readonly inputs: readonly SignaturePart[];
  readonly outputs: readonly SignaturePart[];
  /** Its files. @param metadata texts that a model of one file takes in */
  files(metadata?: Readonly<Record<string, string>>): Files;
}

export const MODEL = "model.onnx";

export const drafts: Readonly<Record<ExportFormat, (stored: StoredRun, form: OnnxForm) => Draft>> = {
  onnx(stored, form) {
    const { encode, inputs, outputs } = exportOnnx(stored, packageVersion(), form);
    return {
      inputs: inputs.map(partOf),
      outputs: outputs.map(partOf),
      files: (metadata) => new Map([[MODEL, encode(metadata)]]),
    };
  },
  layers: draftLayers,
  web(stored) {
    refuseUnanswerable(stored.graph);
    const { files, ...signature } = draftLayers(stored);
    return { ...signature, files: () => new Map([...webFiles(), ...files()]) };
  },
  savedmodel: savedModel,
};

/** The same graph that the format onnx writes, in TensorFlow's operators. */
function savedModel(stored: StoredRun): Draft {
  refuseExternals(stored, "is not translated into TensorFlow");
  refuseAlike(Object.keys(stored.config.inputs));
  const { graph, inputs, outputs } = exportOnnx(stored, packageVersion(), { precision: "float32" });
  const bytes = savedModelOf(graph);
  return {
    inputs: inputs.map(partOf),
    outputs: outputs.map(partOf),
    files: () => new Map([["saved_model.pb", bytes]]),
  };
}

/** A LayersModel, as a checkpoint has it. */
function draftLayers(stored: StoredRun): Draft {
  refuseExternals(stored, "no LayersModel can hold");
  const checkpoint = runFiles(stored.dir).checkpoint("best");
  readCheckpoint(checkpoint);
  const own = ["model.json", "weights.bin"].map((name) => [name, readFileSync(join(checkpoint, name))] as const);
  const answered = stored.graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network");
  return {
    inputs: Object.entries(stored.config.inputs).map(([name, spec]) => ({
      name,
      type: "float32",
      shape: ["batch", ...inputShape(spec).map((side) => side ?? "length")],
    })),
    outputs: answered.map(({ path, spec }) => ({
      name: path,
      type: "float32",
      shape: ["batch", behaviourOf(spec).logitWidth(spec)],
    })),
    files: () => new Map<string, Uint8Array>(own),
  };
}

function refuseExternals({ config }: StoredRun, why: string): void {
  const { adopted } = config;
  if (adopted !== undefined) {
    throw new ConfigError(
      `The ONNX model ${adopted.model} answers in this run, which ${why}. Export it with --format onnx.`,
      { model: adopted.model },
    );
  }
  const [part] = config.externals?.parts ?? [];
  if (part === undefined) return;
  throw new ConfigError(
    `The ${config.inputs[part.input]?.kind === "image" ? "pictures" : "texts"} of this run go through the ONNX model ${part.model}, which ${why}. Export it with --format onnx: both become one file.`,
    { model: part.model },
  );
}

const TYPE_NAMES = {
  float: "float32",
  float16: "float16",
  uint8: "uint8",
  int32: "int32",
  int64: "int64",
  bool: "bool",
} as const;

function partOf({ name, type, shape }: Port): SignaturePart {
  return { name, type: TYPE_NAMES[type], shape: shape ?? [] };
}
