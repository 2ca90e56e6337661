/** @file Sets of answers with a guarantee, from the stored predictions of a run. */
import {
  type CALIBRATING_SPLITS,
  checkedLevel,
  type Coverage,
  type Covered,
  fitAnswerCoverage,
  fitTreeCoverage,
} from "../../analysis/conformal/coverage.js";
import { ConfigError } from "../../errors.js";
import { predictedSplits, readScoredSplit, type StoredRun } from "../stored-run.js";

export interface CoverageOptions {
  /** Probability with which the set holds the true tree, or answer. */
  readonly level: number;
  /** What the guarantee is for; default: the whole tree. */
  readonly of?: Covered | undefined;
  /** Split that it is made of; default: valid. */
  readonly from?: (typeof CALIBRATING_SPLITS)[number] | undefined;
}

/** @throws UsageError for a level that is none, ConfigError where the run has not the predictions that it takes */
export async function coverageOf(stored: StoredRun, options: CoverageOptions): Promise<Coverage> {
  const { level, of = "tree", from = "valid" } = options;
  checkedLevel(level);
  const { run, dir, graph } = stored;
  const splits = predictedSplits(dir);
  if (!splits.includes(from)) {
    const known = splits.length === 0 ? "no predictions at all" : `those of ${splits.join(" and ")}`;
    throw new ConfigError(
      `Run ${run.id} (${run.name}) has no predictions of ${from}, from which a coverage is made; it has ${known}.`,
      { run: run.id, split: from },
    );
  }
  const scored = await readScoredSplit(stored, from);
  return of === "tree" ? fitTreeCoverage(graph, scored, level) : fitAnswerCoverage(graph, scored, level);
}
