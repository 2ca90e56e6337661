/** @file defineTask: functions of the user's → a constructor of tasks, and an entry in the registry. */
import { ConfigError, nearestNames } from "../../errors.js";
import type { CommonTaskOptions, CustomGate, CustomSpec, Likelihood, TokenTaskOptions } from "../../flow/graph.js";
import { checkOptions } from "../../options.js";
import type { Described } from "../behaviour.js";
import { COMMON_OPTIONS } from "../names.js";
import { registerOwn } from "./custom.js";
import type { CustomFunctions, CustomRow } from "./custom-functions.js";

/** A label or answer of a task: a number if its answer is one, else a list of that many. */
export type AnswerOf<Width extends number> = Width extends 1 ? number : readonly number[];

/** What an answer of one number is to preconditions. */
export type NumberGate = Exclude<CustomGate, "none">;

/**
 * Everything that makes a kind of task. The functions are pure and work on one row, in plain arrays and double
 * precision. They should use nothing from around them: a run keeps a digest of their sources to know them again, which
 * does not see what they close over.
 */
export interface CustomTaskDefinition<AnswerWidth extends number, Gate extends NumberGate, Head> {
  /** Names the kind of task, e.g. in messages and in printed flows. */
  readonly name: string;
  /** Numbers of logits, which the head computes for each row. */
  readonly width: number;
  /** Numbers that a label and a decoded answer consist of; default 1. */
  readonly answerWidth?: AnswerWidth;
  /** A cell of the label column → the label, in label units; null: missing; `{ problem }` (or an error): refused. */
  readonly parse: (cell: unknown) => AnswerOf<AnswerWidth> | null | { readonly problem: string };
  /** Whether a cell holds a label; default: unless it is empty, NULL or NaN. */
  readonly available?: (cell: unknown) => boolean;
  /** Loss of one row. The loss of a batch is its mean over the rows that are active and labelled. */
  readonly loss: (logits: readonly number[], label: AnswerOf<AnswerWidth>) => number;
  /** ∂loss/∂logits of one row; default: central differences, which call `loss` twice per logit. */
  readonly gradient?: (logits: readonly number[], label: AnswerOf<AnswerWidth>) => readonly number[];
  /** Logits → as many numbers, e.g. probabilities: what is kept and shown beside the logits. */
  readonly activation: (logits: readonly number[]) => readonly number[];
  readonly decoder: {
    /** Before tuning; may be empty. */
    readonly parameters: readonly number[];
    /** Activated numbers → the answer, in label units. */
    readonly decode: (activated: readonly number[], parameters: readonly number[]) => AnswerOf<AnswerWidth>;
    /**
     * The best parameters on the rows of the valid split that are active and labelled; default: they stay.
     * @param metric the name that was asked for if it is one of the task's metrics, else its first one
     */
    readonly tune?: (rows: readonly CustomRow<AnswerOf<AnswerWidth>>[], metric: string) => readonly number[];
  };
  /** By name; the first one is the task's headline. Over all rows of a split; null where it is undefined. */
  readonly metrics: Readonly<
    Record<
      string,
      {
        readonly compute: (rows: readonly CustomRow<AnswerOf<AnswerWidth>>[]) => number | null;
        readonly higherIsBetter: boolean;
        /** Only computed where it is asked for, e.g. with `--metric`; default false. */
        readonly onDemand?: boolean;
      }
    >
  >;
  /**
   * Layers from the feature to the logits, [batch, n] → [batch, width], or of a task per token [batch, length, n] →
   * [batch, length, width]; default: one dense layer.
   */
  readonly head?: Head;
  /** An answer in words; default: its numbers. */
  readonly describe?: (answer: AnswerOf<AnswerWidth>) => Described;
  /** `truth`: an answer of one number is also a condition by itself, true from one half up; default `bounds`. */
  readonly gate?: Gate;
  /**
   * For weighting by uncertainty: `gaussian` where the loss is a squared error, `categorical` (default) where it is a
   * negative log-probability.
   */
  readonly likelihood?: Likelihood;
}

/** What the answers of a definition are to preconditions. */
export type GateKind<AnswerWidth extends number, Gate extends NumberGate> = number extends AnswerWidth
  ? "none"
  : AnswerWidth extends 1
    ? Gate
    : "none";

/** Makes tasks of a kind that `defineTask` has defined. */
export type CustomTaskConstructor<Gate extends CustomGate> = (
  options?: CommonTaskOptions & TokenTaskOptions,
) => CustomSpec<Gate>;

/**
 * Defines a kind of task.
 * @param sha256 hex digest of a text
 * @throws ConfigError where a part is missing, unknown, or not what it must be
 */
export function defineCustomTask<AnswerWidth extends number, Gate extends NumberGate, Head>(
  definition: CustomTaskDefinition<AnswerWidth, Gate, Head>,
  sha256: (text: string) => string,
): CustomTaskConstructor<GateKind<AnswerWidth, Gate>> {
  checkDefinition({ ...definition });
  const { name, width, answerWidth = 1, gate, likelihood = "categorical", ...functions } = definition;
  const parts = digestParts(definition, sha256);
  const digest = sha256(JSON.stringify(parts));
  registerOwn({
    ...functions,
    type: name,
    digest,
    parts,
    logitWidth: width,
    answerWidth,
  } as unknown as CustomFunctions);
  const onDemand = Object.entries(definition.metrics).flatMap(([metric, row]) =>
    row.onDemand === true ? [metric] : [],
  );
  const data = {
    type: name,
    digest,
    parts,
    logitWidth: width,
    answerWidth,
    gate: (answerWidth !== 1 ? "none" : (gate ?? "bounds")) as GateKind<AnswerWidth, Gate>,
    head: definition.head === undefined ? "dense" : "custom",
    likelihood,
    higherIsBetter: Object.fromEntries(
      Object.entries(definition.metrics).map(([metric, { higherIsBetter }]) => [metric, higherIsBetter]),
    ),
    // said where it is more than the default, so that specs of earlier runs stay equal to those of today
    ...(onDemand.length === 0 ? {} : { onDemand }),
    described: definition.describe !== undefined,
  } as const;
  return (options = {}) => {
    checkOptions(`the task type "${name}"`, options, COMMON_OPTIONS);
    return { kind: "custom", ...data, ...options };
  };
}

const PARTS = {
  name: true,
  width: true,
  answerWidth: false,
  parse: true,
  available: false,
  loss: true,
  gradient: false,
  activation: true,
  decoder: true,
  metrics: true,
  head: false,
  describe: false,
  gate: false,
  likelihood: false,
} satisfies Record<keyof CustomTaskDefinition<number, NumberGate, unknown>, boolean>;

const FUNCTIONS = ["parse", "available", "loss", "gradient", "activation", "head", "describe"] as const;

/** What the compiler checks in an editor, for a configuration that was never compiled. */
function checkDefinition(definition: Readonly<Record<string, unknown>>): void {
  const {
    name,
    width,
    answerWidth = 1,
    decoder,
    metrics,
    gate,
  } = definition as unknown as CustomFunctions & {
    readonly name: unknown;
    readonly width: number;
    readonly gate?: string;
  };
  const fail = (problem: string): never => {
    throw new ConfigError(`defineTask${typeof name === "string" ? ` of "${name}"` : ""}: ${problem}.`, { name });
  };
  const known = Object.keys(PARTS);
  for (const key of Object.keys(definition).filter((part) => !known.includes(part))) {
    const [nearest] = nearestNames(key, known);
    fail(
      `"${key}" is not a part of it; ${nearest === undefined ? `known: ${known.join(", ")}` : `did you mean "${nearest}"?`}`,
    );
  }
  const missing = Object.entries(PARTS).find(([part, required]) => required && definition[part] === undefined);
  if (missing !== undefined) fail(`it has no "${missing[0]}"; add it`);
  if (typeof name !== "string" || name.trim() === "") fail("its name is not a text; give it one");
  if (!isWidth(width)) fail(`its width is ${width}; expected the number of logits, 1 or more`);
  if (!isWidth(answerWidth)) fail(`its answerWidth is ${answerWidth}; expected a whole number, 1 or more`);
  for (const part of FUNCTIONS) {
    const value = definition[part];
    if (value !== undefined && typeof value !== "function") fail(`its ${part} is ${typeof value}; expected a function`);
  }
  if (typeof decoder.decode !== "function") fail("its decoder has no function decode; add it");
  if (!Array.isArray(decoder.parameters) || !decoder.parameters.every(Number.isFinite)) {
    fail("its decoder's parameters are no list of finite numbers; write [] if it takes none");
  }
  for (const [metric, { compute, higherIsBetter }] of Object.entries(metrics)) {
    if (typeof compute !== "function") fail(`its metric "${metric}" has no function compute; add it`);
    if (typeof higherIsBetter !== "boolean") fail(`its metric "${metric}" does not say higherIsBetter: true or false`);
    if (metric === "loss") fail('its metric "loss" has the name of the loss; rename it');
  }
  if (gate !== undefined && gate !== "truth" && gate !== "bounds")
    fail(`its gate is ${JSON.stringify(gate)}; expected "truth" or "bounds"`);
  if (gate === "truth" && answerWidth !== 1)
    fail(`its answer is ${answerWidth} numbers, which cannot be true or false; leave out gate`);
}

function isWidth(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}

/** Digests of what the definition says, by part; functions by their sources, whose line breaks do not count. */
function digestParts(definition: object, sha256: (text: string) => string): Record<string, string> {
  const leaves = (value: unknown, path: string): [string, string][] => {
    if (typeof value === "function") return [[path, value.toString().replaceAll(/\s+/g, " ")]];
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return Object.entries(value).flatMap(([key, part]) => leaves(part, path === "" ? key : `${path}.${key}`));
    }
    return value === undefined ? [] : [[path, JSON.stringify(value)]];
  };
  return Object.fromEntries(
    leaves(definition, "")
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, text]) => [path, sha256(text).slice(0, 16)]),
  );
}
