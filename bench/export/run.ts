/**
 * @file How long exported ONNX models take: with all layers and with branches, on pictures where the first gate is shut
 * and where it is open, in each precision. Needs onnxruntime-node: npm install --no-save onnxruntime-node.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { loadOnnxRuntime, type OnnxSession, openSession } from "../../src/engine/model/pretrained/onnx-runtime.js";
import { PRECISIONS } from "../../src/shipping/onnx/precision.js";
import { median, print, printProgress, ROOT, warnIfBusy, writeResults } from "../report.js";
import { type Form, modelOf, SIDE } from "./network.js";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    batch: { type: "string", default: "8" },
    runtime: { type: "string", default: ROOT },
  },
});
const [rounds, batch] = [Number(flags.rounds), Number(flags.batch)];

const FORMS: readonly Form[] = PRECISIONS.flatMap((precision) =>
  [false, true].flatMap((isOpen) => (["tensors", "if"] as const).map((gates) => ({ precision, isOpen, gates }))),
);

warnIfBusy();
const runtime = loadOnnxRuntime(resolve(flags.runtime));
const pixels = Uint8Array.from({ length: batch * SIDE * SIDE * 3 }, (_, i) => (i * 31 + (i >> 5)) & 255);
const feeds = { image: new runtime.Tensor("uint8", pixels, [batch, SIDE, SIDE, 3]) };
interface Side {
  readonly form: Form;
  readonly session: OnnxSession;
  readonly outputs: readonly string[];
  readonly bytes: number;
  readonly ms: number[];
}

const sides: Side[] = [];
for (const form of FORMS) {
  const model = modelOf(form);
  const session = await openSession(runtime, model, "of the bench");
  const outputs = session.outputMetadata.map(({ name }) => name);
  await session.run(feeds, outputs);
  sides.push({ form, session, outputs, bytes: model.length, ms: [] });
}
for (let round = 0; round < rounds; round++) {
  printProgress(`round ${round + 1} of ${rounds}`);
  for (const { session, outputs, ms } of sides) {
    const start = performance.now();
    await session.run(feeds, outputs);
    ms.push(performance.now() - start);
  }
}
const table = new Table({
  head: ["precision", "gate", "gates as", "bytes", "ms/batch", "÷ tensors"],
  style: { head: [], border: [], compact: true },
});
const results = sides.map(({ form, bytes, ms }) => {
  const whole = sides.find(
    (side) =>
      side.form.precision === form.precision && side.form.isOpen === form.isOpen && side.form.gates === "tensors",
  );
  const ratio = median(ms.map((own, i) => own / (whole?.ms[i] ?? Number.NaN)));
  const gate = form.isOpen ? "open" : "shut";
  table.push([form.precision, gate, form.gates, String(bytes), median(ms).toFixed(1), ratio.toFixed(2)]);
  return { precision: form.precision, gate, gates: form.gates, bytes, ms: median(ms), of_tensors: ratio };
});
for (const { session } of sides) await session.release();
print(table.toString());
print(`written to ${writeResults("export", { batch, side: SIDE, rounds, results })}`);
