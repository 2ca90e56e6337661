/** @file `--set` of a sweep: a range, a list of values, or one value that all trials share. */
import { UsageError } from "../../errors.js";
import type { Parameter, ParameterValue } from "./space.js";

/** What the flags say: what is searched, and what is the same in every trial. */
export interface ParsedSets {
  readonly parameters: readonly Parameter[];
  /** `key=value`, as `cool run --set` takes them. */
  readonly fixed: readonly string[];
}

/**
 * `train.optimizer.learningRate=1e-4..1e-2:log`, `train.batchSize=16,32,64`, `train.epochs=5..20:step=5`,
 * `train.seed=1..9:int`; anything else is one value.
 * @throws UsageError for a range that cannot be
 */
export function parseSets(assignments: readonly string[]): ParsedSets {
  const parameters: Parameter[] = [];
  const fixed: string[] = [];
  for (const assignment of assignments) {
    const parameter = parseSet(assignment);
    if (parameter === null) fixed.push(assignment);
    else parameters.push(parameter);
  }
  return { parameters, fixed };
}

const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`;
const RANGE = new RegExp(String.raw`^(${NUMBER})\.\.(${NUMBER})((?::[^:]*)*)$`);

function parseSet(assignment: string): Parameter | null {
  const at = assignment.indexOf("=");
  if (at <= 0) return null;
  const [name, text] = [assignment.slice(0, at), assignment.slice(at + 1)];
  const [, low, high, suffixes = ""] = RANGE.exec(text) ?? [];
  if (low !== undefined && high !== undefined) {
    return parseRange(name, Number(low), Number(high), suffixes.split(":").slice(1), assignment);
  }
  const parts = topLevelParts(text);
  if (parts.length < 2) return null;
  const choices = parts.map(parseValue);
  const repeated = choices.find(
    (one, i) => choices.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) < i,
  );
  if (repeated !== undefined) {
    throw new UsageError(`--set ${assignment} has ${JSON.stringify(repeated)} twice. Say each value once.`, {
      assignment,
    });
  }
  return { kind: "choice", name, choices, when: null };
}

function parseRange(name: string, low: number, high: number, suffixes: readonly string[], text: string): Parameter {
  let [log, step]: [boolean, number | null] = [false, null];
  for (const suffix of suffixes) {
    const stepText = /^step=(.+)$/.exec(suffix)?.[1];
    if (suffix === "log") log = true;
    else if (suffix === "int") step = 1;
    else if (stepText !== undefined && Number.isFinite(Number(stepText))) step = Number(stepText);
    else {
      throw new UsageError(
        `--set ${text} ends in ":${suffix}", which a range does not take. Write :log, :int or :step=0.5, e.g. --set ${name}=1e-4..1e-2:log.`,
        { assignment: text, suffix },
      );
    }
  }
  return checkedRange({ kind: "range", name, low, high, log, step, when: null }, `--set ${text}`);
}

type Range = Extract<Parameter, { readonly kind: "range" }>;

/**
 * @param where what is said of it, at the beginning of a message
 * @throws UsageError for a range without numbers, of logarithms that do not exist, or with steps that do not fit
 */
export function checkedRange(range: Range, where: string): Range {
  const { low, high, log, step } = range;
  const problem = !(low < high)
    ? `runs from ${low} to ${high}: the lower end comes first, and they differ`
    : log && low <= 0
      ? `is logarithmic and begins at ${low}: a logarithm needs numbers above 0`
      : step !== null && !(step > 0)
        ? `has steps of ${step}: a step is a number above 0`
        : step !== null && step > high - low
          ? `has steps of ${step}, which is more than its length`
          : log && step !== null && step !== 1
            ? `is logarithmic and has steps of ${step}: only whole numbers (:int) go with :log`
            : step === 1 && !(Number.isInteger(low) && Number.isInteger(high)) && log
              ? "is of whole numbers, and its ends are none"
              : null;
  if (problem !== null)
    throw new UsageError(`${where} ${problem}. Write e.g. 1e-4..1e-2:log or 16..128:step=16.`, { low, high });
  return range;
}

/** The parts of a list; commas in brackets, braces and quotes do not count. */
function topLevelParts(text: string): string[] {
  const parts: string[] = [];
  let [depth, isQuoted, from] = [0, false, 0];
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (isQuoted && letter === "\\") i += 1;
    else if (letter === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (letter === "[" || letter === "{") depth += 1;
    else if (letter === "]" || letter === "}") depth -= 1;
    else if (letter === "," && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)];
}

function parseValue(text: string): ParameterValue {
  try {
    return JSON.parse(text) as ParameterValue;
  } catch {
    return text;
  }
}
