/** @file Room for signals between stretches of work that block the event loop. */
import { setImmediate as eventLoop } from "node:timers/promises";
import { InterruptedError } from "../errors.js";

/**
 * Lets the handlers of signals, timers and streams run.
 * @param message of the error
 * @throws InterruptedError where the signal has fired
 */
export async function yieldTo(signal: AbortSignal | undefined, message = "Interrupted."): Promise<void> {
  await eventLoop();
  if (signal?.aborted === true) throw new InterruptedError(message);
}

/** Long work without a promise in it: it yields where it may be interrupted. */
export type Sliced<T> = Generator<undefined, T, undefined>;

/** Work that is shorter yields to nobody: a turn of the event loop would take longer than many a slice. */
const SLICE_MS = 20;

/**
 * Does the work with room for signals between its slices, as often as they take {@link SLICE_MS}.
 * @throws InterruptedError where the signal has fired
 */
export async function inSlices<T>(work: Sliced<T>, signal: AbortSignal | undefined): Promise<T> {
  let since = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (performance.now() - since < SLICE_MS) continue;
    await yieldTo(signal);
    since = performance.now();
  }
}

/** Does the work in one go. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
