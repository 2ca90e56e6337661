/** @file Room for signals between two stretches of work that block the event loop. */
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
