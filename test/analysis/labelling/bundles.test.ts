/** @file Bundles by plain loops over places, against sets that are summed anew at every turn. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bundle, bestBundle, densityOf, type OpenQuestion } from "../../../src/analysis/labelling/bundles.js";

/** Questions of a row, each after some of those before it. */
const questions = fc
  .array(
    fc.record({
      after: fc.array(fc.nat(9), { maxLength: 2 }),
      asked: fc.constantFrom(1, 0.75, 0.3, 0.01),
      gain: fc.double({ min: 0, max: 1, noNaN: true }),
      seconds: fc.constantFrom(1, 2, 5),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((all) =>
    all.map(
      ({ after, ...own }, i): OpenQuestion => ({
        ...own,
        task: 2 * i,
        after: i === 0 ? [] : [...new Set(after.map((place) => 2 * (place % i)))],
      }),
    ),
  );

/** As it was first written. */
function bySets(all: readonly OpenQuestion[]): Bundle | null {
  const byTask = new Map(all.map((question) => [question.task, question]));
  const take = (question: OpenQuestion, chosen: Set<number>): Set<number> => {
    if (chosen.has(question.task)) return chosen;
    chosen.add(question.task);
    for (const task of question.after) {
      const gate = byTask.get(task);
      if (gate !== undefined) take(gate, chosen);
    }
    return chosen;
  };
  const bundleOf = (chosen: ReadonlySet<number>): Bundle => {
    const own = all.filter(({ task }) => chosen.has(task));
    return {
      questions: own,
      gain: own.reduce((sum, { asked, gain }) => sum + asked * gain, 0),
      seconds: own.reduce((sum, { asked, seconds }) => sum + asked * seconds, 0),
    };
  };
  let best: Bundle | null = null;
  for (const start of all) {
    let chosen = take(start, new Set());
    for (;;) {
      const bundle = bundleOf(chosen);
      let [most, next]: [number, Set<number> | null] = [densityOf(bundle), null];
      for (const question of all) {
        if (chosen.has(question.task)) continue;
        const more = take(question, new Set(chosen));
        const larger = bundleOf(more);
        const added = (larger.gain - bundle.gain) / (larger.seconds - bundle.seconds);
        if (added > most) [most, next] = [added, more];
      }
      if (next === null) break;
      chosen = next;
    }
    const bundle = bundleOf(chosen);
    if (bundle.gain > 0 && (best === null || densityOf(bundle) > densityOf(best) * (1 + 1e-12))) best = bundle;
  }
  return best;
}

describe("the best bundle of a row", () => {
  it("is as good as by sets, and holds what comes before its questions", () => {
    fc.assert(
      fc.property(questions, (all) => {
        const [found, expected] = [bestBundle(all), bySets(all)];
        if (found === null || expected === null) {
          expect(found).toBe(expected);
          return;
        }
        expect(densityOf(found) / densityOf(expected)).toBeCloseTo(1, 9);
        const tasks = new Set(found.questions.map(({ task }) => task));
        for (const { after } of found.questions) for (const gate of after) expect(tasks.has(gate)).toBe(true);
        expect(found.gain).toBeCloseTo(
          found.questions.reduce((sum, one) => sum + one.asked * one.gain, 0),
          12,
        );
      }),
      { numRuns: 300 },
    );
  });
});
