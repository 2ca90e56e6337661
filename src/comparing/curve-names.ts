/** @file Curves by name: `split/task/metric`, with stars for what may be anything. */
import { UnknownNameError, UsageError } from "../errors.js";
import type { CurveName } from "../storage/tables/metric-points.js";
import { SPLITS, SYSTEM_TASK } from "../tasks/evaluation.js";

/** As conditions and tables name it. */
export function curveText({ split, taskPath, metricName }: CurveName): string {
  return `${split}/${taskPath}/${metricName}`;
}

/**
 * The curves that any of the patterns names, in the order of `known`. In a pattern `*` stands for anything without a slash,
 * `**` for anything, `?` for one character; without a split before it (`_total/loss`, as `train.monitor` is written) it
 * names all splits. The load of the machine is found by its own name alone, and not by a star.
 * @throws UnknownNameError for a pattern that names none
 */
export function matchingCurves(known: readonly CurveName[], patterns: readonly string[]): CurveName[] {
  const matched = new Set<CurveName>();
  for (const pattern of patterns) {
    const matches = matcherOf(pattern);
    const found = known.filter(matches);
    if (found.length === 0)
      throw new UnknownNameError("curve", pattern, known.map(curveText), undefined, { exitCode: 2 });
    for (const name of found) matched.add(name);
  }
  return known.filter((name) => matched.has(name));
}

function matcherOf(pattern: string): (name: CurveName) => boolean {
  if (/@(truth|predicted|end_to_end)$/.test(pattern)) {
    throw new UsageError(
      `${pattern} names a kind of gates, and curves have those of the labels alone. Leave out what stands after the @; other kinds of gates: cool evaluate.`,
      { metric: pattern },
    );
  }
  const parts = pattern.split("/");
  const hasSplit = SPLITS.some((split) => split === parts[0]) || parts.length > 2 || parts[0] === "**";
  const whole = hasSplit ? pattern : `*/${pattern}`;
  const expression = new RegExp(
    `^${whole
      .split(/(\*\*|\*|\?)/)
      .map(partOf)
      .join("")}$`,
    "su",
  );
  const namesSystem = whole.includes(SYSTEM_TASK);
  return (name) => (namesSystem || name.taskPath !== SYSTEM_TASK) && expression.test(curveText(name));
}

const WILDCARDS: Readonly<Record<string, string>> = { "**": ".*", "*": "[^/]*", "?": "[^/]" };

function partOf(part: string): string {
  return WILDCARDS[part] ?? part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
