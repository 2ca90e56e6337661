/** @file Changes of runs: the rules of `cool runs tag`, `note`, `mark`, `remove` and `restore`. */
import { CoolError, UsageError } from "../../errors.js";
import { listed, type ListedRun } from "../../records/list-runs.js";
import { removeRuns, restoreRuns } from "../../records/trash.js";
import type { RunStore } from "../../storage/run-store.js";
import type { RunEdit, RunsEdit } from "./types.js";

const KEYS = {
  add_tags: isTexts,
  remove_tags: isTexts,
  note: (value: unknown): boolean => value === null || typeof value === "string",
  starred: (value: unknown): boolean => typeof value === "boolean",
  trash: (value: unknown): boolean => typeof value === "boolean",
} as const satisfies { readonly [K in keyof RunEdit]-?: (value: unknown) => boolean };

/** Runs that are changed at a time. */
const MOST_RUNS = 1000;

/** What a body asks for. @throws UsageError for anything else */
export function readEdit(body: string): RunEdit {
  const value = object(body);
  checkParts(value);
  return value;
}

/** What a body asks for of several runs. @throws UsageError for anything else */
export function readRunsEdit(body: string): RunsEdit {
  const { runs, ...edit } = object(body) as Partial<RunsEdit>;
  if (!Array.isArray(runs) || runs.length === 0 || !runs.every((id) => typeof id === "string")) {
    throw new UsageError('A change of several runs names their ids: {"runs": ["ID", …], …}.');
  }
  if (runs.length > MOST_RUNS) {
    throw new UsageError(`${runs.length} runs are too many: at most ${MOST_RUNS} are changed at a time.`);
  }
  checkParts(edit);
  return { runs: [...new Set(runs)], ...edit };
}

function object(body: string): object {
  const value = parsed(body);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError("A change is an object.");
  return value;
}

function checkParts(edit: object): asserts edit is RunEdit {
  for (const [key, part] of Object.entries(edit)) {
    const isRight = Object.entries(KEYS).find(([known]) => known === key)?.[1];
    if (isRight === undefined) {
      throw new UsageError(`A change has no "${key.slice(0, 40)}". It may have ${Object.keys(KEYS).join(", ")}.`);
    }
    if (!isRight(part)) throw new UsageError(`"${key}" of a change is of another type.`, { key });
  }
}

/**
 * All runs, in one transaction.
 * @throws UsageError that says of each run that cannot be changed why; then none was
 */
export function editRuns(store: RunStore, { runs, ...edit }: RunsEdit): ListedRun[] {
  return store.atomically(() => {
    const problems = new Map<string, string>();
    const changed = runs.flatMap((id) => {
      try {
        return editRun(store, id, edit);
      } catch (error) {
        if (!(error instanceof CoolError)) throw error;
        problems.set(id, error.message);
        return [];
      }
    });
    if (problems.size === 0) return changed;
    const reasons = [...new Set(problems.values())];
    throw new UsageError(
      `No run was changed: ${problems.size} of ${runs.length} cannot be.\n${shortened(reasons).join("\n")}`,
      { problems: Object.fromEntries(problems) },
    );
  });
}

const MOST_REASONS = 10;

function shortened(reasons: readonly string[]): readonly string[] {
  if (reasons.length <= MOST_REASONS) return reasons;
  return [...reasons.slice(0, MOST_REASONS), `… ${reasons.length - MOST_REASONS} more`];
}

/** @returns the run, or where it came into the trash or back as one of a group, all that did */
export function editRun(store: RunStore, id: string, edit: RunEdit): ListedRun[] {
  return store.atomically(() => edited(store, id, edit));
}

function edited(store: RunStore, id: string, edit: RunEdit): ListedRun[] {
  store.getRun(id);
  const { add_tags = [], remove_tags = [], note, starred, trash } = edit;
  if (remove_tags.length > 0) store.removeTags(id, remove_tags);
  if (add_tags.length > 0) store.addTags(id, add_tags);
  if (note !== undefined) store.updateRun(id, { note: note === null || note.trim() === "" ? null : note });
  if (starred !== undefined) store.updateRun(id, { starred });
  if (trash === true) return removeRuns(store, [id]);
  return trash === false ? restoreRuns(store, [id]) : [listed(store, store.getRun(id))];
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new UsageError("A change is a JSON document.");
  }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.length <= 100 && value.every((one) => typeof one === "string");
}
