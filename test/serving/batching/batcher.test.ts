/** @file Rows of many requests wait for each other as long as they should, and no longer. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { type BatchOptions, Batcher } from "../../../src/serving/batching/batcher.js";

/** Workers that answer when they are told to. */
class Workers {
  readonly batches: { readonly rows: readonly number[]; finish(): void; fail(error: Error): void }[] = [];
  #free: number;
  readonly #count: number;
  #told: () => void = () => {};

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }
  get busy(): number {
    return this.#count - this.#free;
  }
  whenIdle(told: () => void): void {
    this.#told = told;
  }
  take() {
    if (this.#free === 0) return undefined;
    this.#free--;
    return {
      answer: (rows: readonly number[]) =>
        new Promise<readonly number[]>((resolve, reject) => {
          const end = (): void => {
            this.#free++;
            this.#told();
          };
          const batch = {
            rows,
            finish: () => {
              resolve(rows.map((row) => 10 * row));
              end();
            },
            fail: (error: Error) => {
              reject(error);
              end();
            },
          };
          this.batches.push(batch);
        }),
    };
  }
}

function batcherOf(count: number, options: Partial<BatchOptions> = {}) {
  const workers = new Workers(count);
  const batcher = new Batcher<number, number>(workers, { maxBatch: 4, maxDelayMs: 20, maxWaiting: 8, ...options });
  return { workers, batcher, batches: () => workers.batches.map(({ rows }) => rows) };
}

it("a row that is alone waits for nobody", async () => {
  const { workers, batcher, batches } = batcherOf(1, { maxDelayMs: 10_000 });
  const answer = batcher.ask([1]);
  expect(batches()).toEqual([[1]]);
  workers.batches[0]?.finish();
  expect(await answer).toEqual([10]);
});

it("rows wait for those that are on the way, up to the delay", async () => {
  const { batcher, batches } = batcherOf(1);
  const arrived = batcher.announce();
  void batcher.ask([1]);
  expect(batches()).toEqual([]);
  void batcher.ask([2]);
  await sleep(40);
  expect(batches()).toEqual([[1, 2]]);
  arrived();
});

it("nobody waits any longer once those on the way have come", () => {
  const { batcher, batches } = batcherOf(1, { maxDelayMs: 10_000 });
  const arrived = batcher.announce();
  void batcher.ask([1]);
  void batcher.ask([2]);
  arrived();
  expect(batches()).toEqual([[1, 2]]);
});

it("a full batch goes at once, and what is left over with the next", async () => {
  const { workers, batcher, batches } = batcherOf(1, { maxDelayMs: 10_000 });
  const arrived = batcher.announce();
  const first = batcher.ask([1, 2, 3]);
  const second = batcher.ask([4, 5, 6]);
  expect(batches()).toEqual([[1, 2, 3, 4]]);
  arrived();
  workers.batches[0]?.finish();
  expect(await first).toEqual([10, 20, 30]);
  expect(batches()).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ]);
  workers.batches[1]?.finish();
  expect(await second).toEqual([40, 50, 60]);
});

it("several workers have a batch each", () => {
  const { batcher, batches } = batcherOf(2, { maxDelayMs: 10_000 });
  void batcher.ask([1]);
  void batcher.ask([2, 3, 4, 5]);
  void batcher.ask([6]);
  expect(batches()).toEqual([[1], [2, 3, 4, 5]]);
  expect(batcher.waiting).toBe(1);
});

it("more than may wait is refused, with when to come back", () => {
  const { batcher } = batcherOf(0);
  void batcher.ask([1, 2, 3, 4, 5]);
  expect(() => batcher.ask([6, 7, 8, 9])).toThrow(
    expect.objectContaining({ status: 503, headers: { "retry-after": "1" } }),
  );
  void batcher.ask([6, 7, 8]);
  expect(batcher.waiting).toBe(8);
});

it("rows of those who have gone leave the queue", async () => {
  const { workers, batcher, batches } = batcherOf(1, { maxDelayMs: 10_000 });
  const gone = new AbortController();
  const first = batcher.ask([1]);
  const second = batcher.ask([2, 3], gone.signal);
  const third = batcher.ask([4]);
  gone.abort(new Error("gone"));
  await expect(second).rejects.toThrow("gone");
  workers.batches[0]?.finish();
  expect(await first).toEqual([10]);
  await sleep(0);
  expect(batches()).toEqual([[1], [4]]);
  workers.batches[1]?.finish();
  expect(await third).toEqual([40]);
  expect(() => batcher.ask([5], gone.signal)).toThrow("gone");
});

it("a batch that fails fails all of its rows and no others", async () => {
  const { workers, batcher } = batcherOf(1, { maxDelayMs: 0 });
  const first = batcher.ask([1]);
  const second = batcher.ask([2]);
  workers.batches[0]?.fail(new Error("lost"));
  await expect(first).rejects.toThrow("lost");
  workers.batches[1]?.finish();
  expect(await second).toEqual([20]);
});
