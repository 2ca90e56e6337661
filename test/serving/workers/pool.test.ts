/** @file Workers in real threads and processes: one that ends is replaced, and those who waited are told. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { ServedRow } from "../../../src/serving/model/served-model.js";
import { linksOf } from "../../../src/serving/workers/links.js";
import { WorkerPool } from "../../../src/serving/workers/pool.js";

const dir = mkdtempSync(join(tmpdir(), "cool-workers-"));
const pools: WorkerPool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Answers with its process or thread; does what the name of a row says. */
const SCRIPT = `
import { existsSync } from "node:fs";
import { parentPort, threadId } from "node:worker_threads";
const reply = (message) => (parentPort === null ? process.send(message) : parentPort.postMessage(message));
const handle = (message) => {
  if (message.kind === "open") {
    const isBroken = existsSync(${JSON.stringify(join(dir, "broken"))});
    return reply(isBroken ? { kind: "unready", error: { name: "BackendError", message: "no model", facts: { a: 1 } } } : { kind: "ready", runtime: "test" });
  }
  const [{ name }] = message.rows;
  if (name === "exit") process.exit(3);
  if (name === "throw") throw new Error("boom");
  if (name === "hang") for (;;) {}
  reply({ kind: "answered", answers: message.rows.map((row) => ({ kind: "answers", json: JSON.stringify({ input: row.name, worker: parentPort === null ? process.pid : threadId, bytes: [...row.values[0]] }), asked: [] })) });
};
if (parentPort === null) process.on("message", handle);
else parentPort.on("message", handle);
`;
const script = join(dir, "worker.mjs");
writeFileSync(script, SCRIPT);

const row = (name: string): ServedRow => ({
  name,
  names: ["x"],
  values: [new Uint8Array([1, 2, 3])],
  size: null,
  tokens: null,
  known: {},
  wants: "answers",
});

async function openPool(transport: "threads" | "processes", count = 1, batchMs = 10_000) {
  const notes: string[] = [];
  const pool = await WorkerPool.open({
    count,
    openLink: linksOf(transport, { script, args: [] }),
    request: {
      kind: "open",
      source: { kind: "export", path: "", project: undefined },
      ...{ inputs: {}, tokenizers: { files: {}, packagesDir: null }, maxPixels: 1e6 },
      known: [],
      threads: 1,
    },
    batchMs,
    onNote: (line) => notes.push(line),
  });
  pools.push(pool);
  return { pool, notes };
}

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 20) {
    if (waited > 10_000) throw new Error("it never came to that");
    await sleep(20);
  }
}

describe.each(["threads", "processes"] as const)("in %s", (transport) => {
  it("rows and answers travel as they are", async () => {
    const { pool } = await openPool(transport, 2);
    expect([pool.ready, pool.busy, pool.runtime]).toEqual([2, 0, "test"]);
    const [first, second] = [pool.take(), pool.take()];
    expect([pool.busy, pool.take()]).toEqual([2, undefined]);
    const answers = await Promise.all([first?.answer([row("a"), row("b")]), second?.answer([row("c")])]);
    expect(answers.flat()).toMatchObject(
      ["a", "b", "c"].map((input) => ({ json: expect.stringMatching(`^{"input":"${input}".*"bytes":\\[1,2,3\\]}$`) })),
    );
    expect(new Set(answers.map((own) => JSON.stringify(own).match(/worker\\":\d+/)?.[0])).size).toBe(2);
    expect(pool.busy).toBe(0);
  });

  it.each(["exit", "throw"])("one that ends by %s is replaced, and its batch fails in words", async (how) => {
    const { pool, notes } = await openPool(transport);
    let told = 0;
    pool.whenIdle(() => told++);
    await expect(pool.take()?.answer([row(how)])).rejects.toMatchObject({ status: 500, code: "worker_lost" });
    await until(() => pool.ready === 1);
    expect(notes[0]).toMatch(/^a worker ended with .* and is replaced$/);
    expect(pool.lost).toBe(1);
    expect(told).toBeGreaterThan(1);
    expect(await pool.take()?.answer([row("again")])).toMatchObject([{ json: expect.stringContaining("again") }]);
  });

  it("one that does not answer is ended and replaced", async () => {
    const { pool, notes } = await openPool(transport, 1, 200);
    await expect(pool.take()?.answer([row("hang")])).rejects.toMatchObject({ code: "worker_lost" });
    await until(() => pool.ready === 1);
    expect(notes[0]).toBe("a worker has not answered a batch of 1 in 200 ms and is replaced");
  });
});

it("what keeps the first from opening is told as it said", async () => {
  writeFileSync(join(dir, "broken"), "");
  try {
    await expect(openPool("threads", 3)).rejects.toMatchObject({
      name: "BackendError",
      message: "no model",
      facts: { a: 1 },
    });
  } finally {
    rmSync(join(dir, "broken"));
  }
});

it("a replacement that does not open is tried again", async () => {
  const { pool, notes } = await openPool("threads");
  writeFileSync(join(dir, "broken"), "");
  await expect(pool.take()?.answer([row("exit")])).rejects.toThrow();
  await until(() => notes.length > 1);
  expect(notes[1]).toBe("a worker does not open again: no model");
  expect(pool.take()).toBeUndefined();
  rmSync(join(dir, "broken"));
  await until(() => pool.ready === 1);
});
