/** @file Reads files out of a zip archive, a wheel for one, without holding them in memory. */
import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { DataError } from "../../errors.js";

/** A file of the archive. */
export interface ZipEntry {
  readonly name: string;
  /** Unpacked. */
  readonly bytes: number;
  readonly packedBytes: number;
  /** 0: stored as it is; 8: deflated. */
  readonly method: number;
  /** Of its local header. */
  readonly offset: number;
}

// .ZIP File Format Specification (APPNOTE.TXT), sections 4.3.7, 4.3.12 and 4.3.16
const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const STORED = 0;
const DEFLATED = 8;

/**
 * The files of an archive in the order of its directory.
 * @throws DataError where it is no zip archive, or one of more than 4 GB
 */
export async function zipEntries(archive: string): Promise<ZipEntry[]> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const tail = await read(file, Math.max(0, size - END_BYTES - LONGEST_COMMENT), size);
    const end = tail.lastIndexOf(bytesOf(END_OF_DIRECTORY));
    if (end < 0) throw broken(archive, "it is no zip archive, or it is cut short");
    const count = tail.readUInt16LE(end + 10);
    const start = tail.readUInt32LE(end + 16);
    const directory = await read(file, start, start + tail.readUInt32LE(end + 12));
    return entriesIn(directory, count, archive);
  } finally {
    await file.close();
  }
}

function entriesIn(directory: Buffer, count: number, archive: string): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== DIRECTORY_ENTRY) {
      throw broken(archive, `its directory is damaged at file ${i}`);
    }
    const lengths = [28, 30, 32].map((field) => directory.readUInt16LE(at + field));
    const [nameBytes = 0] = lengths;
    entries.push({
      name: directory.toString("utf8", at + 46, at + 46 + nameBytes),
      method: directory.readUInt16LE(at + 10),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at += 46 + lengths.reduce((sum, length) => sum + length, 0);
  }
  return entries;
}

/**
 * Writes one file of the archive to `target`.
 * @throws DataError where the data is damaged
 */
export async function unpackEntry(
  archive: string,
  entry: ZipEntry,
  target: string,
  signal?: AbortSignal | undefined,
): Promise<void> {
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    throw broken(archive, `${entry.name} is compressed in an unknown way (${entry.method})`);
  }
  const start = await dataStart(archive, entry);
  await mkdir(dirname(target), { recursive: true });
  const packed =
    entry.packedBytes === 0 ? emptyStream() : createReadStream(archive, { start, end: start + entry.packedBytes - 1 });
  const unpack = entry.method === DEFLATED ? createInflateRaw() : new PassThrough();
  const out = createWriteStream(target);
  try {
    await pipeline(packed, unpack, out, { ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (signal?.aborted === true || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw broken(archive, `${entry.name} cannot be unpacked (${(error as Error).message})`);
  }
  if (out.bytesWritten !== entry.bytes) throw broken(archive, `${entry.name} is not as long as it should be`);
}

/** Local headers repeat the name, with extra fields of another length. */
async function dataStart(archive: string, { offset, name }: ZipEntry): Promise<number> {
  const file = await open(archive);
  try {
    const header = await read(file, offset, offset + 30);
    if (header.length < 30 || header.readUInt32LE(0) !== LOCAL_HEADER) throw broken(archive, `${name} is not in it`);
    return offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  } finally {
    await file.close();
  }
}

async function read(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, to - from));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  return buffer.subarray(0, bytesRead);
}

function emptyStream(): PassThrough {
  const stream = new PassThrough();
  stream.end();
  return stream;
}

function bytesOf(signature: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(signature);
  return bytes;
}

function broken(archive: string, problem: string): DataError {
  return new DataError(`${archive} cannot be read: ${problem}.`, { file: archive, problem });
}
