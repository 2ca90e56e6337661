/** @file `cool ui` as a user meets it: the built command, from its address to its end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { cool, startCool } from "../support/cli.js";
import { addRun, cookieOf } from "../ui/ui-app.js";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-ui-"));
  const store = openRunStore(dir);
  addRun(store, "base", 0.5);
  store.close();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Serves until it is ended. */
async function serve(...args: readonly string[]) {
  const { child, ended } = startCool(["ui", "--store", dir, "--no-open", "--json", ...args], { timeoutMs: 200_000 });
  const address = await new Promise<{ url: string; port: number; can_edit: boolean }>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (data: string) => {
      text += data;
      if (text.endsWith("}\n")) resolve(JSON.parse(text));
    });
    void ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { address, child, ended };
}

it("prints an address with a token, whose pages and files are there, and ends at Ctrl-C with a page open", async () => {
  const { address, child, ended } = await serve("--port", "0");
  const { origin, searchParams } = new URL(address.url);
  expect(searchParams.get("token")).toMatch(/^[\w-]{32}$/);
  expect(address.can_edit).toBe(false);
  expect((await fetch(`${origin}/api/runs`)).status).toBe(401);
  const cookie = cookieOf(await fetch(address.url, { redirect: "manual" }));
  const ask = (path: string) => fetch(`${origin}${path}`, { headers: { cookie } });
  const page = await (await ask("/")).text();
  expect(page).toContain(">base</a>");
  const files = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, file = ""]) => file);
  expect(files).toHaveLength(2);
  for (const file of files) expect((await ask(file)).status).toBe(200);
  // ordered by the thread
  expect(await (await ask("/api/runs")).json()).toMatchObject({ total: 1, runs: [{ name: "base" }] });
  const run = /href="(\/runs\/[^"]+)"/.exec(page)?.[1] ?? "";
  expect(await (await ask(run)).text()).toContain(`href="${run}/report"`);
  // what the run's page has by scripts can be read without
  const report = await (await ask(`${run}/report`)).text();
  expect(report.replace(/<script[\s\S]*$/, "")).toContain("f1_score");
  const events = await ask("/api/events");
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([0, ""]);
  await events.body?.cancel();
});

it("names a port that is taken, and a store that is not there", async () => {
  const { address, child, ended } = await serve("--port", "0", "--edit");
  expect(address.can_edit).toBe(true);
  const taken = await cool(["ui", "--store", dir, "--no-open", "--port", String(address.port)]);
  expect([taken.code, taken.stderr]).toEqual([
    2,
    expect.stringMatching(/the port is in use\. Take another with --port/),
  ]);
  child.kill("SIGTERM");
  await ended;
  const missing = await cool(["ui", "--store", join(dir, "nowhere"), "--no-open"]);
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/^Error: There is no run store at /)]);
});
