/** @file TensorBoard on fifty runs, in a real browser: curves at once, and HPARAMS of what differs. Screenshots go to `COOL_SCREENSHOTS`. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { openTensorBoardLogger } from "../../src/logging/tensorboard-logger.js";
import { loadProject } from "../../src/project/load-project.js";
import { runFiles, writeJson } from "../../src/records/run-folder.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import { behaviourOf } from "../../src/tasks/index.js";
import type { Page } from "../support/browser.js";
import { findTensorBoardPages, type TensorBoardPages } from "../support/tensorboard-pages.js";

const EXAMPLE = fileURLToPath(new URL("../../examples/home-security", import.meta.url));
const SCREENSHOTS = process.env.COOL_SCREENSHOTS;
const RUNS = 50;
const EPOCHS = 8;
const PAGE_MS = 90_000;

let folder: string;
let store: RunStore | undefined;
let pages: TensorBoardPages | undefined;
let page: Page;
let url = "";
let headlines: readonly string[] = [];
/** Why there is nothing to look at. */
let missing: string | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cool-many-"));
  const open = await findTensorBoardPages();
  if (typeof open === "string") {
    missing = open;
    return;
  }
  const project = await loadProject(EXAMPLE, []);
  headlines = project.graph.tasks.map(({ path, spec }) => `${path}/${behaviourOf(spec).headlineMetric(spec)}`);
  store = openRunStore(join(folder, "store"));
  for (let run = 0; run < RUNS; run++) logRun(store, project, run);
  pages = await open(store);
  ({ page, url } = pages);
}, 300_000);

afterAll(async () => {
  await pages?.close();
  store?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A run as training logs it, without the training. */
function logRun(into: RunStore, { graph, settings }: Awaited<ReturnType<typeof loadProject>>, run: number): void {
  const train = { ...settings.train, batchSize: 16 * 2 ** (run % 3), seed: run };
  const { id } = into.createRun({ project: "many", name: `run-${String(run).padStart(2, "0")}`, config: { train } });
  const runDir = into.runDir(id);
  writeJson(runFiles(runDir).graph, graph);
  const logger = openTensorBoardLogger({
    ...{ runDir, resumeStep: 0, graph, config: into.readConfig(id), splits: ["train", "valid", "test"] },
    ...{ pictureOf: () => Promise.reject(new Error("no pictures")), epochs: EPOCHS, log: settings.log },
  });
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    const value = (curve: number) => Math.exp(-epoch / (2 + (run % 5))) + 0.01 * ((run + curve) % 7);
    const point = { step: 10 * epoch, epoch, wallTime: 1_800_000_000 + epoch };
    logger.points?.([
      ...(["train", "valid"] as const).flatMap((split, i) => [
        { ...point, split, taskPath: "_total", metricName: "loss", value: value(i) },
        ...headlines.map((name, task) => ({ ...point, split, ...named(name), value: 1 - value(task) })),
      ]),
      { ...point, split: "train", taskPath: "_system", metricName: "cpu_percent", value: 50 },
    ]);
  }
  const row = { num_samples: 10, gates: "truth" } as const;
  logger.evaluation?.({
    ...{ epoch: EPOCHS, epochs: EPOCHS, step: 10 * EPOCHS },
    rows: (["valid", "test"] as const).flatMap((split) => [
      { ...row, split, task_path: "_total", metric_name: "loss", metric_res: run / 100 },
      ...headlines.map((name) => {
        const { taskPath, metricName } = named(name);
        return { ...row, split, task_path: taskPath, metric_name: metricName, metric_res: 1 - run / 100 };
      }),
    ]),
  });
  logger.ended?.("finished");
  logger.close?.();
  into.finishRun(id, "finished");
}

function named(name: string): { readonly taskPath: string; readonly metricName: string } {
  const at = name.lastIndexOf("/");
  return { taskPath: name.slice(0, at), metricName: name.slice(at + 1) };
}

interface Experiment {
  readonly hparamInfos: readonly { readonly name: string }[];
  readonly metricInfos: readonly { readonly displayName: string }[];
}

interface SessionGroup {
  readonly hparams: Readonly<Record<string, number>>;
  readonly metricValues: readonly {
    readonly name: { readonly group: string; readonly tag: string };
    readonly value: number;
  }[];
}

/** What TensorBoard's HPARAMS page asks its server for. */
async function served<Result>(path: string, question: object): Promise<Result> {
  const init = { method: "POST", body: JSON.stringify(question) };
  const response = await fetch(`${url}data/plugin/hparams/${path}`, init);
  expect(response.ok).toBe(true);
  return (await response.json()) as Result;
}

/** All text of the page, also that of its components, whose trees are hidden from the document. */
const DEEP_TEXT = `(() => {
  const read = (node) => [
    node.nodeType === Node.TEXT_NODE ? node.data : "",
    ...(node.shadowRoot ? [read(node.shadowRoot)] : []),
    ...[...node.childNodes].map(read),
  ].join("");
  return read(document.body);
})()`;

async function open(context: TestContext, name: string, address: string, isReady: string): Promise<void> {
  if (missing !== undefined) return context.skip(missing);
  await page.goto("about:blank");
  await page.goto(`${url}${address}`);
  try {
    await expect.poll(async () => page.evaluate(isReady), { timeout: PAGE_MS, interval: 500 }).toBe(true);
  } finally {
    if (SCREENSHOTS !== undefined) {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await sleep(4000);
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
    }
  }
}

/** Lines that the charts draw, each once for itself and once smoothed. */
const LINES = `(() => {
  const read = (node) => [
    ...node.querySelectorAll("line-chart svg path"),
    ...[...node.querySelectorAll("*")].flatMap((one) => (one.shadowRoot ? read(one.shadowRoot) : [])),
  ];
  return read(document).filter((path) => (path.getAttribute("d") ?? "").length > 20).length;
})()`;
const GROUPS = "[...document.querySelectorAll('metrics-card-group-toolbar')].map((one) => one.innerText.trim())";
const CHECKED =
  "[...document.querySelectorAll('runs-data-table input[type=checkbox], runs-table input[type=checkbox]')]";

describe("TensorBoard on fifty runs", () => {
  it("draws all of them at once, losses first and the load of the machine last", async (context) => {
    // two curves of each run; drawn as SVG, since headless browsers have no WebGL
    await open(context, "many-time-series", "?forceSVG=true#timeseries", `${LINES} >= ${2 * RUNS}`);
    const groups = (await page.evaluate(GROUPS)) as string[];
    expect(groups[0]).toMatch(/^_total/);
    expect(groups.at(-1)).toMatch(/^~system/);
    expect(groups).toHaveLength(headlines.length + 2);
    const boxes = `${CHECKED}.map(({ checked }) => checked)`;
    const checked = (await page.evaluate(boxes)) as boolean[];
    // a run's own folder, its load, and three splits
    expect(checked.filter(Boolean).length).toBeGreaterThanOrEqual(5 * RUNS);
    expect(checked).not.toContain(false);
  });

  it("compares what differs, and the metric of each task", async (context) => {
    await open(context, "many-hparams", "#hparams", `${DEEP_TEXT}.includes("train.batchSize")`);
    const [experiment, rows] = await Promise.all([
      served<Experiment>("experiment", {}),
      served<{ readonly sessionGroups: readonly SessionGroup[] }>("session_groups", {
        ...{ allowedStatuses: ["STATUS_SUCCESS"], colParams: [], startIndex: 0, sliceSize: 100 },
      }),
    ]);
    expect(experiment.hparamInfos.map(({ name }) => name)).toEqual(["train.batchSize", "train.seed"]);
    const names = experiment.metricInfos.map(({ displayName }) => displayName);
    expect(names.slice(0, 4)).toEqual([
      "epoch evaluated",
      "loss (valid)",
      "loss (test)",
      "camera_blocked accuracy (test)",
    ]);
    expect(names).toHaveLength(3 + headlines.length);
    expect(rows.sessionGroups).toHaveLength(RUNS);
    for (const { hparams, metricValues } of rows.sessionGroups) {
      const run = hparams["train.seed"] ?? Number.NaN;
      expect(hparams).toEqual({ "train.batchSize": 16 * 2 ** (run % 3), "train.seed": run });
      const loss = metricValues.find(({ name }) => name.group === "test" && name.tag === "_total/loss");
      expect(loss?.value).toBeCloseTo(run / 100);
      expect(metricValues).toHaveLength(3 + headlines.length);
    }
  });
});
