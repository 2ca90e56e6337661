/** @file A run whose store is deleted under it stops: what it would write could never be read again. */
import type { RunStore } from "../storage/run-store.js";

/** @throws StoreError where the store, or the run's folder in it, is no longer there */
export function assertPresent(store: Pick<RunStore, "missing">, runId: string): void {
  const missing = store.missing(runId);
  if (missing !== null) throw missing;
}
