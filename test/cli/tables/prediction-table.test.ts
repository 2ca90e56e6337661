/** @file What a network answers to one input, as a table. */
import { expect, test } from "vitest";
import { predictionsTable, predictionTable } from "../../../src/cli/tables/prediction-table.js";

const LONG = "person_regression.face_regression.facial_characteristics";
const answers = {
  door: { decoded: true, activated: [0.91] },
  [LONG]: { decoded: ["green", "blue"], activated: [0.1, 0.9, 0.8] },
};

test("questions of nested flows fit a terminal, with scores or with sets", () => {
  const plain = predictionTable({ input: "1.png", answers }, String);
  expect(plain).toMatch(/facial_characteristics +│ \["green","blue"\] │ 0.1000 0.9000 0.8000 │/);
  const questions = {
    door: { asked: "yes", set: { answers: [true] as unknown[] } },
    [LONG]: { asked: "unsure", set: { answers: ["red", "blue"] } },
  };
  const text = ({ answers: set }: { answers: readonly unknown[] }): string => set.join(", ");
  const sets = predictionTable({ input: "1.png", answers, coverage: { of: "tree", questions } }, text);
  expect(sets).toMatch(/facial_characteristics +│ .* │ unsure +│ red, blue │/);
  const each = predictionTable({ input: "1.png", answers, coverage: { of: "answer", questions } }, text);
  expect(each).not.toContain("unsure");
  for (const line of [plain, sets, each].join("\n").split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("beside sets, answers of a few numbers or names stand one below the other, as their sets do", () => {
  const box = [51.172, 44.57, 50.73, 45.36];
  const boxed = { input: "images/BloodImage_00007.jpg", answers: { box: { decoded: box, activated: box } } };
  const set = { low: box.map((side) => side - 60), high: box.map((side) => side + 60) };
  const coverage = { of: "tree" as const, questions: { box: { asked: "unsure", set } } };
  const text = ({ low, high }: typeof set): string => low.map((side, i) => `${side} … ${high[i]}`).join("\n");
  const lines = predictionTable({ ...boxed, coverage }, text).split("\n");
  expect(lines[3]).toMatch(/^│ box +│ 51.17 +│ unsure +│ -8.82\d* … 111.1/);
  expect(lines[4]).toMatch(/^│ +│ 44.57 +│ +│ -15.43/);
});

test("several inputs are rows of one table, with an empty cell where a question is not asked", () => {
  const closed = { input: "2.png", answers: { door: { decoded: false, activated: [0.1] } } };
  const lines = predictionsTable([{ input: "1.png", answers }, closed], String).split("\n");
  expect(lines[1]).toMatch(/│ input │ door +│ face_regression +│/);
  expect(lines[4]).toMatch(/│ 1.png │ true +│ \["green","blue"\] +│/);
  expect(lines[5]).toMatch(/│ 2.png │ false │ +│/);
});

test("an answer that is NaN is named, of one input and of several, with scores and with sets", () => {
  const unknown = { input: "1.png", answers: { door: { decoded: null, activated: [Number.NaN] } } };
  expect(predictionTable(unknown, String)).toMatch(/│ door +│ NaN +│ NaN +│/);
  expect(predictionsTable([unknown, unknown], String).match(/│ 1.png │ NaN +│/g)).toHaveLength(2);
  const coverage = { of: "tree" as const, questions: { door: { asked: "yes" } } };
  expect(predictionTable({ ...unknown, coverage }, String)).toMatch(/│ door +│ NaN +│ yes +│/);
  const box = { input: "1.png", answers: { face: { decoded: [0.5, Number.NaN], activated: [0.5, Number.NaN] } } };
  expect(predictionTable(box, String)).toContain('[0.5,"NaN"] │ 0.5000 NaN');
});
