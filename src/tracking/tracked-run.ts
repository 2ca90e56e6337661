/** @file A run of another program while it works: what it says goes to the store, TensorBoard and the run's folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CoolError, messageOf, UsageError } from "../errors.js";
import { markdownTable } from "../logging/markdown.js";
import type { LoggerGroup } from "../logging/logger-group.js";
import type { RunEnd } from "../logging/run-logger.js";
import type { OutputCapture } from "../provenance/capture-output.js";
import { endLogs, recordEnd } from "../provenance/run-end.js";
import { digestFiles } from "../records/run-artifacts.js";
import { digests, filesOf, isFinal } from "../records/run-files.js";
import { type RunSummary, summarize } from "../records/run-summary.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { Artifact } from "../storage/tables/artifacts.js";
import { assertWhole, type Curves, type LoggedValues, type LogOptions, splitNamed } from "./curves.js";
import type { EventFiles } from "./event-files.js";
import { checkedEvaluation, type LoggedEvaluationRow } from "./evaluation-rows.js";
import { checkTable, copyInto, encodeImage, type LoggedImage, type LoggedTable, nameOf, writeTable } from "./media.js";
import { onProcessEnd } from "./process-end.js";
import { checkedSettings } from "./settings.js";

/** Where a picture, distribution or text belongs. */
export interface MediaOptions {
  /** A whole number, 0 or more; default 0. */
  readonly step?: number | undefined;
  /** Default `train`. */
  readonly split?: string | undefined;
}

/** What is open while a tracked run works. */
export interface TrackedSession {
  readonly store: RunStore;
  readonly run: RunRecord;
  readonly loggers: LoggerGroup;
  readonly curves: Curves;
  /** null where they could not be opened. */
  readonly events: EventFiles | null;
  readonly output: OutputCapture | null;
  readonly watch: { stop(): void };
}

const FLUSH_MS = 1000;
/** Until a store that could not be written is tried again. */
const LONGEST_WAIT_MS = 60_000;
const FLUSH_POINTS = 5000;
/** As many points wait for a store that cannot be written; then the oldest are given up. */
const MOST_WAITING = 1_000_000;
const MOST_SHOWN_ROWS = 100;

/**
 * Methods throw UsageError for what cannot be kept. A store that cannot be written does not end the program: it is told
 * once, points wait, and `finish` throws.
 */
export class TrackedRun {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  /** The run's folder. */
  readonly dir: string;
  readonly #session: TrackedSession;
  readonly #timer: NodeJS.Timeout;
  readonly #forget: () => void;
  readonly #work = new Set<Promise<void>>();
  #lastFlush = Date.now();
  #waitMs = FLUSH_MS;
  #epochs = 0;
  #failure: Error | null = null;
  #end: RunEnd | null = null;

  /** @internal Use `startRun`. */
  constructor(session: TrackedSession) {
    const { store, run } = session;
    this.#session = session;
    this.id = run.id;
    this.name = run.name;
    this.project = run.project;
    this.dir = store.runDir(run.id);
    this.#timer = setInterval(() => {
      if (this.#failure === null || this.#isDue()) this.#flush();
    }, FLUSH_MS);
    this.#timer.unref();
    this.#forget = onProcessEnd((end, reason) => this.#endNow(end, reason));
  }

  /** Values of curves by name: `run.log({ loss, "valid/accuracy": 0.9 }, { step })`. NaN is kept as NaN. */
  log(values: LoggedValues, options: LogOptions = {}): void {
    this.#assertOpen();
    const { curves } = this.#session;
    curves.add(values, options);
    this.#epochs = Math.max(this.#epochs, options.epoch ?? 0);
    // where the last write failed, a loop of many points a second does not try again with each of them
    const isMuch = curves.waiting >= FLUSH_POINTS && this.#failure === null;
    if (isMuch || this.#isDue()) this.#flush();
  }

  /** Adds settings, or changes them. */
  config(values: Readonly<Record<string, unknown>>): void {
    this.#assertOpen();
    const settings = checkedSettings("config(…)", values);
    const { store, events } = this.#session;
    store.addConfig(this.id, settings);
    this.#draw(() => events?.config(store.readConfig(this.id)));
  }

  tag(...tags: readonly string[]): void {
    this.#assertOpen();
    const wrong = tags.find((tag) => typeof tag !== "string");
    if (wrong !== undefined) throw new UsageError(`A tag is a text, not ${String(wrong)}.`);
    this.#session.store.addTags(this.id, tags);
  }

  /** A picture in TensorBoard. It is read at once and encoded meanwhile; what is no picture is told as a warning. */
  image(tag: string, image: LoggedImage, options: MediaOptions = {}): Promise<void> {
    const { split, step } = this.#place(tag, options);
    const work = encodeImage(tag, image)
      .then((encoded) => this.#draw(() => this.#session.events?.image(split, tag, encoded, step)))
      .catch((error: unknown) => this.warn(messageOf(error)))
      .finally(() => this.#work.delete(work));
    this.#work.add(work);
    return work;
  }

  /** A distribution in TensorBoard. */
  histogram(tag: string, values: ArrayLike<number>, options: MediaOptions = {}): void {
    const { split, step } = this.#place(tag, options);
    if (typeof values !== "object" || values === null || !Number.isSafeInteger(values.length)) {
      throw new UsageError(`The histogram "${tag}" takes a list of numbers.`, { tag });
    }
    this.#draw(() => this.#session.events?.histogram(split, tag, values, step));
  }

  /** Markdown in TensorBoard. */
  text(tag: string, text: string, options: Pick<MediaOptions, "step"> = {}): void {
    const { step } = this.#place(tag, options);
    this.#draw(() => this.#session.events?.text(tag, String(text), step));
  }

  /** A table, kept as `tables/<name>.json` in the run's folder; its first rows are shown in TensorBoard. */
  table(name: string, table: LoggedTable, options: Pick<MediaOptions, "step"> = {}): void {
    const { step } = this.#place(name, options);
    checkTable(name, table);
    this.#assertThere();
    writeTable(this.dir, name, table, options.step);
    const rows = table.rows.slice(0, MOST_SHOWN_ROWS).map((row) => row.map((cell) => String(cell)));
    this.#draw(() => this.#session.events?.text(name, markdownTable(table.columns, rows), step));
  }

  /**
   * Copies a file or folder into the run's, as `artifacts/<name>`.
   * @param options.name default: that of the file
   */
  artifact(path: string, options: { readonly name?: string | undefined } = {}): void {
    this.#assertOpen();
    this.#assertThere();
    copyInto(this.dir, "artifacts", path, options.name ?? nameOf(path));
  }

  /**
   * Copies a checkpoint (a file or folder) into the run's, as `checkpoints/<name>`, in the place of the one before.
   * @param options.name default `last`
   */
  checkpoint(path: string, options: { readonly name?: string | undefined } = {}): void {
    this.#assertOpen();
    this.#assertThere();
    copyInto(this.dir, "checkpoints", path, options.name ?? "last");
  }

  /** Metrics of whole splits, in the place of those of the same split and gates: what `compare runs` compares. */
  evaluate(rows: readonly LoggedEvaluationRow[], options: Pick<LogOptions, "step" | "epoch"> = {}): void {
    this.#assertOpen();
    const { step = 0, epoch = null } = options;
    assertWhole("step", step);
    this.#session.loggers.evaluation({ rows: checkedEvaluation(rows), epoch, epochs: epoch ?? 0, step });
  }

  /** A line on stderr and in the run's log. */
  warn(line: string): void {
    this.#session.loggers.warning(line);
  }

  /**
   * Ends the run: writes what waits, the digests of its files and how it ended. A second call does nothing.
   * @param options.error why it failed
   * @throws StoreError where the store cannot be written
   */
  async finish(options: { readonly state?: RunEnd; readonly error?: string } = {}): Promise<RunSummary> {
    const { store } = this.#session;
    checkEnd(options.state);
    await Promise.all(this.#work);
    if (this.#end === null) {
      const artifacts = existsSync(this.dir) ? await digestFiles(this.dir) : [];
      const { error, state = error === undefined ? "finished" : "failed" } = options;
      this.#close(state, error ?? null, artifacts);
    }
    const summary = store.isThere() ? summarize(store.getRun(this.id), this.dir) : null;
    const failure = this.#failure ?? (summary === null ? store.missing(this.id) : null);
    await this.#session.loggers.close();
    store.close();
    if (failure !== null || summary === null) throw failure ?? new CoolError(`Run ${this.id} is gone.`);
    return summary;
  }

  /** While the process ends: nothing waits. */
  #endNow(end: RunEnd, reason: string | null): void {
    if (this.#end !== null) return;
    try {
      this.#close(
        end,
        reason,
        existsSync(this.dir) ? digests(this.dir, filesOf(this.dir, () => {}).filter(isFinal)) : [],
      );
      this.#session.store.close();
    } catch (error) {
      process.stderr.write(`warning: ${messageOf(error)}\n`);
    }
  }

  #close(end: RunEnd, reason: string | null, artifacts: readonly Artifact[]): void {
    const { store, run, loggers, output, watch } = this.#session;
    this.#flush();
    watch.stop();
    clearInterval(this.#timer);
    this.#end = end;
    this.#forget();
    endLogs({ store, run, loggers }, end);
    if (reason !== null) output?.add(`Error: ${reason}\n`);
    output?.stop();
    if (!store.isThere()) return;
    try {
      store.recordArtifacts(run.id, artifacts);
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new CoolError(messageOf(error));
    }
    if (end === "finished") store.finishRun(run.id, end);
    else recordEnd({ store, run, loggers }, end, reason);
  }

  /** Writes what waits; where that fails, it waits on. */
  #flush(): void {
    const { store, run, curves, loggers } = this.#session;
    const begun = Date.now();
    this.#lastFlush = begun;
    this.#waitMs = FLUSH_MS;
    if (curves.waiting === 0) return;
    const points = curves.take();
    try {
      this.#assertThere();
      loggers.points(points);
      if (this.#epochs > 0) store.updateRun(run.id, { epochsDone: this.#epochs });
      this.#failure = null;
    } catch (error) {
      if (this.#failure === null) this.warn(`The run cannot be written, and its points wait: ${messageOf(error)}`);
      this.#failure = error instanceof Error ? error : new CoolError(messageOf(error));
      curves.giveBack(points.slice(-MOST_WAITING));
      // an attempt with many points may take long: most of the time is the loop's
      this.#lastFlush = Date.now();
      this.#waitMs = Math.min(LONGEST_WAIT_MS, Math.max(FLUSH_MS, 10 * (this.#lastFlush - begun)));
    }
  }

  #isDue(): boolean {
    return Date.now() - this.#lastFlush >= this.#waitMs;
  }

  /** Pictures and texts are no results: where their file fails, the run goes on and says so. */
  #draw(draw: () => void): void {
    try {
      draw();
    } catch (error) {
      this.warn(messageOf(error));
    }
  }

  #place(tag: string, { step = 0, split = "train" }: MediaOptions) {
    this.#assertOpen();
    if (typeof tag !== "string" || tag === "" || tag.length > 200) {
      throw new UsageError(`A tag is a text of 1 to 200 characters, not ${JSON.stringify(tag)?.slice(0, 60)}.`, {});
    }
    assertWhole("step", step);
    return { step, split: splitNamed(split) };
  }

  /** Where the store was deleted, nothing of it may come back. */
  #assertThere(): void {
    const missing = this.#session.store.missing(this.id);
    if (missing !== null) throw missing;
  }

  #assertOpen(): void {
    if (this.#end === null) return;
    throw new UsageError(`Run ${this.id} (${this.name}) has ended. Log before finish(), or start another run.`, {
      run: this.id,
      file: join(this.dir),
    });
  }
}

const ENDS: readonly RunEnd[] = ["finished", "failed", "interrupted", "pruned"];

function checkEnd(state: RunEnd | undefined): void {
  if (state === undefined || ENDS.includes(state)) return;
  throw new UsageError(`finish({ state }): "state" is none of ${ENDS.join(", ")}.`, { state });
}
