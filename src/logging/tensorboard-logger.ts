/** @file Writes a run as TensorBoard event files: curves, pictures and tables, one group per task. */
import { yesNoAnswers } from "../analysis/calibration/reliability.js";
import type { ScoredSplit } from "../analysis/score.js";
import type { FlowGraph } from "../flow/graph.js";
import type { MetricPoint, Split } from "../tasks/evaluation.js";
import { behaviourOf, decodedScore } from "../tasks/index.js";
import { EventFolders, hparamsOf } from "./event-folders.js";
import { flowNodes } from "./flow-nodes.js";
import { BEST_EPOCH, evaluatedTag, hparamMetrics } from "./hparam-metrics.js";
import { configMarkdown, evaluationMarkdown } from "./markdown.js";
import { type PictureRhythm, pictureEpochs } from "./picture-epochs.js";
import type { PictureSource } from "./panels/sample-sheets.js";
import { diagramPanels, type Panel, samplePanels } from "./panels/split-panels.js";
import type { ImageFormat } from "./panels/svg.js";
import type { EvaluationEvent, RunEnd, RunLogger, ScoredEvent, StepProgress } from "./run-logger.js";
import type { EventWriter } from "./tensorboard/index.js";

export interface TensorBoardLoggerOptions {
  /** Event files go to this folder (what concerns the run as a whole) and to `train/`, `valid/` and `test/` below it. */
  readonly runDir: string;
  /** Step from which the run goes on; what was written after it is superseded. */
  readonly resumeStep: number;
  readonly graph: FlowGraph;
  /** The run's flat settings: its row of the HParams page. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Splits that have rows. */
  readonly splits: readonly Split[];
  readonly pictureOf: PictureSource;
  /** Last planned epoch: its pictures are those of the end. */
  readonly epochs: number;
  readonly log: LogSettings;
}

export interface LogSettings extends PictureRhythm {
  /** Best and worst samples per task. */
  readonly top: number;
  readonly imageFormat: ImageFormat;
  /** Steps between points of the running loss; null: none. */
  readonly every: number | null;
  /** Distributions of weights and scores after each epoch. */
  readonly histograms: boolean;
}

/**
 * Opens the run's curves. Close them.
 * @throws StoreError if an event file cannot be created or written; so do all methods
 */
export function openTensorBoardLogger(options: TensorBoardLoggerOptions): RunLogger {
  const logger = new TensorBoardLogger(options);
  try {
    return logger.begin();
  } catch (error) {
    logger.abandon();
    throw error;
  }
}

/** Behind the tag of a metric of other than true gates. */
const GATES_SUFFIX = { truth: "", predicted: "/predicted_gates", end_to_end: "/end_to_end" } as const;

const BASELINE = "The same metric of the best constant answer that train teaches";

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  "_total/loss": "Sum over tasks of lossWeight × masked mean loss",
  "_total/gradient_norm": "Mean over the epoch, before clipping",
};

class TensorBoardLogger implements RunLogger {
  readonly #options: TensorBoardLoggerOptions;
  readonly #files: EventFolders;
  readonly #pictureEpochs: ReadonlySet<number>;

  constructor(options: TensorBoardLoggerOptions) {
    this.#options = options;
    this.#pictureEpochs = pictureEpochs(options.epochs, options.log);
    this.#files = new EventFolders(options.runDir, options.resumeStep);
  }

  /** Writes what is known before the first step. */
  begin(): this {
    const { graph, splits, config, resumeStep } = this.#options;
    const run = this.#files.writer("run");
    run.graph(flowNodes(graph));
    run.text("config", configMarkdown(config), resumeStep);
    run.hparams({ hparams: hparamsOf(config), metrics: hparamMetrics(graph, splits) });
    run.flush();
    return this;
  }

  step({ step, loss }: StepProgress): void {
    const { every } = this.#options.log;
    if (every === null || step % every !== 0) return;
    this.#files.writer("train").scalar("_total/running_loss", loss, step, "Mean total loss of the epoch so far");
  }

  points(points: readonly MetricPoint[]): void {
    this.#files.points(points, DESCRIPTIONS);
  }

  epoch(): void {
    this.#files.sync();
  }

  async scored({ scored, step, after }: ScoredEvent): Promise<void> {
    const { log, epochs } = this.#options;
    // what the last epoch would show is shown once, by the best checkpoint
    if (scored.split === "train" || after === epochs) return;
    const writer = this.#files.writer(scored.split);
    writePrCurves(writer, scored, step);
    if (log.histograms && after !== "final") writeScores(writer, scored, step);
    if (after === "final" || this.#pictureEpochs.has(after)) {
      for await (const panel of this.#panels(scored)) {
        writer.image(`${panel.task_path}/${panel.name}`, panel.image, step);
      }
    }
    this.#files.sync();
  }

  weights(weights: Readonly<Record<string, Float32Array>>, step: number): void {
    const writer = this.#files.writer("train");
    for (const [name, values] of Object.entries(weights)) writer.histogram(`_weights/${name}`, values, step);
  }

  evaluation({ rows, epoch, epochs, step }: EvaluationEvent): void {
    const { graph, splits } = this.#options;
    const shown = new Set(hparamMetrics(graph, splits).map(({ tag, group }) => `${group}:${tag}`));
    for (const { split, task_path, metric_name, metric_res, gates } of rows) {
      if (metric_res === null) continue;
      const tag = evaluatedTag(split, `${task_path}/${metric_name}`);
      // curves tell the epochs of the other splits; of these only what stands beside the settings is told again
      if (split !== "test" && !(gates === "truth" && shown.has(`${split}:${tag}`))) continue;
      this.#files.writer(split).scalar(`${tag}${GATES_SUFFIX[gates]}`, metric_res, step);
    }
    // beside the curve of valid, and beside the value of test
    for (const { split, task_path, metric_name, gates, baseline } of rows) {
      if (baseline === undefined || gates !== "truth" || split === "train") continue;
      this.#files.writer(split).scalar(`${task_path}/${metric_name}/baseline`, baseline, step, BASELINE);
    }
    const run = this.#files.writer("run");
    if (epoch !== null) run.scalar(BEST_EPOCH, epoch, step, "Epoch of the checkpoint that was evaluated");
    const which = epoch === null ? "" : `The checkpoint of epoch ${epoch} of ${epochs} (step ${step}).\n\n`;
    run.text("evaluation", `${which}${evaluationMarkdown(rows)}`, step);
    this.#files.sync();
  }

  ended(end: RunEnd): void {
    // an interrupted run may go on, and only the first mark counts; a pruned one did what it was asked to
    if (end !== "interrupted") this.#files.writer("run").endSession(end === "failed" ? "failure" : "success");
    this.#files.sync();
  }

  /** Frees the files of a logger that cannot be used. */
  abandon(): void {
    try {
      this.close();
    } catch {
      // the reason is on its way already
    }
  }

  close(): void {
    this.#files.close();
  }

  async *#panels(scored: ScoredSplit): AsyncGenerator<Panel> {
    const { graph, pictureOf, log } = this.#options;
    const { top, imageFormat } = log;
    if (scored.split === "valid") yield* samplePanels(graph, scored, pictureOf, { top, format: imageFormat });
    yield* diagramPanels(scored, imageFormat);
  }
}

function writePrCurves(writer: EventWriter, scored: ScoredSplit, step: number): void {
  for (const task of scored.tasks) {
    for (const { name, labels, scores } of yesNoAnswers(task)) {
      if (scores.length === 0) continue;
      const tag = `${task.task.path}/pr_curve${name === null ? "" : `/${name}`}`;
      writer.prCurve(tag, { labels, scores }, step);
    }
  }
}

/** Distributions of what the heads say about the rows that count: probabilities, or fractions of [min, max]. */
function writeScores(writer: EventWriter, { tasks }: ScoredSplit, step: number): void {
  for (const { task, kept, decoded, lossMask } of tasks) {
    const { spec } = task;
    const width = behaviourOf(spec).logitWidth(spec);
    const active =
      kept.kind === "summary"
        ? decoded
            .map((_, token) => decodedScore(kept, width, decoded, token))
            .filter((_, token) => lossMask[token] === 1)
        : kept.activated.filter((_, i) => lossMask[Math.floor(i / width)] === 1);
    if (active.length > 0) writer.histogram(`${task.path}/scores`, active, step);
  }
}
