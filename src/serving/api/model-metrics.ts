/** @file What a server counts: requests, batches, and what the model answers, which shows when its inputs change. */
import { type Counter, type Histogram, Metrics } from "../../http/metrics.js";
import { packageVersion } from "../../platform/version.js";
import { type AskedAnswers, countedTasks } from "../model/asked-answers.js";
import type { ServedModel } from "../model/served-model.js";

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128] as const;

/** What is asked about the server when the page is read. */
export interface Gauges {
  readonly waiting: number;
  readonly ready: number;
  readonly busy: number;
  readonly lost: number;
  readonly runtime: string;
}

/** The numbers of one served model. */
export class ModelMetrics {
  readonly #metrics = new Metrics();
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #batches: Histogram;
  readonly #waits: Histogram;
  readonly #rows: Counter;
  readonly #asked: Counter;
  readonly #answers: Counter;

  constructor({ graph, run }: Pick<ServedModel, "graph" | "run">, gauges: () => Gauges) {
    const metrics = this.#metrics;
    metrics.gauge("cool_serve_info", "What is served, always 1.", () => [
      [{ run: run.id, name: run.name, version: packageVersion(), runtime: gauges().runtime }, 1],
    ]);
    this.#requests = metrics.counter("cool_serve_requests_total", "Requests that were answered.");
    this.#seconds = metrics.histogram(
      "cool_serve_request_seconds",
      "Time from the head of a request to its answer.",
      SECONDS,
    );
    this.#rows = metrics.counter("cool_serve_rows_total", "Rows that were answered.");
    this.#batches = metrics.histogram("cool_serve_batch_rows", "Rows that passed the network together.", ROWS);
    this.#waits = metrics.histogram(
      "cool_serve_wait_seconds",
      "Time that the oldest row of a batch waited for it.",
      SECONDS,
    );
    metrics.gauge("cool_serve_queue_rows", "Rows that wait for a worker.", () => [[{}, gauges().waiting]]);
    metrics.gauge("cool_serve_workers", "Workers that are open, and those that are answering.", () => [
      [{ state: "ready" }, gauges().ready],
      [{ state: "busy" }, gauges().busy],
    ]);
    metrics.gauge("cool_serve_workers_lost", "Workers that ended by themselves and were replaced.", () => [
      [{}, gauges().lost],
    ]);
    this.#asked = metrics.counter(
      "cool_serve_task_asked_total",
      "Rows of which a task was asked: its share of cool_serve_rows_total is how often its precondition held.",
    );
    this.#answers = metrics.counter(
      "cool_serve_task_answers_total",
      "Answers of tasks with yes or no, classes or labels.",
    );
    // from the beginning: a counter that appears later seems to have jumped
    for (const path of countedTasks(graph).keys()) this.#asked.add({ task: path }, 0);
    metrics.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", () => [
      [{}, process.memoryUsage.rss()],
    ]);
    const start = Math.round(Date.now() / 1000 - process.uptime());
    metrics.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", () => [
      [{}, start],
    ]);
  }

  request(method: string, route: string, status: number, seconds: number): void {
    this.#requests.add({ method: METHODS.has(method) ? method : "other", route, status: String(status) });
    this.#seconds.observe(seconds, { route });
  }

  batch(rows: number, waitedMs: number): void {
    this.#batches.observe(rows);
    this.#waits.observe(waitedMs / 1000);
  }

  /** @param rows what was asked of each */
  answered(rows: readonly AskedAnswers[]): void {
    this.#rows.add({}, rows.length);
    for (const [path, ...answers] of rows.flat()) {
      this.#asked.add({ task: path });
      for (const answer of answers) this.#answers.add({ task: path, answer });
    }
  }

  text(): string {
    return this.#metrics.text();
  }
}

// whatever else a request calls itself would be a series of its own
const METHODS = new Set(["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"]);
