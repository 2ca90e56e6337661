/**
 * @file The folder a run leaves behind: its files by name, and its self-contained description. Light: commands that
 * only read the store load none of the tasks' behaviours for it.
 */
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InputSpec, SkippedRow } from "../data/dataset.js";
import { lineOf, StoreError, sentence } from "../errors.js";
import { explained } from "../storage/database/store-errors.js";
import type { Split } from "../tasks/evaluation.js";
import type { PretrainedPart } from "../engine/model/pretrained/build-network.js";
import type { AdoptedModel } from "../engine/model/pretrained/adopted-model.js";
import type { Externals } from "../engine/model/pretrained/external-part.js";
import type { Transfer } from "../engine/model/transfer.js";
import type { Settings } from "../project/settings.js";

/** What a run began with, as config.json has it. */
export interface RunTransfer extends Transfer {
  /** Id of the run, or path of the model. */
  readonly from: string;
}

/** config.json: how the run was made, enough to use it without today's project. */
export interface RunConfig {
  readonly formatVersion: 1;
  readonly project: string;
  readonly projectDir: string;
  readonly configFile: string | null;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly settings: Settings;
  readonly backend: string;
  /** Digest of the table and the images it was trained on. */
  readonly dataDigest: string;
  /** Rows of the table that were left out because of their images. */
  readonly skipped: readonly SkippedRow[];
  /** The layers that began with weights of another run or model. */
  readonly transfer?: RunTransfer;
  /** Saved models that its trunk holds. */
  readonly pretrained?: readonly PretrainedPart[];
  /** Models that run beside the network and feed it. */
  readonly externals?: Externals;
  /** The model of another program that answers in the place of a network of ours; then there are no checkpoints. */
  readonly adopted?: AdoptedModel;
}

/** Of these two alone it is asked of hundreds of runs at a time. */
export const graphFile = (runDir: string): string => join(runDir, "graph.json");
export const trackedFile = (runDir: string): string => join(runDir, "tracked.json");

/** Names of a run's files. */
export function runFiles(runDir: string) {
  return {
    config: join(runDir, "config.json"),
    graph: graphFile(runDir),
    /** Instead of the two above, of a run that another program trained. */
    tracked: trackedFile(runDir),
    source: join(runDir, "source.json"),
    /** Folder of the texts that source.json names, by their sha256. */
    sourceTexts: join(runDir, "source"),
    thresholds: join(runDir, "thresholds.json"),
    calibration: join(runDir, "calibration.json"),
    baselines: join(runDir, "baselines.json"),
    /** What new data is compared with. */
    monitor: join(runDir, "monitor.json"),
    /** What the trunk makes of rows of train, as monitor.json says: little-endian float32. */
    monitorFeatures: join(runDir, "monitor.features.bin"),
    stdout: join(runDir, "stdout.log"),
    checkpoint: (name: "best" | "last") => join(runDir, "checkpoints", name),
    predictions: (split: Split) => join(runDir, "predictions", `${split}.parquet`),
    /** What the table says of each row, for slices. */
    columns: (split: Split) => join(runDir, "predictions", `${split}.columns.parquet`),
    words: (split: Split) => join(runDir, "predictions", `${split}.tokens.parquet`),
  } as const;
}

export function writeJson(file: string, value: unknown): void {
  const writing = `${file}.writing-${process.pid}`;
  explained(file, () => {
    writeFileSync(writing, `${JSON.stringify(value, null, 2)}\n`, { flush: true });
    renameSync(writing, file);
  });
}

/** Far more than a run writes: its vocabularies are the largest part. */
const LARGEST_JSON_BYTES = 256 << 20;
/** Deeper than any condition: what walks over a document must not run out of stack. */
const DEEPEST_JSON = 200;

/**
 * A JSON file of a run, as it is.
 * @throws StoreError where it is not there, or is no JSON
 */
export function readJson(file: string): unknown {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) throw new Error("it is not a file");
    if (stats.size > LARGEST_JSON_BYTES) throw new Error(`it has ${stats.size} bytes`);
    const text = readFileSync(file, "utf8");
    if (isTooDeep(text)) throw new Error(`it is nested more than ${DEEPEST_JSON} deep`);
    return JSON.parse(text);
  } catch (error) {
    throw new StoreError(
      `${file} cannot be read: ${lineOf(error)}. The run ended before it was written, or its folder is damaged.`,
      { file },
      { cause: error },
    );
  }
}

/** The same; undefined where it is not there or is damaged, for what shows as much as there is. */
export function peekJson(file: string): unknown {
  try {
    return readJson(file);
  } catch {
    return undefined;
  }
}

/** An object's keys, of a document that may be anything. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/gs)) {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    if (depth > DEEPEST_JSON) return true;
  }
  return false;
}

/** A document of a run's folder that no run has written. */
export function brokenDocument(file: string, key: string, problem: string): StoreError {
  const where = key === "" ? "it" : JSON.stringify(key);
  return new StoreError(
    sentence(
      `${file} is not as a run writes it: ${where} is wrong: ${problem}. Import the run again, or restore its folder`,
    ),
    { file, key },
  );
}
