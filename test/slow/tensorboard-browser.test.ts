/** @file The pages of TensorBoard on two finished runs, in a real browser. Screenshots go to `COOL_SCREENSHOTS`. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { loadProject } from "../../src/project/load-project.js";
import { trainRun } from "../../src/training/train-run.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import type { Page } from "../support/browser.js";
import { findTensorBoardPages, type TensorBoardPages } from "../support/tensorboard-pages.js";

const EXAMPLE = fileURLToPath(new URL("../../examples/home-security", import.meta.url));
const SCREENSHOTS = process.env.COOL_SCREENSHOTS;
const SETUP_MS = 600_000;
const PAGE_MS = 60_000;

let folder: string;
let store: RunStore | undefined;
let pages: TensorBoardPages | undefined;
let page: Page;
let url = "";
let tasks: readonly string[] = [];
/** Why there is nothing to look at. */
let missing: string | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cool-browser-"));
  const open = await findTensorBoardPages();
  if (typeof open === "string") {
    missing = open;
    return;
  }
  for (const [name, rate] of [
    ["slow", 0.0005],
    ["fast", 0.002],
  ] as const) {
    const project = await loadProject(EXAMPLE, [`train.optimizer.learningRate=${rate}`]);
    await trainRun(project, { store: join(folder, "store"), name, epochs: 1 });
    tasks = project.graph.tasks.map(({ path }) => path);
  }
  store = openRunStore(join(folder, "store"), { readonly: true });
  pages = await open(store);
  ({ page, url } = pages);
}, SETUP_MS);

afterAll(async () => {
  await pages?.close();
  store?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** All text of the page, also that of its components, whose trees are hidden from the document. */
const PAGE_TEXT = `(() => {
  const read = (node) => [
    node.nodeType === Node.TEXT_NODE ? node.data : "",
    ...(node.shadowRoot ? [read(node.shadowRoot)] : []),
    ...[...node.childNodes].filter((child) => child.nodeName !== "STYLE" && child.nodeName !== "SCRIPT").map(read),
  ].join("");
  return read(document.body).replaceAll(/\\s+/g, " ");
})()`;

/** Opens a page of TensorBoard, waits until it shows all the texts, and keeps a screenshot. */
async function expectPage(
  context: TestContext,
  name: string,
  address: string,
  texts: readonly string[],
): Promise<void> {
  if (missing !== undefined) return context.skip(missing);
  await page.goto("about:blank");
  await page.goto(`${url}${address}`);
  const lacking = async () => missingTexts(String(await page.evaluate(PAGE_TEXT)), texts);
  try {
    await expect.poll(lacking, { timeout: PAGE_MS, interval: 500 }).toEqual([]);
  } finally {
    if (SCREENSHOTS !== undefined) await takePicture(join(SCREENSHOTS, `${name}.png`));
  }
}

async function takePicture(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  // charts and pictures come after the texts
  await sleep(4000);
  await page.screenshot({ path });
}

function missingTexts(text: string, wanted: readonly string[]): string[] {
  return wanted.filter((one) => !text.includes(one));
}

/** A row of the HParams page. */
interface SessionGroup {
  readonly hparams: Readonly<Record<string, unknown>>;
  readonly metricValues: readonly {
    readonly name: { readonly group: string; readonly tag: string };
    readonly value: number;
  }[];
}

/** What TensorBoard's pages ask its server for. */
async function served<Result>(path: string, question?: object): Promise<Result> {
  const init = question === undefined ? {} : { method: "POST", body: JSON.stringify(question) };
  const response = await fetch(`${url}data/plugin/${path}`, init);
  expect(response.ok).toBe(true);
  return (await response.json()) as Result;
}

describe("TensorBoard in the browser", () => {
  it("shows each task as a group of its own, and runs by their names", async (context) => {
    const runs = ["slow/train", "slow/valid", "fast/test"];
    await expectPage(context, "time-series", "#timeseries", ["_total", ...tasks, ...runs]);
  });

  it("has 14 sheets of best and 14 of worst samples for a run", async (context) => {
    const filter = `?tagFilter=${encodeURIComponent("(best|worst)$")}&runFilter=${encodeURIComponent("slow/valid")}`;
    await expectPage(context, "sheets", `${filter}#timeseries`, ["Tags matching filter", "camera_blocked/best"]);
    const runs = await served<Record<string, Record<string, unknown>>>("images/tags");
    expect(tasks).toHaveLength(14);
    for (const run of ["slow/valid", "fast/valid"]) {
      const tags = Object.keys(runs[run] ?? {});
      for (const side of ["best", "worst"]) {
        const sheets = tags.filter((tag) => tag.endsWith(`/${side}`));
        expect(sheets.sort()).toEqual(tasks.map((task) => `${task}/${side}`).sort());
      }
    }
  });

  it("shows the pictures under their tasks", async (context) => {
    await expectPage(context, "images", "#images", ["camera_blocked/best", "camera_blocked/reliability", "slow/valid"]);
  });

  it("shows PR curves of yes-or-no answers", async (context) => {
    const tags = ["camera_blocked/pr_curve", "door_locked/pr_curve"];
    await expectPage(context, "pr-curves", "#pr_curves", [...tags, "fast/test"]);
  });

  it("compares the runs' settings and metrics", async (context) => {
    const columns = ["train.optimizer.learningRate", "loss (test)", "camera_blocked accuracy (test)"];
    await expectPage(context, "hparams", "#hparams", ["slow", "fast", ...columns]);
    const { sessionGroups } = await served<{ readonly sessionGroups: readonly SessionGroup[] }>(
      "hparams/session_groups",
      { allowedStatuses: ["STATUS_SUCCESS"], colParams: [], startIndex: 0, sliceSize: 10 },
    );
    const rates = sessionGroups.map(({ hparams }) => hparams["train.optimizer.learningRate"]);
    expect(rates.sort()).toEqual([0.0005, 0.002]);
    for (const { metricValues } of sessionGroups) {
      const found = metricValues.find(({ name }) => name.group === "test" && name.tag === "_total/loss");
      expect(found?.value).toBeGreaterThan(0);
    }
  });

  it("draws the flow", async (context) => {
    await expectPage(context, "graph", "?run=slow#graphs", ["Main Graph", "door_open", "_trunk"]);
  });
});
