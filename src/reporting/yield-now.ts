/** @file Long work lets signals have their turn. */
import { setImmediate } from "node:timers/promises";
import { InterruptedError } from "../errors.js";

/** @throws InterruptedError where the user has stopped the work */
export async function yieldNow(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  if (signal?.aborted === true) throw new InterruptedError("Interrupted: no report was written.");
}
