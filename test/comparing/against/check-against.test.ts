/** @file When a task of a run counts as worse than its base's. */
import { expect, test } from "vitest";
import { isWorse } from "../../../src/comparing/against/check-against.js";

test("a task is worse beyond chance, and where it answers with NaN what the base answers; no rows say nothing", () => {
  expect(isWorse(0.9, 0.8, 0.01)).toBe(true);
  expect(isWorse(0.9, 0.8, 0.2)).toBe(false);
  expect(isWorse(0.9, null, null)).toBe(true);
  expect(isWorse(null, 0.8, null)).toBe(false);
  expect(isWorse(null, null, null)).toBe(false);
});
