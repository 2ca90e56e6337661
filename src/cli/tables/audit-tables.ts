/** @file What an audit of labels says, as tables for the terminal. */
import type { AuditedTask, RepairedCell } from "../../analysis/audit/audit.js";
import { MOST_RATE } from "../../analysis/audit/task-model.js";
import { shellWord } from "../../platform/shell-word.js";
import { shortNames } from "../../tasks/short-names.js";
import type { Described } from "../../tasks/index.js";
import { fill } from "../text.js";
import { displayWidth } from "./display-width.js";
import { tableColumns } from "./table-layout.js";
import { drawTable, groupByFlow } from "./tables.js";

/** How labels of each task fare. */
export function auditedTasksTable(tasks: readonly AuditedTask[]): string {
  const rows = tasks.map(({ task_path, labelled, error_rate, suspects, contradictions }) => ({
    path: task_path,
    cells: [
      String(labelled),
      error_rate === null ? "–" : `${(100 * error_rate).toFixed(1)} %`,
      String(suspects),
      String(contradictions),
    ],
  }));
  return drawTable(["task", "labels", "wrong", "suspects", "contradict"], groupByFlow(rows), [1, 2, 3, 4]);
}

/** What is in the file of suspects, and what to do with it. */
export function suspectsWritten(
  suspects: readonly Pick<SuspectLine, "label" | "repaired">[],
  out: string,
  run: string,
): string[] {
  if (suspects.length === 0) return [`no label is suspicious: ${out} has a header alone`];
  const kept = suspects.filter(({ label, repaired }) => JSON.stringify(label) === JSON.stringify(repaired)).length;
  const doubt = `of ${kept} no other answer is likelier than the label: "corrected" repeats it, and changes nothing unless you do`;
  return [
    `${suspects.length} labels written to ${out}; correct the column "corrected", then`,
    `  cool audit ${shellWord(run)} --apply ${shellWord(out)}`,
    ...(kept === 0 ? [] : [fill(doubt)]),
  ];
}

/** What makes suspects doubtful: of which tasks the network and the labels differ as much as can be; else null. */
export function auditDoubt(tasks: readonly AuditedTask[]): string | null {
  // a mean of several labels' rates is rounded
  const doubtful = tasks.filter(({ error_rate }) => error_rate !== null && error_rate > MOST_RATE - 1e-9);
  if (doubtful.length === 0) return null;
  const names = doubtful.map(({ task_path }) => task_path).join(", ");
  return `${100 * MOST_RATE} % or more of the labels differ from what the network says, which may know too little to judge them: ${names}`;
}

/** A suspicious label, as a line shows it. */
export interface SuspectLine {
  readonly sample: string;
  readonly task_path: string;
  readonly kind: "unlikely" | "not_asked" | "gate_missing";
  readonly label: Described;
  readonly repaired: Described;
  readonly suspicion: number;
}

const WHY = { unlikely: "unlikely", not_asked: "not asked", gate_missing: "no gate" } as const;

export function suspectsTable(suspects: readonly SuspectLine[], paths: readonly string[]): string {
  const short = shortNames(paths);
  const rows = suspects.map(({ sample, task_path, kind, label, repaired, suspicion }) => {
    const answers = [answerText(label), repaired === null ? "(empty)" : answerText(repaired)];
    return { sample, task: short.get(task_path) ?? task_path, rest: [...answers, WHY[kind], suspicion.toFixed(2)] };
  });
  const head = ["label", "repaired", "why", "wrong"];
  const wide = drawTable(
    ["sample", "task", ...head],
    rows.map(({ sample, task, rest }) => [sample, task, ...rest]),
    [5],
    { width: Number.POSITIVE_INFINITY },
  );
  if (displayWidth(wide.split("\n")[0] ?? "") <= tableColumns()) return wide;
  return drawTable(
    ["sample, task", ...head],
    rows.map(({ sample, task, rest }) => [`${sample}\n  ${task}`, ...rest]),
    [4],
  );
}

/** What a repair does to a row: `door_open false → true`. */
export function repairText(cells: readonly RepairedCell[], paths: readonly string[]): string {
  const short = shortNames(paths);
  return cells
    .map(({ task_path, from, to }) => {
      const name = short.get(task_path) ?? task_path;
      return to === null
        ? `empty ${name}`
        : `${name} ${from === null ? "(empty)" : answerText(from)} → ${answerText(to)}`;
    })
    .join(", ");
}

/** An answer, short: numbers with four digits. */
export function answerText(answer: Described): string {
  if (answer === null) return "–";
  if (typeof answer === "number") return String(Number(answer.toPrecision(4)));
  if (typeof answer !== "object") return String(answer);
  if (answer.length === 0) return "none";
  return answer.map((part) => (typeof part === "number" ? Number(part.toPrecision(4)) : part)).join(",");
}
