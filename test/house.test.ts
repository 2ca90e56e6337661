/** @file What keeps the house tidy: how many files stand side by side, and how often a type is asserted. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../src", import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));

test("no folder holds more than 20 files side by side", () => {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > 20)).toEqual([]);
});

test("a type is asserted at most 12 times in a thousand lines", () => {
  let [casts, lines] = [0, 0];
  for (const file of files) {
    const text = readFileSync(join(root, file), "utf8");
    lines += text.split("\n").length;
    const code = text.replace(/\/\*.*?\*\//gs, "").replace(/\/\/.*/g, "");
    // imports and exports rename with the same word
    const statements = code.replace(/^(import|export)\b[^;()=]*?;/gm, "");
    casts += statements.match(/\bas (?!const\b)[\w({["]/g)?.length ?? 0;
  }
  expect((1000 * casts) / lines).toBeLessThanOrEqual(12);
});
