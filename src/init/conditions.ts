/** @file Mined conditions as code of a flow, and the evidence for them in words. */
import type { Condition } from "../flow/graph.js";
import { printableLine } from "../platform/printable.js";
import { list, member, quoted } from "./identifiers.js";
import type { MinedTask } from "./mining/mine-flow.js";
import type { TaskRole } from "./task-role.js";

/** What conditions are about. */
export interface Gates {
  /** By column. */
  readonly roles: ReadonlyMap<string, Pick<TaskRole, "kind" | "names">>;
  /** Column → name of its task. */
  readonly taskName: (column: string) => string;
}

/** As a flow writes it: `out.door_open.not().and(out.shirt.is("red"))`. */
export function conditionCode(condition: Condition, gates: Gates): string {
  switch (condition.kind) {
    case "not":
      return `${conditionCode(condition.of, gates)}.not()`;
    case "and":
    case "or": {
      const [first = "", ...others] = condition.of.map((each) => conditionCode(each, gates));
      return `${first}.${condition.kind}(${others.join(", ")})`;
    }
    default: {
      const gate = member("out", gates.taskName(condition.task));
      const names = gates.roles.get(condition.task)?.names ?? [];
      switch (condition.kind) {
        case "true":
          return gate;
        case "isOneOf": {
          const classes = condition.classes.map((index) => names[index] ?? "");
          return classes.length === 1 ? `${gate}.is(${quoted(classes[0] ?? "")})` : `${gate}.isOneOf(${list(classes)})`;
        }
        case "has":
          return `${gate}.has(${quoted(names[condition.label] ?? "")})`;
        case "atLeast":
        case "below":
          return `${gate}.${condition.kind}(${boundOf(condition.task, condition.value, gates, quoted)})`;
        default:
          return condition satisfies never;
      }
    }
  }
}

/** In words, by the names of columns: `door_open = 0 and shirt is red or blue`. */
export function conditionWords(condition: Condition, gates: Gates): string {
  const inner = (each: Condition) =>
    each.kind === "and" || each.kind === "or" ? `(${conditionWords(each, gates)})` : conditionWords(each, gates);
  switch (condition.kind) {
    case "not": {
      const { of } = condition;
      if (of.kind === "true") return `${of.task} = 0`;
      if (of.kind === "has") return `${of.task} lacks ${nameOf(gates, of.task, of.label)}`;
      return `not (${conditionWords(of, gates)})`;
    }
    case "and":
    case "or":
      return condition.of.map(inner).join(` ${condition.kind} `);
    case "true":
      return `${condition.task} = 1`;
    case "isOneOf":
      return `${condition.task} is ${condition.classes.map((index) => nameOf(gates, condition.task, index)).join(" or ")}`;
    case "has":
      return `${condition.task} has ${nameOf(gates, condition.task, condition.label)}`;
    case "atLeast":
      return `${condition.task} >= ${boundOf(condition.task, condition.value, gates)}`;
    case "below":
      return `${condition.task} < ${boundOf(condition.task, condition.value, gates)}`;
    default:
      return condition satisfies never;
  }
}

/** A number, or the level that it is the index of. */
function boundOf(task: string, value: number, { roles }: Gates, written = (level: string) => level): string {
  const role = roles.get(task);
  return role?.kind === "ordinal" ? written(role.names[Math.ceil(value)] ?? "") : String(value);
}

function nameOf({ roles }: Gates, task: string, index: number): string {
  return roles.get(task)?.names[index] ?? String(index);
}

/** Rows that are named of those that contradict a condition. */
const NAMED_ROWS = 8;

/**
 * What the table says for a task's precondition, and against the others that nearly are one: one line each.
 * @param rowName of a row in words
 */
export function evidenceOf(mined: MinedTask, gates: Gates, rowName: (row: number) => string): string[] {
  const { given, filled, active, held, equivalent, nearly, almost } = mined;
  const lines: string[] = [];
  if (given !== null) {
    const open = filled - held;
    const unknown = open === 0 ? "" : `, the other ${open} where a label that this reads is missing`;
    lines.push(
      `filled only where ${conditionWords(given, gates)}: ${held} of ${filled} labels${unknown}; ${active} rows are so`,
    );
  }
  for (const other of equivalent) lines.push(`fits these rows equally: ${conditionWords(other, gates)}`);
  for (const other of nearly) lines.push(`fits these rows nearly as well: ${conditionWords(other, gates)}`);
  for (const { condition, exceptions } of almost) {
    const shown = exceptions.slice(0, NAMED_ROWS).map(rowName).join(", ");
    const rest = exceptions.length > NAMED_ROWS ? `, … (${exceptions.length} in all)` : "";
    lines.push(
      `almost filled only where ${conditionWords(condition, gates)}: ${filled - exceptions.length} of ${filled} labels, but not ${shown}${rest}`,
    );
  }
  return lines.map(printableLine);
}
