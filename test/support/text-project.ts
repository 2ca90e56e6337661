/** @file A small project of raw texts: letters to a shop, cut by the tokenizer of `fixtures/tokenizers`, and two tasks. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { linkOnnxRuntime } from "./onnx-runtime.js";

export const tokenizerFixtures = fileURLToPath(new URL("../../fixtures/tokenizers/", import.meta.url));

/** Behind the ONNX encoder. */
export const ENCODER_TRUNK = `({ text }, layers) => {
    const vector = pretrained({ model: "encoder/model.onnx" })(text, layers);
    return { letter: sequential([layers.dense({ units: 8, activation: "relu" })])(vector, layers) };
  }`;

/** Of own layers, whose embedding has as many places as the tokenizer has tokens. */
export const OWN_TRUNK = `({ text }, layers, specs) => ({
    letter: tokenEncoder({ ids: idCount(specs.text), width: 8, depth: 1 })(text, layers).pooled,
  })`;

const CONFIG = `import { binary, defineProject, defineTasks, idCount, pretrained, sequential, tokenEncoder, tokenizer } from "dnn-cool";

const tasks = defineTasks({
  features: ["letter"],
  tasks: { complaint: binary(), refund: binary() },
}).flow("letters", (flow, x, out) => {
  out.add(flow.complaint(x.letter));
  out.add(flow.refund(x.letter).given(out.complaint));
});

void [idCount, pretrained, sequential, tokenEncoder];

export default defineProject({
  name: "letters",
  tasks,
  flow: "letters",
  data: {
    table: "letters.csv",
    inputs: { text: tokenizer({ column: "text", file: "encoder/tokenizer.json" }) },
    split: { train: 0.7, valid: 0.15, test: 0.15, seed: 7 },
  },
  trunk: TRUNK,
  train: { epochs: 2, batchSize: 16, optimizer: { kind: "adamw", learningRate: 1e-2 } },
});
`;

const PRAISE = ["Great service", "The parcel came quickly", "Everything is fine", "Thank you very much"];
const COMPLAINTS = ["The parcel arrived damaged", "My invoice is wrong", "The door is broken", "I never got my parcel"];
const REFUNDS = ["please send the money back", "I want a refund of 129.95 euros"];
const OTHERS = ["where is it?", "please send another one"];

/** One letter, and what is known of it. */
export interface Letter {
  readonly text: string;
  readonly complaint: boolean;
  readonly refund: boolean;
}

export function letters(count: number): Letter[] {
  const pick = (list: readonly string[], i: number): string => list[i % list.length] ?? "";
  return Array.from({ length: count }, (_, i) => {
    const [complaint, refund] = [i % 2 === 1, i % 4 === 3];
    const second = !complaint ? `no. ${i}` : pick(refund ? REFUNDS : OTHERS, i >> 2);
    return { text: `${pick(complaint ? COMPLAINTS : PRAISE, i >> 1)}, ${second}`, complaint, refund };
  });
}

export interface TextProject {
  readonly dir: string;
  readonly letters: readonly Letter[];
  readonly tableFile: string;
  remove(): void;
}

/**
 * @param trunk the function, in place of the project's own
 * @param hasRuntime whether onnxruntime-node is on this machine
 */
export function textProject(trunk: string, hasRuntime: boolean, count = 60): TextProject {
  const dir = mkdtempSync(join(tmpdir(), "cool-letters-"));
  mkdirSync(join(dir, "encoder"));
  if (hasRuntime) linkOnnxRuntime(dir);
  copyFileSync(join(tokenizerFixtures, "encoder.onnx"), join(dir, "encoder", "model.onnx"));
  copyFileSync(join(tokenizerFixtures, "wordpiece.json"), join(dir, "encoder", "tokenizer.json"));
  writeFileSync(join(dir, "cool.config.ts"), CONFIG.replace("TRUNK", trunk));
  const own = letters(count);
  const rows = own.map(
    ({ text, complaint, refund }) => `"${text}",${Number(complaint)},${complaint ? Number(refund) : ""}`,
  );
  const tableFile = join(dir, "letters.csv");
  writeFileSync(tableFile, `text,complaint,refund\n${rows.join("\n")}\n`);
  return { dir, letters: own, tableFile, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
