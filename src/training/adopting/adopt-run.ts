/** @file `cool runs adopt`: a model that another program has trained becomes a run of a project, and answers like one. */
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { SplitOutputs } from "../../analysis/score.js";
import { nanAnswers } from "../../asking/adopted/nan-answers.js";
import { openAdopted } from "../../asking/adopted/open-adopted.js";
import { signatureSpecs } from "../../asking/exports/open-export.js";
import { outputsOf } from "../../asking/outputs.js";
import { RunAnswerer } from "../../asking/run-answerer.js";
import type { OnnxNetwork } from "../../engine/inference/onnx/onnx-network.js";
import { type Dataset, type InputSpec, specsOf } from "../../data/dataset.js";
import { type AdoptedModel, describeAdopted } from "../../engine/model/pretrained/adopted-model.js";
import { modelDigest } from "../../engine/model/pretrained/external-model.js";
import { loadOnnxRuntime } from "../../engine/model/pretrained/onnx-runtime.js";
import { type PreprocessingInput, readPreprocessorConfig } from "../../engine/model/pretrained/preprocessing.js";
import { ConfigError, UnknownNameError, UsageError } from "../../errors.js";
import { lineLogger } from "../../logging/console.js";
import { LoggerGroup } from "../../logging/logger-group.js";
import type { RunLogger } from "../../logging/run-logger.js";
import { yieldTo } from "../../platform/yield-to.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import { fittedProject } from "../fitted-project.js";
import { type OnnxFacts, readOnnxFacts } from "../../protobuf/onnx-facts.js";
import { captureOutput, type OutputCapture } from "../../provenance/capture-output.js";
import { captureOrigin } from "../../provenance/capture-run.js";
import { ignoreStore } from "../../provenance/git.js";
import { recordRun } from "../../records/origin/record-run.js";
import type { RunConfig } from "../../records/run-folder.js";
import { defaultThresholds } from "../../records/thresholds.js";
import { checkedRunName, type RunRecord } from "../../storage/run-record.js";
import { openRunStore, type RunStore } from "../../storage/run-store.js";
import { SPLITS } from "../../tasks/evaluation.js";
import { behaviourOf } from "../../tasks/index.js";
import { describeRun } from "../begin-run.js";
import type { AnsweredContext, AnsweredSplits } from "../complete-run.js";
import { keepModel, keepTokenizers } from "../fresh-network.js";
import { openLoggers } from "../log-run.js";
import { openDataset } from "../open-dataset.js";
import type { RunResult } from "../run-result.js";
import { superviseRun } from "../supervise-run.js";

/** How a model of another program is brought in. */
export interface AdoptOptions {
  /** Folder of the run store; default `<project>/.cool`. */
  readonly store?: string | undefined;
  /** Default: the project's name and a number. */
  readonly name?: string | undefined;
  /** The model takes pictures as 0 to 255 and numbers as they come. */
  readonly raw?: boolean | undefined;
  /** A preprocessor_config.json that says what becomes of pixels. */
  readonly preprocessor?: string | undefined;
  /** Names of the model's inputs by declared input, where they differ. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  /** Names of its outputs by path of task, where they are not `<path>/logits`. */
  readonly outputs?: Readonly<Record<string, string>> | undefined;
  readonly commandLine?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly loggers?: readonly RunLogger[] | undefined;
  /** Called with the result while output is still kept with the run. */
  readonly report?: ((result: RunResult) => void) | undefined;
}

/** What is open while a model is brought in. */
interface Session {
  readonly project: LoadedProject;
  readonly store: RunStore;
  readonly loggers: LoggerGroup;
  readonly output: OutputCapture;
}

/**
 * Answers of a model to all splits of a project become a run: thresholds are tuned, and everything is evaluated and kept
 * as of a training. The model lies in the store by its content.
 * @param file an ONNX model whose outputs are the logits of the project's flow
 * @throws UsageError, ConfigError, UnknownNameError before a run exists where the model does not fit the flow; DataError;
 * BackendError where ONNX Runtime is not installed
 */
export async function adoptRun(project: LoadedProject, file: string, options: AdoptOptions = {}): Promise<RunResult> {
  if (options.name !== undefined) checkedRunName(options.name);
  const facts = factsOf(file);
  checkNames(project, options);
  refuseBranches(file, facts);
  // whoever lacks it should not wait for pictures to be decoded
  loadOnnxRuntime(project.configFile === null ? null : project.projectDir);
  const storeDir = resolve(options.store ?? join(project.projectDir, ".cool"));
  const store = openRunStore(storeDir);
  ignoreStore(storeDir);
  const output = captureOutput();
  const loggers = new LoggerGroup([...(options.loggers ?? []), lineLogger((text) => output.add(text))]);
  try {
    const result = await adoptIn({ project, store, output, loggers }, file, facts, options);
    // a progress bar has gone when the report begins
    await loggers.close();
    options.report?.(result);
    return result;
  } finally {
    await loggers.close();
    output.stop();
    store.close();
  }
}

function factsOf(file: string): OnnxFacts {
  // said in the words of all models where it is not there
  modelDigest(resolve(file), file);
  const facts = readOnnxFacts(readFileSync(file));
  if (facts !== null) return facts;
  throw new UsageError(
    `${file} is no ONNX model, or is cut off. Export it again, from PyTorch with torch.onnx.export, and name the file.`,
    { file },
  );
}

/** @throws ConfigError for an export of ours that leaves questions without answers */
function refuseBranches(file: string, { metadata }: OnnxFacts): void {
  if (metadata.get("gates") !== "if") return;
  throw new ConfigError(
    `${file} was exported with --gates if: a question that it does not ask has no answer, with which labels could be compared. Export the run with --gates tensors, and adopt that.`,
    { file },
  );
}

/** Whether cool export has written a model: it standardizes numbers, and takes categories by their places. */
function isExport({ producer, metadata }: OnnxFacts): boolean {
  return producer?.startsWith("dnn-cool") === true && metadata.has("run");
}

/** @throws UnknownNameError for an input or a task that the project does not have */
function checkNames({ inputs, graph }: LoadedProject, options: AdoptOptions): void {
  const answered = graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network");
  const check = (kind: string, names: Readonly<Record<string, string>> = {}, known: readonly string[]): void => {
    const other = Object.keys(names).find((name) => !known.includes(name));
    if (other !== undefined) throw new UnknownNameError(kind, other, known, "the project", { exitCode: 2 });
  };
  check("input", options.inputs, Object.keys(inputs));
  check(
    "task",
    options.outputs,
    answered.map(({ path }) => path),
  );
}

async function adoptIn(session: Session, file: string, facts: OnnxFacts, options: AdoptOptions): Promise<RunResult> {
  const { store, loggers } = session;
  const { raw = false, signal } = options;
  const { inputs: declared } = session.project;
  const seen = isExport(facts) ? signatureSpecs(declared) : raw ? asTheyCome(declared) : declared;
  const given = { ...session.project, inputs: seen };
  const adopted: AdoptedModel = {
    ...{ model: basename(file), digest: modelDigest(resolve(file), file), format: "onnx" },
    ...{ producer: facts.producer, opset: facts.opset },
    ...{ inputs: options.inputs ?? {}, outputs: options.outputs ?? {} },
    preprocessing: preprocessingOf(options),
  };
  const dataset = await openDataset(given, given.settings, store.dir, loggers, signal);
  let network: OnnxNetwork | null = null;
  try {
    const inputs = specsOf(dataset.inputs);
    const project = fittedProject(given, inputs, dataset);
    refuseMasked(project);
    keepModel(store.dir, adopted, resolve(file));
    keepTokenizers(store.dir, project);
    const config: RunConfig = { ...describeRun(project, project.settings, dataset, "onnx"), adopted };
    const asked = { graph: project.graph, config, dir: join(store.dir, "runs", "new"), project: here(project) };
    network = await openAdopted(asked, adopted);
    loggers.message(`adopts ${describeAdopted(adopted)}`);
    const run = await storeRun(project, config, store, options);
    const context: AnsweredContext = {
      ...{ project, settings: project.settings, dataset, store, run, loggers, signal },
      runDir: store.runDir(run.id),
    };
    const answerer = new RunAnswerer({ ...asked, thresholds: defaultThresholds(project.graph) }, network, null);
    return await superviseRun(context, session.output, {
      async learn() {
        await openLoggers(context, 0);
        return { step: 0, best: { epoch: null, epochs: 0, step: 0 } };
      },
      answer: () => answerWith(context, dataset, answerer),
      interrupted: "is not complete. Remove it with cool runs remove, and adopt the model again.",
    });
  } finally {
    await network?.release();
    dataset.close();
  }
}

/** Native packages are those of the project. */
function here({ projectDir, configFile }: LoadedProject) {
  return configFile === null ? null : { dir: projectDir, configFile, isNamed: true };
}

/** Inputs of which the network sees numbers as they stand in the table. */
function asTheyCome(inputs: Readonly<Record<string, InputSpec>>): Readonly<Record<string, InputSpec>> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, spec]): [string, InputSpec] => [
      name,
      spec.kind === "numeric" ? { ...spec, standardize: false } : spec,
    ]),
  );
}

function preprocessingOf({ raw = false, preprocessor }: AdoptOptions): PreprocessingInput {
  if (raw && preprocessor !== undefined) {
    throw new UsageError(
      "A preprocessor says what becomes of pixels, and with raw nothing does: leave out either --raw or --preprocessor.",
    );
  }
  if (preprocessor !== undefined) return readPreprocessorConfig(resolve(preprocessor));
  return raw ? { range: [0, 255] } : {};
}

/** @throws ConfigError where tokens are to be guessed, which training alone asks */
function refuseMasked({ graph }: LoadedProject): void {
  const masked = graph.tasks.find(({ spec }) => behaviourOf(spec).answeredBy === "training");
  if (masked === undefined) return;
  throw new ConfigError(
    `The task "${masked.path}" is asked in training alone, and an adopted model is not trained here. Leave it out of the flow.`,
    { task: masked.path },
  );
}

async function storeRun(
  project: LoadedProject,
  config: RunConfig,
  store: RunStore,
  options: AdoptOptions,
): Promise<RunRecord> {
  const origin = await captureOrigin(project, store.dir, {});
  const { adopted, settings } = config;
  // what is compared with other runs: nothing was trained
  const compared = { ...settings, train: { ...settings.train, epochs: 0 }, adopted: { ...adopted } };
  return recordRun({ project, config, store }, origin, { seed: null, epochs: 0, settings: compared }, options);
}

async function answerWith(
  { project: { graph }, loggers, signal }: AnsweredContext,
  dataset: Dataset,
  answerer: RunAnswerer,
): Promise<AnsweredSplits> {
  const splits: SplitOutputs[] = [];
  for (const split of SPLITS) {
    const rows = dataset.splits[split];
    if (rows.length === 0) continue;
    const onProgress = (_: string, done: number, total: number) =>
      loggers.work({ what: `evaluating on ${split}`, done, total });
    const outputs = await answerer.outputs(dataset.inputs, rows, { signal, onProgress }, dataset);
    await yieldTo(signal);
    for (const note of nanAnswers(graph, outputs, ` on ${split}`)) loggers.message(`warning: ${note}`);
    splits.push(outputsOf(dataset, graph, split, rows, outputs));
  }
  return { splits, guessed: [] };
}
