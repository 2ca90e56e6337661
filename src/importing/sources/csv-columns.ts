/** @file What the columns of a CSV file mean, by its header. */
import { NameReader, splitOf } from "../../tracking/names.js";

/** `steps`: a row per step of one run, or of several; `runs`: a row per run. */
export interface Columns {
  readonly rows: "steps" | "runs";
  readonly step: string | null;
  readonly epoch: string | null;
  readonly time: string | null;
  readonly split: string | null;
  /** Names of runs. */
  readonly run: string | null;
  readonly state: string | null;
  readonly started: string | null;
  readonly ended: string | null;
  readonly metrics: readonly string[];
  readonly settings: readonly string[];
  readonly tags: readonly string[];
}

const STEPS = ["step", "global_step", "trainer/global_step", "_step", "iteration", "iter", "steps", "epoch"];
const NAMES = {
  epoch: ["epoch"],
  time: ["wall_time", "walltime", "timestamp", "_timestamp", "wall time", "datetime"],
  split: ["split", "phase", "subset"],
  run: ["run", "run_name", "name", "run_id", "run id", "experiment", "trial", "id"],
  state: ["state", "status"],
  started: ["start_time", "started_at", "start time", "created"],
  ended: ["end_time", "ended_at", "end time"],
} as const;
/** Words of which a metric's name has one. */
const METRIC =
  /(^|[^a-z])(loss|losses|acc|accuracy|auc|auroc|f1|precision|recall|error|err|mse|rmse|mae|mape|r2|score|perplexity|ppl|bleu|rouge|iou|dice|map|reward|return|kappa|kl|nll|metrics?)([^a-z]|$)/i;

/** @param header names of the columns; @param isNumeric whether all cells of a column that are there are numbers */
export function columnsOf(header: readonly string[], isNumeric: (name: string) => boolean): Columns {
  const find = (names: readonly string[]): string | null => {
    for (const name of names) {
      const found = header.find((one) => one.toLowerCase() === name);
      if (found !== undefined) return found;
    }
    return null;
  };
  const stepColumn = find(STEPS);
  const places = Object.fromEntries(Object.entries(NAMES).map(([key, names]) => [key, find(names)]));
  const { epoch = null, time = null, split = null, run = null, state = null, started = null, ended = null } = places;
  const own = new Set([stepColumn, time, split, run, state, started, ended]);
  const rest = header.filter((name) => name !== "" && !own.has(name));
  const hasPrefixes = rest.some((name) => /^(params|metrics|config)\./.test(name));
  const isMetric = (name: string): boolean =>
    isNumeric(name) && !/^(params|config|tags)\./.test(name) && isMetricName(name);
  // a row per step: it is numbered, or it holds nothing but metrics
  const isSteps = !hasPrefixes && (stepColumn !== null || (run === null && rest.length > 0 && rest.every(isMetric)));
  if (isSteps) {
    const metrics = rest.filter((name) => isNumeric(name) && name !== epoch);
    return {
      ...{ rows: "steps", step: stepColumn, epoch: epoch === stepColumn ? null : epoch, time, split, run },
      ...{ state: null, started: null, ended: null, metrics, settings: [], tags: [] },
    };
  }
  const metrics = rest.filter((name) => isMetric(name) && !/^tags\./.test(name));
  const tags = rest.filter((name) => /^tags\./.test(name));
  const settings = header.filter(
    (name) =>
      name !== "" &&
      !metrics.includes(name) &&
      !tags.includes(name) &&
      ![time, run, state, started, ended].includes(name),
  );
  return {
    ...{ rows: "runs", step: null, epoch: null, time, split: null, run, state, started, ended },
    metrics,
    settings,
    tags,
  };
}

const reader = new NameReader();

/** Whether it speaks of a metric, or tells a split: `val_loss`, `metrics.f1`, `test/door`. */
function isMetricName(name: string): boolean {
  if (METRIC.test(name) && !/^(loss|metric|score)_?(fn|function|type|name|weight)/i.test(name)) return true;
  const [first = "", last = ""] = [name.split("/")[0], name.split("/").at(-1)];
  if (name.includes("/")) return splitOf(first) !== undefined || splitOf(last) !== undefined;
  try {
    return reader.read(name, "train").metricName !== name;
  } catch {
    return false;
  }
}

/** How it was understood, in a line each. */
export function understoodColumns(columns: Columns): string[] {
  const list = (what: string, names: readonly (string | null)[]): string[] => {
    const known = names.filter((name) => name !== null);
    const more = known.length > MOST_SHOWN ? ` and ${known.length - MOST_SHOWN} more` : "";
    return known.length === 0 ? [] : [`${what}: ${known.slice(0, MOST_SHOWN).join(", ")}${more}`];
  };
  const { rows, step, epoch, time, split, run, state, started, ended, metrics, settings, tags } = columns;
  return [
    rows === "steps" ? "a row is a step" : "a row is a run",
    ...list("step", [step]),
    ...(rows === "steps" && step === null ? ["steps: by the order of rows, from 1"] : []),
    ...list("epoch", [epoch]),
    ...list("time", [time]),
    ...list("split", [split]),
    ...list("run", [run]),
    ...list("state", [state]),
    ...list("start and end", [started, ended]),
    ...list("metrics", metrics),
    ...list("settings", settings),
    ...list("tags", tags),
  ];
}

const MOST_SHOWN = 12;
