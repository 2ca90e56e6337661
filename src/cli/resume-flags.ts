/** @file Flags of what schedulers start: the same command line begins, goes on, and ends in time. */
import * as Flags from "@oclif/core/flags";
import { UsageError } from "../errors.js";
import { parseAge } from "../storage/query/time.js";

/** Timers of Node take no more: 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** `--time-limit 2h`, in milliseconds. */
export const TIME_LIMIT = Flags.custom<number>({
  summary: "stop after so long, with a checkpoint: 90s, 50m, 2h",
  description: "As if SIGTERM had come then. Give it a little less than what the machine is yours for.",
  helpValue: "TIME",
  parse: async (text) => {
    const limit = parseAge(text);
    if (limit === null || limit <= 0 || limit > LONGEST_MS) {
      throw new UsageError(`--time-limit ${text} is no time of up to 24 days. Write it as 90s, 50m, 2h or 1.5d.`, {
        limit: text,
      });
    }
    return limit;
  },
});
