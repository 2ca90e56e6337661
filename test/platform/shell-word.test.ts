/** @file Words as a real shell reads them. */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { shellWord } from "../../src/platform/shell-word.js";

it.each(["plain", "runs/20261130-ig24", "a@b:c,d=e+f%-_", "latest-finished"])("%s needs no quotes", (word) => {
  expect(shellWord(word)).toBe(word);
});

it.each(["one epoch", "", "it's", "$(touch hurt)", "a;b", "*", "~", '"', "\\", "#x", "größer", "a\tb"])(
  "%j is one word of a shell",
  (word) => {
    const line = `printf '[%s]' ${shellWord(word)}`;
    expect(execFileSync("sh", ["-c", line], { encoding: "utf8" })).toBe(`[${word}]`);
  },
);
