/** @file Workers that answer batches, each with a model of its own; one that ends is replaced. */
import { setTimeout as sleep } from "node:timers/promises";
import { CoolError } from "../../errors.js";
import { HttpProblem } from "../../http/problem.js";
import type { Link, OpenLink } from "./links.js";
import type { FromWorker, SentAnswer, SentError, ToWorker, WorkerRow } from "./messages.js";

export interface PoolOptions {
  readonly count: number;
  readonly openLink: OpenLink;
  readonly request: Extract<ToWorker, { kind: "open" }>;
  /** A batch that takes longer has stuck: its worker is ended and replaced. */
  readonly batchMs: number;
  /** Is told what happens to workers, in a line. */
  readonly onNote: (line: string) => void;
}

/** A worker that waits for a batch. */
export interface IdleWorker {
  /** Answers a batch, in its order. @throws HttpProblem 500 where the worker ends meanwhile */
  answer(rows: readonly WorkerRow[]): Promise<readonly SentAnswer[]>;
}

/** A worker that did not open, as it said why. */
class UnreadyError extends CoolError {
  constructor({ name, message, facts }: SentError) {
    super(message, facts);
    this.name = name;
  }
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/** Owns its workers. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  #onIdle: () => void = () => {};
  #isClosing = false;
  #lost = 0;

  private constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** @throws CoolError where the first worker does not open, with its reason */
  static async open(options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    try {
      // the first alone: what is wrong with the model is told once
      await pool.#start();
      await Promise.all(Array.from({ length: options.count - 1 }, () => pool.#start()));
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  /** What computes. */
  get runtime(): string {
    return [...this.#all].find(({ runtime }) => runtime !== "")?.runtime ?? "";
  }
  /** Workers that are open. */
  get ready(): number {
    return [...this.#all].filter(({ isReady }) => isReady).length;
  }
  get busy(): number {
    return this.ready - this.#idle.length;
  }
  /** Workers that ended though nobody asked them to. */
  get lost(): number {
    return this.#lost;
  }

  /** @param told whenever a worker waits for a batch */
  whenIdle(told: () => void): void {
    this.#onIdle = told;
    if (this.#idle.length > 0) told();
  }

  /** A worker that waits for a batch, which the caller has to give it. */
  take(): IdleWorker | undefined {
    const worker = this.#idle.shift();
    if (worker === undefined) return undefined;
    return { answer: (rows) => this.#answer(worker, rows) };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#all].map((worker) => worker.end()));
  }

  async #answer(worker: Worker, rows: readonly WorkerRow[]): Promise<readonly SentAnswer[]> {
    const limit = setTimeout(() => {
      this.#options.onNote(
        `a worker has not answered a batch of ${rows.length} in ${this.#options.batchMs} ms and is replaced`,
      );
      void worker.end();
    }, this.#options.batchMs);
    try {
      return await worker.answer(rows);
    } finally {
      clearTimeout(limit);
      this.#free(worker);
    }
  }

  #free(worker: Worker): void {
    if (!worker.isReady) return;
    this.#idle.push(worker);
    this.#onIdle();
  }

  async #start(): Promise<void> {
    const worker = new Worker(this.#options, (how) => this.#ended(worker, how));
    this.#all.add(worker);
    await worker.opened;
    this.#free(worker);
  }

  #ended(worker: Worker, how: string): void {
    const wasOpen = worker.isReady;
    this.#all.delete(worker);
    const place = this.#idle.indexOf(worker);
    if (place >= 0) this.#idle.splice(place, 1);
    if (this.#isClosing || !wasOpen) return;
    this.#lost++;
    this.#options.onNote(`a worker ended ${how} and is replaced`);
    void this.#replace();
  }

  /** Until one opens: what keeps it from that, such as too little memory, may pass. */
  async #replace(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !this.#isClosing; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await this.#start();
      } catch (error) {
        if (this.#isClosing) return;
        this.#options.onNote(`a worker does not open again: ${error instanceof Error ? error.message : String(error)}`);
        await sleep(pause);
      }
    }
  }
}

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** One worker, which does one thing at a time. */
class Worker {
  readonly #link: Link;
  readonly opened: Promise<void>;
  runtime = "";
  #state: "opening" | "ready" | "ended" = "opening";
  #opening: Waiting<void> | null = null;
  #batch: Waiting<readonly SentAnswer[]> | null = null;

  /** @param onEnd is told while `isReady` still says whether it was open */
  constructor({ openLink, request }: PoolOptions, onEnd: (how: string) => void) {
    this.opened = new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    this.#link = openLink({
      onMessage: (message) => this.#hear(message),
      onEnd: (how) => {
        if (this.#state === "ended") return;
        onEnd(how);
        this.#state = "ended";
        this.#opening?.reject(new CoolError(`a worker ended ${how} before it had opened the model.`));
        this.#batch?.reject(workerLost());
        this.#batch = null;
      },
    });
    this.#link.send(request);
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  answer(rows: readonly WorkerRow[]): Promise<readonly SentAnswer[]> {
    if (!this.isReady) return Promise.reject(workerLost());
    return new Promise((resolve, reject) => {
      this.#batch = { resolve, reject };
      this.#link.send({ kind: "answer", rows });
    });
  }

  end(): Promise<void> {
    return this.#link.end();
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "ready":
        this.runtime = message.runtime;
        this.#state = "ready";
        this.#opening?.resolve();
        break;
      case "unready":
        this.#opening?.reject(new UnreadyError(message.error));
        void this.end();
        break;
      case "answered": {
        const batch = this.#batch;
        this.#batch = null;
        batch?.resolve(message.answers);
        break;
      }
      default:
        message satisfies never;
    }
  }
}

function workerLost(): HttpProblem {
  return new HttpProblem(
    500,
    "worker_lost",
    "The worker that was answering this has ended, and is being replaced. If it happens again with the same input, that input is why.",
  );
}
