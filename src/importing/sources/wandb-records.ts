/** @file W&B's records: the fields of `wandb_internal.proto` that tell of a run. */
import { readFields } from "../../protobuf/wire.js";

/** What a record holds; the fields are those of its message. */
export const RECORD = {
  history: 2,
  summary: 3,
  output: 4,
  config: 5,
  files: 6,
  stats: 7,
  artifact: 8,
  tensorboard: 9,
  alert: 10,
  metric: 12,
  outputRaw: 13,
  run: 17,
  exit: 18,
  environment: 26,
} as const;
export const RUN = {
  id: 1,
  entity: 2,
  project: 3,
  config: 4,
  summary: 5,
  group: 6,
  jobType: 7,
  name: 8,
  notes: 9,
  tags: 10,
  sweep: 12,
  host: 13,
  startTime: 17,
  git: 21,
} as const;
export const GIT = { remote: 1, commit: 2 } as const;
export const EXIT = { code: 1, runtime: 2 } as const;
export const HISTORY = { item: 1, step: 2 } as const;
export const UPDATES = { update: 1, remove: 2 } as const;
export const OUTPUT = { line: 3 } as const;
export const STATS = { timestamp: 2, item: 3 } as const;
export const METRIC = { stepMetric: 4 } as const;
export const ENVIRONMENT = {
  ...{ os: 1, python: 2, args: 5, program: 6, codePath: 7, git: 9, host: 12, username: 13 },
  ...{ cpus: 17, gpu: 18, gpus: 19 },
} as const;

/** The fields of a message by number, in the order of the wire. */
export type Message = ReadonlyMap<number, readonly (Uint8Array | number)[]>;

/** @throws RangeError for what is no message */
export function messageOf(bytes: Uint8Array): Message {
  const fields = new Map<number, (Uint8Array | number)[]>();
  for (const { field, value } of readFields(bytes)) {
    const known = fields.get(field);
    if (known === undefined) fields.set(field, [value]);
    else known.push(value);
  }
  return fields;
}

export function messagesIn(message: Message, field: number): Message[] {
  return (message.get(field) ?? []).flatMap((value) => (typeof value === "number" ? [] : [messageOf(value)]));
}

export function textsIn(message: Message, field: number): string[] {
  return (message.get(field) ?? []).flatMap((value) =>
    typeof value === "number" ? [] : [Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8")],
  );
}

/** null where it is empty, which is as good as not there. */
export function textIn(message: Message, field: number): string | null {
  return textsIn(message, field).at(-1) || null;
}

export function numberIn(message: Message, field: number): number | null {
  const value = message.get(field)?.at(-1);
  return typeof value === "number" ? value : null;
}

/** Seconds since 1970 of a `google.protobuf.Timestamp`. */
export function timeIn(message: Message, field: number): number | null {
  const [time] = messagesIn(message, field);
  return time === undefined ? null : (numberIn(time, 1) ?? 0) + (numberIn(time, 2) ?? 0) / 1e9;
}

/** An entry of settings, history or summary. */
export interface WandbItem {
  readonly key: readonly string[];
  readonly json: string;
}

/** Entries have their key as one, or in parts. */
export function itemsIn(message: Message, field: number): WandbItem[] {
  return messagesIn(message, field).map((item) => {
    const parts = textsIn(item, 2);
    return { key: parts.length > 0 ? parts : [textIn(item, 1) ?? ""], json: textIn(item, 16) ?? "null" };
  });
}
