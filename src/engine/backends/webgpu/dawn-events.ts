/** @file Waits for the GPU within the current function, so that tensors can be read at once as on every other backend. */

/** How often Dawn is asked without a pause: a hardware GPU answers within. */
const EAGER_ASKS = 200;
const PAUSE_MS = 0.05;

/**
 * Dawn handles what the GPU has done in a function that it hands to `setImmediate` while something is under way. Called
 * by hand, that function does the same without a turn of the event loop.
 */
export class DawnEvents {
  readonly #handle: () => void;
  readonly #nap = new Int32Array(new SharedArrayBuffer(4));

  private constructor(handle: () => void) {
    this.#handle = handle;
  }

  /**
   * Starts something that Dawn answers later, and takes hold of its handler.
   * @returns the handler beside what was started; null where Dawn has not scheduled one
   */
  static async capture<T>(
    start: () => Promise<T>,
  ): Promise<{ readonly events: DawnEvents | null; readonly result: T }> {
    const { result, scheduled } = whileUnscheduled(start);
    const handle = scheduled[0];
    if (handle !== undefined) setImmediate(handle);
    return { events: handle === undefined ? null : new DawnEvents(handle), result: await result };
  }

  /** Handles events until `isDone`. The event loop stands still meanwhile, as it does while a kernel runs elsewhere. */
  waitUntil(isDone: () => boolean): void {
    const { scheduled } = whileUnscheduled(() => {
      for (let asks = 0; !isDone(); asks++) {
        this.#handle();
        if (asks > EAGER_ASKS) Atomics.wait(this.#nap, 0, 0, PAUSE_MS);
      }
    });
    // something else may be under way still: once is enough, it then schedules itself
    if (scheduled.length > 0) setImmediate(this.#handle);
  }
}

/** Runs `work` while whatever it would schedule is only counted; only the first is kept. */
function whileUnscheduled<T>(work: () => T): { readonly result: T; readonly scheduled: readonly (() => void)[] } {
  const scheduled: (() => void)[] = [];
  const original = globalThis.setImmediate;
  const keepFirst = (callback: () => void): void => {
    if (scheduled.length === 0) scheduled.push(callback);
  };
  globalThis.setImmediate = Object.assign(keepFirst, original) as unknown as typeof setImmediate;
  try {
    return { result: work(), scheduled };
  } finally {
    globalThis.setImmediate = original;
  }
}
