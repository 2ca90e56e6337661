/** @file Options of a function that a configuration calls, checked as settings are: what a compiler would have said. */
import { ConfigError, nearestNames } from "./errors.js";

/** What a value must be; `expected` completes "expected …". */
export interface OptionRule {
  readonly accepts: (value: unknown) => boolean;
  readonly expected: string;
}

/** Per option its rule; null where the function itself says more of a wrong value. */
export type OptionRules<Options> = { readonly [Key in KeysOf<Options>]-?: OptionRule | null };
/** Of every member of a union. */
type KeysOf<Options> = Options extends unknown ? keyof Options & string : never;

export const TEXT: OptionRule = { accepts: (value) => typeof value === "string" && value !== "", expected: "a text" };
export const TRUTH: OptionRule = { accepts: (value) => typeof value === "boolean", expected: "true or false" };
export const NUMBER: OptionRule = { accepts: Number.isFinite, expected: "a finite number" };
export const POSITIVE: OptionRule = {
  accepts: (value) => typeof value === "number" && value > 0 && value < Number.POSITIVE_INFINITY,
  expected: "a number above 0",
};
export const COUNT: OptionRule = { accepts: (value) => isWhole(value, 1), expected: "a whole number above 0" };
export const WHOLE: OptionRule = { accepts: (value) => isWhole(value, 0), expected: "a whole number, 0 or more" };
export const INTEGER: OptionRule = { accepts: Number.isSafeInteger, expected: "a whole number" };
export const COUNTS: OptionRule = {
  accepts: (value) => Array.isArray(value) && value.every((one) => isWhole(one, 1)),
  expected: "a list of whole numbers above 0",
};
export const RATE: OptionRule = {
  accepts: (value) => typeof value === "number" && value >= 0 && value < 1,
  expected: "a number from 0 to below 1",
};
export const LIST: OptionRule = { accepts: Array.isArray, expected: "a list" };
export const TEXTS: OptionRule = {
  accepts: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
  expected: "a list of texts",
};

export function oneOf(...known: readonly unknown[]): OptionRule {
  return { accepts: (value) => known.includes(value), expected: known.map((one) => JSON.stringify(one)).join(" or ") };
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= least;
}

/**
 * @param call what is called, as messages name it: `binary`
 * @throws ConfigError for an option that there is none of, with the nearest that there is, and for a wrong value
 */
export function checkOptions<Options>(call: string, options: unknown, rules: OptionRules<Options>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ConfigError(`${call}(…) takes its options as an object, e.g. ${call}({ … }).`, { call });
  }
  const known = new Map(Object.entries<OptionRule | null>(rules));
  for (const [option, value] of Object.entries(options)) {
    const rule = known.get(option);
    if (rule === undefined) {
      const [nearest] = nearestNames(option, known.keys());
      const hint =
        nearest === undefined ? `Known: ${[...known.keys()].join(", ") || "none"}.` : `Did you mean "${nearest}"?`;
      throw new ConfigError(`${call}({ ${option}: … }): there is no option "${option}". ${hint}`, { call, option });
    }
    if (rule === null || value === undefined || rule.accepts(value)) continue;
    throw new ConfigError(
      `${call}({ ${option}: … }): "${option}" is ${shown(value)}; expected ${rule.expected}. Correct it, or leave it out.`,
      { call, option, value: shown(value) },
    );
  }
}

function shown(value: unknown): string {
  const text = typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value));
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
