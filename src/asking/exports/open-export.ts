/** @file An export of a run, known by its document: as what a run is asked by, without a project or a store. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, normalize, resolve, sep } from "node:path";
import type { InputSpec } from "../../data/dataset.js";
import { NO_EXTERNALS, networkSpecs } from "../../engine/model/pretrained/external-part.js";
import { ConfigError, UsageError } from "../../errors.js";
import { shellWord } from "../../platform/shell-word.js";
import { type PredictorDocument, thresholdsOf } from "../../predictor/document.js";
import { PredictorError } from "../../predictor/errors.js";
import { DOCUMENT, parseDocument, readExport, SUMS } from "../../predictor/files.js";
import { loadOwnCode } from "../../project/custom-task-code.js";
import { runningProject } from "../../project/project-dir.js";
import { parseSettings } from "../../project/settings.js";
import { readOnnxFacts } from "../../protobuf/onnx-facts.js";
import { checkedBaselines } from "../../records/baselines.js";
import { checkedGraph, checkedInputs } from "../../records/run-documents.js";
import type { EvaluatedRun } from "../evaluate-table.js";
import { type AskedRun, RunAnswerer } from "../run-answerer.js";
import type { OpenRunOptions } from "../stored-run.js";

/** The files of an export, whose digests are as they were. */
export interface FoundExport {
  /** Folder or file. */
  readonly path: string;
  readonly format: "onnx" | "layers";
  /** File of the ONNX model, or folder of model.json. */
  readonly model: string;
  readonly document: PredictorDocument;
}

/** An export that is ready to answer. */
export interface OpenedExport {
  readonly asked: EvaluatedRun;
  readonly answerer: RunAnswerer;
  close(): Promise<void>;
}

/**
 * The export that a path names, known by what it holds and not by its name; null where it is none, so that it may be a
 * run.
 * @throws UsageError for a path that is not there, or is a model without a document; ConfigError for files that have been
 * changed, or an export of a later release
 */
export async function findExport(named: string): Promise<FoundExport | null> {
  const path = resolve(named);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    if (!/[\\/]|\.onnx$/i.test(named)) return null;
    throw new UsageError(`There is no export ${named}. Name the folder or file that cool export has written.`, {
      path,
    });
  }
  return saidAsUsed(named, async () => (stats.isDirectory() ? folderExport(path) : fileExport(named, path)));
}

/** Errors of the predictor's module in the words and the class of the command line. */
async function saidAsUsed<T>(named: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PredictorError)) throw error;
    throw new ConfigError(`${named}: ${error.message}`, { path: named, ...error.facts }, { cause: error });
  }
}

async function folderExport(path: string): Promise<FoundExport | null> {
  if (!existsSync(join(path, DOCUMENT))) {
    if (!existsSync(join(path, SUMS))) return null;
    throw new PredictorError(`This export has no ${DOCUMENT}. Copy the whole folder again.`, { file: DOCUMENT });
  }
  const { document, files } = await readExport(async (name) => {
    const file = normalize(join(path, name));
    if (isAbsolute(name) || !file.startsWith(`${path}${sep}`)) {
      throw new PredictorError(`${SUMS} of this export names a file outside of its folder: ${JSON.stringify(name)}.`);
    }
    if (existsSync(file)) return readFileSync(file);
    throw new PredictorError(`This export has no ${name}. Copy the whole folder again.`, { file: name });
  });
  const names = [...files.keys()];
  const model = names.find((name) => name.endsWith(".onnx"));
  if (model !== undefined) return { path, format: "onnx", model: join(path, model), document };
  const layers = names.find((name) => name === "model.json" || name.endsWith("/model.json"));
  if (layers !== undefined) return { path, format: "layers", model: dirname(join(path, layers)), document };
  throw new ConfigError(
    `The export ${path} holds neither an ONNX model nor a LayersModel, so that it cannot be asked here. Export the run with --format onnx or layers.`,
    { path, files: names },
  );
}

async function fileExport(named: string, path: string): Promise<FoundExport | null> {
  const bytes = readFileSync(path);
  const facts = readOnnxFacts(bytes);
  if (facts === null) {
    if (!named.toLowerCase().endsWith(".onnx")) return null;
    throw new UsageError(`${named} is no ONNX model, or is cut off. Copy it again.`, { path });
  }
  const text = facts.metadata.get(DOCUMENT);
  if (text === undefined) return besideDocument(named, path, facts.producer);
  const sums = `${path}.sha256`;
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (existsSync(sums) && !readFileSync(sums, "utf8").startsWith(digest)) {
    throw new PredictorError(
      `The file has been changed or damaged: its SHA-256 is not the one in ${sums}. Copy the export again.`,
      { file: path },
    );
  }
  return { path, format: "onnx", model: path, document: parseDocument(text) };
}

/** The model of a folder that is an export. */
async function besideDocument(named: string, path: string, producer: string | null): Promise<FoundExport> {
  const found = await folderExport(dirname(path));
  if (found !== null && found.model === path) return found;
  if (producer !== null && /^dnn-cool\b/.test(producer)) {
    throw new UsageError(
      `${named} is the model of an export whose other files are missing: thresholds, flow and inputs stand in its ${DOCUMENT}. Copy ${DOCUMENT} and ${SUMS} of its folder beside it, or export the run into one file that has everything: cool export RUN --to model.onnx`,
      { path },
    );
  }
  throw new UsageError(
    `${named} is an ONNX model, and no export of dnn-cool: neither its metadata nor its folder has a ${DOCUMENT}. Bring it in as a run: cool runs adopt ${shellWord(named)} --flow PROJECT.`,
    { path },
  );
}

/** How an export is opened. */
export interface OpenExportOptions extends OpenRunOptions {
  /** That compute one batch of an ONNX model; default: as many as there are cores. */
  readonly threads?: number | undefined;
}

/**
 * Opens an export to be asked.
 * @throws BackendError where what runs it is not installed; ConfigError, StoreError where its parts do not fit each other
 */
export async function openExport(
  { path, format, model, document }: FoundExport,
  { project: named, threads }: OpenExportOptions = {},
): Promise<OpenedExport> {
  const file = format === "onnx" && path === model ? path : join(path, DOCUMENT);
  const graph = checkedGraph(document.graph, file);
  const declared = checkedInputs(document.inputs, file);
  const project = runningProject(named);
  const { run, evaluation } = document;
  await loadOwnCode({ ...run, gitCommit: null }, graph, project, null);
  const inputs = format === "onnx" ? signatureSpecs(declared) : declared;
  const asked: EvaluatedRun = {
    ...{ graph, dir: path, project },
    thresholds: await saidAsUsed(path, async () => thresholdsOf({ ...document, graph })),
    baselines: evaluation === undefined ? {} : checkedBaselines(evaluation.baselines, graph, file),
    config: {
      ...{
        formatVersion: 1,
        project: "",
        projectDir: process.cwd(),
        configFile: null,
        backend: format,
        dataDigest: "",
      },
      ...{ skipped: [], inputs },
      settings: parseSettings(
        {
          // no rows are read by it: those of an export are in the table that is named
          data: { table: "none", split: evaluation?.groupBy == null ? {} : { groupBy: evaluation.groupBy } },
          evaluate: evaluation === undefined ? {} : { metrics: evaluation.metrics, tolerance: evaluation.tolerance },
        },
        file,
      ),
    },
  };
  const projectDir = project?.dir ?? process.cwd();
  if (format === "onnx") {
    const { openOnnxNetwork } = await import("../../engine/inference/onnx/onnx-network.js");
    const network = await openOnnxNetwork({ model: path, file: model, graph, inputs, projectDir, threads });
    return { asked, answerer: new RunAnswerer(asked, network, null), close: () => network.release() };
  }
  const [{ openBackend }, { loadNetwork }] = await Promise.all([
    import("../../engine/backends/choose.js"),
    import("../../engine/model/checkpoint.js"),
  ]);
  await openBackend("auto", { projectDir });
  const network = await loadNetwork(model, graph, networkSpecs(inputs, NO_EXTERNALS));
  return { asked, answerer: new RunAnswerer(asked, network, null), close: async () => network.dispose() };
}

/**
 * An exported ONNX model of a run, asked like the run. Read its rows by `signatureSpecs` of the run's inputs.
 * @param file its place
 * @throws BackendError where onnxruntime-node is not installed; ConfigError where the file is not the run's model
 */
export async function openOnnxModel(run: AskedRun, file: string): Promise<Omit<OpenedExport, "asked">> {
  const { openOnnxNetwork } = await import("../../engine/inference/onnx/onnx-network.js");
  const { externals: _, ...config } = run.config;
  const inputs = signatureSpecs(config.inputs);
  const projectDir = run.project?.dir ?? null;
  const network = await openOnnxNetwork({ model: file, file, graph: run.graph, inputs, projectDir });
  const answerer = new RunAnswerer({ ...run, config: { ...config, inputs } }, network, null);
  return { answerer, close: () => network.release() };
}

/** Inputs as an exported model takes them: numbers as they come, a category by its place. */
export function signatureSpecs(inputs: Readonly<Record<string, InputSpec>>): Readonly<Record<string, InputSpec>> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, spec]): [string, InputSpec] => {
      if (spec.kind === "numeric") return [name, { ...spec, standardize: false }];
      return [name, spec.kind === "categorical" ? { ...spec, encoding: "index" } : spec];
    }),
  );
}
