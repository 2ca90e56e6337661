/** @file own: a task of the user's. Its spec is data; its functions are found by the definition's digest. */
import { f32At } from "../../arrays.js";
import { ConfigError, messageOf, TrainingError } from "../../errors.js";
import type { CustomSpec, TaskSpec } from "../../flow/graph.js";
import {
  UNMIXED,
  OFF_PICTURE,
  UNFITTED,
  isMissing,
  type LogitView,
  type Scored,
  type TaskBehaviour,
  type Thresholds,
  UNWEIGHTED,
} from "../behaviour.js";
import { leastLoss } from "../constants.js";
import { meanOfLogits } from "../ensembles.js";
import { byLoss } from "../judgements.js";
import { type Metric, type MetricTable, metricTable } from "../metrics.js";
import { problemWithAxis } from "../names.js";
import { callCustom, numbersFrom, type CustomFunctions, type CustomRow } from "./custom-functions.js";
import { centralDifferences, probe } from "./custom-probe.js";

/** Definitions by type and digest. The same definition may be loaded more than once. */
const registry = new Map<string, CustomFunctions>();

function keyOf({ type, digest }: Pick<CustomSpec, "type" | "digest">): string {
  return `${type} ${digest}`;
}

/** Makes a definition's functions known to the tasks whose specs name them. */
export function registerOwn(functions: CustomFunctions): void {
  registry.set(keyOf(functions), functions);
}

/** Whether the functions of this task have been defined in this process. */
export function isDefined(spec: CustomSpec): boolean {
  return registry.has(keyOf(spec));
}

/** Whether a task is of the user's own. */
export function isCustom(spec: TaskSpec): spec is CustomSpec {
  return spec.kind === "custom";
}

/** Whether a task is of the user's own and its functions have not been defined in this process. */
export function lacksDefinition(spec: TaskSpec): spec is CustomSpec {
  return isCustom(spec) && !isDefined(spec);
}

/** Every definition of a type so far, the latest last. */
export function definitionsOf(type: string): CustomFunctions[] {
  return [...registry.values()].filter((functions) => functions.type === type);
}

/** @throws ConfigError where the task's code has not been loaded */
export function functionsOf(spec: CustomSpec): CustomFunctions {
  const functions = registry.get(keyOf(spec));
  if (functions !== undefined) return functions;
  throw new ConfigError(
    `The task type "${spec.type}" has not been defined in this process. Load the project that defines it first.`,
    { type: spec.type, digest: spec.digest },
  );
}

/** One row of a matrix as a plain array. */
function rowOf(values: Float32Array, row: number, width: number): number[] {
  return Array.from(values.subarray(row * width, (row + 1) * width));
}

/** A label or answer as the user's functions take it: a number where there is one, else a list. */
function answerOf(values: Float32Array, row: number, width: number): number | readonly number[] {
  return width === 1 ? f32At(values, row) : rowOf(values, row, width);
}

function isLabelled(spec: CustomSpec, answers: Float32Array, row: number): boolean {
  return !Number.isNaN(answers[row * spec.answerWidth]);
}

/** Rows of the mask, as metrics and tuners take them. */
function rowsOf({ spec, logits, activated, decoded, labels, mask }: Scored<CustomSpec>): CustomRow[] {
  const rows: CustomRow[] = [];
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 0 || !isLabelled(spec, labels.answers, row)) continue;
    rows.push({
      logits: rowOf(logits, row, spec.logitWidth),
      activated: rowOf(activated, row, spec.logitWidth),
      decoded: answerOf(decoded, row, spec.answerWidth),
      label: answerOf(labels.answers, row, spec.answerWidth),
    });
  }
  return rows;
}

function logitsAt(spec: CustomSpec, { data, stride, offset }: LogitView, row: number): number[] {
  const at = row * stride + offset;
  return Array.from(data.subarray(at, at + spec.logitWidth));
}

/** ∂loss/∂logits of one row, by the definition's gradient or else by differences. */
function gradientOf(
  functions: CustomFunctions,
  logits: readonly number[],
  label: number | readonly number[],
): number[] {
  const { gradient } = functions;
  if (gradient === undefined) return centralDifferences((at) => lossOf(functions, at, label), logits);
  return numbersFrom(functions, "gradient", gradient(logits, label), functions.logitWidth);
}

function lossOf(functions: CustomFunctions, logits: readonly number[], label: number | readonly number[]): number {
  const loss: unknown = callCustom(functions, "loss", () => functions.loss(logits, label));
  if (typeof loss === "number") return loss;
  throw new ConfigError(
    `The task type "${functions.type}": loss(logits, label) returns ${JSON.stringify(loss)}; expected one number, the loss of one row.`,
    { type: functions.type, function: "loss" },
  );
}

function assertFinite(
  functions: CustomFunctions,
  name: "loss" | "gradient",
  values: readonly number[],
  logits: readonly number[],
  label: unknown,
): void {
  // logits that are not finite are training's fault, which says so itself
  if (values.every(Number.isFinite) || !logits.every(Number.isFinite)) return;
  throw new TrainingError(
    `The task type "${functions.type}": ${name}(${JSON.stringify(logits)}, ${JSON.stringify(label)}) is [${values.join(", ")}]; expected ${values.length === 1 ? "a finite number" : `${values.length} finite numbers`}. Correct the definition's ${name}, or refuse such labels in parse.`,
    { type: functions.type, function: name, logits, label },
  );
}

/** Logit names of a head with several: their places. */
function logitNames({ logitWidth }: CustomSpec): readonly string[] | null {
  return logitWidth === 1 ? null : Array.from({ length: logitWidth }, (_, i) => String(i));
}

function parseOwn(spec: CustomSpec, cell: unknown, out: Float32Array, at: number): string | null {
  const functions = functionsOf(spec);
  const { answerWidth } = spec;
  out.fill(Number.NaN, at, at + answerWidth);
  const available = functions.available ?? ((some: unknown) => !isMissing(some));
  if (callCustom(functions, "available", () => available(cell)) !== true) return null;
  let parsed: unknown;
  try {
    parsed = functions.parse(cell);
  } catch (error) {
    return `is refused by the task type "${spec.type}": ${messageOf(error)}`;
  }
  if (parsed === null) return null;
  if (typeof parsed === "object" && "problem" in parsed) return String(parsed.problem);
  const answer = numbersFrom(functions, "parse", typeof parsed === "number" ? [parsed] : parsed, answerWidth);
  if (!answer.every(Number.isFinite)) {
    return `is read by the task type "${spec.type}" as ${answer.join(", ")}; expected finite numbers, or null where it is missing`;
  }
  out.set(answer, at);
  return null;
}

function tuneOwn(scored: Scored<CustomSpec>, metric: string): Thresholds {
  const functions = functionsOf(scored.spec);
  const { parameters, tune } = functions.decoder;
  const rows = rowsOf(scored);
  if (tune === undefined || rows.length === 0) return parameters;
  const tuned = callCustom(functions, "decoder.tune", () => tune(rows, metric));
  const numbers = numbersFrom(functions, "decoder.tune", tuned, parameters.length);
  if (numbers.every(Number.isFinite)) return numbers;
  throw new ConfigError(
    `The task type "${functions.type}": decoder.tune returns [${numbers.join(", ")}]; expected ${parameters.length} finite numbers, one per parameter.`,
    { type: functions.type, function: "decoder.tune" },
  );
}

/** The rows that count, as the user's functions take them. */
interface CustomContext {
  readonly count: number;
  readonly rows: readonly CustomRow[];
}

/** What a run's graph keeps of the metrics is enough to know them; to compute them takes the definition. */
const customMetrics: MetricTable<CustomSpec> = metricTable(
  (spec) =>
    Object.entries(spec.higherIsBetter).map(
      ([name, higherIsBetter]): Metric<CustomContext> => ({
        name,
        higherIsBetter,
        tunable: isDefined(spec) && functionsOf(spec).decoder.tune !== undefined,
        onDemand: spec.onDemand?.includes(name) === true,
        compute({ rows }) {
          const functions = functionsOf(spec);
          const metric = functions.metrics[name];
          return metric === undefined
            ? null
            : callCustom(functions, `metrics.${name}.compute`, () => metric.compute(rows));
        },
      }),
    ),
  (scored) => {
    const rows = rowsOf(scored);
    return { count: rows.length, rows };
  },
);

export const customBehaviour: TaskBehaviour<CustomSpec> = {
  answeredBy: "network",
  imageScales: () => [],
  head: (spec) => spec.head,
  logitWidth: (spec) => spec.logitWidth,
  logitNames,
  classes: () => null,
  choices: () => null,
  options: ({ type }) => ({ type }),
  problemWith: (spec) => problemWithAxis(spec) ?? probe(functionsOf(spec)),
  parseLabel: (spec, [cell], _scales, out, at) => parseOwn(spec, cell, out, at),
  ...OFF_PICTURE,
  ...UNMIXED,
  ...UNFITTED,
  lossTerms: (spec, labels, row) => (isLabelled(spec, labels.answers, row) ? 1 : 0),
  lossSum(spec, view, labels, row, gradient) {
    if (!isLabelled(spec, labels.answers, row)) return 0;
    const functions = functionsOf(spec);
    const logits = logitsAt(spec, view, row);
    const label = answerOf(labels.answers, row, spec.answerWidth);
    const loss = lossOf(functions, logits, label);
    assertFinite(functions, "loss", [loss], logits, label);
    if (gradient !== null) {
      const logitGradient = gradientOf(functions, logits, label);
      assertFinite(functions, "gradient", logitGradient, logits, label);
      gradient.set(logitGradient, row * view.stride + view.offset);
    }
    return loss;
  },
  ...UNWEIGHTED,
  lossForm: () => null,
  target: () => Number.NaN,
  activate(spec, logits) {
    const functions = functionsOf(spec);
    const { logitWidth } = spec;
    const activated = new Float32Array(logits.length);
    for (let row = 0; row * logitWidth < logits.length; row++) {
      const values = callCustom(functions, "activation", () => functions.activation(rowOf(logits, row, logitWidth)));
      activated.set(numbersFrom(functions, "activation", values, logitWidth), row * logitWidth);
    }
    return activated;
  },
  decode(spec, activated, thresholds) {
    const functions = functionsOf(spec);
    const { logitWidth, answerWidth } = spec;
    const rows = activated.length / logitWidth;
    const decoded = new Float32Array(rows * answerWidth);
    for (let row = 0; row < rows; row++) {
      const answer = callCustom(functions, "decoder.decode", () =>
        functions.decoder.decode(rowOf(activated, row, logitWidth), thresholds),
      );
      const values = typeof answer === "number" ? [answer] : answer;
      decoded.set(numbersFrom(functions, "decoder.decode", values, answerWidth), row * answerWidth);
    }
    return decoded;
  },
  defaultThresholds: (spec) => functionsOf(spec).decoder.parameters,
  scoreNames: (spec) => logitNames(spec) ?? ["score"],
  questions: () => [],
  tuner: (spec) => (functionsOf(spec).decoder.tune === undefined ? null : tuneOwn),
  constants: (spec, labels, mask) => leastLoss(customBehaviour, spec, labels, mask),
  ensemble: (_spec, members) => meanOfLogits(members),
  isEvaluated: () => true,
  metrics: customMetrics,
  headlineMetric: (spec) => Object.keys(spec.higherIsBetter)[0] ?? null,
  // whether such an answer is right, only its project knows
  endToEnd: null,
  judgement: byLoss,
  likelihood: (spec) => spec.likelihood,
  answerType: (spec) => (spec.answerWidth === 1 && !spec.described ? "number" : "text"),
  describe(spec, answers, row) {
    if (!isLabelled(spec, answers, row)) return null;
    const answer = answerOf(answers, row, spec.answerWidth);
    const functions = functionsOf(spec);
    const { describe } = functions;
    if (describe !== undefined) return callCustom(functions, "describe", () => describe(answer));
    // numbers of single precision: more digits would be noise
    return typeof answer === "number" ? answer : answer.map((number) => String(Number(number.toPrecision(6))));
  },
};
