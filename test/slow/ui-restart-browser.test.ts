/** @file Pages of `cool ui` that stay open while it is started again, in a real browser. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { serveUi, type ServedUi } from "../../src/ui/serve-ui.js";
import { type Browser, findBrowser, until } from "../support/browser.js";
import { addRun } from "../ui/ui-app.js";

const BUILD = fileURLToPath(new URL("../../scripts/pages.mjs", import.meta.url));

let folder = "";
let browser: Browser | undefined;
let missing: string | undefined;
let served: ServedUi | undefined;

beforeAll(async () => {
  const launch = findBrowser();
  if (typeof launch === "string") {
    missing = launch;
    return;
  }
  execFileSync(process.execPath, [BUILD]);
  folder = mkdtempSync(join(tmpdir(), "cool-ui-"));
  const store = openRunStore(folder);
  addRun(store, "first", 0.5);
  store.close();
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

async function start(port: number, canEdit: boolean): Promise<ServedUi> {
  served = await serveUi({ store: folder, host: "127.0.0.1", port, canEdit, onNote: () => {} });
  return served;
}

it("pages say that the token is old, and go on once the new one was brought in another tab", async (test) => {
  if (browser === undefined) return test.skip(missing ?? "no browser");
  const before = await start(0, false);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(before.firstUrl);
  await until(page, "document.querySelectorAll('.rows .name').length === 1");
  await before.close();
  await until(page, "document.querySelector('[role=alert]')?.textContent.includes('does not answer')");

  const store = openRunStore(folder);
  addRun(store, "second", 0.6);
  store.close();
  const after = await start(before.port, true);
  await until(page, "document.querySelector('[role=alert]')?.textContent.includes('started again, with a new token')");
  const other = await context.newPage();
  await other.goto(`${after.url}/groups`);
  expect(await other.textContent("h1")).toBe("This page needs the token of cool ui");
  await other.goto(after.firstUrl);
  await until(other, "document.querySelectorAll('.rows .name').length === 2");
  await until(page, "document.querySelector('[role=alert]') === null");
  await until(page, "document.querySelectorAll('.rows .name').length === 2");
  // it came from a server without --edit
  await until(page, "document.querySelector('[role=status]')?.textContent.includes('with other rights') === true");
  await page.click("p[role=status] button");
  await until(page, "document.querySelectorAll('.rows button.star').length === 2");
  await context.close();
});

it("a note that another tab has written is not undone by tags of this one", async (test) => {
  if (browser === undefined) return test.skip(missing ?? "no browser");
  await served?.close();
  const { firstUrl } = await start(0, true);
  const context = await browser.newContext();
  const [page, other] = [await context.newPage(), await context.newPage()];
  for (const tab of [page, other]) {
    await tab.goto(firstUrl);
    await until(tab, "document.querySelector('[aria-label=\"change first\"]') !== null");
    await tab.click('[aria-label="change first"]');
  }
  await page.fill("dialog textarea", "of this tab");
  await page.click("dialog button[type=submit]");
  await until(page, "document.querySelector('.note')?.textContent === 'of this tab'");
  await other.fill("dialog input[name=tags]", "of-the-other");
  await other.click("dialog button[type=submit]");
  for (const tab of [page, other]) {
    await until(tab, "document.querySelector('.badge.tag')?.textContent === 'of-the-other'");
    expect(await tab.textContent(".note")).toBe("of this tab");
  }
  await context.close();
});
