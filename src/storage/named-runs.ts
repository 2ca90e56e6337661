/** @file What a name means where several runs may be meant: one run, or all runs of a group. */
import { UnknownNameError } from "../errors.js";
import type { RunStore } from "./run-store.js";
import type { RunGroup } from "./tables/groups.js";

/**
 * Ids of the runs that a reference means, those of a group in the order of their places.
 * @throws UnknownNameError where there is neither
 */
export function namedRuns(store: RunStore, reference: string): readonly string[] {
  return runsOfReference(store, reference, store.findGroup(reference));
}

/**
 * As {@link namedRuns}, of a reference whose group is known already.
 * @param group null: it is none
 * @throws UnknownNameError
 */
export function runsOfReference(store: RunStore, reference: string, group: RunGroup | null): readonly string[] {
  if (group === null) return [store.findRun(reference).id];
  if (group.runs.length > 0) return group.runs.map(({ id }) => id);
  throw new UnknownNameError("run", reference, [], `the group ${group.name}, all of whose runs are deleted`);
}
