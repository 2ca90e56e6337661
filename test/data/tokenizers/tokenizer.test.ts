/** @file Ids of texts, against Hugging Face's own tokenizers in Python (fixtures/tokenizers/make.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { tokenizer } from "../../../src/data/inputs/inputs.js";
import { withTokenizers } from "../../../src/data/tokenizers/resolve-tokenizers.js";
import { openInputTokenizer } from "../../../src/data/tokenizers/stored-tokenizer.js";
import type { Tokenizer } from "../../../src/data/tokenizers/tokenizer.js";

const folder = fileURLToPath(new URL("../../../fixtures/tokenizers/", import.meta.url));

interface Vectors {
  readonly texts: readonly string[];
  readonly tokenizers: Readonly<
    Record<
      "wordpiece" | "bytelevel" | "unigram",
      Readonly<Record<"file" | "without_special" | "whole" | "eight", number[][]>>
    >
  >;
}

const { texts, tokenizers } = JSON.parse(readFileSync(`${folder}vectors.json`, "utf8")) as Vectors;

function open(file: string, options: Partial<Parameters<typeof tokenizer>[0]> = {}): Tokenizer {
  const { text } = withTokenizers({ text: tokenizer({ column: "text", file, ...options }) }, folder);
  if (text?.kind !== "tokens" || text.tokenizer === undefined) throw new Error("no tokenizer");
  return openInputTokenizer("text", { ...text, tokenizer: text.tokenizer }, { projectDir: folder });
}

describe.each(["wordpiece", "bytelevel", "unigram"] as const)("%s", (name) => {
  const expected = tokenizers[name];
  const file = `${name}.json`;

  test("ids are those of Python, with the special tokens of the file", () => {
    const whole = open(file, { maxLength: 1000 });
    expect(texts.map((text) => whole.encode(text).ids)).toEqual(expected.whole);
  });

  test("long texts are cut off as Python does, by the file or by maxLength", () => {
    // the file of Unigram says nothing
    const byFile = open(file, name === "unigram" ? { maxLength: 1000 } : {});
    expect(texts.map((text) => byFile.encode(text).ids)).toEqual(expected.file);
    const eight = open(file, { maxLength: 8, truncationSide: "right" });
    expect(texts.map((text) => eight.encode(text).ids)).toEqual(expected.eight);
    expect(texts.map((text) => eight.encode(text).whole)).toEqual(expected.whole.map(({ length }) => length));
  });

  test("special tokens may be left out", () => {
    const bare = open(file, { specialTokens: false, ...(name === "unigram" ? { maxLength: 1000 } : {}) });
    expect(texts.map((text) => bare.encode(text).ids)).toEqual(expected.without_special);
  });
});

test("what its frame of special tokens leaves no room for is refused", () => {
  expect(() => open("wordpiece.json", { maxLength: 2 })).toThrow(
    "puts 2 tokens around a text, which leaves none of 2 for the text itself",
  );
});
