/** @file Room for signals between stretches of work that block the event loop. */
import { setImmediate as eventLoop } from "node:timers/promises";
import { InterruptedError } from "../errors.js";

/**
 * Lets the handlers of signals, timers and streams run.
 * @throws InterruptedError where the signal has fired
 */
export async function yieldTo(signal: AbortSignal | undefined): Promise<void> {
  await eventLoop();
  if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
}

/** Long work without a promise in it: it yields where it may be interrupted. */
export type Sliced<T> = Generator<undefined, T, undefined>;

/**
 * Does the work with room for signals between its slices.
 * @throws InterruptedError where the signal has fired
 */
export async function inSlices<T>(work: Sliced<T>, signal: AbortSignal | undefined): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await yieldTo(signal);
  }
}

/** Does the work in one go. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
