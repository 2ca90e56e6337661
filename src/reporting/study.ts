/** @file The study of a group: its trials, what makes the difference, and its pictures as data. */
import type { RunStore } from "../storage/run-store.js";
import type { RunGroup } from "../storage/tables/groups.js";
import { definitionOf, type ShownTrial, studyDocument } from "../sweeping/study/study-document.js";
import { parallelOf } from "../sweeping/study/study-pictures.js";
import { frontScatters, sliceScatters } from "../sweeping/study/study-scatters.js";
import { type LeftOut, MOST_STUDY_RUNS, MOST_TRIALS } from "./budget.js";
import type { StudyReport } from "./document.js";

/** null where the group is no sweep, or one whose definition is not kept. */
export function studyReport(store: RunStore, group: RunGroup, leftOut?: LeftOut): StudyReport | null {
  if (group.kind !== "sweep" || store.readStudy(group.id) === null) return null;
  const whole = studyDocument(store, group);
  const trials = byMerit(whole).slice(0, MOST_TRIALS);
  if (trials.length < whole.trials.length) {
    leftOut?.say(`Of the study's ${whole.trials.length} trials the best ${MOST_TRIALS} are shown.`);
  }
  const document = { ...whole, trials };
  const { space } = definitionOf(store, group);
  return {
    ...document,
    parallel: parallelOf(space, document),
    slices: sliceScatters(space, document),
    fronts: frontScatters(document),
  };
}

/** Of a study the runs that a report is about, the best first; of any other group, or where they are few, all of them. */
export function reportedRuns(store: RunStore, group: RunGroup, leftOut: LeftOut): readonly string[] {
  const all = group.runs.map(({ id }) => id);
  if (group.kind !== "sweep" || all.length <= MOST_STUDY_RUNS || store.readStudy(group.id) === null) return all;
  const known = new Set(all);
  const best = byMerit(studyDocument(store, group)).flatMap(({ run }) => (run !== null && known.has(run) ? [run] : []));
  leftOut.say(
    `Of the study's ${all.length} runs the best ${MOST_STUDY_RUNS} are shown with curves, answers and settings; its table has all trials.`,
  );
  return best.slice(0, MOST_STUDY_RUNS);
}

interface Judged {
  readonly study: StudyReport["study"];
  readonly trials: readonly ShownTrial[];
  readonly best: readonly number[];
}

/** The best trials, then finished ones by their (first) objective, then all others. */
function byMerit({ study, trials, best }: Judged): ShownTrial[] {
  const sign = study.objectives[0]?.direction === "maximize" ? -1 : 1;
  const isBest = new Set(best);
  const rank = ({ number, state }: ShownTrial): number => (isBest.has(number) ? 0 : state === "finished" ? 1 : 2);
  const value = ({ objectives: [own] }: ShownTrial): number => (own == null ? Number.MAX_VALUE : sign * own);
  return trials.toSorted((a, b) => rank(a) - rank(b) || value(a) - value(b) || a.number - b.number);
}
