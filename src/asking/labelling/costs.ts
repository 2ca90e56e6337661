/** @file Seconds that a label takes, by task: typical ones, or as a file says. */
import { readFileSync } from "node:fs";
import { answerForm } from "../../analysis/audit/forms.js";
import { ConfigError, lineOf, UnknownNameError } from "../../errors.js";
import type { FlowGraph, TaskSpec } from "../../flow/graph.js";

/** Of each task of the graph. @param file JSON: seconds by path of task; `*` for the others */
export function labelSeconds(graph: FlowGraph, file: string | undefined): number[] {
  const given = file === undefined ? {} : readCosts(file, graph);
  return graph.tasks.map(({ path, spec }) => given[path] ?? given["*"] ?? typicalSeconds(spec));
}

/** A click, a choice among several, a number that is measured, a figure that is drawn. */
function typicalSeconds(spec: TaskSpec): number {
  const form = answerForm(spec);
  switch (form?.kind) {
    case "questions":
      return 1 + form.width;
    case "choice":
      return 3;
    case "numbers":
      return 4 + form.width;
    default:
      return 0;
  }
}

function readCosts(file: string, graph: FlowGraph): Readonly<Record<string, number>> {
  let costs: unknown;
  try {
    costs = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new ConfigError(
      `${file} cannot be read: ${lineOf(error)}. Write seconds by task: {"door_open": 2, "*": 5}.`,
      { file },
      { cause: error },
    );
  }
  if (typeof costs !== "object" || costs === null || Array.isArray(costs)) {
    throw new ConfigError(`${file} is no object of seconds by task: {"door_open": 2, "*": 5}.`, { file });
  }
  const paths = graph.tasks.map(({ path }) => path);
  return Object.fromEntries(
    Object.entries(costs).map(([path, seconds]: [string, unknown]) => {
      if (path !== "*" && !paths.includes(path)) throw new UnknownNameError("task", path, paths, file, { exitCode: 2 });
      if (typeof seconds === "number" && seconds > 0 && Number.isFinite(seconds)) return [path, seconds];
      throw new ConfigError(`${file}: "${path}" is ${JSON.stringify(seconds)}; it is a number of seconds above 0.`, {
        file,
        task: path,
      });
    }),
  );
}
