/** @file Event files of PyTorch and tensorboardX, read while they grow. fixtures/write_events.py wrote them. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startRun } from "dnn-cool/track";
import { describe, expect, test, vi } from "vitest";
import { listEventFiles, openEventWriter, readEvents } from "../../../src/logging/tensorboard/index.js";
import { WatchedFolder } from "../../../src/tracking/command/watched-folder.js";
import { openStore, temporaryDir } from "../../storage/support.js";

const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));

/** All event files of a library, by their paths. */
function filesOf(library: string): [string, Buffer][] {
  return readdirSync(join(fixtures, library), { recursive: true, encoding: "utf8" })
    .filter((file) => file.includes("tfevents"))
    .sort()
    .map((file) => [file, readFileSync(join(fixtures, library, file))]);
}

function warnings(): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  return lines;
}

// PyTorch writes a yes as a number
describe.each([
  ["torch", 1],
  ["tensorboardx", true],
])("%s", (library, yes) => {
  test("writes curves of splits, pictures, texts and hyperparameters, of which none is lost at any cut", async () => {
    const [store, folder] = [temporaryDir(), temporaryDir()];
    const run = startRun({ store, project: "p", output: false });
    const watched = new WatchedFolder(run, folder);
    const files = filesOf(library);
    expect(files).toHaveLength(4);
    const longest = Math.max(...files.map(([, bytes]) => bytes.length));
    // pieces that end within records, within their lengths, and within checksums
    for (let at = 0; at < longest; at += 97) {
      for (const [file, bytes] of files) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        appendFileSync(join(folder, file), bytes.subarray(at, at + 97));
      }
      if (at % 5 === 0) watched.read();
    }
    watched.read();
    watched.read();
    await run.finish();
    const opened = openStore(store);
    const curves: Record<string, (number | null)[]> = {};
    for (const { split, taskPath, metricName, value } of opened.readMetrics(run.id)) {
      const curve = `${split}/${taskPath}/${metricName}`;
      if (taskPath !== "_system") curves[curve] = [...(curves[curve] ?? []), value];
    }
    const float = Math.fround;
    expect(curves).toEqual({
      "train/_total/Loss": [1, 0.5, float(1 / 3), Number.NaN],
      "test/_total/Loss": [2, 1, float(2 / 3)],
      "train/_total/lr": [float(0.1), float(0.1), float(0.1)],
      "train/_total/accuracy": [0.25, 0.5, 0.75],
      "valid/_total/accuracy": [0.125, 0.25, 0.375],
      "train/hparam/loss": [0.5],
    });
    expect(opened.readConfig(run.id)).toEqual({ learning_rate: 0.1, layers: 2, amp: yes });
    const tags = ["train", ""].flatMap((split) =>
      listEventFiles(join(run.dir, split)).flatMap((file) =>
        readEvents(file).flatMap(({ content }) =>
          content.kind === "summary" ? content.values.map(({ tag }) => tag) : [],
        ),
      ),
    );
    expect(tags).toEqual(expect.arrayContaining(["digit", "note/text_summary"]));
  });
});

test("what was there before is of an earlier training, and what is added is not", async () => {
  const [store, folder] = [temporaryDir(), temporaryDir()];
  const writer = openEventWriter(join(folder, "valid"));
  writer.scalar("loss", 1, 1);
  writer.flush();
  const run = startRun({ store, project: "p", output: false });
  const watched = new WatchedFolder(run, folder);
  writer.scalar("loss", 2, 2);
  writer.close();
  watched.read();
  await run.finish();
  expect(openStore(store).readMetrics(run.id, { taskPath: "_total" })).toMatchObject([
    { split: "valid", step: 2, value: 2 },
  ]);
});

test("a second folder's curves have its name, and a store's files are none", async () => {
  const [store, folder] = [temporaryDir(), temporaryDir()];
  const run = startRun({ store, project: "p", output: false });
  const watched = new WatchedFolder(run, folder);
  for (const [name, value] of [
    ["a", 1],
    ["b", 2],
    ["inner/runs/x", 3],
  ] as const) {
    const writer = openEventWriter(join(folder, name));
    writer.scalar("loss", value, 1);
    writer.close();
  }
  writeFileSync(join(folder, "inner", "cool.db"), "");
  watched.read();
  await run.finish();
  const points = openStore(store)
    .readMetrics(run.id)
    .filter(({ taskPath }) => taskPath !== "_system");
  expect(points.map(({ taskPath, value }) => [taskPath, value])).toEqual([
    ["_total", 1],
    ["b", 2],
  ]);
});

test("a damaged file is told once, with the byte, and others go on", async () => {
  const [store, folder] = [temporaryDir(), temporaryDir()];
  const lines = warnings();
  const run = startRun({ store, project: "p", output: false });
  const watched = new WatchedFolder(run, folder);
  const [[, bytes] = ["", Buffer.alloc(0)]] = filesOf("torch");
  const damaged = Buffer.from(bytes);
  damaged[100] = (damaged[100] ?? 0) ^ 255;
  writeFileSync(join(folder, "events.out.tfevents.1"), damaged);
  writeFileSync(join(folder, "events.out.tfevents.2"), bytes);
  watched.read();
  watched.read();
  await run.finish();
  expect(lines.filter((line) => line.includes("does not match its checksum"))).toHaveLength(1);
  expect(openStore(store).readMetrics(run.id, { taskPath: "_total" })).toHaveLength(3);
  vi.restoreAllMocks();
});
