/**
 * @file The page of an export in a real browser: it answers as the run does, by itself, also without a network.
 * Screenshots go to `COOL_SCREENSHOTS`.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import type { ExplanationNode } from "../../src/analysis/explanation/explanation.js";
import { interpretRun } from "../../src/asking/interpret-run.js";
import { type LoadedRun, loadRun } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { shipRun } from "../../src/shipping/export-run.js";
import { type ServedFolder, serveFolder } from "../../src/shipping/web/static-server.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { type Browser, findBrowser, type Page } from "../support/browser.js";
import { writeFiles } from "../support/folders.js";

const EXAMPLE = fileURLToPath(new URL("../../examples/home-security", import.meta.url));
const BUILD = fileURLToPath(new URL("../../scripts/web.mjs", import.meta.url));
const SCREENSHOTS = process.env.COOL_SCREENSHOTS;
const SETUP_MS = 600_000;
const PAGE_MS = 60_000;

let folder = "";
let browser: Browser | undefined;
let run: LoadedRun;
/** Of the test split. */
let pictures: readonly string[] = [];
let site = "";
/** Why there is nothing to look at. */
let missing: string | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cool-web-export-"));
  const launch = findBrowser();
  if (typeof launch === "string") {
    missing = launch;
    return;
  }
  execFileSync(process.execPath, [BUILD]);
  const project = await loadProject(EXAMPLE, []);
  const store = join(folder, "store");
  const { run: trained } = await trainRun(project, { store, name: "door", epochs: 2 });
  run = await loadRun(store, trained.id, { backend: "wasm" });
  pictures = await testPictures(store, trained.id);
  site = await exported(store, "door");
  browser = await launch();
}, SETUP_MS);

afterAll(async () => {
  await browser?.close();
  run?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Pictures of the test split that its tasks know best and worst. */
async function testPictures(store: string, reference: string): Promise<string[]> {
  const opened = openRunStore(store, { readonly: true });
  try {
    const { tasks } = await interpretRun(opened, reference, { split: "test", top: 3 });
    const samples = tasks.flatMap(({ best, worst }) => [...best, ...worst]);
    return [...new Set(samples.map(({ id }) => join(EXAMPLE, id)))];
  } finally {
    opened.close();
  }
}

/** Exports the latest run of a store. */
async function exported(store: string, name: string): Promise<string> {
  const opened = openRunStore(store, { readonly: true });
  try {
    return (await shipRun(opened, "latest", { format: "web", to: join(folder, name), licence: "MIT" })).out;
  } finally {
    opened.close();
  }
}

interface Visit {
  readonly page: Page;
  readonly served: ServedFolder;
  /** Errors and warnings of the page, such as what its policy refuses. */
  readonly said: readonly string[];
}

interface VisitOptions {
  readonly query?: string;
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

/** Opens a folder in a profile of its own, which has no cache. */
async function visit(
  dir: string,
  use: (visit: Visit) => Promise<void>,
  { query = "", width = 1440, colorScheme = "light" }: VisitOptions = {},
): Promise<void> {
  if (browser === undefined) throw new Error("the browser was not started");
  const served = await serveFolder(dir);
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  try {
    const page = await context.newPage();
    const said: string[] = [];
    page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", ({ message }) => said.push(message));
    await page.goto(`${served.url}${query}`);
    await settled(page);
    await use({ page, served, said });
  } finally {
    await context.close();
    await served.close();
  }
}

/** Until the page can be asked, or says why not. */
async function settled(page: Page): Promise<void> {
  const found = "#status[data-device], #problem:not([hidden])";
  await page.waitForSelector(found, { state: "attached", timeout: PAGE_MS });
}

/** Gives a picture, and waits for its answers or for what is wrong with it. */
async function ask(page: Page, file: string): Promise<Explained> {
  await page.evaluate("delete document.getElementById('answers').dataset.answered");
  await page.evaluate("document.getElementById('problem').hidden = true");
  await page.setInputFiles("input[type=file]", file);
  return answered(page);
}

async function answered(page: Page): Promise<Explained> {
  const found = "#answers[data-answered], #problem:not([hidden])";
  await page.waitForSelector(found, { state: "attached", timeout: PAGE_MS });
  expect(await page.getAttribute("#problem", "hidden")).toBe("");
  return JSON.parse((await page.textContent("#json")) ?? "") as Explained;
}

interface Explained {
  readonly run: string;
  readonly explanations: readonly [{ readonly tree: readonly ExplanationNode[] }];
}

/** Numbers by the name of what they are about, and everything else of a tree. */
function flattened(tree: readonly ExplanationNode[]): { numbers: Map<string, number>; rest: string[] } {
  const numbers = new Map<string, number>();
  const rest: string[] = [];
  const visitValue = (name: string, value: unknown): void => {
    if (typeof value === "number") numbers.set(name, value);
    else if (typeof value === "object" && value !== null) {
      for (const [key, each] of Object.entries(value)) visitValue(`${name}/${key}`, each);
    } else rest.push(`${name}: ${String(value)}`);
  };
  visitValue("", tree);
  return { numbers, rest };
}

/** The largest difference of a number, where everything else is the same. */
function expectSameTree(own: readonly ExplanationNode[], expected: readonly ExplanationNode[], within: number): void {
  const [mine, theirs] = [flattened(own), flattened(expected)];
  expect(mine.rest).toEqual(theirs.rest);
  expect([...mine.numbers.keys()]).toEqual([...theirs.numbers.keys()]);
  for (const [name, value] of theirs.numbers) {
    const difference = Math.abs((mine.numbers.get(name) ?? Number.NaN) - value);
    // logits and numbers in label units are larger than scores
    expect([name, difference / Math.max(1, Math.abs(value)) <= within]).toEqual([name, true]);
  }
}

/** Scores of every task by path, the lowest first. */
function scoresOf(tree: readonly ExplanationNode[], found = new Map<string, readonly number[]>()) {
  for (const { path, activated, children } of tree) {
    found.set(path, [...activated].sort());
    scoresOf(children, found);
  }
  return found;
}

/** Where logits and the order of unlikely classes may differ. */
function expectSameScores(own: readonly ExplanationNode[], expected: readonly ExplanationNode[], within: number): void {
  const [mine, theirs] = [scoresOf(own), scoresOf(expected)];
  expect([...mine.keys()]).toEqual([...theirs.keys()]);
  for (const [path, scores] of theirs) {
    scores.forEach((score, i) => {
      expect([path, Math.abs((mine.get(path)?.[i] ?? Number.NaN) - score) <= within]).toEqual([path, true]);
    });
  }
}

function test(name: string, body: (context: TestContext) => Promise<void>): void {
  it(name, async (context) => {
    if (missing !== undefined) return context.skip(missing);
    await body(context);
  });
}

describe("the page of an export", () => {
  test("answers pictures of the test split as the run does, with nothing that its policy refuses", async () => {
    expect(pictures.length).toBeGreaterThan(20);
    const expected = await run.explain(pictures);
    await visit(site, async ({ page, said }) => {
      expect(await page.textContent("#status")).toMatch(/^Ready in .* computes with WebAssembly/);
      for (const [i, file] of pictures.entries()) {
        const own = await ask(page, file);
        expect(own.run).toBe(run.id);
        expectSameTree(own.explanations[0].tree, expected[i]?.tree ?? [], 1e-5);
      }
      expect(said).toEqual([]);
    });
  });

  test("prints the tree that cool explain prints, and says what is not asked", async () => {
    const file = pictures[0] ?? "";
    const [expected] = await run.explain([file]);
    if (expected === undefined) throw new Error("there is no picture");
    await visit(site, async ({ page }) => {
      await ask(page, file);
      const printed = (await page.textContent("#text")) ?? "";
      expect(printed.split("\n").slice(1)).toEqual(run.print(expected).split("\n").slice(1));
      const shown = Number(await page.evaluate("document.querySelectorAll('[data-path]').length"));
      const notAsked = Number(await page.evaluate("document.querySelectorAll('[data-not-asked]').length"));
      const flows = Number(await page.evaluate("document.querySelectorAll('[data-path] > .node .flow').length"));
      expect(shown - flows + notAsked).toBe(run.graph.tasks.length);
      expect(await page.textContent("#times")).toMatch(/^decoded in [\d.]+ ms, computed in /);
    });
  });

  test("draws the boxes of what is asked", async () => {
    const explained = await run.explain(pictures);
    const withPerson = explained.findIndex(({ tree }) => JSON.stringify(tree).includes("body_regression"));
    const boxes = "document.querySelectorAll('.figures .box').length";
    await visit(site, async ({ page }) => {
      await ask(page, pictures[withPerson] ?? "");
      expect(await page.evaluate(boxes)).toBe(2);
      expect(await page.textContent(".legend")).toMatch(/face_regression at [\d.]+ % from the left/);
    });
  });

  test("answers pictures that are resized as the run does, JPEG and WebP files, which sharp shrinks, nearly so", async () => {
    const exact: string[] = [];
    const lossy: string[] = [];
    for (const [i, picture] of pictures.slice(0, 6).entries()) {
      const large = sharp(picture).resize(150 + 20 * i, 90 + 30 * i);
      const [png, webp, jpeg] = [".png", ".webp", ".jpg"].map((type) => join(folder, `large-${i}${type}`));
      await large
        .clone()
        .png()
        .toFile(png ?? "");
      await large
        .clone()
        .webp({ lossless: true })
        .toFile(webp ?? "");
      await large
        .clone()
        .jpeg({ quality: 90 })
        .toFile(jpeg ?? "");
      exact.push(png ?? "");
      lossy.push(webp ?? "", jpeg ?? "");
    }
    const [expected, nearly] = [await run.explain(exact), await run.explain(lossy)];
    await visit(site, async ({ page }) => {
      for (const [i, file] of exact.entries()) {
        const own = await ask(page, file);
        expectSameTree(own.explanations[0].tree, expected[i]?.tree ?? [], 1e-5);
      }
      for (const [i, file] of lossy.entries()) {
        const own = await ask(page, file);
        expectSameScores(own.explanations[0].tree, nearly[i]?.tree ?? [], 0.1);
      }
    });
  });

  test("honours how a picture lies, what lies behind it, and its colour profile", async () => {
    const [file = ""] = pictures;
    const turned = join(folder, "turned.jpg");
    await sharp(file).rotate(90).withMetadata({ orientation: 8 }).jpeg({ quality: 100 }).toFile(turned);
    const clear = join(folder, "clear.png");
    await sharp(file).ensureAlpha(0.5).png().toFile(clear);
    const wide = join(folder, "wide.png");
    await sharp(file).withIccProfile("p3").png().toFile(wide);
    const files = [turned, clear, wide];
    const expected = await run.explain(files);
    await visit(site, async ({ page }) => {
      for (const [i, each] of files.entries()) {
        const own = await ask(page, each);
        expectSameScores(own.explanations[0].tree, expected[i]?.tree ?? [], 0.02);
      }
    });
  });

  test("answers without a network once it has been opened", async () => {
    const file = pictures[0] ?? "";
    const [expected] = await run.explain([file]);
    await visit(site, async ({ page, served }) => {
      expect(await page.evaluate("navigator.serviceWorker.ready.then(() => true)")).toBe(true);
      await served.close();
      await page.reload();
      await settled(page);
      const own = await ask(page, file);
      expectSameTree(own.explanations[0].tree, expected?.tree ?? [], 1e-5);
    });
  });

  test("names a file of the export that was changed, or is gone", async () => {
    const changed = await exported(join(folder, "store"), "changed");
    const weights = join(changed, "weights.bin");
    const bytes = readFileSync(weights);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    writeFileSync(weights, bytes);
    await visit(changed, async ({ page }) => {
      expect(await page.textContent("#problem")).toMatch(/^The file weights\.bin of this export has been changed/);
      expect(await page.textContent("#status")).toBe("This export cannot be opened.");
    });
    rmSync(weights);
    await visit(changed, async ({ page }) => {
      expect(await page.textContent("#problem")).toMatch(/^The file weights\.bin of this export is not there/);
    });
  });

  test("says what is wrong with a file that is no picture", async () => {
    const text = join(folder, "note.png");
    writeFileSync(text, "this is no picture");
    await visit(site, async ({ page }) => {
      await page.setInputFiles("input[type=file]", text);
      await page.waitForSelector("#problem:not([hidden])", { state: "attached", timeout: PAGE_MS });
      expect(await page.textContent("#problem")).toMatch(/^note\.png is no picture that this browser can decode/);
      await ask(page, pictures[0] ?? "");
    });
  });

  test("is worked by the keyboard", async () => {
    await visit(site, async ({ page }) => {
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.textContent")).toBe("Choose a picture…");
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.textContent")).toBe("Use the camera");
    });
  });

  test("fits screens of 390 and 1440 pixels, light and dark", async () => {
    for (const width of [390, 1440]) {
      for (const colorScheme of ["light", "dark"] as const) {
        await visit(
          site,
          async ({ page }) => {
            await ask(page, pictures.at(-1) ?? "");
            expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
            if (SCREENSHOTS === undefined) return;
            mkdirSync(SCREENSHOTS, { recursive: true });
            await page.screenshot({ path: join(SCREENSHOTS, `web-${width}-${colorScheme}.png`), fullPage: true });
          },
          { width, colorScheme },
        );
      }
    }
  });
});

describe("the page of an export on WebGPU", () => {
  test("answers as the run does, be it in software", async (context) => {
    const launch = findBrowser();
    if (typeof launch === "string") return context.skip(launch);
    const before = browser;
    browser = await launch(["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]);
    try {
      const some = pictures.slice(0, 6);
      const expected = await run.explain(some);
      await visit(
        site,
        async ({ page }) => {
          const status = (await page.textContent("#status")) ?? "";
          if (!status.includes("WebGPU.")) return context.skip(`no WebGPU: ${status}`);
          for (const [i, file] of some.entries()) {
            const own = await ask(page, file);
            expectSameTree(own.explanations[0].tree, expected[i]?.tree ?? [], 1e-3);
          }
        },
        { query: "?device=webgpu" },
      );
    } finally {
      await browser.close();
      browser = before;
    }
  });
});

const MIXED = `import { binary, categorical, classification, defineProject, defineTasks, known, numeric, tokens } from "dnn-cool";

const tasks = defineTasks({
  features: ["row", "words"],
  tasks: {
    member: known(),
    right: binary(),
    part: classification({ classes: ["noun", "verb"], per: "token" }),
  },
}).flow("main", (flow, x, out) => {
  out.add(flow.member());
  out.add(flow.right(x.row).given(out.member));
  out.add(flow.part(x.words));
});

export default defineProject({
  name: "mixed",
  tasks,
  flow: "main",
  data: {
    table: "labels.csv",
    inputs: {
      at: numeric({ columns: ["x", "y"] }),
      kind: categorical({ column: "kind", categories: ["a", "b"] }),
      text: tokens({ column: "text", vocabulary: ["dogs", "bark", "cats", "sleep"], maxLength: 6 }),
    },
    split: { column: "split" },
  },
  trunk: ({ at, kind, text }, layers) => ({
    row: layers.dense({ units: 4 }).apply(layers.concatenate().apply([at, kind])),
    words: layers.embedding({ inputDim: 5, outputDim: 4 }).apply(text),
  }),
  train: { epochs: 1, batchSize: 16 },
});
`;

const MIXED_ROWS = Array.from({ length: 32 }, (_, i) => {
  const split = ["train", "train", "valid", "test"][i % 4];
  return `${(i % 5) - 2},${(i % 3) / 4},${i % 2 === 0 ? "a" : "b"},dogs bark,${i % 2},${i % 3 === 0 ? 0 : 1},"[""noun"",""verb""]",${split}`;
});

describe("the page of an export without pictures", () => {
  test("takes numbers, categories, tokens and known answers in fields", async () => {
    const dir = join(folder, "mixed");
    const header = "x,y,kind,text,member,right,part,split";
    writeFiles(dir, { "cool.config.ts": MIXED, "labels.csv": `${[header, ...MIXED_ROWS].join("\n")}\n` });
    const { run: trained } = await trainRun(await loadProject(dir, []), { store: join(dir, "store"), name: "mixed" });
    const mixed = await loadRun(join(dir, "store"), trained.id, { backend: "wasm" });
    try {
      const [expected] = await mixed.explain([
        "select 1.5 as x, -0.25 as y, 'b' as kind, 'bark dogs bark' as text, true as member",
      ]);
      await visit(await exported(join(dir, "store"), "mixed-site"), async ({ page, said }) => {
        await page.click("button[type=submit]");
        await page.waitForSelector("#problem:not([hidden])", { state: "attached", timeout: PAGE_MS });
        expect(await page.textContent("#problem")).toBe("Enter a number for x first.");
        await page.fill("input[aria-label=x]", "1.5");
        await page.fill("input[aria-label=y]", "-0.25");
        await page.selectOption("select[name=kind]", "b");
        await page.fill("textarea", "bark dogs bark");
        await page.selectOption("select[name=member]", "yes");
        await page.click("button[type=submit]");
        const own = await answered(page);
        expectSameTree(own.explanations[0].tree, expected?.tree ?? [], 1e-5);
        expect(expected?.tree.map(({ path }) => path)).toEqual(["member", "part"]);
        expect(said).toEqual([]);
        if (SCREENSHOTS !== undefined)
          await page.screenshot({ path: join(SCREENSHOTS, "web-mixed.png"), fullPage: true });
      });
    } finally {
      mixed.close();
    }
  });
});
