/** @file What is asked in an address: checked parts of its query. */
import { UsageError } from "../../errors.js";
import { SPLITS, type Split } from "../../tasks/evaluation.js";
import type { RunsQuestion } from "./types.js";

const MOST_COLUMNS = 30;
const MOST_SORTS = 5;

/** @throws UsageError for what cannot be asked */
export function runsQuestion(query: URLSearchParams): RunsQuestion {
  const trash = query.get("trash") ?? "live";
  if (trash !== "live" && trash !== "only")
    throw new UsageError(`trash is "live" or "only", not "${trash}".`, { trash });
  return {
    where: (query.get("where") ?? "").trim(),
    sort: limited(query, "sort", MOST_SORTS),
    columns: limited(query, "column", MOST_COLUMNS),
    trash,
  };
}

/** @throws UsageError for what is no whole number within bounds */
export function wholeNumber(
  query: URLSearchParams,
  name: string,
  usual: number,
  [low, high]: [number, number],
): number {
  const text = query.get(name);
  if (text === null) return usual;
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= low && value <= high) return value;
  throw new UsageError(`${name} is a whole number from ${low} to ${high}, not "${text.slice(0, 40)}".`, {
    [name]: text,
  });
}

/** Values of a name that may be repeated, each once, without empty ones. @throws UsageError for too many */
export function limited(query: URLSearchParams, name: string, most: number): string[] {
  const values = [...new Set(query.getAll(name).map((value) => value.trim()))].filter((value) => value !== "");
  if (values.length <= most) return values;
  throw new UsageError(`${values.length} values of ${name} are too many at once; ask for at most ${most}.`, { most });
}

export interface CurveKey {
  readonly split: Split;
  readonly taskPath: string;
  readonly metricName: string;
}

/** `valid/door_open/f1_score`, as fields of conditions are named. @throws UsageError */
export function curveKey(name: string): CurveKey {
  const [splitName, taskPath = "", ...metric] = name.split("/");
  const split = SPLITS.find((known) => known === splitName);
  if (split !== undefined && taskPath !== "" && metric.length > 0) {
    return { split, taskPath, metricName: metric.join("/") };
  }
  throw new UsageError(`"${name.slice(0, 100)}" names no curve. Write split/task/metric, e.g. valid/_total/loss.`, {
    curve: name,
  });
}
