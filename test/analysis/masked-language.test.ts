/** @file Guesses of masked tokens beside guesses by frequency, computed by hand. */
import { expect, test } from "vitest";
import { frequencyBaseline, guessedRows } from "../../src/analysis/masked-language.js";
import { maskedLanguageModeling } from "../../src/tasks/index.js";
import { graphOf } from "../data/files.js";

// of tokens a, b and c, which occur 6 times, once and never in train, 3, 1 and 1 are hidden
const train = Float64Array.of(6, 1, 0);
const hidden = Float64Array.of(3, 1, 1);

test("shares of train with one more of each are a baseline of the loss, the commonest token one of the accuracy", () => {
  const loss = -(3 * Math.log(7 / 10) + Math.log(2 / 10) + Math.log(1 / 10)) / 5;
  expect(frequencyBaseline(train, hidden)).toEqual({
    ...{ loss: expect.closeTo(loss, 12), perplexity: expect.closeTo(Math.exp(loss), 12), accuracy_1: 3 / 5 },
  });
  expect(frequencyBaseline(train, new Float64Array(3))).toEqual({});
});

test("a row says whether the network is better than that", () => {
  const [task] = graphOf({ words: maskedLanguageModeling({ input: "text" }) }).tasks;
  if (task === undefined) expect.fail();
  const baseline = frequencyBaseline(train, hidden);
  const rows = guessedRows("test", task, { lossSum: 5, count: 5, hits: 3 }, baseline);
  expect(rows).toMatchObject([
    { metric_name: "loss", metric_res: 1, beats_baseline: false },
    { metric_name: "perplexity", metric_res: Math.E, baseline: baseline.perplexity, beats_baseline: false },
    { metric_name: "accuracy_1", metric_res: 0.6, baseline: 0.6, beats_baseline: false },
  ]);
  expect(
    guessedRows("test", task, { lossSum: 4, count: 5, hits: 4 }, baseline).every((row) => row.beats_baseline),
  ).toBe(true);
  expect(guessedRows("train", task, { lossSum: 4, count: 5, hits: 4 })[0]).not.toHaveProperty("baseline");
});
