/** @file The best trial of a study in words, with its settings as `cool run` takes them. */
import { shellWord } from "../../platform/shell-word.js";
import type { StudyDocument } from "../../sweeping/study/study-document.js";
import { numberText } from "./study-tables.js";

/** Its own settings and those of all trials; null before a trial has finished. */
export function bestText({ study, trials, best }: StudyDocument): string | null {
  const first = trials.find(({ number }) => number === best[0]);
  if (first === undefined) return null;
  const own = Object.entries(first.values).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const sets = [...study.fixed, ...own].map((setting) => `--set ${shellWord(setting)}`);
  const which =
    best.length > 1
      ? `${best.length} trials are better than all others in something (${best.join(", ")}); trial ${first.number}`
      : `the best is trial ${first.number} (run ${study.name}-${first.number})`;
  return `${which}: ${first.objectives.map(numberText).join(", ")}, with ${sets.join(" ")}`;
}
