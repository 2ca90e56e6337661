/** @file The functions that make a custom task, without the types of their arguments, and how they are called. */
import { ConfigError, CoolError, messageOf } from "../../errors.js";
import type { Described } from "../behaviour.js";

/** A label or a decoded answer: a number where the task's answer is one, else a list. */
export type CustomAnswer = number | readonly number[];

/** One row, as metrics and tuners take it. */
export interface CustomRow<Answer = CustomAnswer> {
  readonly logits: readonly number[];
  readonly activated: readonly number[];
  readonly decoded: Answer;
  readonly label: Answer;
}

/** A definition with its digest; see {@link CustomTaskDefinition} for what each function does. */
export interface CustomFunctions {
  readonly type: string;
  readonly digest: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly logitWidth: number;
  readonly answerWidth: number;
  readonly parse: (cell: unknown) => CustomAnswer | null | { readonly problem: string };
  readonly available?: (cell: unknown) => boolean;
  readonly loss: (logits: readonly number[], label: CustomAnswer) => number;
  readonly gradient?: (logits: readonly number[], label: CustomAnswer) => readonly number[];
  readonly activation: (logits: readonly number[]) => readonly number[];
  readonly decoder: {
    readonly parameters: readonly number[];
    readonly decode: (activated: readonly number[], parameters: readonly number[]) => CustomAnswer;
    readonly tune?: (rows: readonly CustomRow[], metric: string) => readonly number[];
  };
  readonly metrics: Readonly<
    Record<
      string,
      { readonly compute: (rows: readonly CustomRow[]) => number | null; readonly higherIsBetter: boolean }
    >
  >;
  /** Takes and returns what the engine knows. */
  readonly head?: (parts: never) => unknown;
  readonly describe?: (answer: CustomAnswer) => Described;
}

/** Calls one of the user's functions; what it throws becomes an error that names it. */
export function callCustom<T>({ type }: Pick<CustomFunctions, "type">, name: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof CoolError) throw error;
    throw new ConfigError(
      `The task type "${type}": ${name} throws "${messageOf(error)}". Correct the function in its defineTask.`,
      { type, function: name },
      { cause: error },
    );
  }
}

/**
 * What a function returned, if it is as many numbers as it must be.
 * @throws ConfigError that names the task type and the function, what was expected and what came
 */
export function numbersFrom(
  { type }: Pick<CustomFunctions, "type">,
  name: string,
  returned: unknown,
  width: number,
): number[] {
  const isList = Array.isArray(returned) && returned.every((value) => typeof value === "number");
  if (isList && returned.length === width) return returned as number[];
  const got = isList ? `${returned.length}: [${returned.join(", ")}]` : (JSON.stringify(returned) ?? String(returned));
  throw new ConfigError(
    `The task type "${type}": ${name} returns ${got}; expected ${width} ${width === 1 ? "number" : "numbers"}. Correct the function, or the definition's width or answerWidth.`,
    { type, function: name, expected: width, got: returned },
  );
}
