/** @file `cool ui` in a real browser, by clicks and keys. Screenshots go to `COOL_SCREENSHOTS`. */
import { execFileSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { serveUi, type ServedUi } from "../../src/ui/serve-ui.js";
import { startWorker } from "../storage/support.js";
import { type Browser, findBrowser, type Page, until } from "../support/browser.js";
import { addRun } from "../ui/ui-app.js";

const BUILD = fileURLToPath(new URL("../../scripts/pages.mjs", import.meta.url));
const SCREENSHOTS = process.env.COOL_SCREENSHOTS;
const COUNT = 260;
const HOSTILE = `<img src=x onerror="document.title='gone'">\u202e${"y".repeat(100)}`;

let folder = "";
let store = "";
let browser: Browser | undefined;
let reading: ServedUi | undefined;
let editing: ServedUi | undefined;
/** Ids of runs by name. */
const ids = new Map<string, string>();
let missing: string | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cool-ui-"));
  const launch = findBrowser();
  if (typeof launch === "string") {
    missing = launch;
    return;
  }
  execFileSync(process.execPath, [BUILD]);
  store = join(folder, "store");
  fill(store);
  const options = { store, host: "127.0.0.1", port: 0, onNote: (line: string) => notes.push(line) };
  reading = await serveUi({ ...options, canEdit: false });
  editing = await serveUi({ ...options, canEdit: true });
  browser = await launch();
});

/** What servers say of failures. */
const notes: string[] = [];

afterAll(async () => {
  await browser?.close();
  await reading?.close();
  await editing?.close();
  rmSync(folder, { recursive: true, force: true });
});

function fill(dir: string): void {
  const opened = openRunStore(dir);
  for (let i = 0; i < COUNT; i++) {
    const name = `run-${String(i).padStart(3, "0")}`;
    ids.set(name, addRun(opened, name, ((i * 37) % 100) / 100, i % 5 === 0 ? ["fifth"] : []));
  }
  const hostile = addRun(opened, "hostile", 0.5, ["</td><script>alert(1)</script>"]);
  opened.updateRun(hostile, { name: HOSTILE, note: `${"n".repeat(10_000)}\u0007<b>bold</b>` });
  opened.addConfig(hostile, { "<svg onload=alert(1)>": "z".repeat(10_000) });
  ids.set("hostile", hostile);
  opened.close();
}

interface VisitOptions {
  readonly ui?: ServedUi | undefined;
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
  readonly javaScriptEnabled?: boolean;
  /** What the browser may say all the same. */
  readonly mayBeSaid?: RegExp;
}

/** Opens an address in a profile of its own, with the token; nothing may be said on the console, nor by the policy. */
async function visit(path: string, use: (page: Page) => Promise<void>, options: VisitOptions = {}): Promise<void> {
  const { ui = reading, width = 1440, colorScheme = "light", javaScriptEnabled = true, mayBeSaid } = options;
  if (browser === undefined || ui === undefined) throw new Error("the browser was not started");
  const viewport = { width, height: 900 };
  const context = await browser.newContext({ viewport, colorScheme, javaScriptEnabled });
  const said: string[] = [];
  try {
    const page = await context.newPage();
    page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", ({ message }) => said.push(message));
    const joint = path.includes("?") ? "&" : "?";
    await page.goto(`${ui.url}${path}${joint}${new URL(ui.firstUrl).search.slice(1)}`);
    expect(page.url()).toBe(`${ui.url}${path}`);
    await use(page);
  } finally {
    await context.close();
  }
  expect(said.filter((line) => mayBeSaid?.test(line) !== true)).toEqual([]);
  expect(notes).toEqual([]);
}

const FIRST_NAMES = "[...document.querySelectorAll('.rows .name a')].slice(0, 3).map((a) => a.textContent)";

/** Until the first rows are these. */
async function untilFirst(page: Page, names: readonly string[]): Promise<void> {
  await until(page, `${JSON.stringify(names)}.every((name, i) => name === ${FIRST_NAMES}[i])`);
}

async function untilText(page: Page, selector: string, text: string): Promise<void> {
  const found = `document.querySelector(${JSON.stringify(selector)})?.textContent.includes(${JSON.stringify(text)})`;
  await until(page, found);
}

async function screenshot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `ui-${name}.png`) });
}

function test(name: string, body: (context: TestContext) => Promise<void>): void {
  it(name, async (context) => {
    if (missing !== undefined) return context.skip(missing);
    await body(context);
  });
}

describe("the list", () => {
  test("shows every run as it is scrolled to", async () => {
    await visit("/", async (page) => {
      await untilText(page, "output", `${COUNT + 1} runs`);
      // above it stands the one with a hostile name
      await until(page, `${FIRST_NAMES}[1] === "run-259"`);
      expect(Number(await page.evaluate("document.querySelectorAll('.rows tr').length"))).toBeLessThan(80);
      await page.evaluate("scrollTo(0, document.body.scrollHeight)");
      await until(page, "[...document.querySelectorAll('.rows .name a')].at(-1)?.textContent === 'run-000'");
      await screenshot(page, "list-end");
    });
  });

  test("is searched, says what it does not understand, and is left and come back to", async () => {
    await visit(
      "/",
      async (page) => {
        await page.fill("#where", 'tag = "fifth" and valid/door/f1_score > 0.9');
        await page.keyboard.press("Enter");
        // 37 × 35, 37 × 135 and 37 × 235 end in 95; of other multiples of 5 the product is lower
        await untilText(page, "output", "3 runs");
        await page.fill("#where", "train.batchSiz > 3");
        await page.keyboard.press("Enter");
        await untilText(page, "#where-problem", 'Did you mean "train.batchSize"?');
        expect(await page.textContent("#where-problem")).toMatch(/\n {2}train\.batchSiz > 3\n {2}\^$/);
        await page.goBack();
        await untilText(page, "output", "3 runs");
        await page.goBack();
        await untilText(page, "output", `${COUNT + 1} runs`);
        await page.goForward();
        await untilText(page, "output", "3 runs");
        expect(await page.evaluate("document.querySelector('#where').value")).toContain('tag = "fifth"');
        await page.reload();
        await untilText(page, "output", "3 runs");
      },
      { mayBeSaid: /responded with a status of 400/ },
    );
  });

  test("names fields as they are typed", async () => {
    await visit("/", async (page) => {
      await page.fill("#where", "batch");
      await until(page, "document.querySelector('.names button') !== null");
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.querySelector('#where').value")).toBe("train.batchSize ");
    });
  });

  test("is sorted by a click on a heading, and has the columns that are asked for", async () => {
    await visit("/?column=train.batchSize", async (page) => {
      await untilText(page, ".heads", "train.batchSize");
      await page.click("button[title='sort by name']");
      await until(page, `${FIRST_NAMES}[1] === "run-000"`);
      await page.click("button[title='sort by name']");
      await untilFirst(page, ["run-259", "run-258", "run-257"]);
      expect(page.url()).toContain("sort=name%3Adesc");
      await page.click("button[title='sort by train.batchSize']");
      // 37 × 27 = 999
      await until(page, `["run-027", "run-127", "run-227"].includes(${FIRST_NAMES}[0])`);
    });
  });

  test("is worked by keys", async () => {
    await visit("/?sort=name", async (page) => {
      await until(page, `${FIRST_NAMES}[1] === "run-000"`);
      for (const key of ["j", "j", "x", "j", "x"]) await page.keyboard.press(key);
      await untilText(page, ".chosen-runs", "2 chosen");
      await page.keyboard.press("c");
      await untilText(page, "h1", "2 runs compared");
      await page.goBack();
      await until(page, `${FIRST_NAMES}[1] === "run-000"`);
      await page.keyboard.press("?");
      await untilText(page, "dialog", "Keys");
      await page.keyboard.press("Escape");
      await page.keyboard.press("/");
      expect(await page.evaluate("document.activeElement.id")).toBe("where");
    });
  });
});

describe("a run", () => {
  test("is opened by a click, with its curves, evaluation and settings", async () => {
    await visit("/?sort=name", async (page) => {
      await until(page, `${FIRST_NAMES}[1] === "run-000"`);
      await page.click(`[data-run="${ids.get("run-003")}"] .name a`);
      await untilText(page, "h1", "run-003");
      await page.waitForSelector("#curves canvas", { state: "attached", timeout: 60_000 });
      await untilText(page, "#evaluation", "f1_score");
      await untilText(page, "#settings", "train.batchSize");
      expect(await page.evaluate("document.title")).toContain("run-003");
      await page.goBack();
      await until(page, `${FIRST_NAMES}[1] === "run-000"`);
    });
  });

  test("grows while another process trains it", async () => {
    const trainer = startTraining("zz growing");
    try {
      const [id = ""] = await trainer.next();
      await trainer.epoch("first line");
      await visit(`/runs/${id}`, async (page) => {
        await untilText(page, ".badge", "running");
        await untilText(page, "dl.facts", "1 of 1000");
        await untilText(page, "#log", "first line");
        await trainer.epoch("second line");
        await trainer.epoch("third line");
        await untilText(page, "dl.facts", "3 of 1000");
        await untilText(page, "#log", "third line");
        // the table behind the curve
        await untilText(page, "#curves figure details table", "0.3333");
        await screenshot(page, "run-live");
        await trainer.end();
        await untilText(page, ".badge", "finished");
      });
    } finally {
      trainer.kill();
    }
  });

  test("that is not there is told", async () => {
    if (reading === undefined) throw new Error("not started");
    const { url, firstUrl } = reading;
    const first = await fetch(firstUrl, { redirect: "manual" });
    const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
    const page = await fetch(`${url}/runs/nothing`, { headers: { cookie, accept: "text/html" } });
    expect([page.status, await page.text()]).toEqual([404, expect.stringContaining("No run named")]);
  });
});

describe("comparing", () => {
  test("lays curves over each other, marks the best, and leads back", async () => {
    await visit("/?sort=name", async (page) => {
      await until(page, `${FIRST_NAMES}[1] === "run-000"`);
      // 0.37 and 0.74
      for (const name of ["run-001", "run-002"]) await page.click(`[data-run="${ids.get(name)}"] input`);
      await page.click(".chosen-runs button");
      await untilText(page, "h1", "2 runs compared");
      await untilText(page, "#metrics", "0.740");
      await untilText(page, "#settings", "train.batchSize");
      await page.waitForSelector("#curves canvas", { state: "attached", timeout: 60_000 });
      // the chart is there before its points are
      await untilText(page, "#curves .u-legend", "run-002 valid");
      await screenshot(page, "compare");
      await page.goBack();
      await untilText(page, ".chosen-runs", "2 chosen");
    });
  });
});

describe("changes", () => {
  test("are not offered without --edit", async () => {
    await visit("/", async (page) => {
      await untilText(page, "output", "runs");
      expect(await page.evaluate("document.querySelectorAll('button.star, button[aria-label^=change]').length")).toBe(
        0,
      );
    });
  });

  test("of stars, tags, notes and the trash are made where one looks, and are seen elsewhere", async () => {
    const id = ids.get("run-010") ?? "";
    await visit(`/?${new URLSearchParams({ where: 'name = "run-010"' })}`, async (other) => {
      await visit(
        "/?sort=name",
        async (page) => {
          const row = `[data-run="${id}"]`;
          await until(page, `document.querySelector('${row}') !== null`);
          await page.click(`${row} button.star`);
          await untilText(page, `${row} button.star`, "★");
          await page.click(`${row} button[aria-label^=change]`);
          await page.fill("dialog input[name=tags]", "fifth, paper");
          await page.fill("dialog textarea", "wider trunk");
          await screenshot(page, "edit");
          await page.click("dialog button[type=submit]");
          await untilText(page, row, "paper");
          await untilText(page, row, "wider trunk");
          await untilText(other, row, "paper");
          await page.click(`${row} button[aria-label^=change]`);
          await page.click("dialog .end");
          await until(page, `document.querySelector('${row}') === null`);
        },
        { ui: editing },
      );
    });
    const opened = openRunStore(store, { readonly: true });
    expect(opened.getRun(id)).toMatchObject({ starred: true, note: "wider trunk", tags: ["fifth", "paper"] });
    expect(opened.getRun(id).deletedAt).not.toBeNull();
    opened.close();
  });
});

describe("several runs", () => {
  test("are changed together, told where one cannot be, moved to the trash and brought back", async () => {
    const chosen = ["run-020", "run-021", "run-022"].map((name) => ids.get(name) ?? "");
    const opened = openRunStore(store);
    const live = opened.createRun({ project: "security", name: "run-02-live" }).id;
    await visit(
      `/?${new URLSearchParams({ where: 'name ~ "run-02*"', sort: "name" })}`,
      async (page) => {
        await until(page, `document.querySelector('[data-run="${chosen[0]}"]') !== null`);
        for (const id of [...chosen, live]) await page.click(`[data-run="${id}"] input`);
        await untilText(page, ".chosen-runs", "4 chosen");
        await page.keyboard.press("E");
        await page.click("dialog .end");
        await untilText(page, "dialog [role=alert]", "No run was changed: 1 of 4 cannot be.");
        await untilText(page, "dialog [role=alert]", "run-02-live");
        await screenshot(page, "batch");
        await page.keyboard.press("Escape");
        await page.click(`[data-run="${live}"] input`);
        await page.keyboard.press("E");
        await page.fill("dialog input[name=add]", "together, batch");
        await page.selectOption("dialog select", "on");
        await page.click("dialog button[type=submit]");
        await untilText(page, "p[role=status]", "3 runs changed.");
        await untilText(page, `[data-run="${chosen[2]}"]`, "together");
        await page.keyboard.press("E");
        await page.click("dialog .end");
        await untilText(page, "p[role=status]", "3 runs moved to the trash.");
        await until(page, `document.querySelector('[data-run="${chosen[0]}"]') === null`);
        expect(opened.getRun(chosen[0] ?? "").deletedAt).not.toBeNull();
        await page.click("p[role=status] button");
        await until(page, `document.querySelector('[data-run="${chosen[0]}"]') !== null`);
      },
      { ui: editing, mayBeSaid: /responded with a status of 400/ },
    );
    for (const id of chosen) {
      const { tags, starred, deletedAt } = opened.getRun(id);
      expect([tags.includes("together"), starred, deletedAt]).toEqual([true, true, null]);
    }
    opened.finishRun(live, "finished");
    opened.trashRun(live);
    opened.close();
  });
});

describe("the pages", () => {
  test("show hostile names as text", async () => {
    for (const path of [
      "/",
      `/runs/${ids.get("hostile")}`,
      `/compare?run=${ids.get("hostile")}&run=${ids.get("run-001")}`,
    ]) {
      await visit(path, async (page) => {
        await untilText(page, "main", "<img src=x");
        await untilText(page, "main", "\\u202e");
        expect(await page.evaluate("document.querySelectorAll('img, svg, b').length")).toBe(0);
        expect(await page.evaluate("document.title")).not.toBe("gone");
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(1440);
      });
    }
  });

  test("fit screens of 390 and 1440 pixels, light and dark", async () => {
    const compared = `/compare?run=${ids.get("run-001")}&run=${ids.get("run-002")}&run=${ids.get("run-003")}`;
    const places = { list: "/", run: `/runs/${ids.get("run-003")}`, compare: compared };
    for (const width of [390, 1440]) {
      for (const colorScheme of ["light", "dark"] as const) {
        for (const [name, path] of Object.entries(places)) {
          await visit(
            path,
            async (page) => {
              await until(page, "document.querySelector('canvas, .rows .name') !== null");
              expect([name, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([name, width]);
              await screenshot(page, `${name}-${width}-${colorScheme}`);
            },
            { width, colorScheme },
          );
        }
      }
    }
  });

  test("have their tables without JavaScript, and a search", async () => {
    await visit(
      "/?where=tag+%3D+%22fifth%22",
      async (page) => {
        expect(await page.textContent("tbody tr th")).toBe("run-255");
        await page.click("tbody a");
        expect(await page.textContent("main")).toContain("train.batchSize");
      },
      { javaScriptEnabled: false },
    );
  });
});

interface Training {
  /** The next line that it prints. */
  next(): Promise<string[]>;
  epoch(line: string): Promise<void>;
  end(): Promise<void>;
  kill(): void;
}

function startTraining(name: string): Training {
  const child: ChildProcess = startWorker("epochs", store, name);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("the child has no pipes");
  const lines: Interface = createInterface({ input: stdout });
  const read = lines[Symbol.asyncIterator]();
  const next = async (): Promise<string[]> => {
    const { value, done } = await read.next();
    return done === true ? [] : [String(value)];
  };
  return {
    next,
    async epoch(line) {
      stdin.write(`${line}\n`);
      await next();
    },
    async end() {
      stdin.end();
      await once(child, "exit");
    },
    kill: () => child.kill("SIGKILL"),
  };
}
