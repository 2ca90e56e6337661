/** @file Flags that take a quantity with its unit: `20MB`, `5ms`. */
import * as Flags from "@oclif/core/flags";
import { UsageError } from "../errors.js";

const BYTES = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;
const MILLISECONDS = { ms: 1, s: 1000, min: 60_000 } as const;

interface Bounds {
  readonly summary: string;
  /** As it is written; the command takes it where the flag is not given. */
  readonly usual: string;
  /** In bytes or milliseconds, both included. */
  readonly min: number;
  readonly max: number;
}

/** Bytes. */
export function bytesFlag(name: string, bounds: Bounds) {
  return quantityFlag(name, BYTES, bounds);
}

/** Milliseconds. */
export function timeFlag(name: string, bounds: Bounds) {
  return quantityFlag(name, MILLISECONDS, bounds);
}

function quantityFlag(name: string, units: Readonly<Record<string, number>>, { summary, usual, min, max }: Bounds) {
  return Flags.custom<number>({
    summary: `${summary} (${usual})`,
    helpValue: usual,
    parse: async (text) => {
      const value = quantityIn(text, units);
      if (value >= min && value <= max) return value;
      const range = `from ${written(min, units)} to ${written(max, units)}`;
      throw new UsageError(`--${name} ${text} is no quantity ${range}. Write e.g. ${usual}.`, {
        flag: name,
        value: text,
      });
    },
  })();
}

/** NaN where it is none. */
function quantityIn(text: string, units: Readonly<Record<string, number>>): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text.trim()) ?? [];
  const factor = Object.entries(units).find(([one]) => one.toLowerCase() === unit.toLowerCase())?.[1];
  return number === "" ? Number.NaN : Number(number) * (factor ?? Number.NaN);
}

/** In the largest unit of which it is a whole number. */
function written(value: number, units: Readonly<Record<string, number>>): string {
  const [unit, factor] = Object.entries(units)
    .filter(([, own]) => value % own === 0)
    .reduce((best, own) => (own[1] > best[1] ? own : best));
  return `${value / factor}${unit}`;
}
