/** @file A run on tokens alone: custom tasks per token, words of its samples, uncertainty and what moves its answers. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  binary,
  boundedRegression,
  classification,
  defineProject,
  defineTask,
  defineTasks,
  idCount,
  type LoadedRun,
  loadRun,
  poolTokens,
  type SymbolicTensor,
  tokens,
} from "../../src/index.js";
import { interpretRun } from "../../src/asking/interpret-run.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { writeReceptiveFields } from "../../src/asking/receptive-field-run.js";
import { textOf } from "../../src/records/stored-words.js";
import { trainRun } from "../../src/training/train-run.js";
import { openRunStore } from "../../src/storage/run-store.js";

const WORDS = ["dog", "cat", "sits", "runs", "quickly"];
const text = tokens({ column: "text", vocabulary: WORDS, maxLength: 6 });

/** Letters of a word and whether it is short: two numbers. */
const shape = defineTask({
  name: "shape",
  width: 2,
  answerWidth: 2,
  parse: (cell) => (Array.isArray(cell) ? (cell as number[]) : { problem: "is no pair" }),
  loss: ([a = 0, b = 0], [letters = 0, short = 0]) => (a - letters) ** 2 + (b - short) ** 2,
  activation: (logits) => [...logits],
  decoder: { parameters: [], decode: (activated) => [...activated] },
  metrics: {
    error: {
      higherIsBetter: false,
      compute: (rows) =>
        rows.reduce((sum, { decoded, label }) => sum + Math.abs((decoded[0] ?? 0) - (label[0] ?? 0)), 0) / rows.length,
    },
  },
  likelihood: "gaussian",
  head: ({ feature, layers, width }) => {
    const hidden = layers.dense({ units: 6, activation: "tanh" }).apply(feature) as SymbolicTensor;
    return layers.dense({ units: width }).apply(hidden) as SymbolicTensor;
  },
});

const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) => layer.apply(x) as SymbolicTensor;
const project = defineProject({
  name: "words",
  tasks: defineTasks({
    features: ["words", "row"],
    tasks: {
      kind: classification({ classes: ["noun", "verb", "adverb"], per: "token" }),
      shape: shape({ per: "token", lossWeight: 0.1 }),
      size: boundedRegression({ max: 8, per: "token" }),
      lively: binary(),
    },
  }).flow("main", (flow, x, out) => {
    out.add(flow.kind(x.words));
    out.add(flow.shape(x.words).given(out.kind.is("noun").not()));
    out.add(flow.size(x.words));
    out.add(flow.lively(x.row));
  }),
  flow: "main",
  data: {
    table: `select text, list_transform(w, v -> case when v in ('dog', 'cat') then 'noun' when v = 'quickly' then 'adverb'
        else 'verb' end) as kind, list_transform(w, v -> [length(v), if(length(v) < 4, 1, 0)]) as shape,
        list_transform(w, v -> length(v)) as size, list_contains(w, 'runs') as lively
      from (select string_split(text, ' ') as w, text from (select unnest(['dog sits', 'cat runs quickly',
        'quickly dog runs', 'cat sits', 'dog runs', 'sits cat quickly']) as text, unnest(range(6)) from range(12)))`,
    inputs: { text },
    split: { train: 0.6, valid: 0.4, test: 0, seed: 3 },
  },
  trunk: ({ text: ids }, layers) => {
    const embedded = apply(layers.embedding({ inputDim: idCount(text), outputDim: 6 }), ids);
    const words = apply(layers.dropout({ rate: 0.3 }), embedded);
    return { words, row: poolTokens(layers, words, ids) };
  },
  train: { epochs: 25, batchSize: 8, optimizer: { kind: "adamw", learningRate: 0.03 } },
});

const dir = mkdtempSync(join(tmpdir(), "cool-words-"));
const store = join(dir, "store");
let run: LoadedRun;

beforeAll(async () => {
  await trainRun(resolveProject(project, { projectDir: dir }), { store, backend: "wasm" });
  run = await loadRun(store, "latest", { backend: "wasm" });
}, 120_000);
afterAll(() => {
  run.close();
  rmSync(dir, { recursive: true, force: true });
});

const QUERY = "select 'cat runs quickly' as text";

test("a custom task of every token learns, is gated and answers token by token", async () => {
  const [answer] = await run.predict([QUERY]);
  const shapes = answer?.answers.shape?.decoded as readonly (readonly string[] | null)[];
  // not asked of a noun
  expect(shapes[0]).toBeNull();
  expect(Math.abs(Number(shapes[1]?.[0]) - 4)).toBeLessThan(0.5);
  expect(Math.abs(Number(shapes[2]?.[0]) - 7)).toBeLessThan(0.5);
  const rows = await run.evaluate("valid");
  const error = rows.find(({ task_path, metric_name }) => task_path === "shape" && metric_name === "error");
  expect(error?.metric_res).toBeLessThan(0.5);
});

describe("an explanation", () => {
  test("shows the words and, under dropout, how far the answers at each of them spread", async () => {
    const [explanation] = await run.explain([QUERY], { uncertainty: { samples: 200, seed: 1 } });
    expect(explanation?.text).toBe("cat runs quickly");
    const nodes = new Map(explanation?.tree.flatMap((node) => [node, ...node.children]).map((n) => [n.path, n]));
    const kind = nodes.get("kind");
    expect(kind).toMatchObject({ words: ["cat", "runs", "quickly"], decoded: ["noun", "verb", "adverb"] });
    expect(kind?.uncertainty?.samples).toBe(200);
    expect(kind?.uncertainty?.mean).toHaveLength(3);
    kind?.uncertainty?.deviation.forEach((deviation) => {
      expect(deviation).toBeGreaterThan(0);
      expect(deviation).toBeLessThan(0.5);
    });
    // two numbers for each of two tokens
    expect(nodes.get("shape")).toMatchObject({ positions: [1, 2], words: ["runs", "quickly"] });
    expect(nodes.get("shape")?.uncertainty?.mean).toHaveLength(4);
    // in letters, not in fractions of the range
    nodes.get("size")?.uncertainty?.decoded?.mean.forEach((mean, i) => {
      expect(Math.abs(mean - ([3, 4, 7][i] as number))).toBeLessThan(1);
    });
    const printed = run.print(explanation as NonNullable<typeof explanation>);
    expect(printed).toMatch(/├── 1: cat runs quickly\n/);
    expect(printed).toMatch(
      /kind \| decoded: \[1 cat: noun, 2 runs: verb, 3 quickly: adverb\] of 3 tokens, sampled: \[1 cat: [\d.]+ ± [\d.]+, 2 runs/,
    );
    expect(printed).toMatch(/shape \| .* sampled: \[2 runs: [\d.]+ ± [\d.]+ [-\d.]+ ± [\d.]+, 3 quickly: /);
  });

  test("does not depend on which rows are explained together", async () => {
    const both = await run.explain(["select unnest(['cat runs quickly', 'dog', 'sits sits sits sits sits']) as text"]);
    const [alone] = await run.explain([QUERY]);
    expect(both[0]?.tree).toEqual(alone?.tree);
  });
});

describe("a receptive field", () => {
  test("of a task per token is the token itself where the trunk reads each alone; of one per row all tokens", async () => {
    const kind = await run.tokenField(QUERY, "kind");
    expect(kind.tokens).toEqual(["cat", "runs", "quickly"]);
    expect(
      kind.answers.map(({ position, decoded, logit, reachable }) => [position, decoded, logit, [...reachable]]),
    ).toEqual([
      [0, "noun", "noun", [1, 0, 0]],
      [1, "verb", "verb", [0, 1, 0]],
      [2, "adverb", "adverb", [0, 0, 1]],
    ]);
    const lively = await run.tokenField(QUERY, "lively");
    expect(lively.answers.map(({ position, reachable }) => [position, [...reachable]])).toEqual([[null, [1, 1, 1]]]);
    expect(Math.max(...(lively.answers[0]?.influence ?? []))).toBe(1);
  });

  test("is drawn, of a task with its own head too", async () => {
    const file = join(dir, "field.png");
    const [written] = await writeReceptiveFields(run, [QUERY], "shape", file);
    expect(written).toMatchObject({ task: "shape", file, tokens: ["cat", "runs", "quickly"] });
    expect(written?.answers?.map(({ position }) => position)).toEqual([1, 2]);
    const { format, width = 0 } = await sharp(readFileSync(file)).metadata();
    expect(format).toBe("png");
    expect(width).toBeGreaterThan(3 * 40);
  });

  test("of a task that is not asked says so", async () => {
    await expect(run.tokenField("select 'dog cat' as text", "shape")).rejects.toThrow(
      'The task "shape" is not asked of 1: its precondition does not hold there',
    );
  });
});

test("best and worst samples are shown with their words, the one that is meant marked", async () => {
  const opened = openRunStore(store, { readonly: true });
  try {
    const folder = join(dir, "sheets");
    const { tasks, sheets } = await interpretRun(opened, "latest", { top: 3, out: folder });
    const kind = tasks.find(({ task_path }) => task_path === "kind");
    for (const { text: words = "", label, position = -1 } of [...(kind?.best ?? []), ...(kind?.worst ?? [])]) {
      const marked = words.split(" ")[position] as string;
      expect(marked).toMatch(/^«\w+»$/);
      expect(label).toBe({ dog: "noun", cat: "noun", quickly: "adverb" }[marked.slice(1, -1)] ?? "verb");
    }
    const lively = tasks.find(({ task_path }) => task_path === "lively");
    lively?.worst.forEach(({ text: words, label }) => {
      expect(words?.includes("runs")).toBe(label);
    });
    expect(sheets).toHaveLength(8);
  } finally {
    opened.close();
  }
});

test("of a long row only what is around the word is shown", () => {
  const words = Array.from({ length: 40 }, (_, i) => `w${i}`);
  const shown = textOf(words, " ", 20);
  expect(shown).toMatch(/^… w\d+ .*«w20» w21 .* w28 …$/);
  expect(shown.indexOf("«")).toBeLessThan(30);
  expect(textOf(["a", "b"], " ", 0)).toBe("«a» b");
  expect(textOf(["a", "b"], "")).toBe("ab");
});
