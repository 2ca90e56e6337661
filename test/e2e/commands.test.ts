/** @file Every command on one small project, in the order in which a user meets them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDir } from "../storage/support.js";
import { cool, coolJson } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

interface Row {
  readonly split: string;
  readonly task_path: string;
  readonly metric_name: string;
  readonly metric_res: number | null;
  readonly num_samples: number;
  readonly gates: string;
}
interface RunOutput {
  readonly run: { readonly id: string; readonly name: string; readonly state: string; readonly dir: string };
  readonly thresholds: Readonly<Record<string, number | readonly number[]>>;
  readonly evaluation: readonly Row[];
}
interface Node {
  readonly path: string;
  readonly decoded: readonly unknown[];
  readonly activated: readonly number[];
  readonly logits: readonly number[];
  readonly children: readonly Node[];
}

const TASKS = ["blocked", "present", "square.color", "square.marks", "square.position.x"];

let project: TinyProject;
/** Two runs with the same seed and one with other settings. */
let first: RunOutput;
let again: RunOutput;
let other: RunOutput;
const inProject = (...args: string[]) => [...args, "--project", project.dir];

beforeAll(async () => {
  project = await tinyProject();
  first = await coolJson<RunOutput>(["run", project.dir, "--name", "base"]);
  again = await coolJson<RunOutput>(["run", project.dir, "--name", "again"]);
  other = await coolJson<RunOutput>([
    "run",
    project.dir,
    "--name",
    "wide",
    ...["--tag", "broad", "--tag", "trial", "--note", "twice the width"],
    ...["--on-finish", 'printf "%s %s" "$COOL_RUN_NAME" "$COOL_RUN_STATE" > "$COOL_RUN_DIR/hook.txt"'],
    "--set",
    "train.batchSize=12",
    "--seed",
    "8",
  ]);
});
afterAll(() => project.remove());

describe("cool check", () => {
  it("prints the flow as a tree with preconditions, and the labels of each task", async () => {
    const { code, stdout } = await cool(["check", project.dir]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      [
        "full",
        "├── blocked  [binary, features]",
        "├── present | not blocked  [binary, features]",
        "└── square | present  (flow)",
        "    ├── color  [classification, features]",
        "    ├── marks  [multilabel, features]",
        "    └── position | not square.color is blue  (flow)",
        "        └── x  [boundedRegression, place]",
      ].join("\n"),
    );
    expect(stdout).toMatch(/blocked\s+│ train │\s+36 │\s+36 │\s+36 │\s+36 │\s+0 │\s+0 │/);
  });

  it("prints the graph and the label report as JSON", async () => {
    const check = await coolJson<{ graph: { tasks: { path: string }[] }; labels: { rows: Record<string, unknown>[] } }>(
      ["check", project.dir],
    );
    expect(check.graph.tasks.map(({ path }) => path)).toEqual(TASKS);
    const blocked = check.labels.rows.filter(({ task_path }) => task_path === "blocked");
    expect(blocked.map(({ split, rows }) => [split, rows])).toEqual([
      ["train", 36],
      ["valid", 12],
      ["test", 12],
    ]);
  });
});

describe("cool run", () => {
  it("prints one JSON document: run, thresholds and an evaluation of every task, split and kind of gates", () => {
    expect(first.run).toEqual({
      id: expect.stringMatching(/^\d{8}-\d{6}-[a-z0-9]{4}$/),
      name: "base",
      state: "finished",
      dir: join(project.dir, ".cool", "runs", first.run.id),
      backend: expect.any(String),
      seed: 7,
      epochs: 2,
      best_epoch: expect.any(Number),
    });
    expect(Object.keys(first.thresholds)).toEqual(["blocked", "present", "square.marks"]);
    expect(first.thresholds["square.marks"]).toHaveLength(2);
    for (const split of ["train", "valid", "test"]) {
      for (const gates of ["truth", "predicted", "end_to_end"]) {
        const rows = first.evaluation.filter((row) => row.split === split && row.gates === gates);
        expect([...new Set(rows.map((row) => row.task_path))]).toEqual([...TASKS, "_total"]);
      }
    }
    const [row] = first.evaluation;
    const keys = ["split", "task_path", "metric_name", "metric_res", "num_samples", "gates"];
    expect(Object.keys(row ?? {})).toEqual([...keys, "baseline", "beats_baseline", "interval"]);
  });

  it("counts in each task's evaluation the rows that its labels make active", () => {
    const { rows } = project;
    const active: Record<string, number> = {
      blocked: rows.length,
      present: rows.filter((row) => !row.blocked).length,
      "square.color": rows.filter((row) => row.color !== null).length,
      "square.marks": rows.filter((row) => row.color !== null).length,
      "square.position.x": rows.filter((row) => row.color !== null && row.color !== "blue").length,
    };
    const counted = TASKS.map((path) => [
      path,
      first.evaluation
        .filter((row) => row.task_path === path && row.metric_name === "loss" && row.gates === "truth")
        .reduce((sum, row) => sum + row.num_samples, 0),
    ]);
    expect(Object.fromEntries(counted)).toEqual(active);
  });

  it("leaves a folder that holds everything about the run", () => {
    const { dir } = first.run;
    const files = readdirSync(dir, { recursive: true }).map(String);
    expect(files).toEqual(
      expect.arrayContaining([
        "config.json",
        "graph.json",
        "stdout.log",
        "checkpoints/best/model.json",
        "checkpoints/best/weights.bin",
        "checkpoints/last/model.json",
        "checkpoints/last/weights.bin",
        "checkpoints/last/optimizer.bin",
        "predictions/train.parquet",
        "predictions/valid.parquet",
        "predictions/test.parquet",
      ]),
    );
    for (const split of ["train", "valid", "test"]) {
      expect(readdirSync(join(dir, split)).filter((name) => name.includes("tfevents"))).toHaveLength(1);
    }
    expect(readFileSync(join(dir, "stdout.log"), "utf8")).toMatch(/epoch 2\/2 {2}train loss/);
    expect(files.filter((name) => /writing|\.old$/.test(name))).toEqual([]);
  });

  it("stores predictions as one row per sample and task", async () => {
    const rows = await select(
      `SELECT task_path, count(*)::INT AS rows FROM '${first.run.dir}/predictions/test.parquet' GROUP BY ALL ORDER BY 1`,
    );
    expect(rows).toEqual(TASKS.map((path) => [path, 12]));
  });

  it("ends with byte-identical weights for the same seed, and others for another", () => {
    const weights = (run: RunOutput) => readFileSync(join(run.run.dir, "checkpoints", "last", "weights.bin"));
    expect(weights(again).equals(weights(first))).toBe(true);
    expect(weights(other).equals(weights(first))).toBe(false);
  });

  it("prints the evaluation table of the test split where JSON is not asked for", async () => {
    const { code, stdout, stderr } = await cool(["run", project.dir, "--epochs", "1"]);
    expect(code).toBe(0);
    // a metric's name is long here: what would make the table wider than a terminal is said elsewhere
    expect(stdout).toMatch(/│ test\s+│\s+true │\s+n │\s+constant │\s+end to │\s+n │/);
    expect(stdout).toContain("predicted gates: cool evaluate --gates predicted");
    expect(stdout).toMatch(/│ square\.position\.\w+\s+│\n│ {3}loss\s+│/);
    for (const line of stdout.split("\n").filter((text) => /^[│┌├└]/.test(text))) expect(line.length).toBeLessThan(80);
    expect(stderr).toMatch(/^epoch 1\/1 {2}train loss \d+\.\d{4} {2}valid loss \d+\.\d{4} \*/m);
    // all that was seen is kept
    const { run } = await coolJson<RunOutput>(inProject("runs", "show", "latest"));
    expect(readFileSync(join(run.dir, "stdout.log"), "utf8")).toBe(`${stderr}${stdout}`);
  });
});

describe("the name of a run", () => {
  it.each(["id", "prefix", "name", "latest"] as const)("may be its %s", async (kind) => {
    const latest = await coolJson<{ run: { id: string } }>(inProject("runs", "show", "latest"));
    const { id } = kind === "latest" ? latest.run : other.run;
    const reference = { id, prefix: id.slice(0, -1), name: "wide", latest: "latest" }[kind];
    const { run } = await coolJson<{ run: { id: string } }>(inProject("runs", "show", reference));
    expect(run.id).toBe(id);
  });

  it("is answered with the nearest ones where there is no such run", async () => {
    const { code, stdout } = await cool(inProject("evaluate", "baes", "--json"));
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: "UnknownNameError",
      message: 'No run named "baes". Did you mean "base"?',
      facts: { kind: "run", name: "baes", nearest: ["base"] },
    });
  });
});

describe("cool runs", () => {
  it("lists the runs, newest first", async () => {
    const { runs } = await coolJson<{ runs: { name: string; state: string; epochs_done: number }[] }>(
      inProject("runs", "list"),
    );
    const named = runs.filter(({ name }) => ["base", "again", "wide"].includes(name));
    expect(named.map(({ name }) => name)).toEqual(["wide", "again", "base"]);
    expect(named.every(({ state, epochs_done }) => state === "finished" && epochs_done === 2)).toBe(true);
    const { stdout } = await cool(inProject("runs", "list"));
    expect(stdout).toMatch(new RegExp(`│ ${first.run.id} │ base\\s+│\\s+[\\d.]+ │ finished │\\s+2/2 │`));
  });

  it("shows one run with its settings, thresholds and evaluation", async () => {
    const { run } = await coolJson<{ run: Record<string, unknown> }>(inProject("runs", "show", "wide"));
    expect(run).toMatchObject({ tags: ["broad", "trial"], note: "twice the width" });
    expect(readFileSync(join(other.run.dir, "hook.txt"), "utf8")).toBe("wide finished");
    expect(run).toMatchObject({ id: other.run.id, seed: 8, thresholds: other.thresholds, skipped: 0 });
    expect(run.config).toMatchObject({ "train.batchSize": 12, "train.epochs": 2 });
    expect(run.evaluation).toEqual(expect.arrayContaining([...other.evaluation]));
    const { stdout } = await cool(inProject("runs", "show", "wide"));
    expect(stdout.trimEnd().split("\n").length).toBeLessThan(24);
    expect(stdout).toMatch(/^run +wide +\d{8}-.*^tags +broad, trial$.*^note +twice the width$.*│ blocked /ms);
    for (const line of stdout.split("\n")) if (!line.startsWith("folder")) expect(line.length).toBeLessThanOrEqual(80);
    expect((await cool(inProject("runs", "show", "wide", "--all"))).stdout).toContain("train.optimizer.beta1");
  });

  it("hands out a file of a run, and lists them all", async () => {
    const { artifacts } = await coolJson<{ artifacts: { path: string }[] }>(inProject("runs", "artifact", "wide"));
    const file = "checkpoints/best/model.json";
    expect(artifacts.map(({ path }) => path)).toEqual(expect.arrayContaining([file, "predictions/test.parquet"]));
    const to = join(temporaryDir(), "model.json");
    expect((await cool(inProject("runs", "artifact", "wide", file, "--to", to))).stdout).toContain("is copied to");
    expect(readFileSync(to, "utf8")).toBe(readFileSync(join(other.run.dir, file), "utf8"));
  });

  it("are compared by the settings and metrics in which they differ", async () => {
    const comparison = await coolJson<{
      runs: { name: string }[];
      params: { key: string; values: unknown[] }[];
      metrics: {
        split: string;
        task_path: string;
        metric_name: string;
        gates: string;
        values: number[];
        best: number;
      }[];
    }>(inProject("compare", "runs", "base", "wide"));
    expect(comparison.runs.map(({ name }) => name)).toEqual(["base", "wide"]);
    expect(comparison.params).toContainEqual({ key: "train.batchSize", values: [8, 12] });
    const loss = comparison.metrics.find(
      (metric) => metric.split === "test" && metric.task_path === "_total" && metric.gates === "truth",
    );
    const totalOf = ({ evaluation }: RunOutput) =>
      evaluation.find((row) => row.split === "test" && row.task_path === "_total" && row.gates === "truth")?.metric_res;
    expect(loss?.values).toEqual([totalOf(first), totalOf(other)]);
    expect(loss?.best).toBe((loss?.values[0] ?? 0) <= (loss?.values[1] ?? 0) ? 0 : 1);
    const { stdout } = await cool(inProject("compare", "runs", "base", "wide"));
    expect(stdout).toMatch(/│ train\.batchSize\s+│ 8\s+│ 12\s+│/);
  });
});

describe("cool check --against", () => {
  it("compares two finished runs task by task, and fails with exit code 1 where one is worse", async () => {
    const checked = await cool(inProject("check", "--against", "base", "--run", "wide", "--margin", "0.9", "--json"));
    const result: { passed: boolean; tasks: { task_path: string; worse: boolean }[] } = JSON.parse(checked.stdout);
    expect(result.tasks.map(({ task_path }) => task_path)).toContain("square.color");
    expect(checked.code).toBe(result.passed ? 0 : 1);
    expect((await cool(inProject("check", "--against", "base", "--run", "base"))).stderr).toContain("are the same run");
  });
});

describe("cool evaluate", () => {
  it("shows intervals, and slices by a column of the run's table", async () => {
    const { stdout } = await cool(inProject("evaluate", "base", "--intervals"));
    expect(stdout).toMatch(/accuracy +│ +\d\.\d{4} │ \d\.\d{4} to \d\.\d{4} │/);
    const { slices } = await coolJson<{ slices: { slices: (Row & { slice: object; interval: unknown })[] } }>(
      inProject("evaluate", "base", "--by", "present", "--worst", "2"),
    );
    expect(slices.slices.map(({ slice }) => slice)).toContainEqual({ present: "1" });
    const unknown = await cool(inProject("evaluate", "base", "--by", "presnt"));
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('Did you mean "present"?');
  });

  it("repeats what the run found, and selects a split and a kind of gates", async () => {
    const { evaluation } = await coolJson<{ evaluation: Row[] }>(inProject("evaluate", "base"));
    expect(evaluation).toEqual(first.evaluation);
    const some = await coolJson<{ evaluation: Row[] }>(
      inProject("evaluate", "base", "--split", "valid", "--gates", "predicted"),
    );
    expect(some.evaluation).toEqual(
      first.evaluation.filter((row) => row.split === "valid" && row.gates === "predicted"),
    );
  });
});

describe("cool interpret", () => {
  it("lists the samples of lowest and highest loss", async () => {
    const { tasks } = await coolJson<{
      tasks: { task_path: string; best: { id: string; loss: number }[]; worst: { id: string; loss: number }[] }[];
    }>(inProject("interpret", "base", "--task", "square.color", "--split", "train", "--top", "2"));
    const ranked = await select(
      `SELECT sample, loss FROM '${first.run.dir}/predictions/train.parquet' WHERE task_path = 'square.color' AND active_by_truth AND label IS NOT NULL ORDER BY loss, "row"`,
    );
    expect(tasks).toHaveLength(1);
    expect(tasks[0]?.best.map(({ id, loss }) => [id, loss])).toEqual(ranked.slice(0, 2));
    expect(tasks[0]?.worst.map(({ loss }) => loss)).toEqual([ranked.at(-1)?.[1], ranked.at(-2)?.[1]]);
  });

  it("answers an unknown task with the nearest one, as wrong usage", async () => {
    const { code, stderr } = await cool(inProject("interpret", "base", "--task", "square.colour"));
    expect(code).toBe(2);
    expect(stderr).toContain('No task named "square.colour"');
    expect(stderr).toContain('Did you mean "square.color"?');
  });
});

describe("cool blame", () => {
  it("shares out what is lost end to end, and draws it", async () => {
    const out = join(project.dir, "blame.png");
    const { tasks, rows } = await coolJson<{
      tasks: { task_path: string; gap: number; end_to_end: number; gates: { share: number; missed_rows: number }[] }[];
      rows: { task_path: string; gate: string | null; error: string }[];
    }>(inProject("blame", "base", "--rows", "--out", out));
    expect(tasks.map(({ task_path }) => task_path)).toEqual(TASKS);
    for (const { task_path, gap, end_to_end, gates } of tasks) {
      expect(gates.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(gap ?? 0, 12);
      const row = first.evaluation.find(
        (one) => one.split === "test" && one.task_path === task_path && one.gates === "end_to_end",
      );
      expect(end_to_end).toBeCloseTo(row?.metric_res ?? Number.NaN, 12);
      const misses = rows.filter((one) => one.task_path === task_path && one.error === "misses");
      expect(misses).toHaveLength(gates.reduce((sum, { missed_rows }) => sum + missed_rows, 0));
    }
    expect((await sharp(out).metadata()).width).toBe(1100);
    const { stdout } = await cool(inProject("blame", "base"));
    expect(stdout).toMatch(/├── color .* of 100/);
  });

  it.each([
    [["--task", "square.colour"], 'Did you mean "square.color"?'],
    [["--split", "tests"], "test"],
    [["--out", "blame.gif"], "Use .png or .svg"],
  ])("refuses %s as wrong usage", async (flags, said) => {
    const { code, stderr } = await cool(inProject("blame", "base", ...flags));
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });
});

/** A task's line of an explanation in the form of the README. */
const LINE = /^│( {3}|│)*.*[├└]── \S+( \| decoded: \[.*\], activated: \[.*\]( [<≥] [\d.]+)?, logits: \[.*\])?$/;

describe("cool explain", () => {
  it("prints the questions asked of an image as a tree", async () => {
    const narrow = (await cool(inProject("explain", project.image(2), "--run", "base"))).stdout;
    for (const line of narrow.split("\n").slice(1)) expect(line.length).toBeLessThanOrEqual(80);
    const { code, stdout } = await cool(inProject("explain", project.image(2), "--run", "base", "--wide"));
    expect(code).toBe(0);
    const [input, ...lines] = stdout.trimEnd().split("\n");
    expect(input).toBe(`├── ${project.image(2)}`);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(LINE);
    expect(lines[0]).toMatch(
      /^│ {3}└── blocked \| decoded: \[(True|False)\], activated: \[[\d.e-]+\] [<≥] [\d.]+, logits: \[-?[\d.]+\]$/,
    );
  });

  it("prints nodes of path, kind, decoded, thresholds, activated, logits, probability and children as JSON", async () => {
    const { run, explanations } = await coolJson<{ run: string; explanations: { input: string; tree: Node[] }[] }>(
      inProject("explain", project.image(2), project.image(5), "--run", "base"),
    );
    expect(run).toBe(first.run.id);
    expect(explanations.map(({ input }) => input)).toEqual([project.image(2), project.image(5)]);
    const [root] = explanations[0]?.tree ?? [];
    expect(Object.keys(root ?? {})).toEqual([
      "path",
      "kind",
      "decoded",
      "thresholds",
      "activated",
      "logits",
      "joint_probability",
      "children",
    ]);
    expect(root?.path).toBe("blocked");
    const [logit = 0] = root?.logits ?? [];
    expect(root?.activated[0]).toBeCloseTo(1 / (1 + Math.exp(-logit)), 5);
    // a question is asked where its gate answers so
    const threshold = first.thresholds.blocked as number;
    const asked = (root?.children ?? []).map(({ path }) => path);
    expect(asked).toEqual((root?.activated[0] ?? 0) >= threshold ? [] : ["present"]);
  });
});

describe("cool predict", () => {
  it("answers questions about images", async () => {
    const result = await coolJson<{
      rows: number;
      out: null;
      predictions: { input: string; answers: Record<string, { decoded: unknown; activated: number[] }> }[];
    }>(inProject("predict", project.image(2), project.image(0), "--run", "base"));
    expect(result).toMatchObject({ rows: 2, out: null });
    const [one] = result.predictions;
    expect(one?.input).toBe(project.image(2));
    expect(typeof one?.answers.blocked?.decoded).toBe("boolean");
    expect(one?.answers.blocked?.activated).toHaveLength(1);
  });

  it.each([".parquet", ".csv", ".jsonl"])("answers a table without labels into a %s file", async (ending) => {
    const table = join(project.dir, "new.csv");
    writeFileSync(table, `img\n${project.rows.map(({ img }) => img).join("\n")}\n`);
    const out = join(project.dir, `answers${ending}`);
    const result = await coolJson<{ rows: number; out: string }>(
      inProject("predict", table, "--run", "base", "--out", out),
    );
    expect(result).toMatchObject({ rows: 60, out });
    const rows = await select(
      `SELECT input, blocked, "blocked/score"::DOUBLE, "square.color", present FROM '${out}' ORDER BY input`,
    );
    expect(rows.map(([input]) => input)).toEqual(project.rows.map(({ img }) => img));
    const threshold = first.thresholds.blocked as number;
    for (const [, blocked, score, , present] of rows) {
      expect(blocked).toBe((score as number) >= threshold);
      // not asked of a blocked view
      expect(present === null).toBe(blocked);
    }
    expect(readdirSync(project.dir).filter((name) => name.includes("writing"))).toEqual([]);
  });

  it("does not write over a table that is none of its own, unless it is told to", async () => {
    const out = join(project.dir, "mine.csv");
    writeFileSync(out, "a,b\n1,2\n");
    const asked = inProject("predict", project.image(2), "--run", "base", "--out", out);
    const { code, stderr } = await cool(asked);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/mine\.csv is there already, and is no table.*--force/)]);
    expect(readFileSync(out, "utf8")).toBe("a,b\n1,2\n");
    expect((await cool([...asked, "--force"])).code).toBe(0);
    // its own it writes over
    expect((await cool(asked)).code).toBe(0);
  });

  it("refuses an ending that names no format before any work", async () => {
    const { code, stderr } = await cool(inProject("predict", project.image(2), "--out", "answers.xls"));
    expect(code).toBe(2);
    expect(stderr).toBe("Error: answers.xls has no ending that names a table format. Use .parquet, .csv, .jsonl.\n");
  });

  it("leaves out bad images where it is asked to, and says how many", async () => {
    const args = inProject("predict", project.image(2), join(project.dir, "nix.png"), "--run", "base");
    const refused = await cool(args);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('nix.png" is not found');
    expect(await coolJson([...args, "--skip-bad-images"])).toMatchObject({ rows: 1, skipped: 1 });
  });
});

describe("cool tune", () => {
  it("finds thresholds for another metric and keeps them", async () => {
    const tuned = await coolJson<{
      split: string;
      thresholds: RunOutput["thresholds"];
      before: Row[];
      after: Row[];
    }>(inProject("tune", "again", "--metric", "accuracy"));
    expect(tuned.split).toBe("valid");
    const accuracy = (rows: readonly Row[], path: string) =>
      rows.find((row) => row.task_path === path && row.metric_name === "accuracy" && row.gates === "truth")
        ?.metric_res ?? Number.NaN;
    for (const path of ["blocked", "present"]) {
      expect(accuracy(tuned.after, path)).toBeGreaterThanOrEqual(accuracy(tuned.before, path));
    }
    const { run } = await coolJson<{ run: { thresholds: unknown; evaluation: Row[] } }>(
      inProject("runs", "show", "again"),
    );
    expect(run.thresholds).toEqual(tuned.thresholds);
    expect(JSON.parse(readFileSync(join(again.run.dir, "thresholds.json"), "utf8"))).toEqual(tuned.thresholds);
    const valid = run.evaluation.filter(
      (row) => row.split === "valid" && row.task_path !== "_total" && row.gates !== "end_to_end",
    );
    expect(valid).toEqual(expect.arrayContaining(tuned.after.map((row) => expect.objectContaining(row))));
    expect(valid).toHaveLength(tuned.after.length);
  });

  it("finds all thresholds together for what users get, and keeps them", async () => {
    const costs = join(project.dir, "costs.json");
    writeFileSync(costs, '{"missed": 3, "tasks": {"present": {"needless": 2}}}');
    const tuned = await coolJson<{
      method: string;
      thresholds: RunOutput["thresholds"];
      values: { split: string; separate: number; after: number }[];
      after: Row[];
    }>(inProject("tune", "again", "--end-to-end", "--cost", costs));
    expect(tuned.method).toBe("exact");
    expect(tuned.values.map(({ split }) => split)).toEqual(["valid", "test"]);
    expect(tuned.values[0]?.after).toBeLessThanOrEqual(tuned.values[0]?.separate ?? 0);
    expect(JSON.parse(readFileSync(join(again.run.dir, "thresholds.json"), "utf8"))).toEqual(tuned.thresholds);
    const { evaluation } = await coolJson<RunOutput>(inProject("evaluate", "again", "--gates", "end_to_end"));
    expect(evaluation.filter(({ split }) => split !== "train")).toMatchObject(tuned.after);
  });

  it.each([
    [["--cost", "costs.json"], "--end-to-end"],
    [["--end-to-end", "--metric", "recal"], 'Did you mean "recall"?'],
    [["--end-to-end", "--at-least", "presnt/recall=0.5"], 'Did you mean "present"?'],
  ])("refuses %s as wrong usage", async (flags, said) => {
    const { code, stderr } = await cool(inProject("tune", "again", ...flags));
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });

  it("answers an unknown metric with the ones there are, as wrong usage", async () => {
    const { code, stderr } = await cool(inProject("tune", "again", "--metric", "accurracy"));
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean "accuracy"?');
  });
});

describe("--coverage", () => {
  it("adds sets to explanations and predictions, and says how many rows it needs", async () => {
    const asked = ["--run", "base", "--coverage", "0.5"];
    const { explanations } = await coolJson<{
      explanations: { coverage: { trees: number; questions: Record<string, { set: unknown }> } }[];
    }>(inProject("explain", project.image(0), ...asked));
    expect(explanations[0]?.coverage.trees).toBeGreaterThanOrEqual(1);
    expect(explanations[0]?.coverage.questions.blocked?.set).toHaveProperty("answers");
    const out = join(project.dir, "sets.csv");
    expect((await cool(inProject("predict", project.image(0), ...asked, "--out", out))).code).toBe(0);
    expect(readFileSync(out, "utf8")).toMatch(/blocked\/set,present\/asked,present\/set,.*square\.position\.x\/low/);
    const { code, stderr } = await cool(inProject("explain", project.image(0), "--run", "base", "--coverage", "0.999"));
    expect(code).toBe(1);
    expect(stderr).toContain("needs at least 999 rows");
    expect((await cool(inProject("explain", project.image(0), "--coverage", "2"))).code).toBe(2);
  });
});

describe("cool calibrate", () => {
  it("makes scores of predictions probabilities that decide as before, and takes it back", async () => {
    const asked = () =>
      coolJson<{ predictions: { answers: Record<string, { decoded: unknown; activated: number[] }> }[] }>(
        inProject("predict", project.image(0), "--run", "wide"),
      );
    const before = (await asked()).predictions[0]?.answers;
    const { tasks, calibration } = await coolJson<{
      tasks: Record<string, { temperatures: number[] }>;
      calibration: { split: string; task_path: string; raw: number | null }[];
    }>(inProject("calibrate", "wide"));
    expect(Object.keys(tasks)).toEqual(["blocked", "present", "square.color", "square.marks"]);
    expect(new Set(calibration.map(({ split }) => split))).toEqual(new Set(["valid", "test"]));
    const after = (await asked()).predictions[0]?.answers;
    const [temperature = Number.NaN] = tasks.blocked?.temperatures ?? [];
    const odds = (p = Number.NaN): number => Math.log(p / (1 - p));
    expect(odds(after?.blocked?.activated[0])).toBeCloseTo(odds(before?.blocked?.activated[0]) / temperature, 4);
    const decoded = (answers: typeof before) =>
      Object.entries(answers ?? {}).map(([path, { decoded }]) => [path, decoded]);
    expect(decoded(after)).toEqual(decoded(before));
    expect((await cool(inProject("calibrate", "wide", "--method", "none"))).code).toBe(0);
    expect((await asked()).predictions[0]?.answers).toEqual(before);
  });
});

describe("cool drift", () => {
  it("ends with 0 without a drift, with 1 where there is one, and with 2 where nothing can be said", async () => {
    const same = await cool(inProject("drift", join(project.dir, "images"), "--run", "base", "--top", "2"));
    expect(same.stdout).toContain("no drift is seen in 60 rows");
    expect(Math.max(...same.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(same.code).toBe(0);
    const dim = join(project.dir, "dim");
    mkdirSync(dim);
    for (const [i] of project.rows.entries()) {
      await sharp(project.image(i))
        .linear(0.5, 0)
        .toFile(join(dim, `${i}.png`));
    }
    const changed = await cool(inProject("drift", dim, "--run", "base", "--json"));
    expect(changed.json).toMatchObject({ drift: true, rows: 60, alpha: 0.01 });
    expect(changed.code).toBe(1);
    const none = await cool(inProject("drift", join(project.dir, "nowhere.csv"), "--run", "base"));
    expect(none.stderr).toMatch(/^Error: There is no table/m);
    expect(none.code).toBe(2);
  });
});

describe("exports and models of others", () => {
  it("are evaluated on a table, and refused as a run where they are none", async () => {
    const [shipped, table] = [join(project.dir, "shipped"), join(project.dir, "labels.csv")];
    await coolJson(inProject("export", "base", "--format", "layers", "--to", shipped));
    const own = await coolJson<{ readonly evaluation: readonly Row[] }>(["evaluate", shipped, "--table", table]);
    const run = await coolJson<{ readonly evaluation: readonly Row[] }>(
      inProject("evaluate", "base", "--table", table),
    );
    expect(own.evaluation).toEqual(run.evaluation);
    const adopted = await cool(["runs", "adopt", table, "--flow", project.dir]);
    expect(adopted.stderr).toMatch(/labels\.csv is no ONNX model/);
    expect(adopted.code).toBe(2);
  });
});

describe("a finished run", () => {
  it("needs nothing of the project it was made from", async () => {
    const store = join(tmpdir(), `cool-moved-${process.pid}`);
    const elsewhere = join(tmpdir(), `cool-elsewhere-${process.pid}.png`);
    renameSync(join(project.dir, ".cool"), store);
    const config = `${project.configFile}.away`;
    renameSync(project.configFile, config);
    renameSync(project.image(2), elsewhere);
    const away = (...args: string[]) => cool([...args, "--store", store, "--json"], { cwd: tmpdir() });
    try {
      expect(existsSync(project.configFile)).toBe(false);
      const results = await Promise.all([
        away("evaluate", "base"),
        away("tune", "base"),
        away("explain", elsewhere, "--run", "base"),
        away("predict", elsewhere, "--run", "base"),
        away("interpret", "base"),
      ]);
      expect(results.map(({ code, stdout }) => (code === 0 ? "done" : stdout))).toEqual(results.map(() => "done"));
      expect(results[0]?.json).toMatchObject({ evaluation: first.evaluation });
    } finally {
      renameSync(elsewhere, project.image(2));
      renameSync(config, project.configFile);
      renameSync(store, join(project.dir, ".cool"));
    }
  });
});

describe("help", () => {
  it.each([
    ["check"],
    ["run"],
    ["evaluate"],
    ["tune"],
    ["explain"],
    ["predict"],
    ["interpret"],
    ["runs", "list"],
    ["runs", "show"],
    ["compare", "runs"],
  ])("of cool %s %s has examples", async (...command) => {
    const { code, stdout } = await cool([...command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`EXAMPLES\\n {2}\\$ cool ${command.join(" ")}`));
  });
});

describe("wrong usage", () => {
  it.each([
    [["chek"], 'No command named "chek". Did you mean "check"?'],
    [["runs", "lst"], 'No command named "runs lst". Did you mean "runs list"?'],
    [["evaluate", "--splt", "test"], 'No flag named "--splt" in cool evaluate. Did you mean "--split"?'],
    [
      ["evaluate", "--split", "tset"],
      "Expected --split=tset to be one of: train, valid, test. See cool evaluate --help.",
    ],
    [
      ["explain"],
      "Missing 1 required arg: image images or texts (several may be given), or one table or query with the run's input columns. See cool explain --help.",
    ],
    [["run", "--epochs", "many"], "Parsing --epochs Expected an integer but received: many. See cool run --help."],
  ])("%j ends with 2 and says what to change, also as JSON", async (args, message) => {
    const [plain, json] = await Promise.all([cool(args), cool([...args, "--json"])]);
    expect(plain).toMatchObject({ code: 2, stdout: "", stderr: `Error: ${message}\n` });
    expect(json).toMatchObject({ code: 2, stderr: "", json: { message } });
  });
});

/** Rows of a query over files, each a list of values. */
async function select(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(sql);
  const rows = reader.getRowsJS();
  connection.closeSync();
  instance.closeSync();
  return rows;
}
