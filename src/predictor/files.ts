/** @file The files of an export: read by whoever has them, and held against their sha256 list. */
import { type PredictorDocument, readDocument } from "./document.js";
import { PredictorError } from "./errors.js";

/** Name of the list of an export's files: lines of a sha256 in hex, two spaces, a name. */
export const SUMS = "SHA256SUMS";
export const DOCUMENT = "predictor.json";

/**
 * Reads one file of an export by its name: from a folder, from a server.
 * @param sha256 what its digest has to be, in hex; not given for the list itself
 */
export type ReadFile = (name: string, sha256?: string) => Promise<Uint8Array>;

/** An export whose files are as they were written. */
export interface ExportFiles {
  readonly document: PredictorDocument;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads all files of an export, and checks each against the list.
 * @throws PredictorError that names the file which is missing or has been changed
 */
export async function readExport(read: ReadFile): Promise<ExportFiles> {
  const listed = parseSums(new TextDecoder().decode(await read(SUMS)));
  const files = new Map(await Promise.all(listed.map((file) => readChecked(read, file))));
  const document = files.get(DOCUMENT);
  if (document === undefined) {
    throw new PredictorError(`This export lists no ${DOCUMENT}. Export the run again.`, { file: DOCUMENT });
  }
  return { document: parseDocument(new TextDecoder().decode(document)), files };
}

/** @throws PredictorError for text that is no JSON, and what `readDocument` throws */
export function parseDocument(text: string): PredictorDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PredictorError(`The ${DOCUMENT} of this export is no JSON: ${reason}. Export the run again.`, {
      file: DOCUMENT,
      reason,
    });
  }
  return readDocument(value);
}

type Listed = readonly [name: string, digest: string];

async function readChecked(read: ReadFile, [name, digest]: Listed): Promise<[string, Uint8Array]> {
  const bytes = await read(name, digest);
  if ((await sha256(bytes)) === digest) return [name, bytes];
  throw new PredictorError(
    `The file ${name} of this export has been changed or damaged: its SHA-256 is not the one in ${SUMS}. Copy the export again.`,
    { file: name, expected: digest },
  );
}

function parseSums(text: string): Listed[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, digest, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
      if (digest !== undefined && name !== undefined) return [name, digest];
      throw new PredictorError(`${SUMS} of this export has a line that is no sum: ${JSON.stringify(line)}.`, { line });
    });
}

/** sha256 in hex. @throws PredictorError in a browser that keeps cryptography from pages without https */
async function sha256(bytes: Uint8Array): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new PredictorError(
      "This browser checks files only for pages that came by https, or from this computer (localhost). Open the export there.",
      {},
    );
  }
  const digest = await crypto.subtle.digest("SHA-256", bytes.slice());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
