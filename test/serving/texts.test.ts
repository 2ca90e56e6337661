/** @file A run on raw texts, served: texts are cut as `cool predict` cuts them, and ids are taken as they are. */
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadRun, type Prediction } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { shipRun } from "../../src/shipping/export-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { type ServedApp, servedApp } from "../support/served.js";
import { OWN_TRUNK, type TextProject, textProject, tokenizerFixtures } from "../support/text-project.js";

const TEXTS = ["The parcel arrived damaged, please send the money back", "Great service", "no. 7"];

let project: TextProject;
let served: ServedApp;
let shipped: ServedApp;
let expected: Prediction[];

beforeAll(async () => {
  project = textProject(OWN_TRUNK, false);
  const { run } = await trainRun(await loadProject(project.dir), { backend: "wasm" });
  const store = join(project.dir, ".cool");
  const loaded = await loadRun(store, run.id, { backend: "wasm", project: project.dir });
  expected = await loaded.predict(TEXTS).finally(() => loaded.close());
  const opened = openRunStore(store, { readonly: true });
  const to = join(project.dir, "shipped");
  await shipRun(opened, run.id, { format: "layers", to, project: project.dir }).finally(() => opened.close());
  served = await servedApp(run.id, store, { project: project.dir });
  shipped = await servedApp(to, store, { project: project.dir });
}, 120_000);
afterAll(async () => {
  await served?.close();
  await shipped?.close();
  project?.remove();
});

/** As whoever asks would cut them. */
function idsOf(text: string): number[] {
  const { Tokenizer } = createRequire(import.meta.url)("@huggingface/tokenizers") as {
    Tokenizer: new (document: unknown, config: object) => { encode(text: string): { ids: number[] } };
  };
  const document: unknown = JSON.parse(readFileSync(join(tokenizerFixtures, "wordpiece.json"), "utf8"));
  return new Tokenizer(document, {}).encode(text).ids;
}

const ask = (app: ServedApp, rows: readonly object[], path = "/predict", headers = {}) =>
  app.post(path, JSON.stringify({ inputs: rows }), { "content-type": "application/json", ...headers });

function answersIn(json: unknown): Prediction["answers"][] {
  return (json as { predictions: Prediction[] }).predictions.map(({ answers }) => answers);
}

it("texts are answered as cool predict answers them, by a run and by an export", async () => {
  for (const app of [served, shipped]) {
    const { status, json } = await ask(
      app,
      TEXTS.map((text) => ({ text })),
    );
    expect(status).toBe(200);
    answersIn(json).forEach((answers, i) => {
      const other = expected[i]?.answers ?? {};
      expect(Object.keys(answers)).toEqual(Object.keys(other));
      for (const [path, { activated, decoded }] of Object.entries(answers)) {
        expect(decoded).toEqual(other[path]?.decoded);
        for (const [k, score] of activated.entries()) {
          expect(score).toBeCloseTo(other[path]?.activated[k] ?? Number.NaN, 5);
        }
      }
    });
  }
});

it("the ids of a text are answered as the text is", async () => {
  const [text = ""] = TEXTS;
  const { json } = await ask(served, [{ text }, { text: idsOf(text) }]);
  const [cut, sent] = answersIn(json);
  expect(sent).toEqual(cut);
});

it("an explanation names the text", async () => {
  const { text } = await ask(served, [{ text: TEXTS[1] }], "/explain", { accept: "text/plain" });
  expect(text).toContain("Great service");
});

it("a text of nothing and a list of words are refused", async () => {
  for (const [text, words] of [
    [null, /Row 1 has no text for the input "text"/],
    [["Great"], /takes ids of/],
  ] as const) {
    const { status, json } = await ask(served, [{ text }]);
    expect(status).toBe(400);
    expect((json as { message: string }).message).toMatch(words);
  }
});

it("a tokenizer that is gone is named, and ids are answered without it", async () => {
  const file = join(project.dir, "shipped", "text.tokenizer.json");
  mkdirSync(join(project.dir, "elsewhere"));
  const app = await servedApp(join(project.dir, "shipped"), "", { project: project.dir });
  try {
    renameSync(file, join(project.dir, "elsewhere", "tokenizer.json"));
    const refused = await ask(app, [{ text: "Great service" }]);
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({ error: "no_tokenizer", facts: { input: "text" } });
    expect((await ask(app, [{ text: idsOf("Great service") }])).status).toBe(200);
  } finally {
    renameSync(join(project.dir, "elsewhere", "tokenizer.json"), file);
    await app.close();
  }
});
