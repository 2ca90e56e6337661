/** @file Changes of runs: the rules of `cool runs tag`, `note`, `mark`, `remove` and `restore`. */
import { UsageError } from "../../errors.js";
import { listed, type ListedRun } from "../../records/list-runs.js";
import { removeRuns, restoreRuns } from "../../records/trash.js";
import type { RunStore } from "../../storage/run-store.js";
import type { RunEdit } from "./types.js";

const KEYS = {
  add_tags: isTexts,
  remove_tags: isTexts,
  note: (value: unknown): boolean => value === null || typeof value === "string",
  starred: (value: unknown): boolean => typeof value === "boolean",
  trash: (value: unknown): boolean => typeof value === "boolean",
} as const satisfies { readonly [K in keyof RunEdit]-?: (value: unknown) => boolean };

/** What a body asks for. @throws UsageError for anything else */
export function readEdit(body: string): RunEdit {
  const value = parsed(body);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError("A change is an object.");
  for (const [key, part] of Object.entries(value)) {
    const isRight = Object.entries(KEYS).find(([known]) => known === key)?.[1];
    if (isRight === undefined) {
      throw new UsageError(`A change has no "${key.slice(0, 40)}". It may have ${Object.keys(KEYS).join(", ")}.`);
    }
    if (!isRight(part)) throw new UsageError(`"${key}" of a change is of another type.`, { key });
  }
  return value;
}

/** @returns the run, or where it came into the trash or back as one of a group, all that did */
export function editRun(store: RunStore, id: string, edit: RunEdit): ListedRun[] {
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
