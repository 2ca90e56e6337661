/** @file A model open in a worker: rows → scored answers, by the code that `cool predict` and `cool explain` answer by. */
import { at } from "../../arrays.js";
import { withCalibration } from "../../analysis/calibration/apply.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { loadRun } from "../../asking/load-run.js";
import type { OpenInputs } from "../../asking/open-inputs.js";
import { scoreOpened } from "../../asking/run-answerer.js";
import { openBackend } from "../../engine/backends/choose.js";
import type { OpenRunner } from "../../engine/inference/export-runners.js";
import { axisOf, type FlowGraph, type TaskSpec } from "../../flow/graph.js";
import { thresholdsOf } from "../../predictor/document.js";
import { feedsOf } from "../../predictor/feeds.js";
import { behaviourOf, isSummarized, summarize } from "../../tasks/index.js";
import { SUMMARY_WIDTH } from "../../tasks/summary.js";
import { openExport } from "./export-files.js";
import { RunExternals } from "./run-externals.js";
import type { ModelSource, ServedModel, ServedRow } from "./served-model.js";

/** Answers batches of rows. */
export interface OpenModel {
  /** What computes. */
  readonly runtime: string;
  /** With the code of the project's own tasks loaded. */
  readonly graph: FlowGraph;
  score(rows: readonly ServedRow[], opened: OpenInputs): Promise<ScoredSplit>;
  close(): Promise<void>;
}

/**
 * @param threads that may compute one batch
 * @throws BackendError, DataError, StoreError, ConfigError where it cannot be opened
 */
export function openModel(
  { source, inputs }: Pick<ServedModel, "source" | "inputs">,
  threads: number,
): Promise<OpenModel> {
  return source.kind === "run" ? openRun(source) : openExported(source, inputs, threads);
}

async function openRun({ store, run, project }: Extract<ModelSource, { kind: "run" }>): Promise<OpenModel> {
  const loaded = await loadRun(store, run, { project });
  const { name } = await openBackend("auto", projectOf(loaded.stored.project));
  const externals = new RunExternals(loaded.stored);
  return {
    runtime: name,
    graph: loaded.graph,
    async score(_rows, opened) {
      return loaded.scoreOpened({ ...opened, sources: await externals.complete(opened) });
    },
    async close() {
      await externals.close();
      loaded.close();
    },
  };
}

function projectOf(project: { readonly dir: string } | null): { readonly projectDir?: string } {
  return project === null ? {} : { projectDir: project.dir };
}

async function openExported(
  { path, workingDir }: Extract<ModelSource, { kind: "export" }>,
  inputs: ServedModel["inputs"],
  threads: number,
): Promise<OpenModel> {
  const { document, exported } = await openExport(path);
  const { graph, calibration } = document;
  const decided = { graph, thresholds: thresholdsOf(document) };
  const asked = graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network").map((task) => task.path);
  const { runtime, runner } = await openRunner(exported, path, workingDir, threads);
  return {
    runtime,
    graph,
    async score(rows, opened) {
      const outputs = await outputsOf(rows);
      const scored = await scoreOpened(decided, opened, outputs);
      return calibration === null ? scored : withCalibration(scored, calibration.tasks);
    },
    close: () => runner.close(),
  };

  /** Of each task, in the order of the graph; rows of tokens pass the network with others of their length: no padding. */
  async function outputsOf(rows: readonly ServedRow[]): Promise<Float32Array[]> {
    const ofRows: Float32Array[][] = graph.tasks.map(() => []);
    for (const group of groupsOf(rows)) {
      const some = group.map((row) => at(rows, row));
      const fed = feedsOf(inputs, some, runner.takes, factsOf(some));
      const logits = await runner.run(fed, asked);
      graph.tasks.forEach(({ path: task, spec }, i) => {
        const all = asked.includes(task) ? Float32Array.from(logits[task] ?? []) : new Float32Array(0);
        const width = all.length / group.length;
        const isEmpty = axisOf(spec) === "token" && some[0]?.tokens === 0;
        group.forEach((row, k) => {
          const own = isEmpty ? new Float32Array(0) : all.subarray(k * width, (k + 1) * width);
          at(ofRows, i)[row] = keptOf(spec, own);
        });
      });
    }
    return ofRows.map(joined);
  }
}

async function openRunner(
  exported: Awaited<ReturnType<typeof openExport>>["exported"],
  path: string,
  workingDir: string,
  threads: number,
): Promise<{ readonly runtime: string; readonly runner: OpenRunner }> {
  const { openLayersRunner, openOnnxRunner } = await import("../../engine/inference/export-runners.js");
  if (exported.format === "onnx") {
    return { runtime: "onnxruntime", runner: await openOnnxRunner(exported.model, path, workingDir, threads) };
  }
  const { name } = await openBackend("auto", { projectDir: workingDir });
  return { runtime: name, runner: await openLayersRunner(exported.model, exported.weights) };
}

/** Numbers of the rows that pass the network together. */
function groupsOf(rows: readonly ServedRow[]): number[][] {
  const byLength = new Map<number | null, number[]>();
  rows.forEach(({ tokens }, row) => {
    byLength.set(tokens, [...(byLength.get(tokens) ?? []), row]);
  });
  return [...byLength.values()];
}

function factsOf(rows: readonly ServedRow[]) {
  const side = (which: "width" | "height") => Float32Array.from(rows, ({ size }) => size?.[which] ?? Number.NaN);
  const paths = Object.keys(rows[0]?.known ?? {});
  return {
    ...(rows[0]?.size == null ? {} : { sizes: { width: side("width"), height: side("height") } }),
    known: Object.fromEntries(
      paths.map((path) => [path, Float32Array.from(rows, ({ known }) => known[path] ?? Number.NaN)]),
    ),
  };
}

/** As the engine keeps them: of very many classes their summaries. @param logits of one row */
function keptOf(spec: TaskSpec, logits: Float32Array): Float32Array {
  if (!isSummarized(spec)) return logits;
  const stride = spec.classes.length;
  const entries = logits.length / stride;
  const out = new Float32Array(entries * SUMMARY_WIDTH);
  const labels = { answers: new Float32Array(entries).fill(Number.NaN), unitScale: null };
  for (let i = 0; i < entries; i++)
    summarize(spec, { data: logits, stride, offset: 0 }, labels, i, out, i * SUMMARY_WIDTH);
  return out;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let from = 0;
  for (const part of parts) {
    out.set(part, from);
    from += part.length;
  }
  return out;
}

/** A row of nothing, to see that a model answers before it is asked. */
export function blankRow(inputs: ServedModel["inputs"], known: readonly string[]): ServedRow {
  const specs = Object.values(inputs);
  const values = specs.map((spec) => {
    switch (spec.kind) {
      case "image":
        return new Uint8Array(spec.size[0] * spec.size[1] * spec.channels);
      case "numeric":
        return new Float64Array(spec.listLength ?? spec.columns.length);
      case "categorical":
        return Int32Array.of(1);
      case "tokens":
        return Int32Array.of(1);
      default:
        return spec satisfies never;
    }
  });
  const picture = specs.find((spec) => spec.kind === "image");
  return {
    name: "blank",
    names: Object.keys(inputs),
    values,
    size: picture === undefined ? null : { width: picture.size[1], height: picture.size[0] },
    tokens: specs.some(({ kind }) => kind === "tokens") ? 1 : null,
    known: Object.fromEntries(known.map((path) => [path, Number.NaN])),
    wants: "answers",
  };
}
