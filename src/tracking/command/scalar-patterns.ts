/** @file Scalars from the lines that a command prints, by patterns with named groups. */
import { stripVTControlCharacters } from "node:util";
import { UsageError } from "../../errors.js";
import type { LoggedValues, LogOptions } from "../curves.js";
import { compiledPattern, groupsOf } from "../names.js";

/** Groups that say where values belong, and are none. */
const PLACES = new Set(["step", "epoch", "split"]);
/** A line without an end must not take the processor for itself. */
const LONGEST_LINE = 10_000;

export interface ScalarLine {
  readonly values: LoggedValues;
  readonly options: LogOptions;
  /** Texts that are no numbers, by their names. */
  readonly rest: Readonly<Record<string, string>>;
}

export class ScalarPatterns {
  readonly #patterns: readonly RegExp[];

  /** @throws UsageError for what is no regular expression, or names no scalar */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => compiledPattern("pattern --scalar", pattern));
    const groups = this.#patterns.map(groupsOf);
    const isValue = (name: string): boolean => !PLACES.has(name);
    // a pattern may tell the epoch alone, beside others
    const isUseful = (names: readonly string[]): boolean =>
      names.some((name) => isValue(name) || groups.flat().some(isValue));
    const useless = groups.findIndex((names) => !isUseful(names));
    if (useless === -1) return;
    const pattern = patterns[useless];
    throw new UsageError(
      `The pattern --scalar ${JSON.stringify(pattern)} has no named group for a value. Name one, e.g. 'loss: (?<loss>\\S+)'.`,
      { pattern },
    );
  }

  /** All values in a line; null where no pattern matches. */
  read(line: string): ScalarLine | null {
    if (this.#patterns.length === 0) return null;
    const text = stripVTControlCharacters(line.slice(0, LONGEST_LINE));
    const groups = this.#patterns.flatMap((pattern) => Object.entries(pattern.exec(text)?.groups ?? {}));
    if (groups.length === 0) return null;
    const values: Record<string, number> = {};
    const rest: Record<string, string> = {};
    const places: Record<string, string> = {};
    for (const [group, found] of groups) {
      if (found === undefined) continue;
      if (PLACES.has(group)) places[group] = found;
      else {
        // a group's name has no slash: two underscores stand for it
        const name = group.replaceAll("__", "/");
        const value = numberIn(found);
        if (value === null) rest[name] = found;
        else values[name] = value;
      }
    }
    const { split } = places;
    return { values, options: { step: wholeIn(places.step), epoch: wholeIn(places.epoch), split }, rest };
  }
}

/** `0.5`, `1e-3`, `nan`, `-inf`, and with what may stand around it: `0.5,` or `91%`. */
function numberIn(text: string): number | null {
  const bare = text.replace(/[,;:%)\]}]+$/, "").replace(/^[([{]+/, "");
  if (/^[+-]?nan$/i.test(bare)) return Number.NaN;
  const [, sign] = /^([+-]?)inf(inity)?$/i.exec(bare) ?? [];
  if (sign !== undefined) return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(bare) ? Number(bare) : null;
}

function wholeIn(text: string | undefined): number | undefined {
  const value = text === undefined ? null : numberIn(text);
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
