/** @file Explanation trees on a terminal. */
import { expect, it } from "vitest";
import { explainRow, printExplanation } from "../../src/analysis/index.js";
import { treeStyle } from "../../src/cli/tree-style.js";
import { securityBatch, securityGraph } from "../support/security-flow.js";

const tree = explainRow(securityGraph, securityBatch(), 0);
const plain = printExplanation(securityGraph, "image.png", tree);

it("a tree in colour is the plain one between codes: truths green, falsehoods red, names of flows and tasks apart", () => {
  const coloured = printExplanation(securityGraph, "image.png", tree, treeStyle(true));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes are what is asked about
  expect(coloured.replace(/\x1b\[\d+m/g, "")).toBe(plain);
  expect(coloured).toContain("\x1b[31mFalse\x1b[39m");
  expect(coloured).toContain("\x1b[32mTrue\x1b[39m");
  expect(coloured).toContain("\x1b[36mdoor_open\x1b[39m");
  expect(coloured).toContain("\x1b[35mperson_regression\x1b[39m");
});

it("where no terminal asks for colour the tree is plain", () => {
  expect(printExplanation(securityGraph, "image.png", tree, treeStyle())).toBe(plain);
});

it.each([true, false])("names cannot carry codes of their own (colour: %s)", (colour) => {
  expect(printExplanation(securityGraph, "a\x1b[2Jb.png", [], treeStyle(colour))).toContain("a\\u001b[2Jb.png");
});
