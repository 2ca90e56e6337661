/** @file An import, as a person reads it. */
import type { ImportedListing, ImportedRuns, ImportProgress } from "./import-source.js";

const REFRESH_MS = 200;
/** As many runs are told one by one. */
const MOST_TOLD = 50;

/** Progress on stderr: a line that is redrawn, on a terminal alone. */
export function importProgress(): { readonly tell: (progress: ImportProgress) => void; readonly end: () => void } {
  const isTerminal = process.stderr.isTTY;
  let drawnAt = 0;
  const draw = (text: string): void => void process.stderr.write(`\r\u001B[2K${text}`);
  return {
    tell({ label, run, runs, points }) {
      if (!isTerminal || Date.now() - drawnAt < REFRESH_MS) return;
      drawnAt = Date.now();
      const name = label.replaceAll(/\p{Cc}/gu, " ").slice(0, 40);
      draw(`run ${run} of ${runs}: ${name}${points === 0 ? "" : `, ${points.toLocaleString("en")} points`}`);
    },
    end() {
      if (isTerminal && drawnAt > 0) draw("");
    },
  };
}

/** Lines: how the source was understood, what happened to each run, and what is not taken. */
export function shownImport({ source, dry_run, added, updated, same, refused, left }: ImportedRuns): string[] {
  const what = dry_run ? "would be imported" : "is imported";
  const more = dry_run ? "would get what is new" : "has what is new";
  const runs = [...added.map((run) => ({ run, deed: what })), ...updated.map((run) => ({ run, deed: more }))];
  return [
    ...source.understood.map((line) => `${source.kind}: ${line}`),
    ...runs.slice(0, MOST_TOLD).flatMap(({ run, deed }) => shownRun(run, deed)),
    ...(runs.length > MOST_TOLD
      ? [`… and ${plural(runs.length - MOST_TOLD, "more run")} (--json lists them all)`]
      : []),
    ...same.slice(0, MOST_TOLD).map(({ id, name }) => `run ${id} (${name}) is here already`),
    ...(same.length > MOST_TOLD ? [`… and ${plural(same.length - MOST_TOLD, "more run")} that are here already`] : []),
    ...refused.map(({ name, reason }) => `${name} is not imported: ${reason}`),
    ...left.map((one) => `not taken: ${one.count} ${one.what}: ${one.reason}`),
    summary(added.length, updated.length, same.length, refused.length, dry_run),
  ];
}

function shownRun(run: ImportedListing, deed: string): string[] {
  const held = [
    [run.points, "point"],
    [run.curves, "curve"],
    [run.settings, "setting"],
    [run.images, "image"],
    [run.histograms, "histogram"],
    [run.texts, "text"],
    [run.files, "file"],
  ] as const;
  const counts = held.filter(([count]) => count > 0).map(([count, word]) => plural(count, word));
  const name = run.id === null ? run.name : `${run.id} (${run.name})`;
  return [
    `run ${name} ${deed}: ${run.state}${counts.length === 0 ? ", empty" : `, ${counts.join(", ")}`}`,
    ...run.left.map((one) => `  not taken: ${one.count} ${one.what}: ${one.reason}`),
  ];
}

function summary(added: number, updated: number, same: number, refused: number, isDry: boolean): string {
  const parts = [
    `${plural(added, "run")} ${isDry ? "to import" : "imported"}`,
    ...(updated > 0 ? [`${updated} ${isDry ? "to be updated" : "updated"}`] : []),
    ...(same > 0 ? [`${same} here already`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
  ];
  return parts.join(", ");
}

function plural(count: number, word: string): string {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}
