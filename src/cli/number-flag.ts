/** @file Flags that take a number with a fraction. */
import * as Flags from "@oclif/core/flags";
import { UsageError } from "../errors.js";

/** @param bounds both included */
export function numberFlag(
  name: string,
  options: { readonly summary: string; readonly description?: string; readonly min: number; readonly max: number },
) {
  const { summary, description, min, max } = options;
  return Flags.custom<number>({
    summary,
    ...(description === undefined ? {} : { description }),
    helpValue: "NUMBER",
    parse: async (text) => {
      const value = Number(text);
      if (text.trim() !== "" && value >= min && value <= max) return value;
      const range = Number.isFinite(max) ? `from ${min} to ${max}` : `of at least ${min}`;
      throw new UsageError(`--${name} ${text} is no number ${range}.`, { flag: name, value: text });
    },
  });
}
