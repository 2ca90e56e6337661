/** @file Studies as tables for the terminal. */
import type { ShownTrial, StudyDocument, StudySummary } from "../../sweeping/study/study-document.js";
import { drawTable } from "../tables/tables.js";
import { cellText } from "../text.js";

/** Rows of a table that nobody has asked to be longer. */
const MOST_ROWS = 20;
const BAR_COLUMNS = 24;

/** The best trials first, then how the others ended. */
export function trialTable({ study, trials, best }: StudyDocument, limit: number = MOST_ROWS): string {
  const names = [...new Set(trials.flatMap(({ values }) => Object.keys(values)))];
  const shown = names.filter((name) => new Set(trials.map(({ values }) => JSON.stringify(values[name]))).size > 1);
  const columns = shown.length === 0 ? names : shown;
  const rows = ordered(study, trials, best)
    .slice(0, limit)
    .map((trial) => [
      `${best.includes(trial.number) ? "★ " : ""}${trial.number}`,
      ...trial.objectives.map(numberText),
      trial.state,
      String(trial.epochs_done),
      ...columns.map((name) => valueText(trial.values[name])),
    ]);
  const head = [
    "trial",
    ...study.objectives.map(({ name }) => name.replaceAll("/", "\n")),
    ...["state", "epochs"],
    ...columns.map(leafName),
  ];
  const numeric = head.flatMap((_, i) =>
    i === 0 || (i > 0 && i <= study.objectives.length) || i === study.objectives.length + 2 ? [i] : [],
  );
  const more = trials.length - rows.length;
  const table = drawTable(head, rows, numeric, { labels: 1 + study.objectives.length });
  return more > 0 ? `${table}\n… and ${more} more trials (--limit, --json)` : table;
}

/** The end of a setting's name, under which people know it. */
function leafName(name: string): string {
  return name.replaceAll(".", ".\n");
}

function ordered(study: StudySummary, trials: readonly ShownTrial[], best: readonly number[]): ShownTrial[] {
  const [objective] = study.objectives;
  const sign = objective?.direction === "maximize" ? -1 : 1;
  const rank = (trial: ShownTrial): number => {
    if (best.includes(trial.number)) return -1;
    return ["finished", "running", "interrupted", "pruned", "failed"].indexOf(trial.state);
  };
  const value = ({ objectives: [own] }: ShownTrial): number => (own == null ? Number.POSITIVE_INFINITY : sign * own);
  return trials.toSorted((a, b) => rank(a) - rank(b) || compare(value(a), value(b)) || a.number - b.number);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

export function importanceBars({ importance }: StudyDocument): string[] {
  if (importance === null || importance.length < 2) return [];
  const width = Math.max(...importance.map(({ parameter }) => parameter.length));
  return [
    "what makes the difference (share of the variance, fANOVA):",
    ...importance.map(({ parameter, importance: share }) => {
      const bar = "█".repeat(Math.round(share * BAR_COLUMNS)) || "▏";
      return `  ${parameter.padEnd(width)}  ${share.toFixed(2)}  ${bar}`;
    }),
  ];
}

/** One line: how many trials there are in each state. */
export function countsText({ trials, planned }: StudySummary): string {
  const ended = trials.finished + trials.pruned + trials.failed;
  const parts = (["finished", "pruned", "failed", "running", "interrupted"] as const).flatMap((state) =>
    trials[state] === 0 ? [] : [`${trials[state]} ${state}`],
  );
  return `${ended} of ${planned} trials${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
}

export function studiesTable(studies: readonly (StudySummary & { readonly best: string })[]): string {
  return drawTable(
    ["name", "trials", "best", "objective", "search", "created\n(UTC)"],
    studies.map((study) => [
      cellText(study.name),
      `${study.trials.finished + study.trials.pruned + study.trials.failed}/${study.planned}`,
      study.best,
      study.objectives.map(({ name }) => name).join("\n"),
      study.prune === null ? study.search : `${study.search}, ${study.prune.kind}`,
      study.created_at.slice(0, 16).replace("T", " "),
    ]),
    [1, 2],
  );
}

export function numberText(value: number | null): string {
  return value === null ? "–" : String(Number(value.toPrecision(4)));
}

export function valueText(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "number" ? numberText(value) : cellText(value);
}
