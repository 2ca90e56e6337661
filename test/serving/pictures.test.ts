/** @file A run over pictures, served: the answers of `cool predict` and `cool explain`, however they are asked for. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LoadedRun, loadRun, type Prediction } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { type ExportOptions, shipRun } from "../../src/shipping/export-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../support/onnx-runtime.js";
import { type TinyProject, tinyProject } from "../support/projects.js";
import { parsePrometheus } from "../support/prometheus.js";
import { type SentBody, type ServedApp, servedApp } from "../support/served.js";

const noOnnx = await ensureOnnxRuntime();
const ROWS = 20;

let project: TinyProject;
let run: LoadedRun;
let served: ServedApp;
let predicted: readonly Prediction[];
const picture = (row: number): Buffer => readFileSync(project.image(row));
const base64 = (row: number): string => picture(row).toString("base64");
const json = (inputs: unknown): string => JSON.stringify({ inputs });
const JSON_TYPE = { "content-type": "application/json" };

beforeAll(async () => {
  project = await tinyProject();
  const { run: trained } = await trainRun(await loadProject(project.dir, ["train.epochs=4"]));
  const store = join(project.dir, ".cool");
  run = await loadRun(store, trained.id);
  predicted = await run.predict(Array.from({ length: ROWS }, (_, row) => project.image(row)));
  served = await servedApp(trained.id, store);
});
afterAll(async () => {
  await served.close();
  run.close();
  project.remove();
});

/** Predictions as JSON carries them, under other names. */
function expected(rows: readonly number[], nameOf: (row: number, i: number) => string): unknown {
  const predictions = rows.map((row, i) => ({ ...predicted[row], input: nameOf(row, i) }));
  return JSON.parse(JSON.stringify({ run: run.id, rows: rows.length, predictions }));
}

function form(rows: readonly number[], name = "image"): FormData {
  const data = new FormData();
  for (const row of rows) data.append(name, new Blob([new Uint8Array(picture(row))]), `${row}.png`);
  return data;
}

describe("POST /predict", () => {
  it("answers one picture as cool predict --json does", async () => {
    for (const row of [0, 3, 7]) {
      const { status, json: answer } = await served.post("/predict", new Uint8Array(picture(row)), {
        "content-type": "image/png",
      });
      expect([status, answer]).toEqual([200, expected([row], () => "1")]);
    }
  });

  it("answers a form of pictures, under the names of their files", async () => {
    const rows = [4, 2, 9];
    for (const name of ["image", "img", "file"]) {
      expect((await served.post("/predict", form(rows, name))).json).toEqual(expected(rows, (row) => `${row}.png`));
    }
  });

  it("answers rows as JSON, by the name of the input or of its column", async () => {
    const sent = [{ image: base64(5) }, { img: base64(6) }, { image: `data:image/png;base64,${base64(8)}` }];
    const { json: answer } = await served.post("/predict", json(sent), JSON_TYPE);
    expect(answer).toEqual(expected([5, 6, 8], (_, i) => String(i + 1)));
  });

  it("answers many at once as each alone, batch by batch", async () => {
    served.batches.length = 0;
    const rows = Array.from({ length: ROWS }, (_, row) => row);
    const together = await served.post("/predict", json(rows.map((row) => ({ image: base64(row) }))), JSON_TYPE);
    expect(together.json).toEqual(expected(rows, (_, i) => String(i + 1)));
    expect(served.batches).toEqual([8, 8, 4]);
    const alone = await Promise.all(
      rows.map((row) => served.post("/predict", json([{ image: base64(row) }]), JSON_TYPE)),
    );
    for (const [row, { json: answer }] of alone.entries()) expect(answer).toEqual(expected([row], () => "1"));
    expect(Math.max(...served.batches.slice(3))).toBeGreaterThan(1);
  });

  it("reads pictures of any size and colours as cool predict does", async () => {
    const shapes = {
      "grey.png": sharp(project.image(3)).greyscale().resize(40, 30, { fit: "fill" }),
      "deep.png": sharp(project.image(3)).toColourspace("rgb16").png(),
      "cmyk.jpg": sharp(project.image(3)).resize(64).toColourspace("cmyk").jpeg(),
      "clear.webp": sharp(project.image(3)).ensureAlpha(0.5).webp(),
    };
    for (const [name, image] of Object.entries(shapes)) {
      const file = join(project.dir, name);
      await image.toFile(file);
      const [own] = await run.predict([file]);
      const { json: answer } = await served.post("/predict", new Uint8Array(readFileSync(file)), {
        "content-type": "image/*",
      });
      expect(answer, name).toMatchObject({ predictions: [{ answers: JSON.parse(JSON.stringify(own?.answers)) }] });
    }
  });

  it.each<[what: string, body: () => SentBody, type: Record<string, string>, status: number, message: RegExp]>([
    [
      "a text",
      () => "hello",
      { "content-type": "text/plain" },
      415,
      /^The request has the Content-Type "text\/plain"\. Send/,
    ],
    ["no type", () => new Uint8Array([1]), {}, 415, /no Content-Type/],
    ["an empty picture", () => "", { "content-type": "image/png" }, 400, /^Row 1 has an empty picture/],
    [
      "a picture that is none",
      () => "hello",
      { "content-type": "image/png" },
      400,
      /that is not an image \(JPEG, PNG, WebP or TIFF\)\.$/,
    ],
    [
      "half a picture",
      () => new Uint8Array(picture(0).subarray(0, 90)),
      { "content-type": "image/png" },
      400,
      /damaged or truncated/,
    ],
    ["JSON that is none", () => "{", JSON_TYPE, 400, /^The body is no JSON/],
    ["JSON of bytes that are no text", () => new Uint8Array([0xff, 0xfe]), JSON_TYPE, 400, /^The body is no JSON/],
    ["JSON without rows", () => "[1]", JSON_TYPE, 400, /has no list of rows/],
    ["no rows", () => json([]), JSON_TYPE, 400, /asks about nothing/],
    ["a row that is none", () => json([{ image: base64(1) }, 3]), JSON_TYPE, 400, /^Row 2 is no object/],
    [
      "a wrong name",
      () => json([{ imgae: base64(1) }]),
      JSON_TYPE,
      400,
      /^Row 1 has "imgae", which is no input\. Did you mean image\?/,
    ],
    [
      "a name of objects",
      () => '{"inputs":[{"__proto__":{"image":1}}]}',
      JSON_TYPE,
      400,
      /"__proto__", which is no input/,
    ],
    ["no picture", () => json([{}]), JSON_TYPE, 400, /^Row 1 has no picture for the input "image", but nothing/],
    ["no base64", () => json([{ image: "*" }]), JSON_TYPE, 400, /a text that is no base64/],
    ["too many rows", () => json(new Array(51).fill({})), JSON_TYPE, 413, /51 rows; at most 50/],
    [
      "a form that is none",
      () => "x",
      { "content-type": "multipart/form-data; boundary=y" },
      400,
      /no multipart\/form-data/,
    ],
    ["a form without a boundary", () => "x", { "content-type": "multipart/form-data" }, 400, /no multipart\/form-data/],
    ["too many bytes", () => new Uint8Array(2e6), { "content-type": "image/png" }, 413, /larger than 1000000 bytes/],
  ])("refuses %s, in words", async (_, body, type, status, message) => {
    const response = await served.post("/predict", body(), type);
    expect([response.status, response.json]).toEqual([
      status,
      { error: expect.any(String), message: expect.stringMatching(message), facts: expect.any(Object) },
    ]);
    expect(served.failures).toEqual([]);
  });

  it("refuses a picture of more pixels than are decoded, and animations", async () => {
    const bomb = await sharp({ create: { width: 1001, height: 1001, channels: 3, background: "white" } })
      .png()
      .toBuffer();
    const { json: answer } = await served.post("/predict", new Uint8Array(bomb), { "content-type": "image/png" });
    expect(answer).toMatchObject({ message: expect.stringMatching(/has more than 1 million pixels; make it smaller/) });
    const gif = await sharp({ create: { width: 9, height: 9, channels: 3, background: "white" } })
      .gif()
      .toBuffer();
    const animated = await served.post("/predict", new Uint8Array(gif), { "content-type": "image/gif" });
    expect(animated.json).toMatchObject({ message: expect.stringMatching(/is of the format gif; convert it/) });
  });
});

describe("POST /explain", () => {
  it("gives the trees of cool explain --json, and as they are printed", async () => {
    const rows = [0, 3, 4];
    const own = await run.explain(rows.map((row) => project.image(row)));
    const { json: answer } = await served.post("/explain", form(rows));
    expect(answer).toEqual({
      run: run.id,
      explanations: own.map((one, i) => ({
        ...JSON.parse(JSON.stringify(one)),
        input: `${rows[i]}.png`,
        printed: run.print({ ...one, input: `${rows[i]}.png` }),
      })),
    });
    const printed = await served.post("/explain", form(rows), { accept: "text/plain" });
    expect(printed.text).toBe(`${own.map((one, i) => run.print({ ...one, input: `${rows[i]}.png` })).join("\n")}\n`);
  });

  it("obeys nothing that stands in the name of a file", async () => {
    const data = new FormData();
    data.append("image", new Blob([new Uint8Array(picture(0))]), "\x1b[2Jcleared.png");
    expect((await served.post("/explain", data, { accept: "text/plain" })).text).not.toContain("\x1b");
  });
});

it("the OpenAPI document has the run's inputs and answers", async () => {
  const response = await served.app.request("/openapi.json", { headers: { host: "localhost" } });
  const { paths, components } = JSON.parse(await response.text());
  expect(Object.keys(paths)).toEqual(["/predict", "/explain", "/health", "/metrics", "/openapi.json"]);
  expect(components.schemas.Row).toMatchObject({
    properties: { image: { type: "string", contentEncoding: "base64" } },
    required: ["image"],
  });
  const answers = components.schemas.Answers.properties;
  expect(Object.keys(answers)).toEqual(run.graph.tasks.map(({ path }) => path));
  expect(answers["square.color"].properties.decoded).toEqual({ enum: ["red", "green", "blue", null] });
  expect(answers["square.marks"].properties.decoded).toMatchObject({ items: { enum: ["stripe", "dot"] } });
  expect(answers["square.color"].description).toBe("classification, asked where present");
  const references = [...JSON.stringify(paths).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name = ""]) => name);
  for (const name of references) expect(components.schemas).toHaveProperty(name);
});

it("the metrics count requests, rows, batches, and how often each task is asked and how answered", async () => {
  const other = await servedApp(run.id, join(project.dir, ".cool"));
  try {
    const rows = Array.from({ length: ROWS }, (_, row) => row);
    await other.post("/predict", form(rows));
    await other.post("/explain", form(rows));
    await other.post("/predict", "x", { "content-type": "text/plain" });
    await other.app.request("/somewhere/else", { method: "BREW", headers: { host: "localhost" } });
    const page = await other.app.request("/metrics", { headers: { host: "localhost" } });
    expect(page.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const { samples } = parsePrometheus(await page.text());
    const sampleOf = (name: string, labels: Readonly<Record<string, string>> = {}) =>
      samples.find((one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels))?.value;
    expect(sampleOf("cool_serve_requests_total", { method: "POST", route: "/predict", status: "200" })).toBe(1);
    expect(sampleOf("cool_serve_requests_total", { method: "POST", route: "/predict", status: "415" })).toBe(1);
    expect(sampleOf("cool_serve_requests_total", { method: "other", route: "other", status: "404" })).toBe(1);
    expect(sampleOf("cool_serve_request_seconds_count", { route: "/explain" })).toBe(1);
    expect(sampleOf("cool_serve_rows_total")).toBe(2 * ROWS);
    expect(sampleOf("cool_serve_batch_rows_sum")).toBe(2 * ROWS);
    for (const { path } of run.graph.tasks) {
      const asked = predicted.filter(({ answers }) => path in answers);
      expect(sampleOf("cool_serve_task_asked_total", { task: path }), path).toBe(2 * asked.length);
    }
    for (const answer of ["true", "false"]) {
      const given = predicted.filter(({ answers }) => String(answers.blocked?.decoded) === answer).length;
      expect(sampleOf("cool_serve_task_answers_total", { task: "blocked", answer }) ?? 0).toBe(2 * given);
    }
    const reds = predicted.filter(({ answers }) => answers["square.color"]?.decoded === "red").length;
    expect(sampleOf("cool_serve_task_answers_total", { task: "square.color", answer: "red" }) ?? 0).toBe(2 * reds);
  } finally {
    await other.close();
  }
});

it("health says which run is served, without a token", async () => {
  const guarded = await servedApp(run.id, join(project.dir, ".cool"), { token: "0123456789abcdef" });
  try {
    const health = await guarded.app.request("/health", { headers: { host: "localhost" } });
    expect(await health.json()).toEqual({ status: "ok", workers: 1, run: run.id });
    expect((await guarded.post("/predict", form([1]))).status).toBe(401);
    const authorization = "Bearer 0123456789abcdef";
    expect((await guarded.post("/predict", form([1]), { authorization })).status).toBe(200);
  } finally {
    await guarded.close();
  }
});

it("an answer that takes too long is not waited for", async () => {
  const hasty = await servedApp(run.id, join(project.dir, ".cool"), { timeoutMs: 1 });
  try {
    // what other threads decode takes longer than a millisecond, and this one is free for the clock meanwhile
    const blank = { width: 900, height: 900, channels: 3, background: "gray" } as const;
    const large = (await sharp({ create: blank }).jpeg().toBuffer()).toString("base64");
    const body = json(Array.from({ length: ROWS }, () => ({ image: large })));
    expect(await hasty.post("/predict", body, JSON_TYPE)).toMatchObject({ status: 504, json: { error: "too_late" } });
  } finally {
    await hasty.close();
  }
});

describe("an export", () => {
  async function exported(name: string, options: Pick<ExportOptions, "format">): Promise<string> {
    const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
    try {
      return (await shipRun(store, run.id, { ...options, to: join(project.dir, name) })).out;
    } finally {
      store.close();
    }
  }

  async function expectEqual(path: string, digits: number): Promise<void> {
    // no project and no store
    const own = await servedApp(path, join(project.dir, "nowhere"));
    try {
      const rows = Array.from({ length: ROWS }, (_, row) => row);
      const { json: answer } = await own.post("/predict", form(rows));
      const { predictions } = answer as { readonly predictions: readonly Prediction[] };
      predicted.forEach(({ answers }, row) => {
        const given = predictions[row]?.answers ?? {};
        expect(Object.keys(given)).toEqual(Object.keys(answers));
        for (const [task, { decoded, activated, joint_probability }] of Object.entries(answers)) {
          for (const [i, score] of activated.entries()) expect(given[task]?.activated[i]).toBeCloseTo(score, digits);
          if (typeof joint_probability === "number")
            expect(given[task]?.joint_probability).toBeCloseTo(joint_probability, digits);
          if (typeof decoded === "number") expect(given[task]?.decoded).toBeCloseTo(decoded, digits - 1);
          else expect(given[task]?.decoded).toEqual(decoded);
        }
      });
      expect((await own.post("/explain", form([3]), { accept: "text/plain" })).text).toContain("blocked | decoded:");
    } finally {
      await own.close();
    }
  }

  it("of the format layers answers as the run does", async () => {
    await expectEqual(await exported("layers", { format: "layers" }), 5);
  });

  it.skipIf(noOnnx !== null)("of the format onnx answers as the run does, as a folder and as one file", async () => {
    linkOnnxRuntime(project.dir);
    const from = process.cwd();
    const [folder, file] = [
      await exported("onnx", { format: "onnx" }),
      await exported("model.onnx", { format: "onnx" }),
    ];
    try {
      process.chdir(project.dir);
      await expectEqual(folder, 4);
      await expectEqual(file, 4);
    } finally {
      process.chdir(from);
    }
  });
});
