/** @file A folder of links to runs under the names that TensorBoard shows. */
import { readdirSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";

/** A run as TensorBoard shows it. */
export interface ShownRun {
  readonly id: string;
  readonly name: string;
  readonly dir: string;
}

/**
 * Names of runs, each once: of runs with the same name, all but the oldest get the end of their id.
 * @param references ids, unique id prefixes, names or `latest`; none: every run of the store
 */
export function shownRuns(store: RunStore, references: readonly string[]): ShownRun[] {
  const runs = references.length === 0 ? store.listRuns() : references.map((reference) => store.findRun(reference));
  const unique = [...new Map(runs.map((run) => [run.id, run])).values()];
  const taken = new Set<string>();
  return unique
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((run) => {
      const name = freeName(run, taken);
      taken.add(name.toLowerCase());
      return { id: run.id, name, dir: store.runDir(run.id) };
    });
}

/** Disks that take upper for lower case must not mix two runs up. */
function freeName({ id, name }: RunRecord, taken: ReadonlySet<string>): string {
  const plain = fileName(name);
  if (!taken.has(plain.toLowerCase())) return plain;
  const withId = `${plain}-${id.slice(-4)}`;
  return taken.has(withId.toLowerCase()) ? `${plain}-${id}` : withId;
}

const LONGEST_BYTES = 180;

/** A name as a file can have it: TensorBoard would take a slash for a folder, and a leading dot hides. */
function fileName(name: string): string {
  const clean = name
    .replaceAll(/[/\\:*?"<>|]/g, "-")
    .replace(/^\.+/, "")
    .replace(/[.\s]+$/, "");
  let short = clean;
  while (Buffer.byteLength(short) > LONGEST_BYTES) short = [...short].slice(0, -1).join("");
  return short === "" ? "run" : short;
}

/** Makes the folder's links those of the runs, touching only what has changed. */
export function linkRuns(folder: string, runs: readonly ShownRun[]): void {
  const wanted = new Map(runs.map(({ name, dir }) => [name, dir]));
  const present = new Set(readdirSync(folder));
  for (const name of present) if (!wanted.has(name)) unlinkSync(join(folder, name));
  for (const [name, dir] of wanted) if (!present.has(name)) symlinkSync(dir, join(folder, name), "junction");
}
