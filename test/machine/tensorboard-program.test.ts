/** @file `cool tensorboard`: names of runs, the program, its life. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planTensorBoard, serveTensorBoard, type TensorBoardAddress } from "../../src/machine/tensorboard.js";
import { linkRuns, shownParts, shownRuns } from "../../src/machine/tensorboard-links.js";
import { findTensorBoard, installTensorBoard } from "../../src/machine/tensorboard-program.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";

let folder: string;
let store: RunStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-store-"));
  store = openRunStore(join(folder, "store"));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const create = (name: string) => store.createRun({ project: "p", name, config: {} });

/** A program in a folder of its own. */
function program(name: string, script: string): string {
  const path = join(folder, "bin", name);
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("names of runs", () => {
  it("are those that people gave, each once, and fit for a folder", () => {
    const runs = ["long", "long", "LONG", "a/b: 100%", "..", "é".repeat(180)].map(create);
    const ends = runs.map(({ id }) => id.slice(-4));
    expect(new Map(shownRuns(store, { references: [] }).map(({ id, name }) => [id, name]))).toEqual(
      new Map(
        runs
          .map(({ id }) => id)
          .sort()
          .map((id) => [id, expect.any(String)]),
      ),
    );
    const names = shownRuns(store, { references: [] }).map(({ name }) => name);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(6);
    expect(names.filter((name) => name.toLowerCase().startsWith("long"))).toHaveLength(3);
    expect(names.filter((name) => /^long$/i.test(name))).toHaveLength(1);
    expect(names).toEqual(expect.arrayContaining(["a-b- 100%", "run", "é".repeat(90)]));
    expect(names.some((name) => ends.some((end) => name.endsWith(`-${end}`)))).toBe(true);
  });

  it("follow the runs that are asked for, in whatever way they are named", () => {
    const [first] = ["first", "second", "third"].map(create);
    expect(shownRuns(store, { references: [first?.id as string, "third", "first"] }).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["first", "third"]),
    );
    expect(shownRuns(store, { references: ["first", first?.id as string] })).toHaveLength(1);
    expect(() => shownRuns(store, { references: ["fourth"] })).toThrow(/No run/);
  });

  it("are those that a condition chooses, the newest so many", () => {
    const runs = ["first", "second", "third"].map(create);
    store.addTags(runs[0]?.id as string, ["good"]);
    expect(shownRuns(store, { references: [], where: 'tag = "good"' }).map(({ name }) => name)).toEqual(["first"]);
    expect(
      shownRuns(store, { references: [], limit: 2 })
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["second", "third"]);
  });

  /** A run with event files of its own and in these folders. */
  function withEvents(name: string, parts: readonly string[]): string {
    const { id } = create(name);
    const dir = store.runDir(id);
    for (const part of ["", ...parts]) {
      mkdirSync(join(dir, part), { recursive: true });
      writeFileSync(join(dir, part, "events.out.tfevents.1"), "");
    }
    return dir;
  }

  it("become folders of links, which come and go with the runs and their files", () => {
    const links = join(folder, "links");
    mkdirSync(links);
    const dir = withEvents("one", ["train", "valid", "checkpoints"]);
    const begun: string[] = [];
    const link = (references: readonly string[] = []) =>
      linkRuns(
        links,
        shownRuns(store, { references }),
        () => true,
        ({ name }) => begun.push(name),
      );
    link();
    expect(readdirSync(join(links, "one")).sort()).toEqual(["events.out.tfevents.1", "train", "valid"]);
    expect(readlinkSync(join(links, "one", "valid"))).toBe(join(dir, "valid"));
    create("two");
    writeFileSync(join(dir, "events.out.tfevents.2"), "");
    link();
    expect(readdirSync(links).sort()).toEqual(["one", "two"]);
    expect(readdirSync(join(links, "one"))).toContain("events.out.tfevents.2");
    link(["two"]);
    expect(readdirSync(links)).toEqual(["two"]);
    expect(readdirSync(dir)).toContain("valid");
    expect(begun).toEqual(["one", "two"]);
  });

  it("have fewer folders each where all would be more than TensorBoard checks by itself", () => {
    const parts = ["system", "test", "train", "valid"];
    const dir = withEvents("one", parts);
    const shownOf = (count: number) => {
      const shown = shownParts(Array.from({ length: count }, (_, i) => ({ id: String(i), name: String(i), dir })));
      return parts.filter(shown);
    };
    expect(shownOf(100)).toEqual(parts);
    expect(shownOf(101)).toEqual(["test", "train", "valid"]);
    expect(shownOf(126)).toEqual(["test", "valid"]);
    expect(shownOf(167)).toEqual(["valid"]);
    expect(shownOf(1000)).toEqual(["valid"]);
  });
});

describe("the program", () => {
  it("is the one on the PATH, else the installed one, else Python's module", async () => {
    const python = program("python3", "exit 0");
    const env = { PATH: join(folder, "bin"), XDG_CACHE_HOME: join(folder, "cache") };
    expect(await findTensorBoard(env)).toEqual([python, "-m", "tensorboard.main"]);
    const installed = join(folder, "cache", "dnn-cool", "tensorboard");
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, ".ready"), "");
    expect(await findTensorBoard(env)).toEqual([join(installed, "bin", "tensorboard")]);
    const found = program("tensorboard", "exit 0");
    expect(await findTensorBoard(env)).toEqual([found]);
  });

  it("is missing with a word on how to get it", async () => {
    program("python3", "exit 1");
    const env = { PATH: join(folder, "bin"), XDG_CACHE_HOME: join(folder, "cache") };
    await expect(findTensorBoard(env)).rejects.toThrow(/not installed\. Install it with: cool tensorboard --install/);
  });

  it("cannot be installed without Python or a package index, and says why", async () => {
    const env = { PATH: join(folder, "bin"), XDG_CACHE_HOME: join(folder, "cache") };
    await expect(installTensorBoard(() => {}, env)).rejects.toThrow(/there is no python3 on this machine/);
    program("python3", 'echo "ERROR: No matching distribution found for tensorboard" >&2; exit 1');
    await expect(installTensorBoard(() => {}, env)).rejects.toThrow(/No matching distribution found for tensorboard/);
    expect(readdirSync(join(folder, "cache", "dnn-cool"))).toEqual([]);
  });
});

describe("a TensorBoard at work", () => {
  /** Serves a program in TensorBoard's place. */
  function serve(script: string) {
    create("one");
    const options = { program: [program("fake", script)] as const, references: [], port: 6123 };
    const plan = planTensorBoard(store, options);
    const addresses: TensorBoardAddress[] = [];
    const ended = serveTensorBoard(
      store,
      plan,
      options,
      (address) => addresses.push(address),
      () => {},
    );
    return { plan, addresses, ended };
  }
  const READY = "echo 'TensorBoard 2.21.0 at http://127.0.0.1:6123/ (Press CTRL+C to quit)' >&2";

  it("is told folder, loopback address, port, and to keep a thousand pictures", () => {
    const { command, logdir } = planTensorBoard(store, { program: ["tensorboard"], references: [], port: 6123 });
    expect(command.join(" ")).toBe(
      `tensorboard --logdir ${logdir} --host 127.0.0.1 --port 6123 --samples_per_plugin images=1000`,
    );
    rmSync(logdir, { recursive: true });
  });

  it("says where it answers, and leaves no folder behind", async () => {
    const { plan, addresses, ended } = serve(`${READY}; ls "$2"`);
    await ended;
    expect(addresses).toEqual([{ url: "http://127.0.0.1:6123/", logdir: plan.logdir, runs: plan.runs }]);
    expect(() => readdirSync(plan.logdir)).toThrow(/ENOENT/);
  });

  it("gets Ctrl-C passed on", async () => {
    const { addresses, ended } = serve(`trap 'kill $waiting; exit 0' INT; ${READY}; sleep 60 & waiting=$!; wait`);
    while (addresses.length === 0) await sleep(20);
    process.emit("SIGINT", "SIGINT");
    await ended;
  });

  it("fails with its last words", async () => {
    await expect(serve("echo 'port 6123 is in use' >&2; exit 1").ended).rejects.toThrow(
      "TensorBoard ended with code 1: port 6123 is in use",
    );
  });
});
