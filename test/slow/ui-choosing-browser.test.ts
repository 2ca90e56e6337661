/**
 * @file `cool ui` over runs of other programs in a real browser: choosing many, the legend by keyboard, what assistive
 * technology hears, and long names on a telephone. Screenshots go to `COOL_SCREENSHOTS`.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { serveUi, type ServedUi } from "../../src/ui/serve-ui.js";
import { type Browser, findBrowser, type Page, until } from "../support/browser.js";
import { addStudy } from "../support/study.js";
import { addRun } from "../ui/ui-app.js";

const BUILD = fileURLToPath(new URL("../../scripts/pages.mjs", import.meta.url));
const SCREENSHOTS = process.env.COOL_SCREENSHOTS;
const LONG = "W".repeat(200);
const IMPORTED = 520;
const CURVED = "curved";

let folder = "";
let browser: Browser | undefined;
let ui: ServedUi | undefined;
let missing: string | undefined;
const ids = { long: "", curved: "", study: "" };

beforeAll(async () => {
  const launch = findBrowser();
  if (typeof launch === "string") {
    missing = launch;
    return;
  }
  execFileSync(process.execPath, [BUILD]);
  folder = mkdtempSync(join(tmpdir(), "cool-ui-choosing-"));
  const store = openRunStore(folder);
  for (let i = 0; i < IMPORTED; i++) {
    // as a run of another tracker comes: without epochs, a monitored metric or a duration
    const { id } = store.createRun({ project: "elsewhere", name: `imported-${String(i).padStart(3, "0")}` });
    store.finishRun(id, "finished");
  }
  ids.study = addStudy(store, "rates", 6, 2).id;
  ids.long = addRun(store, LONG, 0.5, [LONG]);
  ids.curved = addRun(store, CURVED, 0.25);
  store.close();
  ui = await serveUi({ store: folder, host: "127.0.0.1", port: 0, onNote: () => {}, canEdit: true });
  browser = await launch();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await ui?.close();
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

interface VisitOptions {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
  readonly javaScriptEnabled?: boolean;
}

async function visit(
  context: TestContext,
  path: string,
  use: (page: Page) => Promise<void>,
  { width = 1440, ...options }: VisitOptions = {},
): Promise<void> {
  if (browser === undefined || ui === undefined) return context.skip(missing ?? "no browser");
  const opened = await browser.newContext({ viewport: { width, height: 900 }, ...options });
  try {
    const page = await opened.newPage();
    await page.goto(ui.firstUrl);
    await page.goto(`${ui.url}${path}`);
    await use(page);
  } finally {
    await opened.close();
  }
}

const untilText = (page: Page, selector: string, text: string): Promise<void> =>
  until(page, `document.querySelector(${JSON.stringify(selector)})?.textContent.includes(${JSON.stringify(text)})`);

async function screenshot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `choosing-${name}.png`) });
}

const LIST = `/?${new URLSearchParams({ where: 'project = "elsewhere"', sort: "name" })}`;
const box = (index: number): string => `.rows tr[aria-rowindex="${index + 2}"] input`;

it("all runs of a list are chosen by the box above them, also those that nobody has looked at", async (context) => {
  await visit(context, LIST, async (page) => {
    await untilText(page, "output", `${IMPORTED} runs`);
    await page.click(".heads input");
    await untilText(page, ".chosen-runs", `${IMPORTED} chosen`);
    await until(page, "document.querySelector('.heads input').checked");
    await screenshot(page, "all");
    await page.keyboard.press("a");
    await until(page, "document.querySelector('.chosen-runs') === null");
    await page.keyboard.press("a");
    await untilText(page, ".chosen-runs", `${IMPORTED} chosen`);
  });
});

it("shift and a click choose all runs from the last one, and X does by keyboard", async (context) => {
  await visit(context, LIST, async (page) => {
    await untilText(page, ".rows", "imported-012");
    await page.click(box(2));
    await page.click(box(6), { modifiers: ["Shift"] });
    await untilText(page, ".chosen-runs", "5 chosen");
    expect(
      await page.evaluate(
        `[2, 4, 6].every((i) => document.querySelector('[aria-rowindex="' + (i + 2) + '"] input').checked)`,
      ),
    ).toBe(true);
    expect(await page.evaluate("document.querySelector('.heads input').indeterminate")).toBe(true);
    await page.click(".chosen-runs .quiet");
    for (const key of ["j", "x", "j", "j", "X"]) await page.keyboard.press(key);
    await untilText(page, ".chosen-runs", "3 chosen");
  });
});

it("what a run of another program does not have is a dash", async (context) => {
  await visit(context, LIST, async (page) => {
    await untilText(page, ".rows", "imported-000");
    const cells = await page.evaluate(
      "[...document.querySelector('.rows tr').cells].map((cell) => cell.textContent.trim())",
    );
    expect((cells as string[]).slice(1, 6)).toEqual(["☆imported-000", "finished", "elsewhere", "–", "–"]);
  });
  await visit(
    context,
    LIST,
    async (page) => {
      const text = await page.textContent("tbody tr");
      expect(text).toContain("imported-000");
      expect(text).not.toMatch(/\?|null|undefined|– –/);
    },
    { javaScriptEnabled: false },
  );
});

it("curves are hidden and shown from the legend by keyboard, and stay so when the chart is drawn again", async (context) => {
  await visit(context, `/runs/${ids.curved}`, async (page) => {
    const label = "#curves .u-legend [role=button]";
    await page.waitForSelector(label, { state: "attached", timeout: 60_000 });
    const pressed = (): Promise<string | null> => page.getAttribute(label, "aria-pressed");
    expect(await pressed()).toBe("true");
    await page.evaluate(`document.querySelector("${label}").focus()`);
    await page.keyboard.press("Enter");
    expect(await pressed()).toBe("false");
    // other colours are another drawing
    await page.selectOption("header select", "dark");
    await until(page, `document.querySelector("${label}")?.getAttribute("aria-pressed") === "false"`);
    await page.evaluate(`document.querySelector("${label}").focus()`);
    await page.keyboard.press("Space");
    expect(await pressed()).toBe("true");
  });
});

it("names of 200 letters fit a telephone, light and dark", async (context) => {
  const paths = ["/", `/runs/${ids.long}`, `/groups/${ids.study}`, `/compare?run=${ids.long}&run=${ids.curved}`];
  for (const [i, path] of paths.entries()) {
    const colorScheme = i % 2 === 0 ? "dark" : "light";
    await visit(
      context,
      path,
      async (page) => {
        await page.waitForSelector("main table", { state: "attached", timeout: 60_000 });
        await screenshot(page, `${i}-390`);
        expect([path, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([path, 390]);
      },
      { width: 390, colorScheme },
    );
  }
});

it("assistive technology hears the list, a run and a study by their roles and names", async (context) => {
  const heard = async (path: string, selector: string, options?: VisitOptions): Promise<string> => {
    let snapshot = "";
    await visit(
      context,
      path,
      async (page) => {
        await page.waitForSelector(selector, { state: "attached", timeout: 60_000 });
        snapshot = await page.locator(selector).ariaSnapshot();
      },
      options,
    );
    return snapshot;
  };
  const list = await heard(LIST, '.rows tr[data-run][aria-rowindex="2"]');
  for (const part of ['checkbox "choose imported-000"', "rowheader", 'link "imported-000"', 'cell "finished"']) {
    expect(list).toContain(part);
  }
  expect(await heard(LIST, ".heads")).toContain('checkbox "choose all"');
  const study = await heard(`/groups/${ids.study}`, "#study");
  for (const part of [
    'heading "Study"',
    "Parallel coordinates of 6 trials",
    'heading "Trials"',
    'link "1"',
    "region",
  ]) {
    expect(study).toContain(part);
  }
  const curves = await heard(`/runs/${ids.curved}`, "#curves .u-legend");
  expect(curves).toMatch(/group "Curves"/);
  expect(curves).toMatch(/button "[^"]+" \[pressed\]/);
  const plain = await heard(`/groups/${ids.study}`, "main", { javaScriptEnabled: false });
  for (const part of ['heading "rates"', 'heading "Study"', 'columnheader "valid/_total/loss"', 'link "1"']) {
    expect(plain).toContain(part);
  }
});
