/** @file Words, each cut by itself, against the ids and places of Hugging Face's own tokenizers. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { tokenizer } from "../../../src/data/inputs/inputs.js";
import { withTokenizers } from "../../../src/data/tokenizers/resolve-tokenizers.js";
import { openInputTokenizer } from "../../../src/data/tokenizers/stored-tokenizer.js";
import type { Tokenizer } from "../../../src/data/tokenizers/tokenizer.js";

const folder = fileURLToPath(new URL("../../../fixtures/tokenizers/", import.meta.url));

interface Cut {
  readonly ids: readonly number[];
  readonly starts: readonly number[];
}

/** What fixtures/tokenizers/make_words.py writes. */
interface Vectors {
  readonly sentences: readonly (readonly string[])[];
  readonly tokenizers: Readonly<Record<string, { readonly whole: readonly Cut[]; readonly nine: readonly Cut[] }>>;
}

const { sentences, tokenizers } = JSON.parse(readFileSync(`${folder}words.json`, "utf8")) as Vectors;

function open(name: string, maxLength: number): Tokenizer {
  const declared = tokenizer({ column: "words", file: `${name}.json`, maxLength, words: true });
  const { words: spec } = withTokenizers({ words: declared }, folder);
  if (spec?.kind !== "tokens" || spec.tokenizer === undefined) throw new Error("no tokenizer");
  return openInputTokenizer("words", { ...spec, tokenizer: spec.tokenizer }, { projectDir: folder });
}

describe.each(["wordpiece", "bytelevel", "unigram"])("%s", (name) => {
  test("cuts words as Python's tokenizers do, and knows where each begins", () => {
    const own = open(name, 100);
    const cut = sentences.map((words) => own.encode(words)).map(({ ids, starts }) => ({ ids, starts }));
    expect(cut).toEqual(tokenizers[name]?.whole);
  });

  test("words that are cut off have no place", () => {
    const own = open(name, 9);
    const cut = sentences.map((words) => own.encode(words)).map(({ ids, starts }) => ({ ids, starts }));
    expect(cut).toEqual(tokenizers[name]?.nine);
  });

  test("a text is the words between its white space", () => {
    const own = open(name, 100);
    expect(own.encode(" The  café\tof\n")).toEqual(own.encode(["The", "café", "of"]));
  });
});
