/**
 * @file Fills a store with runs as training makes them, many thousand a second: rows of whole tables at a time, of
 * the schema that `openRunStore` makes.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../src/storage/database/database.js";
import { insertion } from "../../src/storage/tables/columns.js";
import { openRunStore } from "../../src/storage/run-store.js";

const TASKS = ["camera_blocked", "door_open", "door_locked", "person.person_present", "person.shirt"] as const;
const METRICS = ["loss", "accuracy", "f1_score"] as const;
const EPOCHS = 10;
/** 2026-01-01, from which on a run begins every five minutes. */
const FIRST_START = Date.UTC(2026, 0, 1);

type Row = Readonly<Record<string, string | number | null>>;

/**
 * Runs of five tasks × three metrics × two splits = 30 curves of ten points; evaluated on two splits with true gates and
 * end to end (60 rows); 28 settings and 18 facts about the machine each; a third has tags, one in fifty is in the trash,
 * one in a hundred failed, a few crashed, and every twentieth five are folds of a group.
 */
export function fillStore(dir: string, runs: number): void {
  openRunStore(dir).close();
  const database = openDatabase(join(dir, "cool.db"));
  // what is written again and again stays in memory: 1 GB
  database.pragma("cache_size = -1000000");
  const insert = insertion("runs", Object.keys(runRow(0)));
  database.write(() => {
    for (let run = 0; run < runs; run++) {
      database.run(insert, runRow(run));
      for (const sql of OF_EACH_RUN) database.run(sql, { run, runId: runId(run) });
    }
    fillMeasurements(database);
    fillGroups(database);
  });
  for (let run = 0; run < runs; run++) mkdirSync(join(dir, "runs", runId(run)), { recursive: true });
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.close();
}

/** The id of the run with this number, as `newRunId` makes them. */
export function runId(run: number): string {
  const [date = "", time = ""] = startOf(run).replace(/[-:]/g, "").split(/[T.]/);
  return `${date}-${time}-${(run % 36 ** 4).toString(36).padStart(4, "0")}`;
}

function startOf(run: number): string {
  return new Date(FIRST_START + run * 300_000).toISOString();
}

function runRow(run: number): Row {
  const startedAt = startOf(run);
  const endedAt = new Date(FIRST_START + run * 300_000 + 120_000 + (run % 60) * 1000).toISOString();
  const state =
    run % 20_000 === 7 ? "running" : run % 100 === 3 ? "failed" : run % 100 === 4 ? "interrupted" : "finished";
  return {
    ...{ id: runId(run), name: `${["door", "camera", "base"][run % 3]}-${run}`, project: "security", state },
    ...{ heartbeatAt: endedAt, pid: 1000 + (run % 30_000), host: "bench", processStart: null },
    ...{ gitCommit: hex(Math.floor(run / 40), 40), gitBranch: run % 7 === 0 ? "wide" : "main", gitDirty: run % 2 },
    commandLine: `cool run --name door-${run} --set train.batchSize=${16 * 2 ** (run % 3)}`,
    ...{ seed: run, backend: "wasm", backendVersion: "4.22.0", epochs: EPOCHS, epochsDone: EPOCHS, bestEpoch: EPOCHS },
    ...{ createdAt: startedAt, startedAt, endedAt: state === "running" ? null : endedAt },
    error: state === "failed" ? "labels.csv has no column shirt; the nearest is shirts." : null,
    note: run % 50 === 0 ? "the network with twice the filters, once more" : null,
    deletedAt: run % 50 === 1 ? endedAt : null,
    ...{ nodeVersion: "20.20.0", packageVersion: "0.1.0", starred: run % 200 === 0 ? 1 : 0 },
    ...{ dataDigest: hex(Math.floor(run / 1000), 64), sourceDigest: hex(Math.floor(run / 20), 64) },
  };
}

/** In [0, 1), and of multiples of the golden section spread evenly. */
const fraction = (of: string): string => `(${of} - floor(${of}))`;

const number = (sql: string | number) => ["number", String(sql)] as const;
const text = (value: string) => ["string", `'${value}'`] as const;

/** Values as SQL, in which `@run` is the run's number. */
const SETTINGS = {
  "train.epochs": number(EPOCHS),
  "train.batchSize": number("(16 << (@run % 3))"),
  "train.seed": number("@run"),
  "train.monitor": text("_total/loss"),
  "train.patience": number(5),
  "train.optimizer.kind": ["string", "iif(@run % 2, 'sgd', 'adamw')"],
  "train.optimizer.learningRate": number(`pow(10, 2 * ${fraction("@run * 0.6180339887")} - 4)`),
  "train.optimizer.weightDecay": number(0.01),
  "train.optimizer.clipNorm": ["null", "'null'"],
  "train.schedule.kind": text("cosine"),
  "train.schedule.warmupSteps": number(100),
  "model.trunk.filters": number("(16 << (@run % 3))"),
  "model.trunk.layers": number("2 + @run % 4"),
  "model.trunk.activation": text("relu"),
  "model.dropout": number("@run % 6 / 10.0"),
  "model.heads.units": number(32),
  "data.table": text("labels.csv"),
  "data.split.train": number(0.8),
  "data.split.valid": number(0.1),
  "data.split.test": number(0.1),
  "data.image.size": number(64),
  "data.image.crop": ["boolean", "'false'"],
  "data.impliedLabels": ["boolean", "'true'"],
  "augment.flip": number(0.5),
  "augment.rotate": number(10),
  "augment.brightness": number(0.2),
  "evaluate.tolerance": number(0.05),
  "log.imagesEvery": number(5),
} as const satisfies Values;

const PACKAGES = [
  "@tensorflow/tfjs",
  "better-sqlite3",
  "@duckdb/node-api",
  "sharp",
  "zod",
  "jiti",
  "dnn-cool",
  "oclif",
];

const ENVIRONMENT: Values = {
  "cpu.model": ["string", "'bench ' || @run % 4"],
  "cpu.count": number("2 + @run % 4"),
  "memory.total": number(8_000_000_000),
  ...{ node: text("20.20.0"), "os.name": text("linux"), "os.release": text("6.1.0"), "os.arch": text("x64") },
  ...{ user: text("bench"), timezone: text("UTC"), locale: text("en") },
  ...Object.fromEntries(PACKAGES.map((name, i) => [`packages.${name}`, text(`${i}.4.2`)])),
};

type Values = Readonly<Record<string, readonly [type: "number" | "string" | "boolean" | "null", sql: string]>>;

const OF_EACH_RUN: readonly string[] = [
  `INSERT INTO run_config (run_id, key, type, value) ${valuesOf(SETTINGS)}`,
  `INSERT INTO run_environment (run_id, key, type, value) ${valuesOf(ENVIRONMENT)}`,
  "INSERT INTO run_tags (run_id, tag) SELECT @runId, iif(@run % 3, 'week-' || @run / 2000, 'good')",
  "INSERT INTO run_tags (run_id, tag) SELECT @runId, 'tenth' WHERE @run % 10 = 0",
];

function valuesOf(values: Values): string {
  return Object.entries(values)
    .map(([key, [type, sql]]) => `SELECT @runId, '${key}', '${type}', CAST(${sql} AS TEXT)`)
    .join(" UNION ALL ");
}

function hex(number: number, length: number): string {
  return (number * 2_654_435_761).toString(16).padStart(length, "0").slice(-length);
}

/** The final value of a run's curve. */
const FINAL = fraction("(runs.seed * 0.6180339887 + curve.number * 0.7548776662)");

const CURVES = `curve (number, split, task_path, metric_name) AS (VALUES ${["train", "valid"]
  .flatMap((split) => TASKS.flatMap((task) => METRICS.map((metric) => [split, task, metric])))
  .map(([split, task, metric], i) => `(${i}, '${split}', '${task}', '${metric}')`)
  .join(", ")})`;

function fillMeasurements(database: ReturnType<typeof openDatabase>): void {
  database.exec(`WITH ${CURVES} INSERT INTO metric_series (run_id, split, task_path, metric_name)
    SELECT runs.id, split, task_path, metric_name FROM runs CROSS JOIN curve ORDER BY runs.seq, number`);
  database.exec(`INSERT INTO metric_series (run_id, split, task_path, metric_name)
    SELECT id, split, '_total', 'loss' FROM runs CROSS JOIN (SELECT 'train' AS split UNION ALL SELECT 'valid')
    ORDER BY runs.seq`);
  database.exec(`WITH RECURSIVE epoch (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM epoch WHERE number < ${EPOCHS})
    INSERT INTO series_points (series_id, step, epoch, value, wall_time)
    SELECT id, 75 * number, number, 1.0 / (1 + number) + ${fraction("(id * 0.6180339887)")}, 1.8e9 + number
    FROM metric_series CROSS JOIN epoch ORDER BY id, number`);
  database.exec(`UPDATE metric_series SET last_value =
    (SELECT value FROM series_points WHERE series_id = metric_series.id ORDER BY step DESC LIMIT 1)`);
  database.exec(`UPDATE runs SET monitored = (SELECT last_value FROM metric_series
    WHERE run_id = runs.id AND split = 'valid' AND task_path = '_total' AND metric_name = 'loss')`);
  database.exec(`WITH ${CURVES},
    frame (split, gates) AS (VALUES ('valid', 'truth'), ('valid', 'end_to_end'), ('test', 'truth'), ('test', 'end_to_end'))
    INSERT INTO evaluation
      (run_id, split, gates, task_path, metric_name, metric_res, num_samples, baseline, beats_baseline, interval_low, interval_high)
    SELECT runs.id, frame.split, gates, task_path, metric_name, ${FINAL}, 300, 0.3, 1, ${FINAL} - 0.02, ${FINAL} + 0.02
    FROM runs CROSS JOIN frame CROSS JOIN curve WHERE curve.split = 'valid' AND runs.state != 'failed'
    ORDER BY runs.seq, frame.split, gates, number`);
  database.exec(`INSERT INTO thresholds (run_id, task_path, label_index, label, metric_name, value)
    SELECT id, task, 0, NULL, 'f1_score', 0.5 FROM runs CROSS JOIN (${TASKS.slice(0, 4)
      .map((task) => `SELECT '${task}' AS task`)
      .join(" UNION ALL ")})`);
  database.exec(`INSERT INTO artifacts (run_id, path, bytes, sha256)
    SELECT id, path, 100000, hex(zeroblob(32)) FROM runs CROSS JOIN
      (SELECT 'config.json' AS path UNION ALL SELECT 'graph.json' UNION ALL SELECT 'checkpoints/best/weights.bin' UNION ALL SELECT 'predictions/valid.parquet')`);
}

/** Five folds of every hundred runs. */
function fillGroups(database: ReturnType<typeof openDatabase>): void {
  database.exec(`INSERT INTO run_groups (id, kind, project, name, planned, created_at, ended_at)
    SELECT 'group-' || id, 'folds', project, 'folds-' || seed, 5, created_at, ended_at FROM runs WHERE seed % 100 = 10`);
  database.exec(`INSERT INTO group_runs (group_id, run_id, position)
    SELECT 'group-' || first.id, runs.id, runs.seed - first.seed FROM runs AS first
    JOIN runs ON runs.seq BETWEEN first.seq AND first.seq + 4 WHERE first.seed % 100 = 10`);
}
