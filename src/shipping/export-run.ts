/** @file `cool export`: a finished run as files that answer without dnn-cool. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { type OpenRunOptions, openStoredRun, type StoredRun } from "../asking/stored-run.js";
import { inputShape } from "../data/dataset.js";
import { ConfigError, UsageError } from "../errors.js";
import { packageVersion } from "../platform/version.js";
import { DOCUMENT, SUMS } from "../predictor/files.js";
import { runFiles } from "../records/run-folder.js";
import type { RunStore } from "../storage/run-store.js";
import { behaviourOf } from "../tasks/index.js";
import { modelCard, printCard } from "./model-card.js";
import { exportOnnx, readCheckpoint } from "./onnx/export-onnx.js";
import type { Port } from "./onnx/graph.js";
import { predictorDocument } from "./predictor-document.js";

export const FORMATS = ["onnx", "layers"] as const;
export type ExportFormat = (typeof FORMATS)[number];

export interface ExportOptions extends OpenRunOptions {
  readonly format: ExportFormat;
  /** Folder that is not there yet; of the format onnx also a file that ends with .onnx. Default `<run id>-<format>`. */
  readonly to?: string | undefined;
  /** Terms under which the model may be used. */
  readonly licence?: string | undefined;
}

/** A tensor of the exported model. @see Port */
interface SignaturePart {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

export interface ExportResult {
  readonly run: { readonly id: string; readonly name: string };
  readonly format: ExportFormat;
  /** Folder or file. */
  readonly out: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  readonly inputs: readonly SignaturePart[];
  readonly outputs: readonly SignaturePart[];
}

type Files = ReadonlyMap<string, Uint8Array>;

interface Written {
  readonly files: Files;
  readonly inputs: readonly SignaturePart[];
  readonly outputs: readonly SignaturePart[];
}

/**
 * Writes an export: complete, or not there.
 * @throws UsageError for a target that is there or does not fit the format; UnsupportedLayer, ConfigError, StoreError
 */
export async function shipRun(store: RunStore, reference: string, options: ExportOptions): Promise<ExportResult> {
  refuseGroup(store, reference);
  const stored = await openStoredRun(store, reference, options);
  const { run } = stored;
  const { format } = options;
  const target = resolve(options.to ?? `${run.id}-${format}`);
  const isFile = format === "onnx" && extname(target).toLowerCase() === ".onnx";
  if (existsSync(target)) {
    throw new UsageError(`${target} is there already. Name another target with --to, or move it away.`, { target });
  }
  refuseStore(store, target);
  const written = writers[format](stored, documentsOf(store, stored, options.licence ?? null), isFile);
  const files = isFile ? asOneFile(written.files, basename(target)) : withSums(written.files);
  explainedTarget(target, () => writeAll(isFile ? dirname(target) : target, files, isFile));
  return {
    run: { id: run.id, name: run.name },
    format,
    out: target,
    files: [...files].map(([path, bytes]) => ({ path, bytes: bytes.length, sha256: sha256(bytes) })),
    inputs: written.inputs,
    outputs: written.outputs,
  };
}

/** What lies between a run's files is taken for one of them when it is digested, exported or removed. */
function refuseStore(store: RunStore, target: string): void {
  const within = relative(resolve(store.dir), target);
  if (within === ".." || within.startsWith(`..${sep}`) || isAbsolute(within)) return;
  throw new UsageError(
    `${target} lies in the run store, whose files belong to runs. Name a target outside with --to.`,
    {
      target,
    },
  );
}

const WRONG_TARGETS: ReadonlyMap<string, string> = new Map([
  ...["ENOTDIR", "EEXIST"].map((code) => [code, "a file stands where a folder is needed"] as const),
  ...["EACCES", "EPERM", "EROFS"].map((code) => [code, "its folder cannot be written by this user"] as const),
  ...["ENOSPC", "EDQUOT"].map((code) => [code, "there is no space left"] as const),
  ["ENAMETOOLONG", "its name is too long"],
]);

/** @throws UsageError for what the file system says of the target */
function explainedTarget(target: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = WRONG_TARGETS.get(code);
    if (reason === undefined) throw error;
    throw new UsageError(
      `${target} cannot be written: ${reason} (${code}). Name another target with --to.`,
      { target, code },
      { cause: error },
    );
  }
}

function refuseGroup(store: RunStore, reference: string): void {
  const group = store.findGroup(reference);
  if (group === null) return;
  throw new UsageError(
    `${reference} is a group of runs, and an export holds one network. Name one of its runs: see cool runs list.`,
    { group: group.id },
  );
}

const MODEL = "model.onnx";
const CARD = { json: "model-card.json", text: "MODEL_CARD.md" } as const;

type Documents = readonly (readonly [name: string, bytes: Uint8Array])[];

const writers: Readonly<Record<ExportFormat, (stored: StoredRun, documents: Documents, isAlone: boolean) => Written>> =
  {
    onnx(stored, documents, isAlone) {
      // what would lie beside it; of the card the one for people, which is short
      const inside = isAlone ? documents.filter(([name]) => name !== CARD.json) : [];
      const metadata = Object.fromEntries(inside.map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]));
      const checkpoint = runFiles(stored.dir).checkpoint("best");
      const storeDir = resolve(stored.dir, "..", "..");
      const { bytes, inputs, outputs } = exportOnnx(stored, checkpoint, storeDir, packageVersion(), metadata);
      const files = new Map([[MODEL, bytes], ...documents]);
      return { files, inputs: inputs.map(partOf), outputs: outputs.map(partOf) };
    },
    layers(stored, documents) {
      refuseExternals(stored);
      const checkpoint = runFiles(stored.dir).checkpoint("best");
      readCheckpoint(checkpoint);
      const own = ["model.json", "weights.bin"].map((name) => [name, readFileSync(join(checkpoint, name))] as const);
      const answered = stored.graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network");
      return {
        files: new Map<string, Uint8Array>([...own, ...documents]),
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
      };
    },
  };

function refuseExternals({ config }: StoredRun): void {
  const [part] = config.externals?.parts ?? [];
  if (part === undefined) return;
  throw new ConfigError(
    `The ${config.inputs[part.input]?.kind === "image" ? "pictures" : "texts"} of this run go through the ONNX model ${part.model}, which no LayersModel can hold. Export it with --format onnx: both become one file.`,
    { model: part.model },
  );
}

const TYPE_NAMES = { float: "float32", uint8: "uint8", int32: "int32", int64: "int64", bool: "bool" } as const;

function partOf({ name, type, shape }: Port): SignaturePart {
  return { name, type: TYPE_NAMES[type], shape: shape ?? [] };
}

/** predictor.json and the model card. */
function documentsOf(store: RunStore, stored: StoredRun, licence: string | null): [string, Uint8Array][] {
  const card = modelCard(store, stored, licence, packageVersion());
  return [
    [DOCUMENT, json(predictorDocument(stored))],
    [CARD.json, json(card)],
    [CARD.text, text(printCard(card))],
  ];
}

/** A list of sums beside the files. */
function withSums(files: Files): Files {
  return new Map([...files, [SUMS, text(sumsOf(files))]]);
}

/** A model alone, whose documents are in its metadata; its sum stands beside it. */
function asOneFile(files: Files, name: string): Files {
  const model = new Map([[name, files.get(MODEL) ?? new Uint8Array(0)]]);
  return new Map([...model, [`${name}.sha256`, text(sumsOf(model))]]);
}

function sumsOf(files: Files): string {
  return [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join("");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function json(value: unknown): Uint8Array {
  return text(`${JSON.stringify(value, null, 2)}\n`);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Beside its place first, so that it is there whole or not at all. */
function writeAll(folder: string, files: Files, isIntoFolder: boolean): void {
  mkdirSync(dirname(folder), { recursive: true });
  if (isIntoFolder) mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(isIntoFolder ? folder : dirname(folder), ".cool-export-"));
  try {
    for (const [name, bytes] of files) writeFileSync(join(scratch, name), bytes, { flush: true });
    // a folder of its own would be readable by its maker alone
    chmodSync(scratch, 0o755);
    if (!isIntoFolder) renameSync(scratch, folder);
    else for (const name of files.keys()) renameSync(join(scratch, name), join(folder, name));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
