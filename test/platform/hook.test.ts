/** @file Command lines that a user has named for a moment of a run. */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runHook } from "../../src/platform/hook.js";

test("a command finds the facts, whatever they hold, in its environment", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "cool-hook-")), "said");
  const facts = { COOL_RUN_NAME: `a "b" $(exit 3); c`, SAID: file };
  expect(await runHook('printf %s "$COOL_RUN_NAME" > "$SAID"', facts)).toBeNull();
  expect(readFileSync(file, "utf8")).toBe(`a "b" $(exit 3); c`);
});

test("how it failed is told, and never thrown", async () => {
  expect(await runHook("exit 3", {})).toBe("ended with code 3");
  expect(await runHook("kill -9 $$", {})).toBe("was ended by SIGKILL");
  expect(await runHook("no-such-command-here 2>/dev/null", {})).toBe("ended with code 127");
});
