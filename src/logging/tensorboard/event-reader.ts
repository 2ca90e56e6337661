/** @file Reads event files back: whole records, their checksums, scalars and tensors. */
import { readFileSync } from "node:fs";
import { DataError } from "../../errors.js";
import { DIMENSION, DTYPE, SHAPE, TENSOR } from "../../protobuf/tensorflow.js";
import { readFields, type WireField } from "../../protobuf/wire.js";
import { maskedCrc32c } from "./crc32c.js";
import { FOOTER_BYTES, HEADER_BYTES } from "./record-file.js";
import {
  EVENT,
  HISTOGRAM,
  IMAGE,
  METADATA,
  PLUGIN_DATA,
  SESSION_LOG,
  SESSION_STATUS,
  SUMMARY,
  VALUE,
} from "./schema.js";
import type { Tensor } from "./tensor.js";

/** One record of an event file. */
export interface Event {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly content: EventContent;
}

export type EventContent =
  | { readonly kind: "fileVersion"; readonly version: string }
  | { readonly kind: "sessionLog"; readonly status: keyof typeof SESSION_STATUS | "unspecified" }
  | { readonly kind: "summary"; readonly values: readonly SummaryValue[] }
  /** The bytes of a `GraphDef`. */
  | { readonly kind: "graph"; readonly graph: Uint8Array }
  | { readonly kind: "other" };

export interface SummaryValue {
  readonly tag: string;
  /** A `simple_value`, or a tensor with one number, which is how TensorFlow 2 writes scalars. */
  readonly scalar?: number;
  /** An encoded picture (PNG, …), as TensorFlow 1, PyTorch and tensorboardX write it; TensorFlow 2 has it in a tensor. */
  readonly image?: Uint8Array;
  /** [buckets, 3]: left edge, right edge, count, as TensorFlow 1 and PyTorch write it; TensorFlow 2 has it in a tensor. */
  readonly histogram?: Float64Array;
  /** Whether it is a sound, which is not decoded. */
  readonly isAudio?: boolean;
  /** Of bytes, floats or doubles; other types are not decoded. */
  readonly tensor?: Tensor;
  /** On the first value of a tag. */
  readonly metadata?: SummaryMetadata;
}

export interface SummaryMetadata {
  readonly plugin: string;
  readonly content: Uint8Array;
  readonly description: string;
}

/**
 * All whole records of an event file, given as its path or its bytes. A torn record at the end, which a crash leaves
 * behind, is left out.
 *
 * @throws DataError for a file that cannot be read, and for a record that contradicts its checksum or is no event
 */
export function readEvents(source: string | Uint8Array): Event[] {
  return [...iterateEvents(source)];
}

/** Like `readEvents`, one by one: the events before a damaged record are seen before the error. */
export function* iterateEvents(source: string | Uint8Array): Generator<Event> {
  const file = typeof source === "string" ? source : "the given bytes";
  yield* wholeEvents(typeof source === "string" ? readBytes(source) : source, file);
}

/**
 * The whole events of a part of a file that begins with a record.
 * @returns how many bytes they take
 */
export function* wholeEvents(bytes: Uint8Array, file: string): Generator<Event, number> {
  let used = 0;
  for (const { offset, data } of iterateRecords(bytes, file)) {
    try {
      yield decodeEvent(data);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new DataError(`The record at byte ${offset} of ${file} is no event: ${cause.message}.`, { file, offset });
    }
    used = offset + HEADER_BYTES + data.length + FOOTER_BYTES;
  }
  return used;
}

function readBytes(file: string): Uint8Array {
  try {
    const buffer = readFileSync(file);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (cause) {
    throw new DataError(`Could not read the event file ${file}: ${(cause as Error).message}.`, { file }, { cause });
  }
}

interface FileRecord {
  readonly offset: number;
  readonly data: Uint8Array;
}

function* iterateRecords(bytes: Uint8Array, file: string): Generator<FileRecord> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset + HEADER_BYTES <= bytes.length) {
    checkCrc(bytes, offset, offset + 8, file);
    const size = Number(view.getBigUint64(offset, true));
    const dataStart = offset + HEADER_BYTES;
    const next = dataStart + size + FOOTER_BYTES;
    if (next > bytes.length) return;
    checkCrc(bytes, dataStart, dataStart + size, file);
    yield { offset, data: bytes.subarray(dataStart, dataStart + size) };
    offset = next;
  }

  function checkCrc(all: Uint8Array, start: number, end: number, name: string): void {
    if (maskedCrc32c(all, start, end) === view.getUint32(end, true)) return;
    throw new DataError(
      `The record at byte ${offset} of ${name} does not match its checksum: the file was damaged after it was written.`,
      { file: name, offset },
    );
  }
}

function decodeEvent(message: Uint8Array): Event {
  let wallTime = 0;
  let step = 0;
  let content: EventContent = { kind: "other" };
  for (const part of readFields(message)) {
    if (part.field === EVENT.wallTime) wallTime = doubleOf(bytesOf(part));
    else if (part.field === EVENT.step) step = numberOf(part);
    else content = decodeContent(part) ?? content;
  }
  return { wallTime, step, content };
}

function decodeContent(part: WireField): EventContent | undefined {
  switch (part.field) {
    case EVENT.fileVersion:
      return { kind: "fileVersion", version: text(part) };
    case EVENT.sessionLog:
      return { kind: "sessionLog", status: decodeStatus(bytesOf(part)) };
    case EVENT.graphDef:
      return { kind: "graph", graph: bytesOf(part) };
    case EVENT.summary:
      return { kind: "summary", values: repeated(bytesOf(part), SUMMARY.value).map(decodeValue) };
    default:
      return undefined;
  }
}

function decodeStatus(sessionLog: Uint8Array): keyof typeof SESSION_STATUS | "unspecified" {
  for (const part of readFields(sessionLog)) {
    if (part.field !== SESSION_LOG.status) continue;
    const known = Object.entries(SESSION_STATUS).find(([, number]) => number === numberOf(part));
    if (known) return known[0] as keyof typeof SESSION_STATUS;
  }
  return "unspecified";
}

function decodeValue(message: Uint8Array): SummaryValue {
  let tag = "";
  let scalar: number | undefined;
  let tensor: Tensor | undefined;
  let metadata: SummaryMetadata | undefined;
  let image: Uint8Array | undefined;
  let histogram: Float64Array | undefined;
  let isAudio = false;
  for (const part of readFields(message)) {
    if (part.field === VALUE.tag) tag = text(part);
    else if (part.field === VALUE.simpleValue) scalar = floatOf(bytesOf(part));
    else if (part.field === VALUE.image) image = encodedImage(bytesOf(part)) ?? image;
    else if (part.field === VALUE.histogram) histogram = decodeHistogram(bytesOf(part));
    else if (part.field === VALUE.audio) isAudio = true;
    else if (part.field === VALUE.tensor) tensor = decodeTensor(bytesOf(part));
    else if (part.field === VALUE.metadata) metadata = decodeMetadata(bytesOf(part));
  }
  const [only] = tensor?.values ?? [];
  if (tensor?.shape.length === 0 && typeof only === "number") scalar = only;
  return {
    tag,
    ...(scalar !== undefined && { scalar }),
    ...(image !== undefined && { image }),
    ...(histogram !== undefined && { histogram }),
    ...(isAudio && { isAudio }),
    ...(tensor !== undefined && { tensor }),
    ...(metadata !== undefined && { metadata }),
  };
}

function encodedImage(message: Uint8Array): Uint8Array | undefined {
  for (const part of readFields(message)) if (part.field === IMAGE.encoded) return bytesOf(part);
  return undefined;
}

const ENDLESS = 1e300;

/** A bucket reaches from the limit of the one before to its own; the first begins at the smallest value. */
function decodeHistogram(message: Uint8Array): Float64Array {
  let min = 0;
  let max = 0;
  const limits: number[] = [];
  const counts: number[] = [];
  for (const part of readFields(message)) {
    if (part.field === HISTOGRAM.min) min = doubles(bytesOf(part))[0] ?? 0;
    else if (part.field === HISTOGRAM.max) max = doubles(bytesOf(part))[0] ?? 0;
    else if (part.field === HISTOGRAM.limits) limits.push(...doubles(bytesOf(part)));
    else if (part.field === HISTOGRAM.counts) counts.push(...doubles(bytesOf(part)));
  }
  // writers close the axis with the largest number there is
  const edge = (limit: number | undefined): number =>
    limit === undefined || limit < -ENDLESS ? min : limit > ENDLESS ? max : limit;
  const rows = counts.flatMap((count, i) => {
    const [left, right] = [edge(limits[i - 1]), edge(limits[i])];
    return left < right || count > 0 ? [left, right, count] : [];
  });
  return Float64Array.from(rows);
}

function decodeMetadata(message: Uint8Array): SummaryMetadata {
  let plugin = "";
  let content: Uint8Array = new Uint8Array(0);
  let description = "";
  for (const part of readFields(message)) {
    if (part.field === METADATA.description) description = text(part);
    if (part.field !== METADATA.pluginData) continue;
    for (const inner of readFields(bytesOf(part))) {
      if (inner.field === PLUGIN_DATA.name) plugin = text(inner);
      if (inner.field === PLUGIN_DATA.content) content = bytesOf(inner);
    }
  }
  return { plugin, content, description };
}

function decodeTensor(message: Uint8Array): Tensor | undefined {
  let dtype = 0;
  let shape: number[] = [];
  let numbers: Uint8Array = new Uint8Array(0);
  const strings: Uint8Array[] = [];
  for (const part of readFields(message)) {
    if (part.field === TENSOR.dtype) dtype = numberOf(part);
    else if (part.field === TENSOR.shape) shape = decodeShape(bytesOf(part));
    else if (part.field === TENSOR.strings) strings.push(bytesOf(part));
    else if (part.field === TENSOR.content || part.field === TENSOR.floats || part.field === TENSOR.doubles) {
      numbers = bytesOf(part);
    }
  }
  if (dtype === DTYPE.string) return { shape, values: strings };
  if (dtype === DTYPE.float) return { shape, values: floats(numbers) };
  if (dtype === DTYPE.double) return { shape, values: doubles(numbers) };
  return undefined;
}

function decodeShape(message: Uint8Array): number[] {
  return repeated(message, SHAPE.dimension).map((dimension) => {
    for (const part of readFields(dimension)) if (part.field === DIMENSION.size) return numberOf(part);
    return 0;
  });
}

function repeated(message: Uint8Array, field: number): Uint8Array[] {
  return [...readFields(message)].filter((part) => part.field === field).map(bytesOf);
}

function bytesOf(part: WireField): Uint8Array {
  if (part.wire === "bytes") return part.value;
  throw new RangeError(`field ${part.field} holds a number where bytes belong`);
}

function numberOf(part: WireField): number {
  if (part.wire === "varint") return part.value;
  throw new RangeError(`field ${part.field} holds bytes where a number belongs`);
}

function text(part: WireField): string {
  return Buffer.from(bytesOf(part)).toString("utf8");
}

/** One number, without a copy. */
function doubleOf(bytes: Uint8Array): number {
  return bytes.length < 8 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
}

function floatOf(bytes: Uint8Array): number | undefined {
  return bytes.length < 4 ? undefined : new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(alignedCopy(bytes, 4));
}

function doubles(bytes: Uint8Array): Float64Array {
  return new Float64Array(alignedCopy(bytes, 8));
}

/** A typed array has to start at a multiple of its element size, which bytes inside a file rarely do. */
function alignedCopy(bytes: Uint8Array, elementSize: number): ArrayBuffer {
  // not `slice`, which for a Buffer is a view of the same memory
  return new Uint8Array(bytes.subarray(0, bytes.length - (bytes.length % elementSize))).buffer;
}
