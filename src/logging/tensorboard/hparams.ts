/** @file Hyperparameters of a run for TensorBoard's HParams table. */

import { MAP_ENTRY } from "../../protobuf/tensorflow.js";
import { encodeMessage, type ProtoWriter, readFields } from "../../protobuf/wire.js";
import {
  ANY_VALUE,
  EXPERIMENT,
  HPARAM_INFO,
  HPARAM_TYPE,
  HPARAMS_PLUGIN,
  HPARAMS_STATUS,
  METRIC_INFO,
  METRIC_NAME,
  SESSION_END,
  SESSION_START,
} from "./schema.js";

export type HParamValue = string | number | boolean;

/** A scalar that becomes a column of the table. */
export interface HParamMetric {
  readonly tag: string;
  /** Sub-folder of the run that has the scalar, e.g. `valid`; default: the folder of the hyperparameters. */
  readonly group?: string;
  readonly displayName?: string;
}

export interface HParams {
  readonly hparams: Readonly<Record<string, HParamValue>>;
  /** Without a list of metrics TensorBoard would make a column of every scalar. */
  readonly metrics: readonly HParamMetric[];
  /** Runs with the same name are repetitions of one trial, and share a row; default: a row of its own. */
  readonly groupName?: string;
}

export type SessionStatus = keyof typeof HPARAMS_STATUS;

/** Tags that the plugin looks for; what they say stands in the metadata, not in the value. */
export const HPARAMS_TAGS = {
  experiment: "_hparams_/experiment",
  sessionStart: "_hparams_/session_start_info",
  sessionEnd: "_hparams_/session_end_info",
} as const;

/** The columns: every hyperparameter with its type, every metric. */
export function encodeExperiment({ hparams, metrics }: HParams, timeSeconds: number): Uint8Array {
  return encodeMessage((out) => {
    const experiment = out.begin(HPARAMS_PLUGIN.experiment);
    out.double(EXPERIMENT.timeCreated, timeSeconds);
    for (const [name, value] of sortedEntries(hparams)) {
      const info = out.begin(EXPERIMENT.hparam);
      out.string(HPARAM_INFO.name, name);
      out.integer(HPARAM_INFO.type, HPARAM_TYPE[typeof value as "string" | "number" | "boolean"]);
      out.end(info);
    }
    for (const metric of metrics) writeMetric(out, metric);
    out.end(experiment);
  });
}

/** The row: the value of each hyperparameter. */
export function encodeSessionStart({ hparams, groupName }: HParams, timeSeconds: number): Uint8Array {
  return encodeMessage((out) => {
    const session = out.begin(HPARAMS_PLUGIN.sessionStart);
    for (const [name, value] of sortedEntries(hparams)) {
      const entry = out.begin(SESSION_START.hparam);
      out.string(MAP_ENTRY.key, name);
      const boxed = out.begin(MAP_ENTRY.value);
      writeAnyValue(out, value);
      out.end(boxed);
      out.end(entry);
    }
    if (groupName !== undefined) out.string(SESSION_START.groupName, groupName);
    out.double(SESSION_START.startTime, timeSeconds);
    out.end(session);
  });
}

export function encodeSessionEnd(status: SessionStatus, timeSeconds: number): Uint8Array {
  return encodeMessage((out) => {
    const session = out.begin(HPARAMS_PLUGIN.sessionEnd);
    out.integer(SESSION_END.status, HPARAMS_STATUS[status]);
    out.double(SESSION_END.endTime, timeSeconds);
    out.end(session);
  });
}

/** The hyperparameters of a row, out of the metadata of its tag; empty for other tags of the plugin. */
export function decodeHParams(content: Uint8Array): Record<string, HParamValue> {
  const found: [string, HParamValue][] = [];
  for (const session of messagesOf(content, HPARAMS_PLUGIN.sessionStart)) {
    for (const entry of messagesOf(session, SESSION_START.hparam)) {
      const [name] = messagesOf(entry, MAP_ENTRY.key);
      const [boxed] = messagesOf(entry, MAP_ENTRY.value);
      const value = boxed === undefined ? undefined : anyValue(boxed);
      if (name !== undefined && value !== undefined) found.push([Buffer.from(name).toString("utf8"), value]);
    }
  }
  return Object.fromEntries(found);
}

/** How a session ended, out of the metadata of its tag; null for other tags of the plugin, and where it is not told. */
export function decodeSessionEnd(content: Uint8Array): { readonly isFailure: boolean; readonly time: number } | null {
  for (const session of messagesOf(content, HPARAMS_PLUGIN.sessionEnd)) {
    let [status, time] = [0, 0];
    for (const part of readFields(session)) {
      if (part.field === SESSION_END.status && part.wire === "varint") status = part.value;
      if (part.field === SESSION_END.endTime && part.wire === "bytes") time = Buffer.from(part.value).readDoubleLE();
    }
    if (status === HPARAMS_STATUS.success || status === HPARAMS_STATUS.failure)
      return { isFailure: status === HPARAMS_STATUS.failure, time };
  }
  return null;
}

function messagesOf(message: Uint8Array, field: number): Uint8Array[] {
  return [...readFields(message)].flatMap((part) =>
    part.field === field && part.wire === "bytes" ? [part.value] : [],
  );
}

function anyValue(message: Uint8Array): HParamValue | undefined {
  for (const part of readFields(message)) {
    if (part.wire === "varint") return part.field === ANY_VALUE.boolean ? part.value !== 0 : undefined;
    if (part.field === ANY_VALUE.string) return Buffer.from(part.value).toString("utf8");
    if (part.field === ANY_VALUE.number) return Buffer.from(part.value).readDoubleLE();
  }
  return undefined;
}

function writeMetric(out: ProtoWriter, { tag, group, displayName }: HParamMetric): void {
  const metric = out.begin(EXPERIMENT.metric);
  const name = out.begin(METRIC_INFO.name);
  if (group !== undefined) out.string(METRIC_NAME.group, group);
  out.string(METRIC_NAME.tag, tag);
  out.end(name);
  if (displayName !== undefined) out.string(METRIC_INFO.displayName, displayName);
  out.end(metric);
}

function writeAnyValue(out: ProtoWriter, value: HParamValue): void {
  if (typeof value === "string") out.string(ANY_VALUE.string, value);
  else if (typeof value === "number") out.double(ANY_VALUE.number, value);
  else out.boolean(ANY_VALUE.boolean, value);
}

/** By name. Numbers that JSON lacks become strings, because TensorBoard sends the table as JSON and would fail. */
function sortedEntries(hparams: HParams["hparams"]): [string, HParamValue][] {
  return Object.entries(hparams)
    .map(([name, value]): [string, HParamValue] => [
      name,
      typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
