/** @file Inputs that TensorFlow would call alike are refused before a model is written that it does not open. */
import { expect, test } from "vitest";
import { refuseAlike } from "../../../src/shipping/savedmodel/input-names.js";

// what TensorFlow 2.21 makes of each was read from its warnings
test.each([
  [["num/bers", "num_bers"], "num_bers"],
  [["a.b", "a-b"], "a_b"],
  [["1st", "arg_1st"], "arg_1st"],
])("inputs %j are one to TensorFlow, and refused", (names, parameter) => {
  expect(() => refuseAlike(names)).toThrow(`are both ${parameter} to TensorFlow`);
});

test("others are let through", () => {
  expect(() => refuseAlike(["image", "number/a", "number_b", "1st", "2nd"])).not.toThrow();
});
