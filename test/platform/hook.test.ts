/** @file Command lines that a user has named for a moment of a run. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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

test("one that hangs is told at its limit, and what started it can end", async () => {
  const dir = mkdtempSync(join(tmpdir(), "cool-hook-"));
  const [script, said] = [join(dir, "hang.ts"), join(dir, "said")];
  const hook = fileURLToPath(new URL("../../src/platform/hook.ts", import.meta.url));
  writeFileSync(
    script,
    `import { writeFileSync } from "node:fs";
import { runHook } from ${JSON.stringify(hook)};
writeFileSync(${JSON.stringify(said)}, String(await runHook('echo $$ > "$PID_FILE"; exec sleep 1000', process.env, 200)));
`,
  );
  const pid = join(dir, "pid");
  const jiti = fileURLToPath(new URL("../../node_modules/jiti/lib/jiti-cli.mjs", import.meta.url));
  const child = spawnSync(process.execPath, [jiti, script], {
    env: { ...process.env, PID_FILE: pid },
    stdio: "ignore",
  });
  expect([child.status, readFileSync(said, "utf8")]).toEqual([0, "goes on after 0.2 s, and is not waited for"]);
  process.kill(Number(readFileSync(pid, "utf8")));
});
