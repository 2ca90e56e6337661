/**
 * @file Rows per second of a run whose trunk is frozen: the trunk in every step, and its features computed once and
 * cached. Uses the built command line: run `npm run build` before.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import sharp from "sharp";
import { openBackend } from "../../src/engine/backends/choose.js";
import { median, print, printProgress, ROOT, warnIfBusy, writeResults } from "../report.js";
import { writeBackbone } from "./backbone.js";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    pictures: { type: "string", default: "160" },
    backend: { type: "string", default: "wasm" },
  },
});

/** What is behind the backbone. */
const HEADS = {
  "pooled features": "sequential([layers.globalAveragePooling2d({})])",
  "the map and 32 units": 'sequential([layers.flatten(), layers.dense({ units: 32, activation: "relu" })])',
} as const;

const config = (head: string): string => `
import { binary, defineProject, defineTasks, image, pretrained, sequential } from "dnn-cool";
const tasks = defineTasks({ features: ["f"], tasks: { a: binary(), b: binary(), c: binary() } }).flow("all", (flow, x, out) => {
  out.add(flow.a(x.f));
  out.add(flow.b(x.f).given(out.a));
  out.add(flow.c(x.f).given(out.a.not()));
});
export default defineProject({
  name: "frozen",
  tasks,
  flow: "all",
  data: { table: "labels.csv", inputs: { image: image({ column: "img", size: [224, 224] }) }, split: { column: "split" } },
  trunk: ({ image }, layers) => ({
    f: ${head}(pretrained({ model: "backbone", input: { range: [-1, 1] } })(image, layers), layers),
  }),
  train: { batchSize: 32 },
});
`;

/** Pictures of noise, and labels by chance: speed does not ask what is on them. */
async function writePictures(dir: string, count: number): Promise<void> {
  mkdirSync(join(dir, "images"), { recursive: true });
  const lines = ["img,split,a,b,c"];
  for (let i = 0; i < count; i++) {
    const name = `images/${i}.png`;
    const pixels = Uint8Array.from({ length: 224 * 224 * 3 }, (_, at) => (at * 31 + i * 97 + ((at * i) >> 5)) & 255);
    await sharp(pixels, { raw: { width: 224, height: 224, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toFile(join(dir, name));
    lines.push(`${name},${i % 8 === 7 ? "valid" : "train"},${i % 2},${i % 3 === 0 ? 1 : 0},${i % 5 === 0 ? 1 : 0}`);
  }
  writeFileSync(join(dir, "labels.csv"), lines.join("\n"));
  writeFileSync(join(dir, "package.json"), '{"type": "module"}');
}

const OPTIONS = { encoding: "utf8", maxBuffer: 2 ** 28 } as const;

function cool<T>(...args: readonly string[]): T {
  return JSON.parse(execFileSync(process.execPath, [join(ROOT, "bin", "run.js"), ...args, "--json"], OPTIONS)) as T;
}

/** Rows per second of the training part of an epoch, the median over the epochs of a run but its first. */
function train(dir: string, epochs: number, ...settings: readonly string[]): number {
  const assigned = settings.flatMap((setting) => ["--set", setting]);
  const args = ["run", dir, "--epochs", String(epochs), "--backend", flags.backend, ...assigned];
  const { run } = cool<{ readonly run: { readonly id: string } }>(...args);
  const query = `select value from metric_points where run_id = '${run.id}' and task_path = '_total' and metric_name = 'rows_per_second' order by epoch`;
  const { rows } = cool<{ readonly rows: readonly (readonly number[])[] }>("sql", query, "--project", dir);
  return median(rows.slice(1).map(([speed]) => speed ?? Number.NaN));
}

interface Round {
  readonly head: string;
  readonly running: number;
  readonly cached: number;
}

warnIfBusy();
await openBackend("cpu");
const dir = mkdtempSync(join(tmpdir(), "bench-frozen-"));
try {
  await writePictures(dir, Number(flags.pictures));
  await writeBackbone(join(dir, "backbone"));
  const rounds: Round[] = [];
  for (let round = 1; round <= Number(flags.rounds); round++) {
    for (const [head, layers] of Object.entries(HEADS)) {
      writeFileSync(join(dir, "cool.config.ts"), config(layers));
      const running = train(dir, 2, "train.featureCache=null");
      const cached = train(dir, 12);
      rounds.push({ head, running, cached });
      printProgress(`round ${round}/${flags.rounds}, ${head}: ${running.toFixed(1)} and ${cached.toFixed(0)} rows/s`);
    }
  }
  const results = Object.keys(HEADS).map((head) => {
    const own = rounds.filter((each) => each.head === head);
    const of = (value: (each: Round) => number): number => median(own.map(value));
    return {
      head,
      running_rows_per_second: of(({ running }) => running),
      cached_rows_per_second: of(({ cached }) => cached),
      ratio: of(({ running, cached }) => cached / running),
    };
  });
  const table = new Table({
    head: ["behind the backbone", "trunk in every step, rows/s", "cached features, rows/s", "ratio"],
    colAligns: ["left", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const { head, running_rows_per_second: running, cached_rows_per_second: cached, ratio } of results) {
    table.push([head, running.toFixed(1), cached.toFixed(0), ratio.toFixed(1)]);
  }
  print(table.toString());
  printProgress(`Written to ${writeResults("frozen", { ...flags, results, rounds })}.`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
