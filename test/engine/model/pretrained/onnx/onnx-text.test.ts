/** @file ONNX models that read texts: PyTorch's numbers for a small transformer, and what does not fit a tokenizer. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TextNeeds, TextPooling } from "../../../../../src/engine/model/pretrained/external-model.js";
import { layOut, openOnnxText } from "../../../../../src/engine/model/pretrained/onnx/onnx-text.js";
import { needs } from "../../../../support/needs.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../../../../support/onnx-runtime.js";

/** What PyTorch says of padded texts, fixtures/tokenizers/make_encoder.py. */
interface TorchEncoder extends Readonly<Record<Exclude<TextPooling, "none"> | "pooled", number[][]>> {
  /** The vector of each token, without padding. */
  readonly none: readonly (readonly number[][])[];
  /** The tokenizer's, from 0 up. */
  readonly ids: readonly number[][];
}

const folder = fileURLToPath(new URL("../../../../../fixtures/tokenizers/", import.meta.url));
const torch = JSON.parse(readFileSync(join(folder, "encoder.json"), "utf8")) as TorchEncoder;
const { ids: expectedIds } = torch;

const missing = await ensureOnnxRuntime();
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-onnx-text-"));
  if (missing === null) linkOnnxRuntime(dir);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const RIGHT = { id: 0, typeId: 0, side: "right", length: null, multiple: null } as const;

function open(text: Partial<TextNeeds["text"]> = {}, change: Partial<TextNeeds> = {}) {
  const tokenizer = { file: "wordpiece.json", ids: 375, padding: RIGHT };
  return openOnnxText({
    ...{ model: "encoder.onnx", file: join(folder, "encoder.onnx"), projectDir: dir },
    text: { tokenizer, maxLength: 24, pooling: null, isNew: true, ...text },
    ...change,
  });
}

/** As the data gives them: counted from 1, padded with 0. */
function padded(rows: readonly (readonly number[])[]): Int32Array {
  const length = Math.max(...rows.map((row) => row.length));
  return Int32Array.from(rows.flatMap((row) => Array.from({ length }, (_, i) => (row[i] ?? -1) + 1)));
}

describe("a transformer of PyTorch", () => {
  needs(missing);

  test.each([
    ["last_hidden_state", null, "mean"],
    ["last_hidden_state", "mean", "mean"],
    ["last_hidden_state", "first", "first"],
    ["last_hidden_state", "last", "last"],
    ["pooler_output", null, "pooled"],
  ] as const)("%s with the pooling %s is what PyTorch says, also in one padded batch", async (output, pooling, key) => {
    const model = await open({ pooling }, { output });
    expect([model.output, model.shape]).toEqual([output, [12]]);
    const together = await model.run(padded(expectedIds), expectedIds.length);
    for (const [row, ids] of expectedIds.entries()) {
      const alone = await model.run(padded([ids]), 1);
      for (const [place, value] of (torch[key][row] ?? []).entries()) {
        expect(Math.abs((together[row * 12 + place] ?? Number.NaN) - value)).toBeLessThan(1e-4);
        expect(Math.abs((alone[place] ?? Number.NaN) - value)).toBeLessThan(1e-4);
      }
    }
    await model.close();
  });

  test.each([RIGHT, { ...RIGHT, side: "left", length: 30 }] as const)(
    "each token's vector is what PyTorch says where it is padded by %o, and 0 behind the tokens",
    async (padding) => {
      const isShifted = padding.side === "left";
      const tokenizer = { file: "wordpiece.json", ids: 375, padding };
      const model = await open({ pooling: "none", tokenizer, maxLength: 24 });
      expect([model.shape, model.pooling]).toEqual([[12], "none"]);
      const longest = Math.max(...expectedIds.map(({ length }) => length));
      const together = await model.run(padded(expectedIds), expectedIds.length);
      expect(together).toHaveLength(expectedIds.length * longest * 12);
      for (const [row, ids] of expectedIds.entries()) {
        const own = together.subarray(row * longest * 12, (row + 1) * longest * 12);
        expect(own.subarray(ids.length * 12).every((value) => value === 0)).toBe(true);
        // this encoder counts places from the left, padding among them
        if (isShifted) expect(own.subarray(0, ids.length * 12).every((value) => value !== 0)).toBe(true);
        else {
          const wrong = (torch.none[row] ?? [])
            .flat()
            .filter((value, i) => !(Math.abs((own[i] ?? NaN) - value) < 1e-4));
          expect([ids.length, wrong]).toEqual([torch.none[row]?.length, []]);
        }
      }
      await model.close();
    },
  );

  test("is fed with more padding where the tokenizer says so, and answers the same", async () => {
    const tokenizer = { file: "wordpiece.json", ids: 375, padding: { ...RIGHT, length: 24, multiple: 16 } };
    const model = await open({ tokenizer });
    const values = await model.run(padded(expectedIds.slice(0, 1)), 1);
    for (const [place, value] of (torch.mean[0] ?? []).entries()) {
      expect(Math.abs((values[place] ?? Number.NaN) - value)).toBeLessThan(1e-4);
    }
    await model.close();
  });

  test("answers zeros to a text without tokens", async () => {
    const model = await open();
    expect(await model.run(Int32Array.of(0), 1)).toEqual(new Float32Array(12));
    await model.close();
  });

  test("is refused where it does not fit the tokenizer, or what is asked of it", async () => {
    const tokenizer = { file: "other.json", ids: 376, padding: RIGHT };
    await expect(open({ tokenizer })).rejects.toThrow("knows 375 tokens, fewer than the 376 of other.json");
    await expect(open({ maxLength: 40 })).rejects.toThrow("does not read texts of 40 tokens");
    await expect(open({ pooling: "mean" }, { output: "pooler_output" })).rejects.toThrow(
      "is a vector for each text already. Leave out pretrained({ pooling })",
    );
    await expect(open({}, { output: "pooler" })).rejects.toThrow('Did you mean "pooler_output"?');
    const backbone = fileURLToPath(new URL("../../../../../fixtures/torch/backbone.onnx", import.meta.url));
    await expect(open({}, { file: backbone })).rejects.toThrow("a trunk for texts takes a model of input_ids");
  });
});

describe("an embedding of 100 ids in 32 bits, without a mask", () => {
  needs(missing);

  test("is fed with what it takes, and refused by a larger tokenizer", async () => {
    const lookup = { model: "lookup.onnx", file: join(folder, "lookup.onnx") };
    const tokenizer = { file: "small.json", ids: 100, padding: RIGHT };
    const model = await open({ tokenizer }, lookup);
    // the mean of the rows 4 and 9 of the table, whose numbers are multiples of 1/7
    const [first, second] = await model.run(padded([[4, 9]]), 1);
    expect(first).toBeCloseTo((8 + 18) / 2 / 7, 6);
    expect(second).toBeCloseTo((9 + 19) / 2 / 7, 6);
    await model.close();
    await expect(open({}, lookup)).rejects.toThrow("knows 100 tokens, fewer than the 375 of wordpiece.json");
  });
});

test("texts are laid out for a model, padded at either side", () => {
  const ids = padded([[7], [5, 6, 8]]);
  const lists = (side: "left" | "right", multiple: number | null) => {
    const { length, ...batch } = layOut(ids, 2, { id: 9, typeId: 3, side, length: null, multiple });
    return { length, ...Object.fromEntries(Object.entries(batch).map(([role, values]) => [role, [...values]])) };
  };
  expect(lists("right", null)).toEqual({
    length: 3,
    input_ids: [7, 9, 9, 5, 6, 8],
    attention_mask: [1, 0, 0, 1, 1, 1],
    token_type_ids: [0, 3, 3, 0, 0, 0],
    position_ids: [0, 1, 1, 0, 1, 2],
  });
  expect(lists("left", 4)).toEqual({
    length: 4,
    input_ids: [9, 9, 9, 7, 9, 5, 6, 8],
    attention_mask: [0, 0, 0, 1, 0, 1, 1, 1],
    token_type_ids: [3, 3, 3, 0, 3, 0, 0, 0],
    position_ids: [1, 1, 1, 0, 1, 0, 1, 2],
  });
});
