/** @file Checkpoints are complete or not there: processes that die, full disks, damaged files. */
import type * as fs from "node:fs";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import {
  hasCheckpoint,
  loadNetwork,
  loadTrainingState,
  saveCheckpoint,
  type TrainingState,
} from "../../../src/engine/model/checkpoint.js";
import { Network, type TrunkFunction } from "../../../src/engine/model/network.js";
import { StoreError } from "../../../src/errors.js";
import {
  batchOf,
  graph,
  INPUTS,
  makeData,
  plainTrunk,
  richTrunk,
  trainerOf,
  weightsOf,
} from "../../support/small-project.js";

/** End of the path to which writing or renaming fails, and how; null: nothing fails. */
const failing = vi.hoisted(() => ({ file: null as string | null, code: "ENOSPC" }));

vi.mock("node:fs", async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  return {
    ...original,
    writeFileSync(...args: Parameters<typeof fs.writeFileSync>) {
      if (failing.file !== null && String(args[0]).endsWith(failing.file)) {
        // what fits is written first
        original.writeFileSync(args[0], "half");
        throw Object.assign(new Error(`${failing.code}: write`), { code: failing.code });
      }
      original.writeFileSync(...args);
    },
    renameSync(from: string, to: string) {
      if (failing.file !== null && to.endsWith(failing.file)) {
        throw Object.assign(new Error(`${failing.code}: rename`), { code: failing.code });
      }
      original.renameSync(from, to);
    },
  };
});

const data = makeData(24);
let dir: string;

beforeAll(async () => {
  await openBackend("wasm");
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-checkpoint-"));
});
afterEach(() => {
  failing.file = null;
  rmSync(dir, { recursive: true, force: true });
});
afterAll(() => tf.disposeVariables());

/** Runs a function with a network and frees it. */
async function using<T>(network: Network | Promise<Network>, work: (network: Network) => T | Promise<T>): Promise<T> {
  const open = await network;
  try {
    return await work(open);
  } finally {
    open.dispose();
  }
}

function build(seed: number, trunk: TrunkFunction = richTrunk): Network {
  return Network.build(graph, INPUTS, trunk, seed);
}

function weightsIn(folder: string): Promise<Float32Array[]> {
  return using(loadNetwork(folder, graph, INPUTS), weightsOf);
}

const STATE: TrainingState = {
  position: { epoch: 3, batch: 2, step: 8 },
  schedule: { learningRate: 0.05, best: { loss: 0.1, epoch: 2 }, epochsSinceBest: 1, epochsOnPlateau: 1 },
  optimizer: { updates: 8, slots: { mean: Float32Array.of(1, -2.5), variance: Float32Array.of(3, 4e-30) } },
};

describe("a process that dies while it replaces a checkpoint", () => {
  test("between the two renames leaves the one before, which is read", async () => {
    const last = join(dir, "last");
    const weights = await using(build(1), async (network) => {
      await saveCheckpoint(last, network, STATE);
      return weightsOf(network);
    });
    renameSync(last, `${last}.old`);
    mkdirSync(`${last}.writing`);
    writeFileSync(join(`${last}.writing`, "model.json"), "{");

    expect(hasCheckpoint(last)).toBe(true);
    expect(await weightsIn(last)).toEqual(weights);
    expect(loadTrainingState(last)).toEqual(STATE);
  });

  test.each(["model.json", "/last"])("and whose next save fails at %s still has the one before", async (file) => {
    const last = join(dir, "last");
    await using(build(1), async (network) => {
      await saveCheckpoint(last, network);
      renameSync(last, `${last}.old`);
      failing.file = file;
      await expect(saveCheckpoint(last, network)).rejects.toThrow(StoreError);
      expect(await weightsIn(last)).toEqual(weightsOf(network));
    });
  });

  test("before the first rename leaves half a folder, which the next save writes over", async () => {
    const last = join(dir, "last");
    mkdirSync(`${last}.writing`);
    writeFileSync(join(`${last}.writing`, "state.json"), "half");
    expect(hasCheckpoint(last)).toBe(false);
    await using(build(1), (network) => saveCheckpoint(last, network));
    expect(readdirSync(dir)).toEqual(["last"]);
    expect(readdirSync(last)).not.toContain("state.json");
  });
});

describe("a checkpoint that cannot be written", () => {
  test.each([
    ["weights.bin", "ENOSPC", /the disk is full\. The checkpoint before it is kept\. Free some space/],
    ["optimizer.bin", "ENOSPC", /the disk is full/],
    ["model.json", "EIO", /EIO: write\. The checkpoint before it is kept/],
    ["last.old", "EACCES", /EACCES: rename\. The checkpoint before it is kept/],
  ])("(%s: %s) is a StoreError, and the one before stays whole", async (file, code, message) => {
    const last = join(dir, "last");
    const weights = await using(build(1), async (network) => {
      await saveCheckpoint(last, network, STATE);
      return weightsOf(network);
    });
    await using(build(2), async (network) => {
      Object.assign(failing, { file, code });
      const saving = saveCheckpoint(last, network, { ...STATE, position: { epoch: 4, batch: 0, step: 9 } });
      await expect(saving).rejects.toThrow(StoreError);
      await expect(saving).rejects.toThrow(message);
      await expect(saving).rejects.toMatchObject({ facts: { dir: last, code } });
    });
    failing.file = null;
    expect(await weightsIn(last)).toEqual(weights);
    expect(loadTrainingState(last)).toEqual(STATE);
    expect(readdirSync(dir)).toEqual(["last"]);
  });

  test("because a file stands where its folder should be is a StoreError", async () => {
    const folder = join(dir, "checkpoints");
    writeFileSync(folder, "a file");
    await using(build(1), async (network) => {
      const saving = saveCheckpoint(join(folder, "last"), network);
      await expect(saving).rejects.toThrow(StoreError);
      await expect(saving).rejects.toThrow(/checkpoints\/last cannot be written: (ENOTDIR|EEXIST)/);
    });
    expect(readFileSync(folder, "utf8")).toBe("a file");
  });

  test("does not harm the network: training goes on", async () => {
    await using(build(1), async (network) => {
      failing.file = "weights.bin";
      await expect(saveCheckpoint(join(dir, "last"), network)).rejects.toThrow(StoreError);
      failing.file = null;
      const { inputs, targets } = batchOf(network, data);
      expect(Number.isFinite((await trainerOf(network).step(inputs, targets, 1e-2)).loss.total)).toBe(true);
      await saveCheckpoint(join(dir, "last"), network);
      expect(await weightsIn(join(dir, "last"))).toEqual(weightsOf(network));
    });
  });
});

describe("a checkpoint that cannot be read", () => {
  const damages: readonly (readonly [string, (last: string) => void, RegExp])[] = [
    ["model.json is cut off", (last) => truncateSync(join(last, "model.json"), 100), /JSON/],
    ["model.json is empty", (last) => truncateSync(join(last, "model.json"), 0), /JSON/],
    ["model.json is null", (last) => writeFileSync(join(last, "model.json"), "null"), /does not hold an object/],
    ["model.json is another document", (last) => writeFileSync(join(last, "model.json"), "{}"), /cannot be read/],
    [
      "weights.bin is cut off",
      (last) => truncateSync(join(last, "weights.bin"), 1000),
      /has 1000 bytes instead of \d+/,
    ],
    ["weights.bin is too long", (last) => appendFileSync(join(last, "weights.bin"), "more"), /instead of \d+/],
    [
      "weights.bin is missing",
      (last) => rmSync(join(last, "weights.bin")),
      /"weights.bin" is no file beside model.json/,
    ],
  ];
  test.each(damages)("is a StoreError where %s", async (_, damage, message) => {
    const last = join(dir, "last");
    await using(build(1, plainTrunk), (network) => saveCheckpoint(last, network));
    damage(last);
    const loading = loadNetwork(last, graph, INPUTS);
    await expect(loading).rejects.toThrow(StoreError);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(
      new RegExp(`^The checkpoint .*${basename(last)} cannot be read: .* start a new run`),
    );
  });

  const stateDamages: readonly (readonly [string, (last: string) => void])[] = [
    ["state.json is cut off", (last) => truncateSync(join(last, "state.json"), 10)],
    ["state.json is another document", (last) => writeFileSync(join(last, "state.json"), "{}")],
    ["optimizer.bin is cut off", (last) => truncateSync(join(last, "optimizer.bin"), 7)],
    ["optimizer.bin is too short by a number", (last) => truncateSync(join(last, "optimizer.bin"), 12)],
    ["optimizer.bin is missing", (last) => rmSync(join(last, "optimizer.bin"))],
  ];
  test.each(stateDamages)("for training is a StoreError where %s", async (_, damage) => {
    const last = join(dir, "last");
    await using(build(1, plainTrunk), (network) => saveCheckpoint(last, network, STATE));
    damage(last);
    expect(() => loadTrainingState(last)).toThrow(StoreError);
    expect(() => loadTrainingState(last)).toThrow(/^The checkpoint .* cannot be read: .* start a new run/);
  });

  test("because it is that of another flow is a StoreError", async () => {
    const last = join(dir, "last");
    await using(build(1, plainTrunk), (network) => saveCheckpoint(last, network));
    const renamed = { ...graph, tasks: graph.tasks.map((task) => ({ ...task, path: `other.${task.path}` })) };
    await expect(loadNetwork(last, renamed, INPUTS)).rejects.toThrow(StoreError);
  });

  test("because there is none says so", async () => {
    expect(hasCheckpoint(join(dir, "last"))).toBe(false);
    expect(existsSync(join(dir, "last"))).toBe(false);
    await expect(loadNetwork(join(dir, "last"), graph, INPUTS)).rejects.toThrow(
      /There is no checkpoint in .*The run ended before its first one; run it again/,
    );
    expect(() => loadTrainingState(join(dir, "last"))).toThrow(StoreError);
  });
});
