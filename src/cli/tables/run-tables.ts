/** @file One run on one screen: what it is, what was changed for it, and each task's first metric. */
import type { ShownRun } from "../../records/list-runs.js";
import type { EvaluatedGates, EvaluationRow, Split } from "../../tasks/evaluation.js";
import { cellText } from "../text.js";
import { clip } from "./display-width.js";
import { tableColumns } from "./table-layout.js";
import { drawTable, formatMetric } from "./tables.js";

/** Lines around the rows of a screen's table: its frame and head, what is left out, and the prompt. */
const AROUND_ROWS = 7;
/** Rows of a terminal that nobody has made higher. */
const SCREEN = 24;

/**
 * What most people look a run up for, in about twenty lines.
 * @param options.took how long it trained, in words; null while it does
 * @param options.rows of the terminal
 */
export function runScreen(
  run: ShownRun,
  split: Split | undefined,
  { took, rows = SCREEN }: { readonly took: string | null; readonly rows?: number | undefined },
): string {
  const facts = runLines(run, took);
  const room = Math.max(3, rows - facts.length - AROUND_ROWS);
  const table = split === undefined ? lastValueTable(run, room) : headlineTable(run.evaluation, split, room);
  return [...facts, ...table].join("\n");
}

function runLines(run: ShownRun, took: string | null): string[] {
  const time = (text: string): string => `${text.slice(0, 19).replace("T", " ")} UTC`;
  const best = run.best_epoch === null ? "" : `, best ${run.best_epoch}`;
  const git = [run.git_commit?.slice(0, 12), run.git_branch, run.git_dirty === true ? "with changes" : null];
  const changes = Object.keys(run.config_changes).map((key) => `${key}=${cellText(run.config[key])}`);
  const thresholds = Object.entries(run.thresholds).map(
    ([path, value]) =>
      `${path} ${[value]
        .flat()
        .map((one) => one.toFixed(3))
        .join(" ")}`,
  );
  const facts: readonly (readonly [string, string | null])[] = [
    ["run", `${run.starred ? "★ " : ""}${cellText(run.name)}  ${run.id}`],
    ["state", `${run.state}${run.deleted_at === null ? "" : ", removed"}`],
    ["error", run.error],
    ["epochs", run.epochs === null ? null : `${run.epochs_done} of ${run.epochs}${best}`],
    [
      "started",
      `${time(run.started_at)}${took === null ? "" : `, ${took}`}${run.backend === null ? "" : ` on ${run.backend}`}`,
    ],
    ["group", run.group],
    ["tags", run.tags.join(", ") || null],
    ["note", run.note],
    ["git", git.filter(Boolean).join(" ") || null],
    ["changed", changes.join(" ") || null],
    ["cut at", thresholds.join(", ") || null],
    ["folder", run.dir],
  ];
  const shown = facts.flatMap(([name, text]) => (text === null ? [] : [`${name.padEnd(9)}${cellText(text)}`]));
  return shown.map((line) => (line.startsWith("folder") ? line : clip(line, tableColumns())));
}

/** Each task's first metric beside its loss, as many as there is room for. */
function headlineTable(evaluation: readonly EvaluationRow[], split: Split, room: number): string[] {
  const own = evaluation.filter((row) => row.split === split && !row.metric_name.includes("/"));
  const found = (path: string, metric: string, gates: EvaluatedGates): EvaluationRow | undefined =>
    own.find((row) => row.task_path === path && row.metric_name === metric && row.gates === gates);
  const rows = [...new Set(own.map(({ task_path }) => task_path))].map((path) => {
    const first = own.find((row) => row.task_path === path && row.metric_name !== "loss")?.metric_name ?? "loss";
    const [truth, user] = [found(path, first, "truth"), found(path, first, "end_to_end")];
    const constant = truth?.baseline === undefined ? "" : formatMetric(truth.baseline);
    return [
      ...[path, formatMetric(found(path, "loss", "truth")?.metric_res ?? null), first],
      ...[
        truth === undefined ? "" : formatMetric(truth.metric_res),
        constant === "" ? "" : `${constant}${truth?.beats_baseline === false ? " !" : "  "}`,
      ],
      ...[user === undefined ? "" : formatMetric(user.metric_res), String((truth ?? user)?.num_samples ?? "")],
    ];
  });
  const head = [split, "loss", "metric", "true\ngates", "constant", "end to\nend", "n"];
  return [drawTable(head, rows.slice(0, room), [1, 3, 4, 5, 6], { labels: 1 }), ...leftOut(rows.length - room, "task")];
}

function lastValueTable({ last_values = [] }: ShownRun, room: number): string[] {
  if (last_values.length === 0) return [];
  const rows = last_values.map(({ split, task_path, metric_name, step, value }) => [
    `${split}/${task_path}/${metric_name}`,
    String(step),
    formatMetric(value),
  ]);
  return [
    drawTable(["curve", "last step", "value"], rows.slice(0, room), [1, 2]),
    ...leftOut(rows.length - room, "curve"),
  ];
}

function leftOut(count: number, what: string): string[] {
  return [count <= 0 ? "the rest: --all" : `… ${count} more ${what}${count === 1 ? "" : "s"}, and the rest: --all`];
}
