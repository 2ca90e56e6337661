/** @file Which questions of a row are asked together, against rules that are checked on every set that comes out. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { densityOf, type OpenQuestion, rowBundle } from "../../../src/analysis/labelling/bundles.js";

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

const gainOf = (all: readonly OpenQuestion[]): number => all.reduce((sum, { asked, gain }) => sum + asked * gain, 0);
const secondsOf = (all: readonly OpenQuestion[]): number =>
  all.reduce((sum, { asked, seconds }) => sum + asked * seconds, 0);

/** By sets that are summed anew at every turn: the worst question that nothing comes after, while it is below half. */
function bySets(all: readonly OpenQuestion[]): OpenQuestion[] {
  let chosen = [...all];
  for (;;) {
    const half = gainOf(chosen) / secondsOf(chosen) / 2;
    const [worst] = chosen
      .filter(({ task }) => !chosen.some(({ after }) => after.includes(task)))
      .filter(({ gain, seconds }) => gain / seconds < half * (1 - 1e-9))
      .sort((a, b) => a.gain / a.seconds - b.gain / b.seconds);
    if (worst === undefined) return chosen;
    chosen = chosen.filter((one) => one !== worst);
  }
}

describe("the bundle of a row", () => {
  it("leaves out what brings less than half of the others per second, and never a gate of what it holds", () => {
    fc.assert(
      fc.property(questions, (all) => {
        const found = rowBundle(all);
        if (gainOf(all) === 0) {
          expect(found).toBeNull();
          return;
        }
        const expected = bySets(all);
        expect(found?.questions.map(({ task }) => task)).toEqual(expected.map(({ task }) => task));
        expect(found?.gain).toBeCloseTo(gainOf(expected), 12);
        expect(found?.seconds).toBeCloseTo(secondsOf(expected), 12);
        const tasks = new Set(expected.map(({ task }) => task));
        for (const { after } of expected) for (const gate of after) expect(tasks.has(gate)).toBe(true);
        expect(densityOf({ gain: gainOf(expected), seconds: secondsOf(expected) })).toBeGreaterThanOrEqual(
          (gainOf(all) / secondsOf(all)) * (1 - 1e-9),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("is everything where questions bring about the same", () => {
    const all = [1, 0.8, 1.2, 0.7].map(
      (gain, task): OpenQuestion => ({ task, after: task === 0 ? [] : [0], asked: 0.5, gain, seconds: 2 }),
    );
    expect(rowBundle(all)?.questions).toEqual(all);
  });
});
