/** @file Evaluation rows of other programs, checked and made whole. */
import { nearestNames, UsageError } from "../errors.js";
import { checkedName } from "../storage/run-record.js";
import { type EvaluatedGates, EVALUATED_GATES, type EvaluationRow } from "../tasks/evaluation.js";
import { assertWhole, splitNamed } from "./curves.js";

/** One metric of one split: an evaluation row, of which most has a default. */
export interface LoggedEvaluationRow {
  readonly split: string;
  /** Default `_total`. */
  readonly task_path?: string;
  readonly metric_name: string;
  /** null or NaN where the metric is undefined. */
  readonly metric_res: number | null;
  /** Rows of the split that the metric is of. */
  readonly num_samples: number;
  /** Default `truth`. */
  readonly gates?: EvaluatedGates;
  readonly baseline?: number;
  readonly beats_baseline?: boolean;
}

const FIELDS: readonly string[] = [
  ...["split", "task_path", "metric_name", "metric_res", "num_samples", "gates", "baseline", "beats_baseline"],
];

/** @throws UsageError that names the row and what is wrong */
export function checkedEvaluation(rows: readonly LoggedEvaluationRow[]): EvaluationRow[] {
  if (!Array.isArray(rows)) throw new UsageError("evaluate(…) takes a list of rows, one per metric.");
  const seen = new Set<string>();
  return rows.map((row: LoggedEvaluationRow, i) => {
    const refuse = (problem: string): never => {
      throw new UsageError(`Row ${i + 1} of the evaluation: ${problem}.`, { row: i + 1 });
    };
    if (typeof row !== "object" || row === null) return refuse("it is no object");
    const { task_path = "_total", metric_name, metric_res, num_samples, gates = "truth" } = row;
    const { baseline, beats_baseline } = row;
    const unknown = Object.keys(row).find((field) => !FIELDS.includes(field));
    if (unknown !== undefined) {
      const [nearest] = nearestNames(unknown, FIELDS);
      refuse(
        `there is no field "${unknown.slice(0, 60)}"${nearest === undefined ? "" : `. Did you mean "${nearest}"`}`,
      );
    }
    if (typeof metric_name !== "string" || metric_name === "") refuse('"metric_name" is no text');
    if (typeof task_path !== "string" || task_path === "") refuse('"task_path" is no text');
    checkedName("metric's name", metric_name);
    checkedName("task's name", task_path);
    if (baseline !== undefined && typeof baseline !== "number") refuse('"baseline" is no number');
    if (beats_baseline !== undefined && typeof beats_baseline !== "boolean")
      refuse('"beats_baseline" is not true or false');
    if (metric_res !== null && typeof metric_res !== "number") refuse('"metric_res" is no number and not null');
    if (!EVALUATED_GATES.includes(gates)) refuse(`"gates" is none of ${EVALUATED_GATES.join(", ")}`);
    assertWhole("num_samples", num_samples);
    const split = splitNamed(row.split);
    const key = [split, gates, task_path, metric_name].join("\n");
    if (seen.has(key)) refuse(`${split}/${task_path}/${metric_name} stands there twice`);
    seen.add(key);
    return {
      ...{ split, task_path, metric_name, num_samples, gates },
      metric_res: Number.isNaN(metric_res) ? null : metric_res,
      ...(baseline === undefined ? {} : { baseline }),
      ...(beats_baseline === undefined ? {} : { beats_baseline }),
    };
  });
}
