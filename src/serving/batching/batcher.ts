/** @file Rows of many requests, answered together: dynamic batching before the workers. */
import { at } from "../../arrays.js";
import { HttpProblem } from "../../http/problem.js";

export interface BatchOptions {
  /** Rows of one batch. */
  readonly maxBatch: number;
  /** How long a row waits for others before a worker that is free. */
  readonly maxDelayMs: number;
  /** Rows that wait; more are refused. */
  readonly maxWaiting: number;
  /** Is told of each batch. */
  readonly onBatch?: (rows: number, waitedMs: number) => void;
}

/** What answers batches. */
export interface BatchWorkers<Row, Answer> {
  readonly busy: number;
  take(): { answer(rows: readonly Row[]): Promise<readonly Answer[]> } | undefined;
  whenIdle(told: () => void): void;
}

interface Entry<Row, Answer> {
  readonly row: Row;
  readonly since: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * One queue for all workers: a free one takes what waits, up to `maxBatch`, once that many are there or the oldest has
 * waited `maxDelayMs`. Nothing waits for others where there are none: nobody is on the way, and no worker is busy.
 */
export class Batcher<Row, Answer> {
  readonly #workers: BatchWorkers<Row, Answer>;
  readonly #options: BatchOptions;
  #queue: Entry<Row, Answer>[] = [];
  #timer: NodeJS.Timeout | null = null;
  #onTheWay = 0;

  constructor(workers: BatchWorkers<Row, Answer>, options: BatchOptions) {
    this.#workers = workers;
    this.#options = options;
    workers.whenIdle(() => this.#pump());
  }

  /** Rows that wait for a worker. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Says that rows are being read, for whom others may wait. @returns what ends that, to be called once */
  announce(): () => void {
    this.#onTheWay++;
    return () => {
      this.#onTheWay--;
      this.#pump();
    };
  }

  /** @throws HttpProblem 503 where as many rows cannot wait */
  assertRoom(rows: number): void {
    if (this.#queue.length + rows <= this.#options.maxWaiting) return;
    throw new HttpProblem(
      503,
      "overloaded",
      `${this.#queue.length} rows are waiting already. Ask again in a moment.`,
      { waiting: this.#queue.length },
      { "retry-after": "1" },
    );
  }

  /**
   * Answers to rows, in their order.
   * @param signal takes those that still wait out of the queue
   * @throws HttpProblem 503; what the worker throws; the reason of the signal
   */
  ask(rows: readonly Row[], signal?: AbortSignal): Promise<readonly Answer[]> {
    this.assertRoom(rows.length);
    signal?.throwIfAborted();
    const since = performance.now();
    const answers = rows.map(
      (row) =>
        new Promise<Answer>((resolve, reject) => {
          this.#queue.push({ row, since, resolve, reject, signal });
        }),
    );
    const onAbort = (): void => this.#drop(signal);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#pump();
    return Promise.all(answers).finally(() => signal?.removeEventListener("abort", onAbort));
  }

  #drop(signal: AbortSignal | undefined): void {
    const dropped = this.#queue.filter((entry) => entry.signal === signal);
    this.#queue = this.#queue.filter((entry) => entry.signal !== signal);
    for (const { reject } of dropped) reject(signal?.reason);
  }

  #pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#queue.length > 0) {
      const rest = this.#patience();
      if (rest > 0) {
        this.#timer = setTimeout(() => this.#pump(), rest);
        return;
      }
      const worker = this.#workers.take();
      // it says when it is free
      if (worker === undefined) return;
      const batch = this.#queue.splice(0, this.#options.maxBatch);
      this.#options.onBatch?.(batch.length, performance.now() - at(batch, 0).since);
      void answer(worker, batch);
    }
  }

  /** Milliseconds that what waits has for others to come. */
  #patience(): number {
    const { maxBatch, maxDelayMs } = this.#options;
    const isAlone = this.#onTheWay === 0 && this.#workers.busy === 0;
    if (this.#queue.length >= maxBatch || isAlone) return 0;
    return maxDelayMs - (performance.now() - at(this.#queue, 0).since);
  }
}

async function answer<Row, Answer>(
  worker: { answer(rows: readonly Row[]): Promise<readonly Answer[]> },
  batch: readonly Entry<Row, Answer>[],
): Promise<void> {
  try {
    const answers = await worker.answer(batch.map(({ row }) => row));
    batch.forEach(({ resolve }, i) => {
      resolve(at(answers, i));
    });
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
