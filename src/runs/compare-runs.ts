/** @file `cool compare runs`: settings that differ, metrics side by side. */
import { type Comparison, type ConfigValue, compareRuns as compare } from "../analysis/compare.js";
import { UsageError } from "../errors.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { type RunSummary, summarize } from "./train-run.js";

export interface RunComparison extends Comparison {
  readonly runs: readonly RunSummary[];
}

/** @param references two runs or more; none: all finished ones, oldest first */
export function compareRuns(store: RunStore, references: readonly string[]): RunComparison {
  if (references.length === 1)
    throw new UsageError("One run cannot be compared. Name a second one, or none for all finished runs.");
  const runs = references.length === 0 ? finishedRuns(store) : references.map((reference) => store.findRun(reference));
  const comparable = runs.map(({ id, name }) => ({
    id,
    name,
    config: flatConfig(store, id),
    evaluation: store.readEvaluation(id),
  }));
  return { runs: runs.map((run) => summarize(run, store.runDir(run.id))), ...compare(comparable) };
}

/** Lists and empty objects are compared as JSON. */
function flatConfig(store: RunStore, id: string): Record<string, ConfigValue> {
  return Object.fromEntries(
    Object.entries(store.readConfig(id)).map(([key, value]) => [
      key,
      typeof value === "object" && value !== null ? JSON.stringify(value) : (value as ConfigValue),
    ]),
  );
}

function finishedRuns(store: RunStore): RunRecord[] {
  return store.listRuns({ state: "finished" }).reverse();
}
