/**
 * @file Rows per second, and the processor's time, of a run whose trunk is frozen: the trunk in every step, and its
 * features computed once and cached. Uses the built command line: run `npm run build` before.
 */
import { spawnSync } from "node:child_process";
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
    head: { type: "string" },
  },
});

/** What is behind the backbone's map. */
const HEADS = {
  "pooled features": "sequential([layers.globalAveragePooling2d({})])(map, layers)",
  "the map and 32 units":
    'sequential([layers.flatten(), layers.dense({ units: 32, activation: "relu" })])(map, layers)',
  "mapFeatures, all places": 'mapFeatures({ pool: "flatten" })(map, layers)',
  "mapFeatures, 1 × 1 and 32 units": 'mapFeatures({ pool: "flatten", channels: 32, units: 32 })(map, layers)',
  "pooled, beside numbers": "mlp({ units: [64] })(concatenate([mapFeatures()(map, layers), numbers], layers), layers)",
} as const;

const config = (head: string): string => `
import { binary, concatenate, defineProject, defineTasks, image, mapFeatures, mlp, numeric, pretrained, sequential } from "dnn-cool";
void [concatenate, mapFeatures, mlp, numeric, sequential];
const tasks = defineTasks({ features: ["f"], tasks: { a: binary(), b: binary(), c: binary() } }).flow("all", (flow, x, out) => {
  out.add(flow.a(x.f));
  out.add(flow.b(x.f).given(out.a));
  out.add(flow.c(x.f).given(out.a.not()));
});
export default defineProject({
  name: "frozen",
  tasks,
  flow: "all",
  data: { table: "labels.csv", inputs: { image: image({ column: "img", size: [224, 224] })${head.includes("numbers") ? ', numbers: numeric({ columns: ["a", "b", "c"] })' : ""} }, split: { column: "split" } },
  trunk: ({ image${head.includes("numbers") ? ", numbers" : ""} }, layers) => {
    const map = pretrained({ model: "backbone", input: { range: [-1, 1] } })(image, layers);
    return { f: ${head} };
  },
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

/** Tells the processor's time of a process as it ends. */
const CPU_TIME =
  "data:text/javascript,process.on('exit',()=>{const{user,system}=process.cpuUsage();process.stderr.write('CPU '+(user+system)/1e6)})";

interface Answered<T> {
  readonly answer: T;
  readonly cpuSeconds: number;
}

function cool<T>(...args: readonly string[]): Answered<T> {
  const command = ["--import", CPU_TIME, join(ROOT, "bin", "run.js"), ...args, "--json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`cool ${args.join(" ")} ends with ${status}: ${stderr}`);
  return { answer: JSON.parse(stdout) as T, cpuSeconds: Number([...stderr.matchAll(/CPU ([\d.]+)/g)].at(-1)?.[1]) };
}

interface Trained {
  /** Of the training part of an epoch, by the clock: the median over the epochs but the first. */
  readonly rowsPerSecond: number;
  readonly cpuSeconds: number;
}

function train(dir: string, epochs: number, ...settings: readonly string[]): Trained {
  const assigned = settings.flatMap((setting) => ["--set", setting]);
  const args = ["run", dir, "--epochs", String(epochs), "--backend", flags.backend, ...assigned];
  const { answer, cpuSeconds } = cool<{ readonly run: { readonly id: string } }>(...args);
  const query = `select value from metric_points where run_id = '${answer.run.id}' and task_path = '_total' and metric_name = 'rows_per_second' order by epoch`;
  const { rows } = cool<{ readonly rows: readonly (readonly number[])[] }>("sql", query, "--project", dir).answer;
  return { rowsPerSecond: median(rows.slice(1).map(([speed]) => speed ?? Number.NaN)), cpuSeconds };
}

/** A short and a long run: what the long one takes more is that of its further epochs alone, each with its validation. */
const EPOCHS = { running: [1, 3], cached: [2, 32] } as const;

/** Seconds of the processor for an epoch. */
function cpuPerEpoch(short: Trained, long: Trained, [few, many]: readonly [number, number]): number {
  return (long.cpuSeconds - short.cpuSeconds) / (many - few);
}

interface Round {
  readonly head: string;
  readonly running: number;
  readonly cached: number;
  readonly running_cpu: number;
  readonly cached_cpu: number;
}

/** Both sides in turns, as other work on the machine comes and goes. */
function measure(dir: string, head: string): Round {
  const running = (epochs: number): Trained => train(dir, epochs, "train.featureCache=null");
  const [runningShort, cachedShort] = [running(EPOCHS.running[0]), train(dir, EPOCHS.cached[0])];
  const [runningLong, cachedLong] = [running(EPOCHS.running[1]), train(dir, EPOCHS.cached[1])];
  return {
    head,
    running: runningLong.rowsPerSecond,
    cached: cachedLong.rowsPerSecond,
    running_cpu: cpuPerEpoch(runningShort, runningLong, EPOCHS.running),
    cached_cpu: cpuPerEpoch(cachedShort, cachedLong, EPOCHS.cached),
  };
}

/** All, or those that are named so. */
const chosen = Object.entries(HEADS).filter(([head]) => head.includes(flags.head ?? ""));

warnIfBusy();
await openBackend("cpu");
const dir = mkdtempSync(join(tmpdir(), "bench-frozen-"));
try {
  await writePictures(dir, Number(flags.pictures));
  await writeBackbone(join(dir, "backbone"));
  const rounds: Round[] = [];
  for (let round = 1; round <= Number(flags.rounds); round++) {
    for (const [head, layers] of chosen) {
      writeFileSync(join(dir, "cool.config.ts"), config(layers));
      // features are computed once, before anything is measured
      if (rounds.length === 0) train(dir, 1);
      const own = measure(dir, head);
      rounds.push(own);
      const { running, cached, running_cpu, cached_cpu } = own;
      printProgress(
        `round ${round}/${flags.rounds}, ${head}: ${running.toFixed(1)} and ${cached.toFixed(0)} rows/s, ${running_cpu.toFixed(2)} and ${cached_cpu.toFixed(3)} CPU-s per epoch`,
      );
    }
  }
  const results = chosen.map(([head]) => {
    const own = rounds.filter((each) => each.head === head);
    const of = (value: (each: Round) => number): number => median(own.map(value));
    return {
      head,
      running_rows_per_second: of(({ running }) => running),
      cached_rows_per_second: of(({ cached }) => cached),
      ratio: of(({ running, cached }) => cached / running),
      running_cpu_seconds_per_epoch: of(({ running_cpu }) => running_cpu),
      cached_cpu_seconds_per_epoch: of(({ cached_cpu }) => cached_cpu),
      cpu_ratio: of(({ running_cpu, cached_cpu }) => running_cpu / cached_cpu),
    };
  });
  const table = new Table({
    head: [
      "behind the backbone",
      "in every step, rows/s",
      "cached, rows/s",
      "ratio",
      "CPU-s per epoch",
      "ratio in CPU-s",
    ],
    colAligns: ["left", "right", "right", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const own of results) {
    const cpu = `${own.running_cpu_seconds_per_epoch.toFixed(2)} → ${own.cached_cpu_seconds_per_epoch.toFixed(3)}`;
    const speeds = [own.running_rows_per_second.toFixed(1), own.cached_rows_per_second.toFixed(0)];
    table.push([own.head, ...speeds, own.ratio.toFixed(1), cpu, own.cpu_ratio.toFixed(1)]);
  }
  print(table.toString());
  printProgress(`Written to ${writeResults("frozen", { ...flags, results, rounds })}.`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
