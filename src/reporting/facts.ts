/** @file What a report says of a run besides its numbers: overview, settings, environment, the end of its output. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { environmentFacts } from "../comparing/compare-runs.js";
import { printableLine } from "../platform/printable.js";
import { listed } from "../records/list-runs.js";
import { runFiles } from "../records/run-folder.js";
import { isTracked } from "../records/tracked-run.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { type LeftOut, MOST_LOG_LINES, MOST_SETTINGS, share } from "./budget.js";
import type { Fact, LogTail, RunOverview, Setting } from "./document.js";

const LONGEST_VALUE = 400;

export function overviewOf(store: RunStore, run: RunRecord): RunOverview {
  const { dir, deleted_at: _, values: __, ...facts } = listed(store, run);
  return {
    ...facts,
    state: run.displayState,
    group: store.groupOf(run.id)?.name ?? null,
    host: run.host,
    command_line: run.commandLine === null ? null : valueText(run.commandLine),
    git_branch: run.gitBranch,
    git_dirty: run.gitDirty,
    tracked: isTracked(dir),
  };
}

export function settingsOf(store: RunStore, run: RunRecord, leftOut: LeftOut): Setting[] {
  const changes = store.readConfigChanges(run.id);
  const all = Object.entries(store.readConfig(run.id));
  if (all.length > MOST_SETTINGS) leftOut.say(`Of each run the first ${MOST_SETTINGS} settings are shown.`);
  return all
    .slice(0, MOST_SETTINGS)
    .map(([key, value]) => ({ key, value: valueText(value), changed_by: changes[key] ?? null }));
}

export function environmentOf(store: RunStore, run: RunRecord): Fact[] {
  return Object.entries(environmentFacts(store, run)).map(([key, value]) => ({ key, value: valueText(value) }));
}

/** A value as it is read; the middle of a long one is left out. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  const text = typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
  if (text.length <= LONGEST_VALUE) return text;
  return `${text.slice(0, LONGEST_VALUE - 60)} … ${text.slice(-50)}`;
}

const TAIL_BYTES = 128 * 1024;
const LONGEST_LINE = 400;

/** The end of what the run printed, without colours and without what progress bars wrote over. */
export function logTailOf(store: RunStore, run: RunRecord, runs: number): LogTail | null {
  const file = runFiles(store.runDir(run.id)).stdout;
  if (!existsSync(file)) return null;
  const { text, cut } = endOf(file);
  const lines = stripVTControlCharacters(text)
    .split(/\r?\n/)
    .map((line) => line.slice(line.lastIndexOf("\r") + 1))
    .map((line) => printableLine(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line));
  if (lines.at(-1) === "") lines.pop();
  // the first line of a part may have lost its beginning
  const whole = cut ? lines.slice(1) : lines;
  const most = share(MOST_LOG_LINES * 5, runs, { least: 20, most: MOST_LOG_LINES });
  return whole.length === 0 ? null : { cut: cut || whole.length > most, lines: whole.slice(-most) };
}

function endOf(file: string): { readonly text: string; readonly cut: boolean } {
  const handle = openSync(file, "r");
  try {
    const stats = fstatSync(handle);
    if (!stats.isFile()) return { text: "", cut: false };
    const start = Math.max(0, stats.size - TAIL_BYTES);
    const bytes = Buffer.alloc(Math.min(stats.size, TAIL_BYTES));
    const read = readSync(handle, bytes, 0, bytes.length, start);
    return { text: bytes.toString("utf8", 0, read), cut: start > 0 };
  } finally {
    closeSync(handle);
  }
}
