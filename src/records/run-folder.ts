/**
 * @file The folder a run leaves behind: its files by name, and its self-contained description. Light: commands that
 * only read the store load none of the tasks' behaviours for it.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InputSpec, SkippedRow } from "../data/dataset.js";
import { StoreError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import { explained } from "../storage/database/store-errors.js";
import type { Split } from "../tasks/evaluation.js";
import type { RunTransfer } from "../training/fresh-network.js";
import type { Settings } from "../project/settings.js";

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
}

/** Names of a run's files. */
export function runFiles(runDir: string) {
  return {
    config: join(runDir, "config.json"),
    graph: join(runDir, "graph.json"),
    source: join(runDir, "source.json"),
    thresholds: join(runDir, "thresholds.json"),
    stdout: join(runDir, "stdout.log"),
    checkpoint: (name: "best" | "last") => join(runDir, "checkpoints", name),
    predictions: (split: Split) => join(runDir, "predictions", `${split}.parquet`),
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

export function readRunConfig(runDir: string): RunConfig {
  return readJson(runFiles(runDir).config) as RunConfig;
}

export function readGraph(runDir: string): FlowGraph {
  return readJson(runFiles(runDir).graph) as FlowGraph;
}

export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new StoreError(
      `${file} cannot be read: ${(error as Error).message}. The run ended before it was written, or its folder is damaged.`,
      { file },
      { cause: error },
    );
  }
}
