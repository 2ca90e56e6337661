/**
 * @file `log.alerts`: what a user wants to be told of a run while it trains. They are the project's own, read from its
 * configuration alone: nothing that a stored or imported run says is ever executed.
 */
import { TOTAL } from "../analysis/evaluate.js";
import { ConfigError, messageOf, nearestNames } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import type { RunLogger, RunStart } from "../logging/run-logger.js";
import { runHook } from "../platform/hook.js";
import { type Condition, fieldNames } from "../storage/query/ast.js";
import { parseCondition } from "../storage/query/parse.js";
import { SPLITS, SYSTEM_TASK } from "../tasks/evaluation.js";

export interface Alert {
  /**
   * A condition on curves in the language of `cool runs list --where`: `valid/_total/loss is nan`,
   * `epoch > 5 and valid/door_open/f1_score < 0.5`.
   */
  readonly when: string;
  /** A command line, beside the warning; it finds COOL_RUN_ID, COOL_RUN_NAME, COOL_RUN_DIR, COOL_ALERT, COOL_EPOCH. */
  readonly run?: string;
}

/** An alert whose condition can be asked. */
export interface CheckedAlert extends Alert {
  readonly condition: Condition;
}

const OWN = ["epoch", "step"];

/** @throws ConfigError for what is no alert, or names no split or task */
export function checkAlerts(alerts: unknown, graph: FlowGraph, where: string): CheckedAlert[] {
  if (!Array.isArray(alerts)) {
    throw problem(where, "log.alerts is no list", 'Write e.g. alerts: [{ when: "valid/_total/loss is nan" }].');
  }
  return alerts.map((alert: unknown, i) => checkAlert(alert, graph, `${where}: log.alerts[${i}]`));
}

function checkAlert(alert: unknown, graph: FlowGraph, where: string): CheckedAlert {
  const { when, run, ...others } = (typeof alert === "object" && alert !== null ? alert : {}) as Partial<Alert>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw problem(where, `"${unknown}" is no part of an alert`, "It has when and run.");
  if (typeof when !== "string")
    throw problem(where, "it has no condition", 'Write e.g. when: "valid/_total/loss is nan".');
  if (run !== undefined && typeof run !== "string")
    throw problem(where, "run is no command line", 'Write e.g. run: "notify".');
  let condition: Condition;
  try {
    // a value that is not a number is nothing that can be compared
    condition = parseCondition(when.replaceAll(/\bis\s+(not\s+)?nan\b/gi, "is $1null"));
  } catch (error) {
    throw problem(where, messageOf(error), "");
  }
  for (const name of fieldNames(condition)) checkCurve(name, graph, where);
  return { when, ...(run === undefined ? {} : { run }), condition };
}

function checkCurve(name: string, graph: FlowGraph, where: string): void {
  if (OWN.includes(name)) return;
  const [split = "", task = "", ...metric] = name.split("/");
  const tasks = [...graph.tasks.map(({ path }) => path), TOTAL, SYSTEM_TASK];
  const isKnown = SPLITS.some((known) => known === split) && tasks.includes(task) && metric.length > 0;
  if (isKnown) return;
  const [near] = nearestNames(task, tasks);
  const hint = near === undefined ? "" : ` Did you mean the task "${near}"?`;
  throw problem(
    where,
    `"${name}" is no curve`,
    `Write split/task/metric, e.g. valid/_total/loss, or epoch or step.${hint}`,
  );
}

function problem(where: string, what: string, way: string): ConfigError {
  return new ConfigError(`${where}: ${what}${/[.!?]$/.test(what) ? "" : "."}${way === "" ? "" : ` ${way}`}`, { where });
}

/**
 * Says an alert when its condition comes to hold, and again when it has ceased to hold in between; its command is run
 * beside the training, one after the other.
 */
export function alertLogger(
  alerts: readonly CheckedAlert[],
  run: RunStart,
  warn: (line: string) => void,
  hook: (command: string, facts: Readonly<Record<string, string>>) => Promise<string | null> = runHook,
): RunLogger {
  const values = new Map<string, number>();
  const holding = new Set<CheckedAlert>();
  let commands: Promise<void> = Promise.resolve();
  const say = (alert: CheckedAlert): void => {
    const known = fieldNames(alert.condition).flatMap((name) =>
      values.has(name) ? [`${name} ${values.get(name)}`] : [],
    );
    warn(`alert: ${alert.when} (${known.join(", ")})`);
    const { run: command } = alert;
    if (command === undefined) return;
    const facts = {
      ...{ COOL_RUN_ID: run.id, COOL_RUN_NAME: run.name, COOL_RUN_DIR: run.dir },
      ...{ COOL_ALERT: alert.when, COOL_EPOCH: String(values.get("epoch") ?? "") },
    };
    commands = commands.then(async () => {
      const failure = await hook(command, facts);
      if (failure !== null) warn(`The command of an alert ${failure}: ${command}`);
    });
  };
  return {
    points(points) {
      for (const { split, taskPath, metricName, value, epoch, step } of points) {
        values.set(`${split}/${taskPath}/${metricName}`, value ?? Number.NaN);
        values.set("step", step);
        if (epoch !== null) values.set("epoch", epoch);
      }
      for (const alert of alerts) {
        const holds = holdsFor(alert.condition, values) === true;
        if (holds && !holding.has(alert)) say(alert);
        if (holds) holding.add(alert);
        else holding.delete(alert);
      }
    },
    close: () => commands,
  };
}

/** Kleene's logic: undefined where a curve has no value yet, or a comparison none that is a number. */
function holdsFor(condition: Condition, values: ReadonlyMap<string, number>): boolean | undefined {
  switch (condition.kind) {
    case "and":
    case "or": {
      const decides = condition.kind === "or";
      const [left, right] = [holdsFor(condition.left, values), holdsFor(condition.right, values)];
      if (left === decides || right === decides) return decides;
      return left === undefined || right === undefined ? undefined : !decides;
    }
    case "not": {
      const inner = holdsFor(condition.inner, values);
      return inner === undefined ? undefined : !inner;
    }
    default:
      return testHolds(condition, values.get(condition.field.name));
  }
}

type Test = Exclude<Condition, { kind: "and" | "or" | "not" }>;

function testHolds(test: Test, value: number | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (test.kind === "is true") return value !== 0;
  if (test.kind === "in") return test.literals.some((literal) => literal.value === value);
  const { operator, literal } = test;
  if (literal.value === null) return Number.isNaN(value) === (operator === "=");
  if (Number.isNaN(value)) return undefined;
  const other = Number(literal.value);
  switch (operator) {
    case "=":
      return value === other;
    case "!=":
      return value !== other;
    case "<":
      return value < other;
    case "<=":
      return value <= other;
    case ">":
      return value > other;
    case ">=":
      return value >= other;
    default:
      return undefined;
  }
}
