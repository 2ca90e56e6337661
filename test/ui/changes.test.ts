/** @file A store that changes, moves or goes while pages look at it, and the end with pages open. */
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { expect, it, onTestFinished } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import type { ChangeEvent, LogAnswer, ProblemAnswer, RunsPage, SeriesAnswer } from "../../src/ui/api/types.js";
import { listen } from "../../src/http/server.js";
import { addRun, openUi } from "./ui-app.js";

/** Events of a stream, one by one. */
function eventsOf(response: Response): { next(): Promise<ChangeEvent | null>; stop(): Promise<void> } {
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error("the answer has no body");
  let text = "";
  return {
    async next() {
      for (;;) {
        const [, event, rest] = /^data: (.*)\n\n([\s\S]*)$/m.exec(text) ?? [];
        if (event !== undefined) {
          text = rest ?? "";
          return JSON.parse(event) as ChangeEvent;
        }
        const { done, value } = await reader.read();
        if (done) return null;
        text += new TextDecoder().decode(value);
      }
    },
    stop: () => reader.cancel(),
  };
}

const one = (): ReturnType<typeof openUi> => openUi((store) => void addRun(store, "base", 0.5));

it("what another connection writes is told to all who listen", async () => {
  const { ask, store, read } = one();
  const streams = [eventsOf(await ask("/api/events")), eventsOf(await ask("/api/events"))];
  const before = await Promise.all(streams.map((stream) => stream.next()));
  addRun(store, "second", 0.6);
  const after = await Promise.all(streams.map((stream) => stream.next()));
  after.forEach((event, i) => {
    expect(event?.change).toBeGreaterThan(before[i]?.change ?? Number.NaN);
    expect(event?.problem).toBeNull();
  });
  expect((await read<RunsPage>("/api/runs")).total).toBe(2);
});

it("so many may listen, and whoever goes makes room", async () => {
  const { ask, changes } = one();
  const streams = [];
  for (let i = 0; i < 3; i++) streams.push(eventsOf(await ask("/api/events")));
  expect((await ask("/api/events")).status).toBe(503);
  await streams[0]?.stop();
  expect(changes.listeners).toBe(2);
  expect((await ask("/api/events")).status).toBe(200);
});

it("a store that is moved away is told, and found again when it is back", async () => {
  const { ask, dir, read } = one();
  const events = eventsOf(await ask("/api/events"));
  await events.next();
  renameSync(dir, `${dir}-moved`);
  onTestFinished(() => renameSync(`${dir}-moved`, dir));
  expect((await events.next())?.problem).toMatch(/^There is no run store at /);
  const gone = await ask("/api/runs");
  expect([gone.status, ((await gone.json()) as ProblemAnswer).message]).toEqual([
    503,
    expect.stringMatching(/^There is no run store at /),
  ]);
  // another store at its place
  const other = openRunStore(dir);
  addRun(other, "other", 0.7);
  other.close();
  let event = await events.next();
  while (event?.problem !== null) event = await events.next();
  expect((await read<RunsPage>("/api/runs")).runs.map(({ name }) => name)).toEqual(["other"]);
  renameSync(dir, `${dir}-other`);
});

it("a store that a newer dnn-cool migrates is read no more", async () => {
  const { ask, dir } = one();
  const newer = new Sqlite(join(dir, "cool.db"));
  newer.pragma("user_version = 1000");
  newer.close();
  await sleep(100);
  const response = await ask("/api/runs");
  expect([response.status, ((await response.json()) as ProblemAnswer).message]).toEqual([
    503,
    expect.stringMatching(/^.*cool\.db was made by dnn-cool .*\(store version 1000\)/),
  ]);
});

it("two servers look at one store, and one sees what the other changes", async () => {
  let id = "";
  const first = openUi(
    (store) => {
      id = addRun(store, "base", 0.5);
    },
    { canEdit: true },
  );
  const { LiveStore } = await import("../../src/ui/store/live-store.js");
  const second = new LiveStore({ dir: first.dir, canEdit: false, pollMs: 20 });
  onTestFinished(() => second.close());
  const told = new Promise((resolve) => second.onChange(resolve));
  const body = JSON.stringify({ starred: true });
  const headers = { "content-type": "application/json", origin: "http://127.0.0.1:7100" };
  expect((await first.ask(`/api/edit/${id}`, { method: "POST", body, headers })).status).toBe(200);
  await told;
  expect(second.read((store) => store.getRun(id).starred)).toBe(true);
});

it("the server ends at once although pages listen", async () => {
  const { app, changes } = one();
  const listening = await listen(app, { host: "127.0.0.1", port: 0, timeoutMs: 10_000 });
  const headers = { authorization: "Bearer 0123456789abcdef0123" };
  const events = eventsOf(await fetch(`${listening.url}/api/events`, { headers }));
  await events.next();
  changes.close();
  expect(await listening.close(2000)).toBe(true);
  expect(await events.next()).toBeNull();
});

it("a port that is taken is refused by name, or the next one is had", async () => {
  const { listenOn } = await import("../../src/ui/listen-on.js");
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const { app } = one();
  const open = (asked: number) => listen(app, { host: "127.0.0.1", port: asked, timeoutMs: 1000 });
  await expect(listenOn("127.0.0.1", port, open)).rejects.toThrow(/the port is in use. Take another with --port/);
  const listening = await listenOn("127.0.0.1", undefined, open, [port, port + 3]);
  expect(listening.port).toBeGreaterThan(port);
  await listening.close(100);
  await expect(listenOn("127.0.0.1", undefined, open, [port, port])).rejects.toThrow(/are all in use/);
});

it("curves come with few points, among them every peak", async () => {
  const { store, read } = one();
  const { id } = store.createRun({ project: "p", name: "long" });
  const values = Array.from({ length: 5000 }, (_, i) => (i === 2500 ? 1000 : i === 3777 ? -1000 : i % 7));
  store.appendMetrics(
    id,
    values.map((value, step) => ({
      ...{ split: "train", taskPath: "a", metricName: "loss", step, epoch: null, wallTime: 1 },
      value: step === 10 ? Number.NaN : value,
    })),
  );
  const { series } = await read<SeriesAnswer>(`/api/series?run=${id}&curve=train/a/loss&points=200`);
  const [curve] = series;
  expect(curve?.points).toBe(5000);
  expect(curve?.steps.length).toBeLessThanOrEqual(200);
  expect([curve?.steps[0], curve?.steps.at(-1)]).toEqual([0, 4999]);
  for (const [step, value] of [
    [2500, 1000],
    [3777, -1000],
  ]) {
    expect(curve?.values[curve.steps.indexOf(step ?? 0)]).toBe(value);
  }
  expect([...(curve?.steps ?? [])].sort((a, b) => a - b)).toEqual(curve?.steps);
});

it("of what a run printed the end is shown, however long its lines are", async () => {
  const { store, read } = one();
  const { id } = store.createRun({ project: "p", name: "loud" });
  const file = join(store.runDir(id), "stdout.log");
  writeFileSync(file, `${Array.from({ length: 300 }, (_, i) => `line ${i}`).join("\n")}\n`);
  const tail = await read<LogAnswer>(`/api/runs/${id}/log?lines=2`);
  expect(tail).toEqual({ lines: ["line 298", "line 299"], is_cut: true });
  writeFileSync(file, `${"x".repeat(1_000_000)}\nlast\n`);
  expect(await read<LogAnswer>(`/api/runs/${id}/log?lines=5`)).toEqual({ lines: ["last"], is_cut: true });
  const [{ id: quiet = "" } = {}] = store.listRuns({ state: "finished" });
  expect(await read<LogAnswer>(`/api/runs/${quiet}/log`)).toEqual({ lines: [], is_cut: false });
});

it("whoever asks for the head of the events listens to none", async () => {
  const { ask, changes } = one();
  const head = await ask("/api/events", { method: "HEAD" });
  expect([head.status, head.headers.get("content-type"), changes.listeners]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
    0,
  ]);
});
