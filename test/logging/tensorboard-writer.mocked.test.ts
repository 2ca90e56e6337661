/** @file The event writer's files, buffering and errors. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CoolError, StoreError, UnknownNameError } from "../../src/errors.js";
import {
  type EventWriter,
  type EventWriterOptions,
  listEventFiles,
  openEventWriter,
  readEvents,
} from "../../src/logging/tensorboard/index.js";

// real files throughout; a test replaces `writeSync` only to fill up the disk
const realFs = await vi.hoisted(() => import("node:fs"));
vi.mock("node:fs", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs")>();
  return { ...real, writeSync: vi.fn(real.writeSync) };
});

let folder: string;
const writers: EventWriter[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-writer-"));
});
afterEach(() => {
  vi.mocked(writeSync).mockReset();
  for (const writer of writers.splice(0)) writer.close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function open(options: EventWriterOptions = {}, path = folder): EventWriter {
  const writer = openEventWriter(path, options);
  writers.push(writer);
  return writer;
}

/** Values of all scalars in the file, as it stands on the disk. */
function scalarsIn(path: string): number[] {
  return readEvents(path).flatMap(({ content }) =>
    content.kind === "summary" ? content.values.map((value) => value.scalar ?? Number.NaN) : [],
  );
}

const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
const DISK_FULL = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

describe("the event file", () => {
  it("is named after time, host, process and sequence, in a folder made for it", () => {
    const options = { now: () => 1_234_567_890.9, host: "my host/1", pid: 42 };
    const writer = open(options, join(folder, "train", "deep"));
    expect(writer.path).toMatch(/train\/deep\/events\.out\.tfevents\.1234567890\.my_host_1\.0000000042\.\d{5}$/);
  });

  it("sorts after every older file, even if the clock was set back", () => {
    const times = [2_000_000_000, 2_000_000_000, 1_900_000_000, 2_000_000_007];
    const paths = times.map((time, i) => {
      const writer = open({ now: () => time, pid: 1000 - i, host: "z".repeat(4 - i) });
      writer.close();
      return writer.path;
    });
    expect(listEventFiles(folder)).toEqual(paths);
  });

  it("begins with the version and a session START at the step of the resume", () => {
    const writer = open({ resumeStep: 120 });
    writer.close();
    const events = readEvents(writer.path);
    expect(events.map(({ step, content }) => [step, content])).toEqual([
      [0, { kind: "fileVersion", version: "brain.Event:2" }],
      [120, { kind: "sessionLog", status: "start" }],
    ]);
  });

  it("repeats a tag's metadata in each file", () => {
    for (const resumeStep of [0, 2]) {
      const writer = open({ resumeStep });
      writer.scalar("loss", 1, resumeStep, "what it costs");
      writer.scalar("loss", 1, resumeStep + 1, "what it costs");
      writer.close();
      const values = readEvents(writer.path).flatMap(({ content }) =>
        content.kind === "summary" ? content.values : [],
      );
      expect(values.map(({ metadata }) => metadata?.description)).toEqual(["what it costs", undefined]);
    }
  });
});

describe("buffering", () => {
  it("keeps points in memory until flush", () => {
    const writer = open();
    writer.scalar("loss", 1, 1);
    expect(readFileSync(writer.path)).toHaveLength(0);
    writer.flush();
    expect(scalarsIn(writer.path)).toEqual([1]);
    writer.scalar("loss", 2, 2);
    writer.sync();
    expect(scalarsIn(writer.path)).toEqual([1, 2]);
  });

  it("flushes by itself every few seconds", () => {
    vi.useFakeTimers();
    const writer = open({ flushSeconds: 3 });
    writer.scalar("loss", 1, 1);
    vi.advanceTimersByTime(2_999);
    expect(scalarsIn(writer.path)).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(scalarsIn(writer.path)).toEqual([1]);
  });

  it("flushes when 256 KiB have gathered, and keeps every point of a large file", () => {
    const writer = open();
    const values = Array.from({ length: 20_000 }, (_, i) => i);
    for (const value of values) writer.scalar("a tag of some length", value, value);
    expect(readFileSync(writer.path).length).toBeGreaterThan(256 * 1024);
    writer.close();
    expect(scalarsIn(writer.path)).toEqual(values);
  });

  it("writes records larger than the buffer", () => {
    const writer = open();
    const large = new Uint8Array(1_000_000);
    large.set(png);
    writer.image("best", { png: large, width: 1, height: 1 }, 1);
    writer.scalar("loss", 1, 1);
    writer.close();
    const values = readEvents(writer.path).flatMap(({ content }) => (content.kind === "summary" ? content.values : []));
    expect(Buffer.compare(values[0]?.tensor?.values[2] as Uint8Array, large)).toBe(0);
    expect(values[1]?.scalar).toBe(1);
  });

  it("loses no point when the process ends with an uncaught error", () => {
    const entry = new URL("../../src/logging/tensorboard/index.ts", import.meta.url).pathname;
    const script = join(folder, "crash.mjs");
    writeFileSync(
      script,
      `import { createJiti } from ${JSON.stringify(import.meta.resolve("jiti"))};
       const { openEventWriter } = await createJiti(import.meta.url).import(${JSON.stringify(entry)});
       openEventWriter(${JSON.stringify(join(folder, "train"))}).scalar("loss", 3, 1);
       throw new Error("boom");`,
    );
    expect(() => execFileSync(process.execPath, [script], { stdio: "pipe" })).toThrow("boom");
    expect(listEventFiles(join(folder, "train")).flatMap(scalarsIn)).toEqual([3]);
  });
});

describe("a failing disk", () => {
  it("is reported with file and reason, and nothing is lost or torn once there is space again", () => {
    const writer = open();
    writer.scalar("loss", 1, 1);
    writer.flush();
    writer.scalar("loss", 2, 2);
    const sizeBefore = readFileSync(writer.path).length;
    takeOnly(10);
    expect(() => writer.flush()).toThrow(StoreError);
    expect(readFileSync(writer.path)).toHaveLength(sizeBefore + 10);
    expect(scalarsIn(writer.path)).toEqual([1]);
    expect(() => writer.flush()).toThrow(`Could not write the event file ${writer.path}: ENOSPC`);
    vi.mocked(writeSync).mockReset();
    writer.scalar("loss", 3, 3);
    writer.close();
    expect(scalarsIn(writer.path)).toEqual([1, 2, 3]);
  });

  it("is reported by the next call if it failed in the background", () => {
    vi.useFakeTimers();
    const writer = open();
    writer.scalar("loss", 1, 1);
    takeOnly(0);
    vi.advanceTimersByTime(2_000);
    expect(() => writer.scalar("loss", 2, 2)).toThrow("Free some space on that disk");
    vi.mocked(writeSync).mockReset();
    writer.scalar("loss", 3, 3);
    writer.flush();
    expect(scalarsIn(writer.path)).toEqual([1, 2, 3]);
  });

  it("still closes the file, and frees the folder", () => {
    const writer = openEventWriter(folder);
    takeOnly(0);
    expect(() => writer.close()).toThrow(StoreError);
    vi.mocked(writeSync).mockReset();
    writer.close();
    open().scalar("loss", 1, 1);
  });

  it("names the folder that cannot be made", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => openEventWriter(join(folder, "file", "train"))).toThrow(
      `Could not create an event file in ${join(folder, "file", "train")}: ENOTDIR`,
    );
  });

  /** The disk takes `count` more bytes, then it is full. */
  function takeOnly(count: number): void {
    let left = count;
    vi.mocked(writeSync).mockImplementation(((descriptor: number, bytes: Uint8Array, offset: number) => {
      if (left === 0) throw DISK_FULL;
      realFs.writeSync(descriptor, bytes, offset, left);
      const written = left;
      left = 0;
      return written;
    }) as typeof writeSync);
  }
});

describe("misuse", () => {
  it("refuses a second writer in a folder until the first is closed", () => {
    const first = open();
    expect(() => openEventWriter(join(folder, "."))).toThrow(`Another writer is logging to`);
    expect(readdirSync(folder)).toHaveLength(1);
    first.close();
    open();
    expect(readdirSync(folder)).toHaveLength(2);
    first.close();
    expect(() => openEventWriter(folder)).toThrow("Another writer is logging to");
  });

  it("refuses to use a tag for two kinds, naming both", () => {
    const writer = open();
    writer.scalar("door", 1, 1);
    const misuse = () => writer.histogram("door", [1], 2);
    expect(misuse).toThrow(CoolError);
    expect(misuse).toThrow('The tag "door" holds a scalar and cannot take a histogram too');
    writer.scalar("door", 2, 2);
  });

  it("is refused after close, and close may be repeated", () => {
    const writer = open();
    writer.close();
    writer.close();
    for (const use of [() => writer.scalar("loss", 1, 1), () => writer.flush(), () => writer.sync()]) {
      expect(use).toThrow(`The event file ${writer.path} is closed`);
    }
  });

  it.each([1.5, Number.NaN, 2 ** 53])("refuses step %d", (step) => {
    const writer = open();
    expect(() => writer.scalar("loss", 1, step)).toThrow("A step is a whole number");
    expect(() => openEventWriter(join(folder, "other"), { resumeStep: step })).toThrow("A step is a whole number");
  });

  it.each([
    ["no image", [], 'No image was given for the tag "best"'],
    ["zero width", { png, width: 0, height: 4 }, "is empty: 0×4 pixels in 4 bytes"],
    ["no bytes", { png: new Uint8Array(0), width: 4, height: 4 }, "is empty: 4×4 pixels in 0 bytes"],
    ["another format", { jpeg: png, width: 4, height: 4 }, "given as jpeg but its bytes are not"],
    [
      "two sizes",
      [
        { png, width: 4, height: 4 },
        { png, width: 8, height: 4 },
      ],
      "4×4 and 8×4 were given",
    ],
  ])("refuses an image with %s", (_, image, message) => {
    const writer = open();
    expect(() => writer.image("best", image, 1)).toThrow(message);
    writer.close();
    expect(readEvents(writer.path)).toHaveLength(2);
  });

  it.each([
    ["labels and scores of different length", { labels: [1], scores: [0.5, 0.5] }, "1 labels, 2 scores"],
    ["a score above 1", { labels: [1, 0], scores: [0.5, 1.5] }, "row 1 has 1.5"],
    ["a NaN score", { labels: [1], scores: [Number.NaN] }, "row 0 has NaN"],
    ["an unknown label", { labels: [Number.NaN], scores: [0.5] }, "leave unlabelled rows out"],
    ["one threshold", { labels: [1], scores: [0.5], thresholds: 1 }, "at least two thresholds"],
  ])("refuses a PR curve with %s", (_, input, message) => {
    expect(() => open().prCurve("pr", input, 1)).toThrow(message);
  });

  it("refuses a graph with an unknown input or a name used twice", () => {
    const writer = open();
    const node = { name: "door_open", op: "binary" };
    expect(() => writer.graph([{ ...node, inputs: ["door_opn"] }])).toThrow(UnknownNameError);
    expect(() =>
      writer.graph([
        { ...node, inputs: [] },
        { ...node, inputs: [] },
      ]),
    ).toThrow('Two nodes of the graph are named "door_open"');
  });

  it("refuses to write hyperparameters twice", () => {
    const writer = open();
    writer.hparams({ hparams: { rate: 1 }, metrics: [] });
    expect(() => writer.hparams({ hparams: { rate: 2 }, metrics: [] })).toThrow("has been written already");
  });
});
