/** @file What answers cost, as a file says it: `{"wrong": 1, "missed": 5, "needless": 1, "tasks": {"door_open": {"missed": 20}}}`. */
import { readFileSync } from "node:fs";
import type { AnswerCosts } from "../../analysis/chain-tuning/objective.js";
import { lineOf, UnknownNameError, UsageError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";

const KINDS = ["wrong", "missed", "needless"] as const;
const TASKS = "tasks";
const EACH: AnswerCosts = { wrong: 1, missed: 1, needless: 1 };

/**
 * Costs of every task in the order of the flow: its own, else those of all, else 1.
 * @throws UsageError that names the file and what is wrong in it; UnknownNameError for a key or a task
 */
export function readCosts(file: string, graph: FlowGraph): AnswerCosts[] {
  const document = objectIn(file, parse(file), "");
  const { [TASKS]: tasks, ...common } = document;
  const all = costsIn(file, common, "", EACH, [...KINDS, TASKS]);
  const own = tasks === undefined ? {} : objectIn(file, tasks, TASKS);
  const known = graph.tasks.map(({ path }) => path);
  for (const path of Object.keys(own)) {
    if (!known.includes(path)) throw new UnknownNameError("task", path, known, file, { exitCode: 2 });
  }
  return known.map((path) => {
    if (!Object.hasOwn(own, path)) return all;
    const where = `${TASKS}.${path}`;
    return costsIn(file, objectIn(file, own[path], where), where, all, KINDS);
  });
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`The costs in ${file} cannot be read: ${lineOf(error)}. Write JSON such as {"missed": 5}.`, {
      file,
    });
  }
}

function objectIn(file: string, value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  const place = where === "" ? "" : ` at ${where}`;
  throw new UsageError(`${file}${place} is no object. Write costs such as {"wrong": 1, "missed": 5, "needless": 1}.`, {
    file,
  });
}

function costsIn(
  file: string,
  costs: Readonly<Record<string, unknown>>,
  where: string,
  defaults: AnswerCosts,
  keys: readonly string[],
): AnswerCosts {
  const unknown = Object.keys(costs).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    const place = where === "" ? file : `${file}, ${where}`;
    throw new UnknownNameError("kind of cost", unknown, keys, place, { exitCode: 2 });
  }
  const costOf = (kind: (typeof KINDS)[number]): number => {
    const cost = Object.hasOwn(costs, kind) ? costs[kind] : defaults[kind];
    if (typeof cost === "number" && Number.isFinite(cost) && cost >= 0) return cost;
    const place = where === "" ? kind : `${where}.${kind}`;
    throw new UsageError(`${file}: ${place} is ${JSON.stringify(cost)}; expected a number of at least 0.`, { file });
  };
  return { wrong: costOf("wrong"), missed: costOf("missed"), needless: costOf("needless") };
}
