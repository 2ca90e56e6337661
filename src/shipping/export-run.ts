/** @file `cool export`: a finished run as files that answer without dnn-cool. */
import { refusePixels } from "../asking/pixels/per-pixel.js";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, relative, resolve, sep } from "node:path";
import { type OpenRunOptions, openStoredRun, type StoredRun } from "../asking/stored-run.js";
import { exportedTokenizer, storedTokenizer, tokenizersOf } from "../data/tokenizers/stored-tokenizer.js";
import { StoreError, UsageError } from "../errors.js";
import { packageVersion } from "../platform/version.js";
import { DOCUMENT } from "../predictor/files.js";
import { countRows } from "../records/predictions/read.js";
import { runFiles } from "../records/run-folder.js";
import type { RunStore } from "../storage/run-store.js";
import { SPLITS, type Split } from "../tasks/evaluation.js";
import { type Draft, drafts, type ExportFormat, MODEL, type SignaturePart } from "./formats.js";
import type { MeasureOptions } from "./measuring/measure-export.js";
import { type Measurement, measurementOf } from "./measuring/measurement.js";
import { briefCard, type ModelCard, modelCard, printCard } from "./model-card.js";
import type { GateForm } from "./onnx/export-onnx.js";
import type { Precision } from "./onnx/precision.js";
import { predictorDocument } from "./predictor-document.js";
import {
  compactJson,
  explainedTarget,
  type Files,
  json,
  sha256,
  sumsOf,
  text,
  withSums,
  writeAll,
} from "./write-files.js";

export interface ExportOptions extends OpenRunOptions, MeasureOptions {
  readonly format: ExportFormat;
  /** Folder that is not there yet; of the format onnx also a file that ends with .onnx. Default `<run id>-<format>`. */
  readonly to?: string | undefined;
  /** Terms under which the model may be used. */
  readonly licence?: string | undefined;
  /** Of the format onnx: how its weights are kept; default float32. */
  readonly precision?: Precision | undefined;
  /** Of the format onnx: whether all layers run, or those that only gated questions need in branches; default tensors. */
  readonly gates?: GateForm | undefined;
  /** Whether the exported model is evaluated beside its run; default: where its precision is not that of the run. */
  readonly measure?: boolean | undefined;
}

export interface ExportResult {
  readonly run: { readonly id: string; readonly name: string };
  readonly format: ExportFormat;
  readonly precision: Precision;
  /** Folder or file. */
  readonly out: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  readonly inputs: readonly SignaturePart[];
  readonly outputs: readonly SignaturePart[];
  /** Not there where it was not asked for. */
  readonly measurement?: Measurement;
}

/**
 * Writes an export: complete, or not there.
 * @throws UsageError for a target that is there or does not fit the format; UnsupportedLayer, ConfigError, StoreError
 */
export async function shipRun(store: RunStore, reference: string, options: ExportOptions): Promise<ExportResult> {
  refuseGroup(store, reference);
  refuseMisfits(options);
  const stored = await openStoredRun(store, reference, options);
  const { run } = stored;
  refusePixels(
    stored.graph,
    "exports answer with one row of numbers for each input: cool predict --out writes its masks",
  );
  const { format, precision = "float32", gates = "tensors" } = options;
  const target = resolve(options.to ?? `${run.id}-${format}`);
  const isFile = isModelFile(target);
  if (existsSync(target)) {
    throw new UsageError(`${target} is there already. Name another target with --to, or move it away.`, { target });
  }
  refuseStore(store, target);
  const draft = drafts[format](stored, { precision, gates });
  const isMeasured = options.measure ?? precision !== "float32";
  const measurement = isMeasured ? await measure(stored, draft, options) : undefined;
  const facts = {
    ...{ licence: options.licence ?? null, version: packageVersion(), rows: await evaluatedRows(stored) },
    exported: {
      precision,
      ...(format === "onnx" ? { gates } : {}),
      ...(measurement === undefined ? {} : { measurement }),
    },
  };
  const documents = documentsOf(stored, modelCard(store, stored, facts), format, gates);
  const files = isFile
    ? asOneFile(draft, documents, basename(target))
    : inFolder(draft, [...documents, ...tokenizerFiles(stored)]);
  explainedTarget(target, () => writeAll(isFile ? dirname(target) : target, files, isFile));
  return {
    run: { id: run.id, name: run.name },
    format,
    precision,
    out: target,
    files: [...files].map(([path, bytes]) => ({ path, bytes: bytes.length, sha256: sha256(bytes) })),
    inputs: draft.inputs,
    outputs: draft.outputs,
    ...(measurement === undefined ? {} : { measurement }),
  };
}

/** Whoever asks the export cuts texts by them. @throws StoreError where the store lacks one */
function tokenizerFiles({ config, dir }: StoredRun): Documents {
  const storeDir = resolve(dir, "..", "..");
  return tokenizersOf(config.inputs).map(({ input, file, digest }) => {
    const kept = storedTokenizer(storeDir, digest);
    if (existsSync(kept)) return [exportedTokenizer(input), readFileSync(kept)] as const;
    throw new StoreError(
      `The tokenizer ${file}, which cuts the texts of this run, is not in its store: ${kept}. Copy it there from the store that the run was made in.`,
      { file: kept },
    );
  });
}

const isModelFile = (target: string): boolean => extname(target).toLowerCase() === ".onnx";

/** @throws UsageError for options of the format onnx beside another one */
function refuseMisfits({
  format,
  to,
  precision = "float32",
  gates = "tensors",
  measure: isMeasured,
}: ExportOptions): void {
  if (format === "onnx") return;
  const only = (flag: string) =>
    new UsageError(`${flag} is for --format onnx; the format ${format} is written as it was trained.`, { format });
  if (precision !== "float32") throw only(`--precision ${precision}`);
  if (gates !== "tensors") throw only(`--gates ${gates}`);
  if (isMeasured === true) throw only("--measure");
  if (to === undefined || !isModelFile(to)) return;
  throw new UsageError(
    `${to} ends with .onnx, and the format ${format} is a folder. Name a folder with --to, or export with --format onnx.`,
    { target: to, format },
  );
}

/** Where a branch is shut by mistake there is no answer to evaluate: the same model without branches has it. */
async function measure(
  stored: StoredRun,
  draft: Draft,
  { precision = "float32", gates, ...options }: ExportOptions,
): Promise<Measurement> {
  const asked = gates === "if" ? drafts.onnx(stored, { precision }) : draft;
  const measurement = await measurementOf(stored, modelOf(asked), () => plainSize(stored), options);
  return { ...measurement, bytes: { ...measurement.bytes, exported: modelOf(draft).length } };
}

/** Bytes of the same model with all its weights in float32. */
function plainSize(stored: StoredRun): number {
  return modelOf(drafts.onnx(stored, { precision: "float32" })).length;
}

function modelOf(draft: Draft): Uint8Array {
  return draft.files().get(MODEL) ?? new Uint8Array(0);
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

function refuseGroup(store: RunStore, reference: string): void {
  const group = store.findGroup(reference);
  if (group === null) return;
  throw new UsageError(
    `${reference} is a group of runs, and an export holds one network. Name one of its runs: see cool runs list.`,
    { group: group.id },
  );
}

const CARD = { json: "model-card.json", text: "MODEL_CARD.md" } as const;

type Documents = readonly (readonly [name: string, bytes: Uint8Array])[];

/** predictor.json and the model card; a page loads no more of them than it needs. */
function documentsOf(stored: StoredRun, card: ModelCard, format: ExportFormat, gates: GateForm): Documents {
  const isWeb = format === "web";
  const document = predictorDocument(stored, gates);
  return [
    [DOCUMENT, isWeb ? compactJson(document) : json(document)],
    [CARD.json, compactJson(isWeb ? briefCard(card) : card)],
    [CARD.text, text(printCard(card))],
  ];
}

/** Rows of each split whose predictions the run keeps. */
async function evaluatedRows({ dir }: StoredRun): Promise<Partial<Record<Split, number>>> {
  const rows: Partial<Record<Split, number>> = {};
  for (const split of SPLITS) {
    const file = runFiles(dir).predictions(split);
    if (existsSync(file)) rows[split] = await countRows(file);
  }
  return rows;
}

function inFolder(draft: Draft, documents: Documents): Files {
  return withSums(new Map([...draft.files(), ...documents]));
}

/** A model alone, which has in its metadata what would lie beside it; its sum does. */
function asOneFile(draft: Draft, documents: Documents, name: string): Files {
  // of the card the one for people, which is short
  const inside = documents.filter(([document]) => document !== CARD.json);
  const metadata = Object.fromEntries(inside.map(([key, bytes]) => [key, new TextDecoder().decode(bytes)]));
  const model = new Map([[name, draft.files(metadata).get(MODEL) ?? new Uint8Array(0)]]);
  return new Map([...model, [`${name}.sha256`, text(sumsOf(model))]]);
}
