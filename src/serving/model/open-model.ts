/** @file A model open in a worker: rows → scored answers, by the code that `cool predict` and `cool explain` answer by. */
import { withCalibration } from "../../analysis/calibration/apply.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { findExport, openExport } from "../../asking/exports/open-export.js";
import { loadRun } from "../../asking/load-run.js";
import type { OpenInputs } from "../../asking/open-inputs.js";
import { openBackend } from "../../engine/backends/choose.js";
import { DataError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { RunExternals } from "./run-externals.js";
import type { ModelSource, ServedModel, ServedRow } from "./served-model.js";

/** Answers batches of rows. */
export interface OpenModel {
  /** What computes. */
  readonly runtime: string;
  /** With the code of the project's own tasks loaded. */
  readonly graph: FlowGraph;
  /** As its network reads them. */
  readonly inputs: ServedModel["inputs"];
  score(opened: OpenInputs): Promise<ScoredSplit>;
  close(): Promise<void>;
}

/**
 * @param threads that may compute one batch
 * @throws BackendError, DataError, StoreError, ConfigError where it cannot be opened
 */
export function openModel(source: ModelSource, threads: number): Promise<OpenModel> {
  return source.kind === "run" ? openRun(source) : openExported(source, threads);
}

async function openRun({ store, run, project }: Extract<ModelSource, { kind: "run" }>): Promise<OpenModel> {
  const loaded = await loadRun(store, run, { project });
  const { name } = await openBackend("auto", projectOf(loaded.stored.project));
  const externals = new RunExternals(loaded.stored);
  return {
    runtime: name,
    graph: loaded.graph,
    inputs: loaded.stored.config.inputs,
    async score(opened) {
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
  { path, project }: Extract<ModelSource, { kind: "export" }>,
  threads: number,
): Promise<OpenModel> {
  // its digests are checked again: a worker may be opened much later
  const found = await findExport(path);
  if (found === null) throw new DataError(`${path} is not an export any more. Export the run again.`, { path });
  const { asked, answerer, close } = await openExport(found, { project, threads });
  const { calibration } = found.document;
  return {
    runtime: found.format === "onnx" ? "onnxruntime" : (await openBackend("auto", projectOf(asked.project))).name,
    graph: asked.graph,
    inputs: asked.config.inputs,
    async score(opened) {
      const scored = await answerer.score(opened, {});
      return calibration === null ? scored : withCalibration(scored, calibration.tasks);
    },
    close,
  };
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
