/** @file A finished run with its network: predict, explain, evaluate, from the run's folder alone. */
import { extname, resolve } from "node:path";
import { type ExplanationNode, explainRow, printExplanation } from "../analysis/explain.js";
import { neededOffsets } from "../analysis/positions.js";
import { type ScoredSplit, type ScoredTask, scoreSplit } from "../analysis/score.js";
import { type Dataset, firstPixels, type InputSource, type PixelSource, type SkippedRow } from "../data/dataset.js";
import type { OnBadImage } from "../data/image-source.js";
import type { TableImageOptions } from "../data/table-images.js";
import { sourceOffsets } from "../data/token-labels.js";
import type { BackendChoice } from "../engine/backend.js";
import type { LayersModel, Network } from "../engine/network.js";
import { ConfigError, DataError } from "../errors.js";
import { axisOf, type FlowGraph } from "../flow/graph.js";
import { type AnswerColumn, answerWidth, type Offsets, positionsIn } from "../flow/masks.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";
import type { EvaluationRow, Split } from "../tasks/evaluation.js";
import { behaviourOf, type Described, decodedScore, isSummarized, type Labels } from "../tasks/index.js";
import { evaluateSplits } from "./complete-run.js";
import { evaluateRun } from "./evaluate-run.js";
import { sampleAnswers, type UncertaintyOptions } from "./explain-run.js";
import { constantAnswers, type GivenAnswers, readKnown, resolveGiven } from "./given-answers.js";
import { outputsOf } from "./outputs.js";
import { configFileIn } from "./project-dir.js";
import { askedTask, type ReceptiveField, receptiveFieldOf } from "./receptive-field-run.js";
import { type ReplicaNeeds, withForwarder } from "./replicas.js";
import { type OpenRunOptions, openStoredRun, type StoredRun } from "./stored-run.js";

export interface PredictOptions {
  /** Images that cannot be read stop the work, or are left out and reported; default `error`. */
  readonly onBadImage?: OnBadImage;
  /** Answers of known tasks that hold for all inputs; they win over the columns of a table. */
  readonly given?: GivenAnswers | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string, done: number, total: number) => void) | undefined;
}

export interface ExplainOptions extends PredictOptions {
  /** Asks every question again under dropout, to tell how far the answers spread. */
  readonly uncertainty?: UncertaintyOptions | undefined;
}

/** One input's answers: what was asked of it, and how sure the network is. */
export interface Prediction {
  readonly input: string;
  /** By path of task; tasks whose precondition does not hold are left out. */
  readonly answers: Readonly<Record<string, Answer>>;
}

export interface Answer {
  /** Of a task per token a list with one answer per token, null where it is not asked. */
  readonly decoded: Described | readonly Described[];
  /**
   * Probability of each logit; for a regression the fraction of [min, max]. Of a task per token token by token; of one
   * of very many classes the decoded class's alone.
   */
  readonly activated: readonly number[];
}

/** What the network said about some inputs. */
export interface ScoredInputs {
  readonly scored: ScoredSplit;
  readonly skipped: readonly SkippedRow[];
}

/** Inputs opened for reading, row by row. */
interface OpenInputs {
  readonly sources: Readonly<Record<string, InputSource>>;
  readonly ids: readonly string[];
  readonly skipped: readonly SkippedRow[];
  /** Of known tasks, by path, where the inputs bring them. */
  readonly known: ReadonlyMap<string, AnswerColumn>;
  close(): void;
}

export interface Explanation {
  readonly input: string;
  readonly tree: readonly ExplanationNode[];
}

/** How a run is opened to answer. */
export interface LoadRunOptions extends OpenRunOptions {
  readonly backend?: BackendChoice | undefined;
  /** Replicas of the network that share the inputs; default 1. */
  readonly replicas?: number | "auto" | undefined;
  /** Is told how many replicas there are and why. */
  readonly onReplicas?: (line: string) => void;
}

/** Rows that pass the network together. */
const PREDICT_BATCH = 64;

/**
 * Opens a run's best checkpoint. Close it when done.
 * @param store folder of the run store, usually `<project>/.cool`
 * @param name id, unique id prefix, name or `latest`
 */
export async function loadRun(store: string, name = "latest", options: LoadRunOptions = {}): Promise<LoadedRun> {
  const opened = openRunStore(store, { readonly: true });
  try {
    const stored = await openStoredRun(opened, name, options);
    const [{ openBackend }, { loadNetwork }, { runFiles }] = await Promise.all([
      import("../engine/backend.js"),
      import("../engine/checkpoint.js"),
      import("./run-folder.js"),
    ]);
    const backend = await openBackend(options.backend ?? "auto", { projectDir: stored.config.projectDir });
    const network = await loadNetwork(runFiles(stored.dir).checkpoint("best"), stored.graph, stored.config.inputs);
    const configFile =
      options.project === undefined ? stored.config.configFile : (configFileIn(options.project) ?? options.project);
    return new LoadedRun(opened, stored, network, {
      choice: options.replicas ?? 1,
      backend,
      batchSize: PREDICT_BATCH,
      configFile,
      ...(options.onReplicas === undefined ? {} : { onPlan: options.onReplicas }),
    });
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** A run ready to answer. Owns its network and its connection to the store. */
export class LoadedRun {
  readonly #store: RunStore;
  readonly #stored: StoredRun;
  readonly #network: Network;

  readonly #replicas: ReplicaNeeds;

  constructor(store: RunStore, stored: StoredRun, network: Network, replicas: ReplicaNeeds) {
    this.#replicas = replicas;
    this.#store = store;
    this.#stored = stored;
    this.#network = network;
  }

  get run(): StoredRun["run"] {
    return this.#stored.run;
  }
  get dir(): string {
    return this.#stored.dir;
  }
  get graph(): FlowGraph {
    return this.#stored.graph;
  }
  /** A normal tfjs LayersModel: named inputs in [0, 1] → logits of each task with a head, in the order of the graph. */
  get model(): LayersModel {
    return this.#network.model;
  }

  /** Decoded answers to unlabelled inputs: paths of images, or one table with the run's input columns. */
  async predict(inputs: readonly string[], options: PredictOptions = {}): Promise<Prediction[]> {
    return (await this.predictWithSkipped(inputs, options)).predictions;
  }

  /** The same, with the inputs that were left out. */
  async predictWithSkipped(
    inputs: readonly string[],
    options: PredictOptions = {},
  ): Promise<{ readonly predictions: Prediction[]; readonly skipped: readonly SkippedRow[] }> {
    const { scored, skipped } = await this.score(inputs, options);
    const predictions = scored.ids.map((input, row) => ({ input, answers: answersOf(this.graph, scored, row) }));
    return { predictions, skipped };
  }

  /** Explanation trees: each branch is shown where its precondition holds by the network's own answers. */
  async explain(inputs: readonly string[], options: ExplainOptions = {}): Promise<Explanation[]> {
    const { uncertainty, signal } = options;
    return this.#withInputs(inputs, options, async (opened) => {
      const scored = await this.#scoreOpened(opened, options);
      const sampled =
        uncertainty === undefined
          ? undefined
          : await sampleAnswers(this.#network, opened.sources, scored, uncertainty, signal);
      return scored.ids.map((input, row) => ({ input, tree: explainRow(this.graph, scored, row, sampled) }));
    });
  }

  /** Paths of the tasks whose answers cannot vary, because no dropout layer leads to them. */
  async withoutDropout(): Promise<string[]> {
    const { tasksWithoutDropout } = await import("../engine/uncertainty.js");
    return tasksWithoutDropout(this.#network).map(({ path }) => path);
  }

  /**
   * The pixels of an image on which one answer depends.
   * @param task its path; of several logits the largest is asked about
   * @throws UnknownNameError
   */
  async receptiveField(input: string, task: string, options: PredictOptions = {}): Promise<ReceptiveField> {
    const asked = askedTask(this.graph, task);
    return this.#withInputs([input], options, async (opened) => {
      const scored = await this.#scoreOpened(opened, options);
      const { logits } = scored.tasks[asked.index] as ScoredSplit["tasks"][number];
      return receptiveFieldOf(this.#network, opened.sources, input, asked, logits);
    });
  }

  /** The same tree as text. */
  print({ input, tree }: Explanation): string {
    return printExplanation(this.graph, input, tree);
  }

  /**
   * The run's own splits evaluated with its thresholds as they are now, or a labelled table.
   * @param rows a split, a table (file or SQL query, relative to the project), or nothing for all splits
   */
  async evaluate(
    rows?: Split | { readonly table: string },
    options: PredictOptions = {},
  ): Promise<readonly EvaluationRow[]> {
    if (rows === undefined || typeof rows === "string") {
      return (await evaluateRun(this.#store, this.run.id, { split: rows })).evaluation;
    }
    return this.#evaluateTable(rows.table, options);
  }

  async #evaluateTable(table: string, options: PredictOptions): Promise<EvaluationRow[]> {
    const { graph, config, thresholds } = this.#stored;
    const { loadRows } = await import("../data/load.js");
    const dataset = await loadRows({
      graph,
      table,
      inputs: config.inputs,
      projectDir: config.projectDir,
      cacheDir: resolve(this.#store.dir, "cache"),
      onBadImage: options.onBadImage ?? "error",
      signal: options.signal,
    });
    try {
      const rows = Int32Array.from({ length: dataset.rows }, (_, row) => row);
      const logits = await this.#logits(dataset.inputs, rows, options, dataset);
      const outputs = await outputsOf(dataset, graph, "test", rows, logits);
      return evaluateSplits(graph, [scoreSplit(graph, outputs, thresholds)]);
    } finally {
      dataset.close();
    }
  }

  /** Logits, decoded answers and activity of unlabelled inputs. */
  async score(inputs: readonly string[], options: PredictOptions = {}): Promise<ScoredInputs> {
    return this.#withInputs(inputs, options, async (opened) => ({
      scored: await this.#scoreOpened(opened, options),
      skipped: opened.skipped,
    }));
  }

  async #withInputs<T>(
    inputs: readonly string[],
    options: PredictOptions,
    work: (opened: OpenInputs) => Promise<T>,
  ): Promise<T> {
    const given = resolveGiven(this.graph, options.given ?? {});
    const opened = await this.#openInputs(inputs, options, given);
    try {
      return await work(opened);
    } finally {
      opened.close();
    }
  }

  async #scoreOpened({ sources, ids, known }: OpenInputs, options: PredictOptions): Promise<ScoredSplit> {
    const { graph, thresholds } = this.#stored;
    const rows = Int32Array.from({ length: ids.length }, (_, row) => row);
    const logits = await this.#logits(sources, rows, options);
    const pixels = firstPixels(sources);
    const offsets = sourceOffsets(graph, sources);
    const labels = graph.tasks.map(({ path, spec }): Labels => {
      const lines = offsets !== null && axisOf(spec) === "token" ? positionsIn(offsets) : ids.length;
      return {
        answers: known.get(path) ?? new Float32Array(lines * answerWidth(spec)).fill(Number.NaN),
        unitScale: unitScale(spec, pixels),
      };
    });
    return scoreSplit(graph, { split: "test", ids, offsets, logits, labels }, thresholds);
  }

  async #logits(
    sources: Readonly<Record<string, InputSource>>,
    rows: Int32Array,
    options: PredictOptions,
    labelled?: Pick<Dataset, "labels" | "offsets">,
  ): Promise<Float32Array[]> {
    const [{ predictLogits }, { readInputs }] = await Promise.all([
      import("../engine/predict.js"),
      import("../engine/batch-reader.js"),
    ]);
    const read = (some: Int32Array) => readInputs(this.#network, { inputs: sources }, some);
    return withForwarder(
      this.#network,
      { ...this.#replicas, most: Math.ceil(rows.length / PREDICT_BATCH) },
      (forwarder) =>
        predictLogits(this.#network, rows, read, {
          batchSize: PREDICT_BATCH,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
          ...(labelled === undefined ? {} : { labelled }),
          ...(forwarder === undefined ? {} : { forwarder }),
          onProgress: (done, total) => options.onProgress?.("predicting", done, total),
        }),
    );
  }

  async #openInputs(
    inputs: readonly string[],
    options: PredictOptions,
    given: ReadonlyMap<string, boolean>,
  ): Promise<OpenInputs> {
    const load = {
      onBadImage: options.onBadImage ?? ("error" as const),
      signal: options.signal,
      onProgress: (done: number, total: number) => options.onProgress?.("decoding images", done, total),
    };
    const [only] = inputs;
    if (inputs.length === 1 && only !== undefined && isTable(only)) return this.#openTable(only, load, given);
    const { loadImages } = await import("../data/image-source.js");
    const [entry, ...more] = Object.entries(this.#stored.config.inputs);
    if (entry === undefined || more.length > 0 || entry[1].kind !== "image") {
      const inputs = Object.entries(this.#stored.config.inputs).map(([name, { kind }]) => `${name} (${kind})`);
      throw new ConfigError(
        `Run ${this.run.id} reads ${inputs.join(", ")}, so images alone are not enough. Give a table with the columns of all its inputs.`,
        { run: this.run.id, inputs },
      );
    }
    const [name, spec] = entry;
    const { images, skipped } = await loadImages(inputs, spec, load);
    const ids = images.paths;
    return { sources: { [name]: images }, ids, skipped, known: everyRow(given, ids), close: () => images.close() };
  }

  async #openTable(
    source: string,
    load: Omit<TableImageOptions, "projectDir">,
    given: ReadonlyMap<string, boolean>,
  ): Promise<OpenInputs> {
    const [{ readTables }, { loadTableInputs }] = await Promise.all([
      import("../data/tables.js"),
      import("../data/table-inputs.js"),
    ]);
    const projectDir = process.cwd();
    const tables = await readTables([{ table: source }], projectDir);
    const options = { ...load, inputs: this.#stored.config.inputs, projectDir };
    const { inputs, ids, kept, skipped, close } = await loadTableInputs(tables, options, null);
    try {
      const known = new Map([...readKnown(this.graph, tables, kept, given), ...everyRow(given, ids)]);
      return { sources: inputs, ids, skipped, known, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  close(): void {
    this.#network.dispose();
    this.#store.close();
  }
}

function everyRow(given: ReadonlyMap<string, boolean>, ids: readonly string[]): ReadonlyMap<string, AnswerColumn> {
  return new Map([...given].map(([path, value]) => [path, constantAnswers(value, ids.length)]));
}

const TABLE_ENDINGS = new Set([".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson", ".gz"]);

function isTable(input: string): boolean {
  return TABLE_ENDINGS.has(extname(input).toLowerCase()) || /^\s*(select|with|from)\s/i.test(input);
}

function unitScale(spec: FlowGraph["tasks"][number]["spec"], source: PixelSource | undefined): Float32Array | null {
  if (spec.kind !== "boundedRegression" || spec.scale === null) return null;
  if (source === undefined) throw new DataError("A task is scaled by the image's size, but there is no image.", {});
  return spec.scale === "image-width" ? source.originalWidth : source.originalHeight;
}

function answersOf(graph: FlowGraph, scored: ScoredSplit, row: number): Record<string, Answer> {
  return Object.fromEntries(
    graph.tasks.flatMap(({ index, path, spec }): [string, Answer][] => {
      const task = scored.tasks[index];
      const behaviour = behaviourOf(spec);
      if (task === undefined || behaviour.answeredBy === "training") return [];
      if (axisOf(spec) === "token") return tokenAnswers(task, neededOffsets(scored.offsets), row);
      if (task.activePredicted[row] === 0) return [];
      const width = behaviour.logitWidth(spec);
      const activated = Array.from(task.activated.subarray(row * width, (row + 1) * width));
      return [[path, { decoded: behaviour.describe(spec, task.decoded, row), activated }]];
    }),
  );
}

/** One answer per token of a row; none where the task is asked of no token. */
function tokenAnswers({ task, activated, decoded, activePredicted }: ScoredTask, offsets: Offsets, row: number) {
  const { path, spec } = task;
  const [from, to] = [offsets[row] as number, offsets[row + 1] as number];
  if (!activePredicted.subarray(from, to).includes(1)) return [];
  const behaviour = behaviourOf(spec);
  const width = behaviour.logitWidth(spec);
  const scores = isSummarized(spec)
    ? decoded.subarray(from, to).map((_, i) => decodedScore(spec, activated, decoded, from + i))
    : activated.subarray(from * width, to * width);
  const answer: Answer = {
    decoded: Array.from({ length: to - from }, (_, i) =>
      activePredicted[from + i] === 1 ? behaviour.describe(spec, decoded, from + i) : null,
    ),
    activated: Array.from(scores),
  };
  return [[path, answer]] satisfies [string, Answer][];
}
