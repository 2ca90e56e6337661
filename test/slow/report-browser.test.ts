/**
 * @file A report in a real browser, opened from disk without a network: it is looked at, tried by hand and by keyboard,
 * and read without scripts. Screenshots go to `COOL_SCREENSHOTS`.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";
import { loadProject } from "../../src/project/load-project.js";
import { writeReport } from "../../src/reporting/write-report.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { type Browser, findBrowser, type Page } from "../support/browser.js";
import { addRun } from "../ui/ui-app.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

const BUILD = fileURLToPath(new URL("../../scripts/pages.mjs", import.meta.url));
const SCREENSHOTS = process.env.COOL_SCREENSHOTS;
const HOSTILE = "</script><img src=x onerror=document.title='taken'>";

let project: TinyProject | undefined;
let browser: Browser | undefined;
let url = "";
let missing: string | undefined;

beforeAll(async () => {
  const launch = findBrowser();
  if (typeof launch === "string") {
    missing = launch;
    return;
  }
  execFileSync(process.execPath, [BUILD]);
  project = await tinyProject();
  await trainRun(await loadProject(project.dir, ["train.epochs=3"]), { name: HOSTILE });
  const store = openRunStore(join(project.dir, ".cool"));
  const out = join(project.dir, "page.html");
  await writeReport(store, ["latest"], { out, project: project.dir });
  store.close();
  url = pathToFileURL(out).href;
  browser = await launch(["--host-resolver-rules=MAP * ~NOTFOUND"]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  project?.remove();
});

interface Opened {
  readonly page: Page;
  readonly errors: string[];
}

/** A page on the report, which tells of errors on its console. */
async function opened(context: TestContext, width = 1440, colorScheme: "light" | "dark" = "light"): Promise<Opened> {
  if (browser === undefined) return context.skip(missing ?? "no browser");
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(url);
  await page.waitForSelector("html.js", { state: "attached", timeout: 30_000 });
  return { page, errors };
}

it("opens from disk without a network, takes names as names, and draws its curves", async (context) => {
  const { page, errors } = await opened(context);
  await page.waitForSelector("canvas", { state: "attached", timeout: 30_000 });
  expect(await page.textContent("h1")).toBe(HOSTILE);
  expect(await page.evaluate("document.title")).toContain(HOSTILE);
  expect(
    await page.evaluate(
      "performance.getEntriesByType('resource').filter(({ name }) => !name.startsWith('data:')).length",
    ),
  ).toBe(0);
  if (SCREENSHOTS !== undefined) await page.screenshot({ path: join(SCREENSHOTS, "report.png"), fullPage: true });
  expect(errors).toEqual([]);
  await page.close();
});

it("fits wide and narrow screens, whatever names and tags hold", async (context) => {
  if (project === undefined) return context.skip(missing ?? "no browser");
  const store = openRunStore(join(project.dir, ".cool"));
  const { id } = store.findRun("latest");
  store.addTags(id, ["t".repeat(200)]);
  const other = addRun(store, `<img src=x onerror="document.title='gone'"> \u202e${"W".repeat(150)}`, 0.5);
  for (const [i, runs] of [[id], [id, other]].entries()) {
    const out = join(project.dir, `hostile-${i}.html`);
    await writeReport(store, runs, { out, project: project.dir });
    for (const width of [1280, 390]) {
      if (browser === undefined) return context.skip(missing ?? "no browser");
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      await page.goto(pathToFileURL(out).href);
      await page.waitForSelector("html.js", { state: "attached", timeout: 30_000 });
      expect([i, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([i, width]);
      expect(await page.evaluate("document.title")).not.toBe("gone");
      await page.close();
    }
  }
  store.close();
});

it("a slider of a threshold moves precision, recall and counts, and says so", async (context) => {
  const { page, errors } = await opened(context);
  const slider = ".trial input[type=range]";
  const said = async () => (await page.textContent(".trial output")) ?? "";
  const before = await said();
  expect(before).toMatch(/precision [\d.]+, recall [\d.]+, F1 [\d.]+/);
  await page.evaluate(`document.querySelector("${slider}").focus()`);
  await page.keyboard.press("Home");
  // at 0 every answer is yes
  expect(await said()).toContain("recall 1.000");
  await page.keyboard.press("ArrowRight");
  expect(await page.getAttribute(slider, "aria-valuetext")).toContain("precision");
  expect(await page.getAttribute(".trial output", "aria-live")).toBe("polite");
  await page.click(".trial button");
  expect(await said()).toBe(before);
  expect(errors).toEqual([]);
  await page.close();
});

it("smoothing, the logarithmic axis, splits, sorting and a task of the flow answer to clicks", async (context) => {
  const { page, errors } = await opened(context);
  await page.fill("#tasks .toolbar input[type=range]", "0.9");
  expect(await page.textContent("#tasks .toolbar output")).toBe("0.90");
  await page.click("#tasks .toolbar input[type=checkbox]");
  await page.selectOption("#results select", "valid");
  expect(await page.textContent("#results caption")).toContain("Evaluation on valid");
  await page.click("#results thead th:nth-child(3) button");
  expect(await page.getAttribute("#results thead th:nth-child(3)", "aria-sort")).toBe("descending");
  await page.click("#flow a.node");
  expect(await page.evaluate("location.hash")).toBe("#task-1");
  expect(errors).toEqual([]);
  await page.close();
});

it("the first stop of the keyboard leads past the contents", async (context) => {
  const { page } = await opened(context);
  await page.keyboard.press("Tab");
  expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to the report");
  await page.keyboard.press("Enter");
  expect(await page.evaluate("location.hash")).toBe("#main");
  await page.close();
});

it("fits a telephone, and the dark is dark", async (context) => {
  const { page, errors } = await opened(context, 390, "dark");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  const [red = 255] =
    String(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
      .match(/\d+/g)
      ?.map(Number) ?? [];
  expect(red).toBeLessThan(60);
  if (SCREENSHOTS !== undefined) await page.screenshot({ path: join(SCREENSHOTS, "report-390.png") });
  expect(errors).toEqual([]);
  await page.close();
});

it("everything is open on paper", async (context) => {
  const { page } = await opened(context);
  const closed = () => page.evaluate("document.querySelectorAll('details:not([open])').length");
  const before = await closed();
  expect(Number(before)).toBeGreaterThan(0);
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  expect(await closed()).toBe(0);
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
  expect(await closed()).toBe(before);
  await page.close();
});
