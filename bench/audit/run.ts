/**
 * @file The label audit on the example with 5 % of its labels wrong: average precision of its ranking beside confident
 * learning of each task by itself. It trains with the built package: run `npm run build` first.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { auditLabels } from "../../src/analysis/audit/audit.js";
import { answerForm } from "../../src/analysis/audit/forms.js";
import { scoreSplit } from "../../src/analysis/score.js";
import { heldOutAnswers } from "../../src/asking/audit/held-out.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { print, printProgress, ROOT, warnIfBusy, writeResults } from "../report.js";
import type { NoiseKind } from "./noise.js";
import { noisyExample } from "./noisy-example.js";
import { averagePrecision, type RankedCell, withoutFlow } from "./ranking.js";

const { values: flags } = parseArgs({
  options: {
    count: { type: "string", default: "3000" },
    folds: { type: "string", default: "4" },
    epochs: { type: "string", default: "8" },
    noise: { type: "string", default: "flip,branch,stray" },
    /** A folder that is kept: what is there already is not made again. */
    folder: { type: "string" },
  },
});

const kept = flags.folder === undefined ? null : path.resolve(flags.folder);
const folder = kept ?? mkdtempSync(path.join(tmpdir(), "cool-bench-audit-"));
try {
  warnIfBusy();
  const { corrupted } = await noisyExample(folder, {
    count: Number(flags.count),
    share: 0.05,
    kinds: flags.noise.split(",") as NoiseKind[],
    seed: "noise",
  });
  const store = openRunStore(path.join(folder, ".cool"));
  if (store.findGroup("folds")?.endedAt == null) train();
  const heldOut = await heldOutAnswers(store, "folds", { project: folder });
  store.close();
  const { graph, thresholds } = heldOut.stored;
  const scored = scoreSplit(graph, heldOut.outputs, thresholds);
  const from = performance.now();
  const audit = auditLabels(graph, scored);
  const seconds = (performance.now() - from) / 1000;
  if (audit === null) throw new Error("the example's flow has a lattice");
  const wrong = new Set(corrupted.map(({ row, column }) => `${row} ${column}`));
  const isWrong = ({ row, task }: RankedCell): boolean => {
    const picture = Number(/(\d+)\.png/.exec(scored.ids[row] ?? "")?.[1]);
    return wrong.has(`${picture} ${graph.tasks[task]?.name}`);
  };
  const indexOf = new Map(graph.tasks.map((task) => [task.path, task.index]));
  const rankings: [string, RankedCell[]][] = [
    [
      "with the flow",
      audit.suspects.map(({ row, task_path, suspicion }) => {
        return { row, task: indexOf.get(task_path) ?? -1, score: suspicion };
      }),
    ],
    ...(["issues first", "self-confidence", "margin"] as const).flatMap((baseline): [string, RankedCell[]][] => [
      [`by task, ${baseline}`, withoutFlow(scored, baseline, false)],
      [`the same, numbers by error`, withoutFlow(scored, baseline, true)],
    ]),
  ];
  const isDiscrete = ({ task }: RankedCell): boolean => {
    const spec = graph.tasks[task]?.spec;
    return spec !== undefined && answerForm(spec)?.kind !== "numbers";
  };
  const rows = rankings.map(([name, cells]) => ({
    ranking: name,
    all: averagePrecision(cells, isWrong),
    choices: averagePrecision(cells.filter(isDiscrete), isWrong),
    numbers: averagePrecision(
      cells.filter((cell) => !isDiscrete(cell)),
      isWrong,
    ),
  }));
  const table = new Table({ head: ["average precision", "all", "choices", "numbers"] });
  for (const { ranking, ...values } of rows)
    table.push([ranking, ...Object.values(values).map((one) => one.toFixed(3))]);
  print(table.toString());
  print(`${audit.suspects.length} labels, ${corrupted.length} wrong; audited in ${seconds.toFixed(1)} s`);
  print(
    writeResults("audit", {
      noise: flags.noise,
      labels: audit.suspects.length,
      wrong: corrupted.length,
      seconds,
      rows,
    }),
  );
} finally {
  if (kept === null) rmSync(folder, { recursive: true, force: true });
}

function train(): void {
  printProgress(`training ${flags.folds} folds of ${flags.epochs} epochs`);
  const modules = path.join(folder, "node_modules");
  try {
    symlinkSync(path.join(ROOT, "node_modules"), modules);
  } catch {
    printProgress(`${modules} is there already`);
  }
  const settings = [`data.split.folds=${flags.folds}`, `train.epochs=${flags.epochs}`];
  const args = ["run", folder, "--folds", "--name", "folds", ...settings.flatMap((setting) => ["--set", setting])];
  execFileSync(process.execPath, [path.join(ROOT, "bin", "run.js"), ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
