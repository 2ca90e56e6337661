/** @file What a tokenizer.json says, and what is no such file. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { idCount, tokenizer } from "../../../src/data/inputs/inputs.js";
import { withTokenizers } from "../../../src/data/tokenizers/resolve-tokenizers.js";
import { readTokenizerFile } from "../../../src/data/tokenizers/tokenizer-file.js";
import type { TokensInputSpec } from "../../../src/data/dataset.js";

const fixtures = fileURLToPath(new URL("../../../fixtures/tokenizers/", import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tokenizers-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const wordpiece = () => JSON.parse(readFileSync(join(fixtures, "wordpiece.json"), "utf8")) as Record<string, unknown>;

test("ids, truncation and padding are read without running it", () => {
  expect(readTokenizerFile(join(fixtures, "bytelevel.json"), "bytelevel.json")).toMatchObject({
    ids: 420,
    truncationSide: "left",
    maxLength: 32,
    padding: { id: 1, typeId: 0, side: "right", length: null, multiple: null },
  });
  const padded = write("fixed.json", {
    ...wordpiece(),
    padding: {
      ...{ strategy: { Fixed: 16 }, direction: "Left", pad_to_multiple_of: 8, pad_id: 0, pad_type_id: 1 },
    },
  });
  expect(readTokenizerFile(padded, "fixed.json").padding).toEqual({
    ...{ id: 0, typeId: 1, side: "left", length: 16, multiple: 8 },
  });
});

test("the longest text is the declared one, that of the file, or that of the tokenizer_config.json beside it", () => {
  const own = join(folder, "t5");
  mkdirSync(own);
  copyFileSync(join(fixtures, "unigram.json"), join(own, "tokenizer.json"));
  const resolved = (options: object = {}): TokensInputSpec => {
    const { text } = withTokenizers(
      { text: tokenizer({ column: "text", file: "t5/tokenizer.json", ...options }) },
      folder,
    );
    if (text?.kind !== "tokens") throw new Error("no tokens");
    return text;
  };
  expect(resolved).toThrow("Say it: tokenizer({ maxLength: 128 })");
  expect(resolved({ maxLength: 9 })).toMatchObject({ maxLength: 9, tokenizer: { padding: { id: 0 } } });
  writeFileSync(join(own, "tokenizer_config.json"), '{"model_max_length": 1e30}');
  expect(resolved).toThrow("Say it: tokenizer({ maxLength: 128 })");
  writeFileSync(join(own, "tokenizer_config.json"), '{"model_max_length": 512}');
  expect(resolved().maxLength).toBe(512);
  // padding is one more
  expect(idCount(resolved())).toBe(readTokenizerFile(join(own, "tokenizer.json"), "").ids + 1);
  expect(() => idCount(tokenizer({ column: "text", file: "t5/tokenizer.json" }))).toThrow(
    "Use the specs that the trunk function is given as its third argument",
  );
});

describe("is refused", () => {
  test("a file that is not there, is none, or is no tokenizer.json", () => {
    expect(() => readTokenizerFile(join(folder, "none.json"), "none.json")).toThrow(
      "The tokenizer none.json is not there",
    );
    expect(() => readTokenizerFile(folder, "folder")).toThrow("is no file. Name the tokenizer.json in it");
    expect(() => readTokenizerFile(write("text.json", "hello"), "text.json")).toThrow(
      "text.json is no tokenizer.json: ",
    );
    expect(() => readTokenizerFile(write("vocab.json", { a: 1 }), "vocab.json")).toThrow(
      'vocab.json is no tokenizer.json: it has no "model" with a "vocab"',
    );
  });

  test("a part that the package would take for something else", () => {
    const refused = (part: object) => () =>
      readTokenizerFile(write("part.json", { ...wordpiece(), ...part }), "part.json");
    const punctuation = { type: "Sequence", pretokenizers: [{ type: "Punctuation", behavior: "Isolated" }] };
    expect(refused({ pre_tokenizer: punctuation })).toThrow(
      "it splits texts by Punctuation with the behavior Isolated",
    );
    const split = { type: "Split", pattern: { String: "," }, behavior: "MergedWithPrevious", invert: false };
    expect(refused({ pre_tokenizer: split })).toThrow("it splits texts by Split with the behavior MergedWithPrevious");
    expect(refused({ model: { type: "WordLevel", vocab: { a: 0 } } })).toThrow("its model is of the type WordLevel");
    expect(refused({ added_tokens: [{ id: 0, content: "a", single_word: true }] })).toThrow('is a "single_word"');
  });
});
