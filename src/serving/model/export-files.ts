/** @file An export as `cool export` wrote it: a folder, or one .onnx file with its documents inside. Digests are checked. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { DataError } from "../../errors.js";
import { type PredictorDocument, readDocument } from "../../predictor/document.js";
import { PredictorError } from "../../predictor/errors.js";
import { DOCUMENT, readExport, SUMS } from "../../predictor/files.js";
import { ENTRY, MODEL } from "../../protobuf/onnx.js";
import { readFields } from "../../protobuf/wire.js";

/** The model of an export, by its format. */
export type ExportedModel =
  | { readonly format: "onnx"; readonly model: Uint8Array }
  | { readonly format: "layers"; readonly model: Uint8Array; readonly weights: Uint8Array };

export interface OpenExport {
  readonly document: PredictorDocument;
  readonly exported: ExportedModel;
  readonly warnings: readonly string[];
}

/** Whether a path is that of an export, as opposed to the name of a run. */
export function isExport(path: string): boolean {
  if (extname(path).toLowerCase() === ".onnx") return true;
  return [SUMS, DOCUMENT].some((name) => existsSync(join(path, name)));
}

/**
 * @throws DataError where it is none, one of its files has been changed, or a later release wrote it
 */
export async function openExport(path: string): Promise<OpenExport> {
  try {
    if (!existsSync(path)) throw new PredictorError("there is no such file. Name an export, or a run of a store.");
    return statSync(path).isDirectory() ? await fromFolder(path) : fromFile(path);
  } catch (error) {
    if (!(error instanceof PredictorError)) throw error;
    throw new DataError(`${path}: ${error.message}`, { export: path, ...error.facts }, { cause: error });
  }
}

async function fromFolder(dir: string): Promise<OpenExport> {
  const { document, files } = await readExport(async (name) => {
    // a list of sums must not lead out of the export
    if (basename(name) !== name)
      throw new PredictorError(`${SUMS} names ${JSON.stringify(name)}, which is no file of it.`);
    return readFile(join(dir, name)).catch((cause: NodeJS.ErrnoException) => {
      const why = cause.code === "ENOENT" ? "is not there" : `cannot be read (${cause.code})`;
      throw new PredictorError(`the file ${name} ${why}. Copy the export again.`, { file: name });
    });
  });
  return { document, exported: modelIn(files), warnings: [] };
}

function modelIn(files: ReadonlyMap<string, Uint8Array>): ExportedModel {
  const [onnx, layers, weights] = ["model.onnx", "model.json", "weights.bin"].map((name) => files.get(name));
  if (onnx !== undefined) return { format: "onnx", model: onnx };
  if (layers !== undefined && weights !== undefined) return { format: "layers", model: layers, weights };
  throw new PredictorError(
    `it holds no model that is served here, but ${[...files.keys()].join(", ")}. Served are exports of the formats onnx and layers, and runs.`,
    { files: [...files.keys()] },
  );
}

function fromFile(file: string): OpenExport {
  const model = readFileSync(file);
  const warnings = checkSum(file, model);
  const document = metadataOf(model).get(DOCUMENT);
  if (document === undefined) {
    throw new PredictorError(
      `it holds no ${DOCUMENT}, so it was not written alone by cool export. Name the folder that the model was exported to.`,
    );
  }
  return { document: readDocument(JSON.parse(document)), exported: { format: "onnx", model }, warnings };
}

/** @returns a warning where nothing says what the file should be */
function checkSum(file: string, bytes: Uint8Array): string[] {
  const beside = `${file}.sha256`;
  if (!existsSync(beside))
    return [`${basename(beside)} is not beside the model, so nobody knows whether it was changed`];
  const [expected = ""] = readFileSync(beside, "utf8").split(/\s/);
  if (createHash("sha256").update(bytes).digest("hex") === expected) return [];
  throw new PredictorError(
    `it has been changed or damaged: its SHA-256 is not the one in ${basename(beside)}. Copy the export again.`,
    { file, expected },
  );
}

/** `metadata_props` of an ONNX model. @throws PredictorError where it is none */
function metadataOf(model: Uint8Array): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  try {
    for (const part of readFields(model)) {
      if (part.field !== MODEL.metadata || part.wire !== "bytes") continue;
      const entry = new Map<number, string>();
      for (const { field, wire, value } of readFields(part.value)) {
        if (wire === "bytes") entry.set(field, new TextDecoder().decode(value));
      }
      found.set(entry.get(ENTRY.key) ?? "", entry.get(ENTRY.value) ?? "");
    }
    return found;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PredictorError("it is no ONNX model. Name one that cool export has written.", {}, { cause: error });
  }
}
