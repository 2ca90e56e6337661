/** @file The compiler's verdict on names.ts: all that is right compiles, and every marked mistake does not. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("unknown tasks, features, flows, gates, classes, labels, inputs and settings do not compile", () => {
  const { stdout } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit", "--pretty", "false"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stdout.split("\n").filter((line) => line.startsWith("test/types/"))).toEqual([]);
}, 120_000);
