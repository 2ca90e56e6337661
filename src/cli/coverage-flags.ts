/** @file `--coverage` and what belongs to it: sets of answers with a guarantee. */
import * as Flags from "@oclif/core/flags";
import { CALIBRATING_SPLITS, COVERED, type Covered } from "../analysis/conformal/coverage.js";
import { UsageError } from "../errors.js";

/** Flags of commands that answer. */
export const COVERAGE_FLAGS = {
  coverage: Flags.string({
    summary: "sets that hold the true answers with this probability",
    description: "Split conformal prediction from the run's stored predictions; see the page on probability.",
    helpValue: "0.95",
  }),
  "coverage-of": Flags.option({
    summary:
      "what is guaranteed: the whole tree of an input, or each answer by itself where it is asked (default: tree)",
    options: COVERED,
    dependsOn: ["coverage"],
  })(),
  "coverage-from": Flags.option({
    summary:
      "split that the guarantee is made of: valid, which chose the epoch, or test, which chose nothing (default: valid, of a group of folds test)",
    options: CALIBRATING_SPLITS,
    dependsOn: ["coverage"],
  })(),
};

/** What the flags ask for; undefined: no sets. */
export function coverageFrom(flags: {
  readonly coverage?: string | undefined;
  readonly "coverage-of"?: Covered | undefined;
  readonly "coverage-from"?: (typeof CALIBRATING_SPLITS)[number] | undefined;
}) {
  const { coverage, "coverage-of": of = "tree", "coverage-from": from } = flags;
  return coverage === undefined ? undefined : { level: parseLevel(coverage), of, from };
}

function parseLevel(text: string): number {
  const level = Number(text);
  if (text.trim() !== "" && level > 0 && level < 1) return level;
  throw new UsageError(`--coverage ${text} is no probability between 0 and 1, such as 0.95.`, { coverage: text });
}
