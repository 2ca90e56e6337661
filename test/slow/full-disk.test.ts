/** @file A disk that is full sooner or later: a clear message, a sound store, and with more space the run goes on. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { cool, coolJson } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

interface Run {
  readonly run: { readonly id: string; readonly state: string; readonly dir: string };
}

const EPOCHS = 6;
let project: TinyProject;
let folder: string;
let whole: Buffer;

beforeAll(async () => {
  project = await tinyProject();
  folder = mkdtempSync(join(tmpdir(), "cool-full-disk-"));
  whole = weightsOf(await coolJson<Run>(train(join(folder, "whole"))));
});
afterAll(() => {
  project.remove();
  rmSync(folder, { recursive: true, force: true });
});

const train = (store: string) => ["run", project.dir, "--store", store, "--epochs", String(EPOCHS)];
const weightsOf = ({ run }: Run) => readFileSync(join(run.dir, "checkpoints", "last", "weights.bin"));

/** Mounts a small disk for the time of `use`; the reason why not, where that is not permitted. */
async function withDisk(size: string, use: (mount: string) => Promise<void>): Promise<string | null> {
  const mount = mkdtempSync(join(folder, "disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", mount], { stdio: "pipe" });
  } catch (error) {
    return (error as Error).message.split("\n")[0] ?? "";
  }
  try {
    await use(mount);
    return null;
  } finally {
    execFileSync("umount", ["--lazy", mount]);
  }
}

/** Runs of a store that passes its integrity check, by id. */
function soundRuns(store: string): string[] {
  const file = join(store, "cool.db");
  if (!existsSync(file)) return [];
  const database = new Database(file);
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  database.close();
  const opened = openRunStore(store);
  const runs = opened.listRuns();
  opened.close();
  expect(runs.map(({ displayState }) => displayState)).toEqual(
    runs.map(() => expect.stringMatching(/^(failed|crashed|finished)$/)),
  );
  return runs.map(({ id }) => id);
}

// the store, the pixels, checkpoints, predictions and event files are what meets the end of the disk, each in its turn
test.for(["32k", "96k", "192k", "320k", "512k", "768k", "1m", "1536k", "2m", "3m"])("of %s", async (size, context) => {
  const reason = await withDisk(size, async (mount) => {
    const store = join(mount, "store");
    const { code, stderr } = await cool(train(store));
    if (code !== 0) {
      expect(code).toBe(1);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(stderr.match(/^Error: .+$/gm)).toHaveLength(1);
      expect(stderr).toMatch(/^Error: .*(no space left|disk is full|free some space|make room)/im);
    }
    execFileSync("mount", ["-o", "remount,size=64m", mount]);
    const [id, ...more] = soundRuns(store);
    expect(more).toEqual([]);
    const args = id === undefined ? train(store) : ["run", project.dir, "--store", store, "--resume", id];
    const result = await coolJson<Run>(args);
    expect(result.run.state).toBe("finished");
    expect(weightsOf(result).equals(whole)).toBe(true);
  });
  if (reason !== null) context.skip(`no small disk can be mounted: ${reason}`);
});
