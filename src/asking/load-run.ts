/** @file A finished run with its network: predict, explain, evaluate, from the run's folder alone. */

import { resolve } from "node:path";
import { explainRow } from "../analysis/explanation/explain.js";
import type { ExplanationNode } from "../analysis/explanation/explanation.js";
import { printExplanation, type TreeStyle } from "../analysis/explanation/print-explanation.js";
import type { Coverage } from "../analysis/conformal/coverage.js";
import { SetReader } from "../analysis/conformal/sets.js";
import { withCalibration } from "../analysis/calibration/apply.js";
import { answerProbabilities } from "../analysis/probability/answer-probabilities.js";
import type { ScoredSplit } from "../analysis/score.js";
import type { NamedTable } from "../data/tables/read-files.js";
import { firstPixels, firstTokens, type SkippedRow, wordsOf } from "../data/dataset.js";
import type { BackendChoice } from "../engine/backends/choose.js";
import { NO_EXTERNALS, networkSpecs } from "../engine/model/pretrained/external-part.js";
import type { LayersModel, Network } from "../engine/model/network.js";
import { ConfigError, UsageError } from "../errors.js";
import { isPerElement, type FlowGraph } from "../flow/graph.js";
import { yieldTo } from "../platform/yield-to.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";
import type { EvaluationRow, Split } from "../tasks/evaluation.js";
import { type Answer, answersOf } from "./answers.js";
import { type CoverageOptions, coverageOf } from "./sets/coverage-run.js";
import { type CoveredRow, describeRow, printCoverage, sharedByAll } from "./sets/covered-row.js";
import { evaluateRun } from "./evaluate-run.js";
import { type EvaluatedRun, type EvaluatedTable, evaluateTable } from "./evaluate-table.js";
import { openMembers } from "./groups/group-runs.js";
import { ensembleOutputs, type MemberOutputs } from "./groups/ensemble.js";
import { EnsembleMember } from "./groups/ensemble-member.js";
import { type DriftFound, type DriftOptions, driftOf } from "./drift/drift-of.js";
import { readGroupCalibration } from "./groups/group-calibration.js";
import type { CalibrationRecord } from "../records/calibration.js";
import { sampleAnswers, type UncertaintyOptions } from "./explain-run.js";
import { resolveGiven } from "./given-answers.js";
import { withExternals } from "./external-sources.js";
import { importanceOf, type ImportanceOptions, type ImportanceResult } from "./importance/importance-run.js";
import { type OpenInputs, openInputs, type PredictOptions } from "./open-inputs.js";
import { suppose } from "../analysis/suppose/suppose.js";
import { nanInputs, unaskedSuppositions } from "./suppose/answer-warnings.js";
import { assertAsksPixels, type MaskedPicture, maskedPictures } from "./pixels/drawn-masks.js";
import { refusePixels } from "./pixels/per-pixel.js";
import { parseSuppositions } from "./suppose/parse-suppositions.js";
import { occludedWhy, type WhyPicture, whyOf } from "./why/why-run.js";
import { askedTask } from "./asked-answer.js";
import { type ReceptiveField, receptiveFieldOf } from "./receptive-field-run.js";
import type { ReplicaNeeds } from "./replicas.js";
import { openAdopted } from "./adopted/open-adopted.js";
import { refuseAdopted } from "../records/adopted/adopted-run.js";
import { type AskedNetwork, everyRow, isOnnx, PREDICT_BATCH, RunAnswerer } from "./run-answerer.js";
import { type OpenRunOptions, openStoredRun, type StoredRun, tablesOfRun } from "./stored-run.js";
import { glueOf } from "../records/stored-words.js";
import { type TokenField, tokenFieldOf } from "./token-field-run.js";
import { type ScoredTables, scoreTables } from "./labelling/score-tables.js";

export interface ScoreOptions extends PredictOptions {
  /** These metrics alone, or `all` that there are; default: the usual ones and those of the run's evaluate.metrics. */
  readonly metrics?: readonly string[] | undefined;
}

export interface ExplainOptions extends PredictOptions {
  /** Asks every question again under dropout, to tell how far the answers spread. */
  readonly uncertainty?: UncertaintyOptions | undefined;
  /** Answers and thresholds as if: `door_open=false`, `door_open.threshold=0.3`; see parseSuppositions. */
  readonly suppose?: readonly string[] | undefined;
  /** Is told what must not pass unseen: suppositions that change nothing, answers that are NaN. */
  readonly onWarning?: (warning: string) => void;
  /** Is given each picture with the masks that it is answered with, for `writeDrawnMasks`. */
  readonly onMasks?: ((picture: MaskedPicture) => void) | undefined;
}

/** Whose answers are put into words before signals have their turn. */
const ROWS_AT_A_TIME = 4096;

/** One input's answers: what was asked of it, and how sure the network is. */
export interface Prediction {
  readonly input: string;
  /** By path of task; tasks whose precondition does not hold are left out. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** Sets of answers, where they are asked for. */
  readonly coverage?: CoveredRow;
}

/** What the network said about some inputs. */
export interface ScoredInputs {
  readonly scored: ScoredSplit;
  /** Sets of answers where they are asked for. */
  readonly sets: SetReader | null;
  readonly skipped: readonly SkippedRow[];
}

export interface Explanation {
  readonly input: string;
  /** The words of an input that is made of tokens, and has no image. */
  readonly text?: string;
  readonly tree: readonly ExplanationNode[];
  /** Sets of answers, where they are asked for; the tree then is what all trees of the set share. */
  readonly coverage?: CoveredRow;
}

/** How a run is opened to answer. */
export interface LoadRunOptions extends OpenRunOptions {
  readonly backend?: BackendChoice | undefined;
  /** Replicas of the network that share the inputs; default 1. */
  readonly replicas?: number | "auto" | undefined;
  /** Is told how many replicas there are and why. */
  readonly onReplicas?: (line: string) => void;
}

/**
 * Opens a run's best checkpoint. Close it when done.
 * @param store folder of the run store, usually `<project>/.cool`
 * @param name id, unique id prefix, name or `latest`
 */
export async function loadRun(store: string, name = "latest", options: LoadRunOptions = {}): Promise<LoadedRun> {
  const opened = openRunStore(store, { readonly: true });
  try {
    const group = opened.findGroup(name);
    const [stored, ...others] =
      group === null ? [await openStoredRun(opened, name, options)] : await openMembers(opened, group, options);
    if (stored === undefined) throw new UsageError(`The group ${name} has no runs.`, { group: name });
    const [{ openBackend }, { loadNetwork }, { runFiles }] = await Promise.all([
      import("../engine/backends/choose.js"),
      import("../engine/model/checkpoint.js"),
      import("../records/run-folder.js"),
    ]);
    const { adopted } = stored.config;
    if (adopted !== undefined && group === null) {
      return new LoadedRun(opened, stored, await openAdopted(stored, adopted), null);
    }
    const backend = await openBackend(options.backend ?? "auto", packagesOf(stored.project));
    const needs = {
      choice: options.replicas ?? 1,
      backend,
      batchSize: PREDICT_BATCH,
      projectDir: stored.project?.dir ?? null,
      configFile: stored.project?.configFile ?? null,
      ...(options.onReplicas === undefined ? {} : { onPlan: options.onReplicas }),
    };
    const open = ({ dir, graph, config }: StoredRun) =>
      loadNetwork(
        runFiles(dir).checkpoint("best"),
        graph,
        networkSpecs(config.inputs, config.externals ?? NO_EXTERNALS),
      );
    const network = await open(stored);
    const members: EnsembleMember[] = [];
    for (const other of others) members.push(new EnsembleMember(other, await open(other), needs));
    return new LoadedRun(
      opened,
      stored,
      network,
      needs,
      group === null
        ? undefined
        : {
            id: group.id,
            members,
            runs: [stored, ...others],
            calibration: readGroupCalibration(opened, group.id, stored),
          },
    );
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** Native packages come from the user's project and cache, wherever the run says that it was made. */
function packagesOf(project: StoredRun["project"]): { readonly projectDir?: string } {
  return project === null ? {} : { projectDir: project.dir };
}

/** A group of folds whose ensemble answers. */
interface EnsembleGroup {
  readonly id: string;
  /** All but the first. */
  readonly members: readonly EnsembleMember[];
  readonly runs: readonly StoredRun[];
  readonly calibration: CalibrationRecord | null;
}

/** A run ready to answer. Owns its network and its connection to the store. */
export class LoadedRun {
  readonly #store: RunStore;
  readonly #stored: StoredRun;
  readonly #network: AskedNetwork;
  readonly #answerer: RunAnswerer;
  /** Of the run, or of the group whose folds answer together. */
  readonly id: string;
  /** Further folds of its group, which answer together with it. */
  readonly #others: readonly EnsembleMember[];
  /** All folds of its group; none: it answers alone. */
  readonly #members: readonly StoredRun[];
  readonly #calibration: CalibrationRecord | null;
  readonly #coverages = new Map<string, Promise<Coverage>>();

  constructor(
    store: RunStore,
    stored: StoredRun,
    network: AskedNetwork,
    replicas: ReplicaNeeds | null,
    group?: EnsembleGroup,
  ) {
    this.#others = group?.members ?? [];
    this.#members = group?.runs ?? [];
    this.#calibration = group === undefined ? stored.calibration : group.calibration;
    this.id = group?.id ?? stored.run.id;
    this.#store = store;
    this.#stored = stored;
    this.#network = network;
    this.#answerer = new RunAnswerer(stored, network, replicas);
  }

  get run(): StoredRun["run"] {
    return this.#stored.run;
  }
  get dir(): string {
    return this.#stored.dir;
  }
  /** Those that it was trained on. */
  get tables(): readonly NamedTable[] {
    return tablesOfRun(this.#stored);
  }

  get graph(): FlowGraph {
    return this.#stored.graph;
  }
  /** What its folder says. */
  get stored(): StoredRun {
    return this.#stored;
  }
  /** A normal tfjs LayersModel: named inputs in [0, 1] → logits of each task with a head, in the order of the graph. */
  get model(): LayersModel {
    return this.#layers("there is no LayersModel of it").model;
  }

  /** Decoded answers to unlabelled inputs: paths of images, or one table with the run's input columns. */
  async predict(inputs: readonly string[], options: PredictOptions = {}): Promise<Prediction[]> {
    return (await this.predictWithSkipped(inputs, options)).predictions;
  }

  /** The same, with the inputs that were left out. */
  async predictWithSkipped(
    inputs: readonly string[],
    options: PredictOptions = {},
  ): Promise<{
    readonly predictions: Prediction[];
    readonly skipped: readonly SkippedRow[];
    /** Of answers that are NaN. */
    readonly warnings: readonly string[];
  }> {
    const { scored, sets, skipped } = await this.score(inputs, options);
    const probabilities = answerProbabilities(this.graph, scored);
    const predictions: Prediction[] = [];
    for (const [row, input] of scored.ids.entries()) {
      if (row % ROWS_AT_A_TIME === 0) await yieldTo(options.signal);
      const answers = answersOf(this.graph, scored, row, probabilities);
      const coverage = sets === null ? {} : { coverage: describeRow(this.graph, sets, sets.at(row)) };
      predictions.push({ input, answers, ...coverage });
    }
    return { predictions, skipped, warnings: nanInputs(this.graph, scored) };
  }

  /** Explanation trees: each branch is shown where its precondition holds by the network's own answers. */
  async explain(inputs: readonly string[], options: ExplainOptions = {}): Promise<Explanation[]> {
    const { uncertainty, signal } = options;
    if (options.onMasks !== undefined) assertAsksPixels(this.graph);
    const suppositions = parseSuppositions(this.graph, options.suppose ?? []);
    if (suppositions.length > 0 && options.coverage !== undefined) {
      throw new UsageError(
        "No set of answers is sure to hold the true one where an answer is supposed: ask with either --suppose or --coverage.",
      );
    }
    const sampledBy = uncertainty === undefined ? null : this.#layers("its answers cannot be sampled under dropout");
    return this.#withInputs(inputs, options, async (opened) => {
      const raw = await this.#score(inputs, opened, options);
      const answered = this.#calibrated(raw);
      const isAsked = suppositions.length === 0;
      const scored = isAsked ? answered : suppose(this.graph, answered, suppositions);
      const warnings = [...unaskedSuppositions(this.graph, scored, suppositions), ...nanInputs(this.graph, scored)];
      for (const warning of warnings) options.onWarning?.(warning);
      if (options.onMasks !== undefined) {
        for (const picture of await maskedPictures(opened.sources, scored)) options.onMasks(picture);
      }
      const sets = await this.#sets(raw, options);
      if (uncertainty !== undefined) this.#refuseEnsemble("is sampled under dropout");
      const sampled =
        uncertainty === undefined || sampledBy === null
          ? undefined
          : await sampleAnswers(sampledBy, opened.sources, scored, uncertainty, signal);
      // how likely a question is asked is told by the network's own scores alone
      const probabilities = isAsked ? answerProbabilities(this.graph, scored) : undefined;
      const supposed = new Set(suppositions.flatMap(({ kind, task }) => (kind === "answer" ? [task] : [])));
      const tokens = firstTokens(opened.sources);
      const named = firstPixels(opened.sources) !== undefined;
      return scored.ids.map((input, row): Explanation => {
        const words = tokens === undefined ? undefined : wordsOf(tokens, row);
        const rowSets = sets?.at(row);
        const shown = rowSets === undefined ? scored : sharedByAll(scored, rowSets, row);
        const tree = explainRow(this.graph, shown, row, { sampled, words, probabilities, supposed, sets: rowSets });
        const coverage =
          sets === null || rowSets === undefined ? {} : { coverage: describeRow(this.graph, sets, rowSets) };
        const text = words?.join(tokens === undefined ? "" : glueOf(tokens.spec));
        // a text that was asked about by itself is its own name
        if (text === undefined || named || text === input) return { input, tree, ...coverage };
        return { input, text, tree, ...coverage };
      });
    });
  }

  /**
   * Where in an image each answer to it comes from: a map for every task that is asked, by gradients, or by occlusion
   * where its pixels go through a model without gradients (ONNX, a tfjs graph model).
   * @throws ConfigError where the run reads no image
   */
  async why(input: string, options: PredictOptions = {}): Promise<WhyPicture> {
    this.#refuseEnsemble("is asked why");
    refusePixels(
      this.graph,
      "its answers say themselves where they are: cool explain shows their areas, cool predict --out their masks",
    );
    const { externals, adopted } = this.#stored.config;
    const hasGradients = adopted === undefined && (externals?.parts.length ?? 0) === 0;
    const network = hasGradients ? this.#layers("where in an input they come from cannot be told") : null;
    return this.#withInputs([input], options, async (opened) => {
      const scored = await this.#answerer.score(opened, { signal: options.signal });
      if (network !== null) return whyOf(network, opened.sources, scored);
      const answers = (sources: OpenInputs["sources"], rows: Int32Array) =>
        this.#answerer.outputs(sources, rows, { signal: options.signal });
      return occludedWhy(this.#stored, opened.sources, scored, answers, options);
    });
  }

  /** New data beside the run's training data. */
  async drift(inputs: readonly string[], options: DriftOptions = {}): Promise<DriftFound> {
    this.#refuseEnsemble("is watched");
    const cacheDir = resolve(this.#store.dir, "cache");
    return this.#withInputs(inputs, { ...options, letUnseenPass: true }, (opened) =>
      driftOf(this.#stored, this.#answerer, opened, { ...options, cacheDir }),
    );
  }

  /** Paths of the tasks whose answers cannot vary, because no dropout layer leads to them. */
  async withoutDropout(): Promise<string[]> {
    const { tasksWithoutDropout } = await import("../engine/inference/uncertainty.js");
    return tasksWithoutDropout(this.#layers("its answers cannot be sampled under dropout")).map(({ path }) => path);
  }

  /**
   * The pixels of an image on which one answer depends.
   * @param task its path; of several logits the largest is asked about
   * @throws UnknownNameError
   */
  async receptiveField(input: string, task: string, options: PredictOptions = {}): Promise<ReceptiveField> {
    const field = await this.#field(input, task, options, false);
    return field as ReceptiveField;
  }

  /**
   * The tokens on which a task's answers about the first row of a table depend: of a task per token, at each token.
   * @throws UnknownNameError, ConfigError
   */
  async tokenField(input: string, task: string, options: PredictOptions = {}): Promise<TokenField> {
    return (await this.#field(input, task, options, true)) as TokenField;
  }

  /** Of tokens where the task is asked per token, or there is no image; else of pixels. */
  async fieldOf(input: string, task: string, options: PredictOptions = {}): Promise<ReceptiveField | TokenField> {
    const { spec } = askedTask(this.graph, task);
    const images = Object.values(this.#stored.config.inputs).some(({ kind }) => kind === "image");
    return this.#field(input, task, options, !images || isPerElement(spec));
  }

  /** @throws ConfigError where tokens go through a model of which only the answers are known */
  #assertSeesTokens(task: string): void {
    const { externals = NO_EXTERNALS, inputs } = this.#stored.config;
    const part = externals.parts.find(({ input }) => inputs[input]?.kind === "tokens");
    if (part === undefined) return;
    throw new ConfigError(
      `Which tokens "${task}" depends on cannot be told: they go through the model ${part.model}, which runs beside the network and has no gradient. Take layers of your own, such as tokenEncoder, as the trunk for that.`,
      { task, model: part.model },
    );
  }

  /** @throws ConfigError where pixels go through a model of which only the answers are known */
  #assertSeesPixels(task: string): void {
    const { externals = NO_EXTERNALS, inputs } = this.#stored.config;
    const part = externals.parts.find(({ input }) => inputs[input]?.kind === "image");
    if (part === undefined) return;
    throw new ConfigError(
      `Which pixels "${task}" depends on cannot be told: they go through the model ${part.model}, which runs beside the network and has no gradient. Take a tfjs LayersModel as the trunk for that.`,
      { task, model: part.model },
    );
  }

  async #field(input: string, task: string, options: PredictOptions, ofTokens: boolean) {
    const asked = askedTask(this.graph, task);
    refusePixels(
      { tasks: [asked] },
      "each pixel's answer depends on others: ask for the field of a task of the whole picture",
    );
    this.#refuseEnsemble("has a field of pixels or tokens");
    const network = this.#layers("what in an input they depend on cannot be told");
    return this.#withInputs([input], options, async (opened) => {
      const scored = await this.#answerer.score(opened, options);
      if (ofTokens) this.#assertSeesTokens(asked.path);
      else this.#assertSeesPixels(asked.path);
      if (ofTokens) return tokenFieldOf(network, opened.sources, scored, asked);
      return receptiveFieldOf(network, opened.sources, input, asked, scored);
    });
  }

  /**
   * The same tree as text.
   * @param style default: as it is, without colour
   * @param columns to fit into; default: no end
   */
  print({ input, text, tree, coverage }: Explanation, style?: TreeStyle, columns?: number): string {
    const printed = printExplanation(
      this.graph,
      text === undefined ? input : `${input}: ${text}`,
      tree,
      style,
      columns,
    );
    return coverage === undefined ? printed : `${printed}\n${printCoverage(coverage, columns)}`;
  }

  /**
   * The run's own splits evaluated with its thresholds as they are now, or a labelled table.
   * @param rows a split, a table (file or SQL query, relative to the user's project, else to that of the run), or
   *   nothing for all splits
   */
  async evaluate(
    rows?: Split | { readonly table: string },
    options: ScoreOptions = {},
  ): Promise<readonly EvaluationRow[]> {
    if (rows === undefined || typeof rows === "string") {
      return (await evaluateRun(this.#store, this.run.id, { split: rows, metrics: options.metrics })).evaluation;
    }
    return (await this.evaluateTable(rows.table, options)).evaluation;
  }

  /** A labelled table, with the answers to its rows. */
  async evaluateTable(table: string, options: ScoreOptions = {}): Promise<EvaluatedTable> {
    this.#refuseEnsemble("evaluates a table");
    const cacheDir = resolve(this.#store.dir, "cache");
    return evaluateTable(this.#stored, this.#answerer, table, { ...options, cacheDir });
  }

  /** What a table's answers are cut into slices by. */
  get evaluated(): EvaluatedRun {
    return this.#stored;
  }

  /** What each column of numbers or categories is worth to each task, on a split of the run. */
  async importance(options: ImportanceOptions = {}): Promise<ImportanceResult> {
    this.#refuseEnsemble("is measured column by column");
    const cacheDir = resolve(this.#store.dir, "cache");
    return importanceOf(this.#stored, this.#answerer, { ...options, cacheDir });
  }

  /** Answers to all rows of the run's own tables, beside their labels as they are now. */
  async scoreTables(options: PredictOptions = {}): Promise<ScoredTables> {
    this.#refuseEnsemble("answers to its tables");
    const cacheDir = resolve(this.#store.dir, "cache");
    return scoreTables(this.#stored, this.#answerer, { ...options, cacheDir });
  }

  /** Logits, decoded answers and activity of unlabelled inputs. */
  async score(inputs: readonly string[], options: PredictOptions = {}): Promise<ScoredInputs> {
    return this.#withInputs(inputs, options, async (opened) => {
      const raw = await this.#score(inputs, opened, options);
      return { scored: this.#calibrated(raw), sets: await this.#sets(raw, options), skipped: opened.skipped };
    });
  }

  /** The same of inputs that are open already, of one network. */
  async scoreOpened(opened: OpenInputs, options: PredictOptions = {}): Promise<ScoredSplit> {
    this.#refuseEnsemble("answers such inputs");
    return this.#calibrated(await this.#answerer.score(opened, options));
  }

  /** What the guarantee of these options does not reach. */
  async coverageWarnings(options: CoverageOptions): Promise<readonly string[]> {
    return (await this.#coverage(options)).warnings;
  }

  /** Of the network's own scores: those that were calibrated on valid have seen its labels. */
  async #sets(raw: ScoredSplit, { coverage }: PredictOptions): Promise<SetReader | null> {
    return coverage === undefined ? null : new SetReader(this.graph, raw, await this.#coverage(coverage));
  }

  #coverage(options: CoverageOptions): Promise<Coverage> {
    const key = JSON.stringify(options);
    const found = this.#coverages.get(key) ?? coverageOf(this.#stored, options, this.#members);
    this.#coverages.set(key, found);
    return found;
  }

  /** Calibrated scores where the run is, or the ensemble of its group. */
  #calibrated(scored: ScoredSplit): ScoredSplit {
    return this.#calibration === null ? scored : withCalibration(scored, this.#calibration.tasks);
  }

  async #withInputs<T>(
    inputs: readonly string[],
    options: PredictOptions,
    work: (opened: OpenInputs) => Promise<T>,
  ): Promise<T> {
    const given = resolveGiven(this.graph, options.given ?? {});
    const opened = await openInputs(this.#stored, inputs, options, given);
    try {
      const rows = Int32Array.from({ length: opened.ids.length }, (_, row) => row);
      const sources = await withExternals(opened.sources, rows, this.#stored, options);
      return await work({ ...opened, sources });
    } finally {
      opened.close();
    }
  }

  /** Of several folds their ensemble: each reads the inputs with the statistics of its own training rows. */
  async #score(inputs: readonly string[], opened: OpenInputs, options: PredictOptions): Promise<ScoredSplit> {
    if (this.#others.length === 0) return this.#answerer.score(opened, options);
    const own = await this.#answerer.outputs(opened.sources, everyRow(opened), options);
    const members: MemberOutputs[] = [{ graph: this.graph, outputs: own }];
    for (const other of this.#others) members.push(await other.answer(inputs, opened, this.#stored, options));
    return this.#answerer.scoreOutputs(opened, ensembleOutputs(this.graph, members), options.signal);
  }

  /** @throws ConfigError where another program's model answers */
  #layers(what: string): Network {
    return isOnnx(this.#network) ? refuseAdopted(this.run, what) : this.#network;
  }

  #refuseEnsemble(what: string): void {
    if (this.#others.length === 0) return;
    throw new UsageError(
      `One network at a time ${what}, and this is a group of ${this.#others.length + 1}. Name one of its runs, such as ${this.run.name}.`,
      { run: this.run.id },
    );
  }

  close(): void {
    for (const other of this.#others) other.close();
    const network = this.#network;
    // what computes it ends on its own; nobody waits for that
    if (isOnnx(network)) void network.release();
    else network.dispose();
    this.#store.close();
  }
}
