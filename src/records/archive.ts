/** @file Packed stores: .tar.gz files, whose members are looked at before anything is unpacked. */
import { statfsSync } from "node:fs";
import { create, extract, list, type ReadEntry } from "tar";
import { StoreError } from "../errors.js";
import type { FolderFile } from "./run-files.js";

/** How much may be taken in at a time. */
export interface SizeLimits {
  readonly fileBytes: number;
  readonly totalBytes: number;
  readonly files: number;
}

export const SIZE_LIMITS: SizeLimits = { fileBytes: 16e9, totalBytes: 32e9, files: 100_000 };

/** @throws StoreError for files that are too many or too large, before any of them is copied */
export function assertWithin(limits: SizeLimits, files: readonly FolderFile[]): void {
  const large = files.find(({ bytes }) => bytes > limits.fileBytes);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (large === undefined && total <= limits.totalBytes && files.length <= limits.files) return;
  const what =
    large === undefined ? `${files.length} files of ${total} bytes` : `${large.path} of ${large.bytes} bytes`;
  throw new StoreError(
    `its folder has ${what}; the most are ${limits.files} files of ${limits.fileBytes} bytes, ${limits.totalBytes} bytes in all.`,
    { files: files.length, bytes: total },
  );
}

/** Packs a folder, under its own name. */
export function pack(file: string, parent: string, folder: string): void {
  create({ file, gzip: true, cwd: parent, sync: true, portable: true, strict: true }, [folder]);
}

/** What is unpacked of an archive: the store's database, models, folders of runs and what groups keep, also one folder down. */
const WANTED =
  /^(?:\.\/)?(?:[^/]+\/)?(?:cool\.db(?:-wal)?|models\/[0-9a-f]{64}\.(?:onnx|tfjs|tokenizer\.json)|runs(?:\/.*)?|groups\/[^/]+\/(?:calibration\.json|predictions\/(?:valid|test)\.parquet))$/;

/**
 * Unpacks a store.
 * @throws StoreError for what is no archive, holds links, devices, or names that lead elsewhere, or is too large; nothing
 *   is unpacked then
 */
export function unpack(file: string, into: string, limits: SizeLimits): void {
  const members = membersOf(file, limits);
  const total = members.reduce((sum, { bytes }) => sum + bytes, 0);
  const { bavail, bsize } = statfsSync(into);
  if (total > bavail * bsize) {
    throw new StoreError(
      `${file} unpacks to ${total} bytes, and ${into} has ${bavail * bsize} left. Free some space.`,
      {
        file,
        bytes: total,
      },
    );
  }
  const wanted = new Set(members.map(({ path }) => path));
  inArchive(file, () => {
    extract({
      ...{ file, cwd: into, sync: true, strict: true, maxReadSize: BLOCK_BYTES, preserveOwner: false, noMtime: true },
      filter: (path) => wanted.has(path),
    });
  });
}

// small blocks: a block of zeros becomes a thousand times as many when it is unpacked
const BLOCK_BYTES = 1 << 16;

interface Member {
  readonly path: string;
  readonly bytes: number;
}

function membersOf(file: string, limits: SizeLimits): Member[] {
  const seen = new Set<string>();
  const wanted: Member[] = [];
  let total = 0;
  let refusal: StoreError | null = null;
  const refuse = (path: string, problem: string): void => {
    refusal ??= new StoreError(
      `${file} holds ${JSON.stringify(path.slice(0, 200))}, ${problem}. It was not unpacked.`,
      {
        file,
        name: path,
      },
    );
    // ends the reading: the rest may be endless
    throw refusal;
  };
  const onReadEntry = ({ path, type, size }: ReadEntry): void => {
    const parts = path.split("/");
    const bytes = type === "Directory" ? 0 : size;
    total += bytes;
    if (/^([/\\]|[a-z]:)/i.test(path) || parts.includes("..") || path.includes("\\")) {
      refuse(path, "which lies outside of it");
    }
    if (type !== "File" && type !== "OldFile" && type !== "Directory") refuse(path, "which is a link or a device");
    if (seen.has(path)) refuse(path, "twice");
    seen.add(path);
    if (bytes > limits.fileBytes) refuse(path, `a file of ${bytes} bytes; ${limits.fileBytes} are the most`);
    if (total > limits.totalBytes) refuse(path, `and is larger than ${limits.totalBytes} bytes in all`);
    if (seen.size > limits.files) refuse(path, `and more than ${limits.files} files`);
    if (type !== "Directory" && WANTED.test(path)) wanted.push({ path, bytes });
  };
  inArchive(
    file,
    () => list({ file, sync: true, strict: true, maxReadSize: BLOCK_BYTES, onReadEntry }),
    () => refusal,
  );
  return wanted;
}

/** @param refusal what has been refused, where reading ended because of it */
function inArchive(file: string, work: () => void, refusal: () => StoreError | null = () => null): void {
  try {
    work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refusal() ?? new StoreError(`${file} cannot be read as a .tar.gz: ${reason}`, { file }, { cause: error });
  }
}
