/** @file What is opened as an export, and what is not. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { embed, ENTRY, MODEL } from "../../../src/protobuf/onnx.js";
import { encodeMessage } from "../../../src/protobuf/wire.js";
import { isExport, openExport } from "../../../src/serving/model/export-files.js";

const dir = mkdtempSync(join(tmpdir(), "cool-exports-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const DOCUMENT = {
  ...{ format: "dnn-cool-predictor", version: 1, run: { id: "r", name: "n" } },
  ...{ graph: { formatVersion: 1, tasks: [] }, inputs: {}, thresholds: {}, calibration: null },
};
const sum = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let made = 0;
function folder(files: Readonly<Record<string, string>>, sums?: string): string {
  const path = join(dir, `export-${made++}`);
  mkdirSync(path);
  const listed = Object.entries(files).map(([name, text]) => `${sum(text)}  ${name}\n`);
  for (const [name, text] of Object.entries({ ...files, SHA256SUMS: sums ?? listed.join("") })) {
    writeFileSync(join(path, name), text);
  }
  return path;
}

function onnxFile(metadata: Readonly<Record<string, string>>): string {
  const bytes = encodeMessage((out) => {
    for (const [key, value] of Object.entries(metadata)) {
      embed(out, MODEL.metadata, () => {
        out.string(ENTRY.key, key);
        out.string(ENTRY.value, value);
      });
    }
  });
  const file = join(dir, `model-${made++}.onnx`);
  writeFileSync(file, bytes);
  writeFileSync(`${file}.sha256`, `${sum(bytes)}  model.onnx\n`);
  return file;
}

const document = JSON.stringify(DOCUMENT);
const later = JSON.stringify({ ...DOCUMENT, version: 2 });

it("a folder is an export by its files, a file by its ending", () => {
  expect(isExport(folder({ "predictor.json": document }))).toBe(true);
  expect(isExport("any.onnx")).toBe(true);
  expect(isExport(dir)).toBe(false);
  expect(isExport("latest")).toBe(false);
});

it("both formats are opened", async () => {
  const layers = folder({ "model.json": "{}", "weights.bin": "w", "predictor.json": document });
  expect((await openExport(layers)).exported).toMatchObject({ format: "layers" });
  const alone = await openExport(onnxFile({ run: "r", "predictor.json": document }));
  expect([alone.exported.format, alone.document.run.id, alone.warnings]).toEqual(["onnx", "r", []]);
});

it("a file that nothing vouches for is opened with a warning", async () => {
  const file = onnxFile({ "predictor.json": document });
  rmSync(`${file}.sha256`);
  expect((await openExport(file)).warnings).toEqual([expect.stringMatching(/\.onnx\.sha256 is not beside the model/)]);
});

it.each<[what: string, path: () => string, message: RegExp]>([
  [
    "of a later release",
    () => folder({ "model.json": "{}", "weights.bin": "", "predictor.json": later }),
    /version 2, and this release of dnn-cool reads version 1/,
  ],
  ["of a later release, in one file", () => onnxFile({ "predictor.json": later }), /version 2/],
  [
    "that was tampered with",
    () => folder({ "model.onnx": "m", "predictor.json": document }, `${sum("other")}  model.onnx\n`),
    /model\.onnx of this export has been changed or damaged/,
  ],
  [
    "that lacks a file",
    () => folder({ "predictor.json": document }, `${sum("m")}  model.onnx\n`),
    /the file model\.onnx is not there/,
  ],
  [
    "whose list leads out of it",
    () => folder({ "predictor.json": document }, `${sum("m")}  ../../secret\n`),
    /names "\.\.\/\.\.\/secret", which is no file of it/,
  ],
  [
    "of another format",
    () => folder({ "saved_model.pb": "m", "predictor.json": document }),
    /no model that is served here, but saved_model\.pb, predictor\.json\. Served are exports of the formats onnx and layers/,
  ],
  ["that is no model", () => join(folder({ "x.onnx": "\xff\xff\xff\xff" }), "x.onnx"), /no ONNX model/],
  ["of another tool", () => onnxFile({ author: "me" }), /holds no predictor\.json/],
  ["that is not there", () => join(dir, "nowhere.onnx"), /there is no such file/],
])("refuses an export %s", async (_, path, message) => {
  await expect(openExport(path())).rejects.toMatchObject({
    name: "DataError",
    message: expect.stringMatching(message),
  });
});

it("refuses a single file that was changed", async () => {
  const file = onnxFile({ "predictor.json": document });
  writeFileSync(`${file}.sha256`, `${sum("other")}  model.onnx\n`);
  await expect(openExport(file)).rejects.toThrow(/changed or damaged: its SHA-256 is not the one in/);
});
