/** @file The space of a sweep: its parameters, which of them apply, and their values from numbers in [0, 1). */
import { at } from "../../arrays.js";
import { UnknownNameError, UsageError } from "../../errors.js";
import type { ParameterValue } from "../../storage/tables/studies.js";

export type { ParameterValue } from "../../storage/tables/studies.js";

/** Values by setting; those of parameters that do not apply are missing. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** When a parameter applies: where every setting named has one of the values. */
export type When = Readonly<Record<string, readonly ParameterValue[]>>;

interface ParameterBase {
  /** The setting: `train.batchSize`. */
  readonly name: string;
  /** null: always. */
  readonly when: When | null;
}

export interface ChoiceParameter extends ParameterBase {
  readonly kind: "choice";
  readonly choices: readonly ParameterValue[];
}

export interface RangeParameter extends ParameterBase {
  readonly kind: "range";
  /** Both ends belong to it. */
  readonly low: number;
  readonly high: number;
  /** Whether ratios count, not differences. */
  readonly log: boolean;
  /** Values are `low` plus whole multiples of it; null: any number. With `log` 1 at most. */
  readonly step: number | null;
}

export type Parameter = ChoiceParameter | RangeParameter;

/** Parameters, each after those that its condition names. */
export type Space = readonly Parameter[];

/** Whether a parameter applies, given the values of those before it. */
export function isActive({ when }: Parameter, values: Parameters): boolean {
  return (
    when === null ||
    Object.entries(when).every(
      ([name, allowed]) => Object.hasOwn(values, name) && allowed.some((value) => isSame(value, at([values[name]], 0))),
    )
  );
}

export function isSame(a: ParameterValue | undefined, b: ParameterValue | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Values of all parameters that apply, one after the other, so that each can see those before it. */
export function chooseEach(
  space: Space,
  choose: (parameter: Parameter, index: number, values: Parameters) => ParameterValue,
): Parameters {
  const values: Record<string, ParameterValue> = {};
  space.forEach((parameter, index) => {
    if (isActive(parameter, values)) values[parameter.name] = choose(parameter, index, values);
  });
  return values;
}

/** Where a range lies on the axis on which it is even: logarithms where ratios count, and half a step more on each side. */
export function evenExtent({ low, high, log, step }: RangeParameter): { readonly low: number; readonly high: number } {
  const margin = (step ?? 0) / 2;
  const even = (value: number): number => (log ? Math.log(value) : value);
  return { low: even(low - margin), high: even(lastOf({ low, high, step }) + margin) };
}

/** A place on the even axis → the nearest value of the range. */
export function fromEven(parameter: RangeParameter, place: number): number {
  const { low, log, step } = parameter;
  const value = log ? Math.exp(place) : place;
  const last = lastOf(parameter);
  if (step === null) return Math.min(last, Math.max(low, value));
  const steps = Math.round((Math.min(last, Math.max(low, value)) - low) / step);
  // 0.1 + 2 * 0.1 is not 0.3
  return Number((low + steps * step).toPrecision(12));
}

export function toEven({ log }: RangeParameter, value: number): number {
  return log ? Math.log(value) : value;
}

/** The last value of a range, whose length need not be a whole number of steps. */
function lastOf({ low, high, step }: Pick<RangeParameter, "low" | "high" | "step">): number {
  return step === null ? high : Number((low + Math.floor((high - low) / step + 1e-9) * step).toPrecision(12));
}

/** @param unit in [0, 1) */
export function fromUnit(parameter: Parameter, unit: number): ParameterValue {
  if (parameter.kind === "choice") return at(parameter.choices, Math.floor(unit * parameter.choices.length));
  const { low, high } = evenExtent(parameter);
  return fromEven(parameter, low + unit * (high - low));
}

/** Where a value lies in [0, 1]: of a choice the middle of its share. */
export function toUnit(parameter: Parameter, value: ParameterValue): number {
  if (parameter.kind === "choice") {
    const index = parameter.choices.findIndex((choice) => isSame(choice, value));
    return (Math.max(0, index) + 0.5) / parameter.choices.length;
  }
  const { low, high } = evenExtent(parameter);
  return high === low ? 0.5 : (toEven(parameter, Number(value)) - low) / (high - low);
}

/** All values of a parameter that has finitely many; null of others. */
export function everyValue(parameter: Parameter): readonly ParameterValue[] | null {
  if (parameter.kind === "choice") return parameter.choices;
  const { low, high, step } = parameter;
  if (step === null) return null;
  return Array.from({ length: Math.floor((high - low) / step + 1e-9) + 1 }, (_, i) =>
    fromEven({ ...parameter, log: false }, low + i * step),
  );
}

/**
 * Puts parameters behind those that their conditions name.
 * @throws UsageError for two of one name, a condition on what is not searched, and conditions in a circle
 */
export function orderSpace(parameters: readonly Parameter[]): Space {
  const names = parameters.map(({ name }) => name);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new UsageError(`The sweep searches ${repeated} twice. Say each setting once.`, { parameter: repeated });
  }
  for (const { name, when } of parameters) {
    for (const other of Object.keys(when ?? {})) {
      if (!names.includes(other))
        throw new UnknownNameError("parameter", other, names, `"when" of ${name}`, { exitCode: 2 });
    }
  }
  const ordered: Parameter[] = [];
  const left = [...parameters];
  while (left.length > 0) {
    const next = left.findIndex(({ when }) =>
      Object.keys(when ?? {}).every((name) => ordered.some((parameter) => parameter.name === name)),
    );
    if (next === -1) {
      const circle = left.map(({ name }) => name).join(", ");
      throw new UsageError(`The conditions of ${circle} wait for each other. Take one of them away.`, { circle });
    }
    ordered.push(...left.splice(next, 1));
  }
  return ordered;
}
