/** @file What a name means where several runs may be meant: one run, or all runs of a group. */
import { UnknownNameError } from "../errors.js";
import type { RunStore } from "./run-store.js";

/**
 * Ids of the runs that a reference means, those of a group in the order of their places.
 * @throws UnknownNameError where there is neither
 */
export function namedRuns(store: RunStore, reference: string): readonly string[] {
  const group = store.findGroup(reference);
  if (group === null) return [store.findRun(reference).id];
  if (group.runs.length > 0) return group.runs.map(({ id }) => id);
  throw new UnknownNameError("run", reference, [], `the group ${group.name}, all of whose runs are deleted`);
}
