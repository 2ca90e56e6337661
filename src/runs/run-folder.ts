/** @file The folder a run leaves behind: its files by name, and its self-contained description. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InputSpec, SkippedRow } from "../data/dataset.js";
import { StoreError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import { explained } from "../storage/store-errors.js";
import type { Split } from "../tasks/evaluation.js";
import { behaviourOf, type Thresholds } from "../tasks/index.js";
import type { Settings } from "./settings.js";

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
}

/** Thresholds by path of task, as in the JSON contract: a number, or one per label. */
export type ThresholdsByPath = Readonly<Record<string, number | readonly number[]>>;

/** Names of a run's files. */
export function runFiles(runDir: string) {
  return {
    config: join(runDir, "config.json"),
    graph: join(runDir, "graph.json"),
    thresholds: join(runDir, "thresholds.json"),
    stdout: join(runDir, "stdout.log"),
    checkpoint: (name: "best" | "last") => join(runDir, "checkpoints", name),
    predictions: (split: Split) => join(runDir, "predictions", `${split}.parquet`),
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

function readJson(file: string): unknown {
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

export function defaultThresholds(graph: FlowGraph): Thresholds[] {
  return graph.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec));
}

/** Thresholds of every task in the order of the graph; defaults for tasks that are not named. */
export function readThresholds(runDir: string, graph: FlowGraph): Thresholds[] {
  const stored = readJson(runFiles(runDir).thresholds) as ThresholdsByPath;
  const defaults = defaultThresholds(graph);
  return graph.tasks.map((task, i) => {
    const value = stored[task.path];
    if (value === undefined) return defaults[i] as Thresholds;
    return typeof value === "number" ? [value] : value;
  });
}

/** The contract's form: tasks without thresholds are left out. */
export function thresholdsByPath(graph: FlowGraph, thresholds: readonly Thresholds[]): ThresholdsByPath {
  return Object.fromEntries(
    graph.tasks.flatMap((task, i): [string, number | readonly number[]][] => {
      const values = thresholds[i] as Thresholds;
      if (values.length === 0) return [];
      return [[task.path, task.spec.kind === "binary" ? (values[0] as number) : values]];
    }),
  );
}
