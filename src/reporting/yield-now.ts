/** @file Long work on a report lets signals have their turn. */
import { yieldTo } from "../platform/yield-to.js";

/** @throws InterruptedError where the user has stopped the work */
export function yieldNow(signal: AbortSignal | undefined): Promise<void> {
  return yieldTo(signal, "Interrupted: no report was written.");
}
