/** @file Sets of answers with a guarantee, from the stored predictions of a run. */
import { refusePixels } from "../pixels/per-pixel.js";
import {
  CALIBRATING_SPLITS,
  checkedLevel,
  type Coverage,
  type Covered,
  fitAnswerCoverage,
  fitTreeCoverage,
} from "../../analysis/conformal/coverage.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { at } from "../../arrays.js";
import { ConfigError } from "../../errors.js";
import { ensembleOnTest } from "../groups/complete-folds.js";
import { predictedSplits, readScoredSplit, type StoredRun } from "../stored-run.js";

type CalibratingSplit = (typeof CALIBRATING_SPLITS)[number];

export interface CoverageOptions {
  /** Probability with which the set holds the true tree, or answer. */
  readonly level: number;
  /** What the guarantee is for; default: the whole tree. */
  readonly of?: Covered | undefined;
  /** Split that it is made of; default: valid, of a group of folds test. */
  readonly from?: CalibratingSplit | undefined;
}

/**
 * @param members of a group of folds, whose ensemble answers; none: the run itself does
 * @throws UsageError for a level that is none, ConfigError where there are not the predictions that it takes
 */
export async function coverageOf(
  stored: StoredRun,
  { level, of = "tree", from }: CoverageOptions,
  members: readonly StoredRun[] = [],
): Promise<Coverage> {
  checkedLevel(level);
  const { graph } = stored;
  refusePixels(
    graph,
    "pixels of one picture are not exchangeable, so no set of their answers has a guarantee: ask without --coverage",
  );
  const scored =
    members.length === 0 ? await ofRun(stored, from ?? "valid") : await ofEnsemble(members, from ?? "test");
  return of === "tree" ? fitTreeCoverage(graph, scored, level) : fitAnswerCoverage(graph, scored, level);
}

async function ofRun(stored: StoredRun, from: CalibratingSplit): Promise<ScoredSplit> {
  const { run, dir } = stored;
  const splits = predictedSplits(dir);
  if (splits.includes(from)) return readScoredSplit(stored, from);
  const known = splits.length === 0 ? "no predictions at all" : `those of ${splits.join(" and ")}`;
  const other = CALIBRATING_SPLITS.find((split) => splits.includes(split));
  const way = other === undefined ? " Give data.split a valid part and run again." : ` Take --coverage-from ${other}.`;
  throw new ConfigError(
    `Run ${run.id} (${run.name}) has no predictions of ${from}, from which a coverage is made; it has ${known}.${way}`,
    { run: run.id, split: from },
  );
}

/** To rows of valid single folds have answered, and to rows of test all of them, as they do to new inputs. */
async function ofEnsemble(members: readonly StoredRun[], from: CalibratingSplit): Promise<ScoredSplit> {
  const first = at(members, 0);
  if (from === "valid") {
    throw new ConfigError(
      "The folds of a group have answered to rows of valid one by one, so that nothing is guaranteed of their ensemble from there. Make the guarantee of test: --coverage-from test.",
      { run: first.run.id, split: from },
    );
  }
  const [test] = await ensembleOnTest(members, first.thresholds);
  if (test !== undefined) return test;
  throw new ConfigError(
    "The group has no test split, from which alone a guarantee for the ensemble of its folds can be made. Give data.split a test part and train again, or ask one of its runs.",
    { run: first.run.id, split: from },
  );
}
