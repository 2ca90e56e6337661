/** @file Every kind of record, decoded by protobufjs from a schema written down here once more. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import protobuf from "protobufjs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type EventWriter, openEventWriter } from "../../src/logging/tensorboard/index.js";

const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message Event {
    double wall_time = 1; int64 step = 2;
    oneof what { string file_version = 3; bytes graph_def = 4; Summary summary = 5; SessionLog session_log = 7; }
  }
  message SessionLog { enum Status { STATUS_UNSPECIFIED = 0; START = 1; STOP = 2; CHECKPOINT = 3; } Status status = 1; }
  message Summary { repeated Value value = 1; }
  message Value {
    string tag = 1;
    oneof value { float simple_value = 2; TensorProto tensor = 8; }
    SummaryMetadata metadata = 9;
  }
  message SummaryMetadata {
    PluginData plugin_data = 1; string display_name = 2; string summary_description = 3; int32 data_class = 4;
  }
  message PluginData { string plugin_name = 1; bytes content = 2; }
  message TensorProto {
    int32 dtype = 1; TensorShapeProto tensor_shape = 2; bytes tensor_content = 4; repeated bytes string_val = 8;
  }
  message TensorShapeProto { repeated Dim dim = 2; }
  message Dim { int64 size = 1; }
  message GraphDef { repeated NodeDef node = 1; VersionDef versions = 4; }
  message VersionDef { int32 producer = 1; }
  message NodeDef { string name = 1; string op = 2; repeated string input = 3; map<string, AttrValue> attr = 5; }
  message AttrValue { oneof value { ListValue list = 1; bytes s = 2; int64 i = 3; float f = 4; bool b = 5; } }
  message ListValue { repeated TensorShapeProto shape = 7; }
  message PrCurvePluginData { int32 version = 1; uint32 num_thresholds = 2; }
  message HParamsPluginData {
    int32 version = 1;
    oneof data { Experiment experiment = 2; SessionStartInfo session_start_info = 3; SessionEndInfo session_end_info = 4; }
  }
  message Experiment { double time_created_secs = 3; repeated HParamInfo hparam_infos = 4; repeated MetricInfo metric_infos = 5; }
  message HParamInfo { string name = 1; int32 type = 4; }
  message MetricInfo { MetricName name = 1; string display_name = 3; }
  message MetricName { string group = 1; string tag = 2; }
  message SessionStartInfo { map<string, AnyValue> hparams = 1; string group_name = 4; double start_time_secs = 5; }
  message SessionEndInfo { int32 status = 1; double end_time_secs = 2; }
  message AnyValue { oneof kind { double number_value = 2; string string_value = 3; bool bool_value = 4; } }
  message Layout { int32 version = 1; repeated Category category = 2; }
  message Category { string title = 1; repeated Chart chart = 2; bool closed = 3; }
  message Chart { string title = 1; oneof content { Multiline multiline = 2; Margin margin = 3; } }
  message Multiline { repeated string tag = 1; }
  message Margin { repeated Series series = 1; }
  message Series { string value = 1; string lower = 2; string upper = 3; }
`,
  { keepCase: true },
);

const NOW = 1_700_000_000.5;

let folder: string;
let writer: EventWriter;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-protobuf-"));
  writer = openEventWriter(folder, { now: () => NOW });
});
afterEach(() => {
  writer.close();
  rmSync(folder, { recursive: true, force: true });
});

const decode = (type: string, bytes: Uint8Array) => {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { longs: Number, bytes: Array });
};

/** The events after the file version and the session log. */
function written(): Record<string, unknown>[] {
  writer.close();
  const all = readFileSync(writer.path);
  const events: Record<string, unknown>[] = [];
  for (let at = 0; at < all.length; ) {
    const size = Number(all.readBigUInt64LE(at));
    events.push(decode("Event", all.subarray(at + 12, at + 12 + size)));
    at += 12 + size + 4;
  }
  expect(events[0]).toEqual({ wall_time: NOW, file_version: "brain.Event:2" });
  expect(events[1]).toEqual({ wall_time: NOW, session_log: { status: 1 } });
  return events.slice(2);
}

/** The only value of the only event, and its metadata. */
// biome-ignore lint/suspicious/noExplicitAny: decoded by reflection, so the types are not known here
function onlyValue(): any {
  const events = written() as { summary: { value: unknown[] } }[];
  expect(events).toHaveLength(1);
  expect(events[0]?.summary.value).toHaveLength(1);
  return events[0]?.summary.value[0];
}

const metadata = (plugin_name: string, data_class: number, more: object = {}) => ({
  plugin_data: { plugin_name },
  data_class,
  ...more,
});
const ascii = (text: string) => [...Buffer.from(text)];
const dims = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size })) });

it("scalar: simple_value, with metadata on the tag's first value only", () => {
  writer.scalar("door/loss", 0.5, 3, "the *door*");
  writer.scalar("door/loss", Number.POSITIVE_INFINITY, 2 ** 40);
  writer.scalar("door/loss", 0, -1);
  expect(written()).toEqual([
    {
      wall_time: NOW,
      step: 3,
      summary: {
        value: [
          {
            tag: "door/loss",
            simple_value: 0.5,
            metadata: metadata("scalars", 1, { summary_description: "the *door*" }),
          },
        ],
      },
    },
    { wall_time: NOW, step: 2 ** 40, summary: { value: [{ tag: "door/loss", simple_value: Infinity }] } },
    { wall_time: NOW, step: -1, summary: { value: [{ tag: "door/loss", simple_value: 0 }] } },
  ]);
});

it("histogram: doubles [k, 3]", () => {
  writer.histogram("weights", [0, 1, 1, 4], 0, 2);
  const value = onlyValue();
  expect(value.metadata).toEqual(metadata("histograms", 2));
  expect(value.tensor).toEqual({
    dtype: 2,
    tensor_shape: dims(2, 3),
    tensor_content: [...new Uint8Array(new Float64Array([0, 2, 3, 2, 4, 1]).buffer)],
  });
});

it("image: width, height and the pictures as strings [2 + k]", () => {
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1);
  const other = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 2);
  writer.image(
    "best",
    [
      { png, width: 64, height: 32 },
      { png: other, width: 64, height: 32 },
    ],
    0,
  );
  const value = onlyValue();
  expect(value.metadata).toEqual(metadata("images", 3));
  expect(value.tensor).toEqual({
    dtype: 7,
    tensor_shape: dims(4),
    string_val: [ascii("64"), ascii("32"), [...png], [...other]],
  });
});

it("text: one string [1]", () => {
  writer.text("notes", "größer", 0);
  const value = onlyValue();
  expect(value.metadata).toEqual(metadata("text", 2));
  expect(value.tensor).toEqual({ dtype: 7, tensor_shape: dims(1), string_val: [ascii("größer")] });
});

it("PR curve: floats [6, n], and n in the plugin's message", () => {
  writer.prCurve("pr", { labels: [1, 0], scores: [1, 0], thresholds: 2 }, 0);
  const value = onlyValue();
  expect(value.metadata).toMatchObject({ plugin_data: { plugin_name: "pr_curves" }, data_class: 2 });
  expect(decode("PrCurvePluginData", Uint8Array.from(value.metadata.plugin_data.content))).toEqual({
    num_thresholds: 2,
  });
  expect(value.tensor).toEqual({
    dtype: 1,
    tensor_shape: dims(6, 2),
    tensor_content: [...new Uint8Array(new Float32Array([1, 1, 1, 0, 0, 1, 0, 0, 0.5, 1, 1, 1]).buffer)],
  });
});

it("hyperparameters: experiment, session start and session end in the metadata", () => {
  writer.hparams({
    hparams: { optimizer: "adamw", batchSize: 32, augment: false, clip: Number.POSITIVE_INFINITY },
    metrics: [{ tag: "_total/loss", group: "valid", displayName: "loss" }, { tag: "accuracy" }],
    groupName: "trial 1",
  });
  writer.endSession("success");
  const events = written() as {
    summary: { value: [{ tag: string; metadata: { plugin_data: { content: number[] } } }] };
  }[];
  const messages = events.map(
    ({
      summary: {
        value: [{ tag, metadata }],
      },
    }) => [tag, decode("HParamsPluginData", Uint8Array.from(metadata.plugin_data.content))],
  );
  expect(messages).toEqual([
    [
      "_hparams_/experiment",
      {
        experiment: {
          time_created_secs: NOW,
          hparam_infos: [
            { name: "augment", type: 2 },
            { name: "batchSize", type: 3 },
            { name: "clip", type: 1 },
            { name: "optimizer", type: 1 },
          ],
          metric_infos: [
            { name: { group: "valid", tag: "_total/loss" }, display_name: "loss" },
            { name: { tag: "accuracy" } },
          ],
        },
      },
    ],
    [
      "_hparams_/session_start_info",
      {
        session_start_info: {
          hparams: {
            augment: { bool_value: false },
            batchSize: { number_value: 32 },
            clip: { string_value: "Infinity" },
            optimizer: { string_value: "adamw" },
          },
          group_name: "trial 1",
          start_time_secs: NOW,
        },
      },
    ],
    ["_hparams_/session_end_info", { session_end_info: { status: 1, end_time_secs: NOW } }],
  ]);
});

it("custom scalars: the layout as a string of rank 0", () => {
  writer.customScalars({
    categories: [
      {
        title: "door",
        closed: true,
        charts: [
          { title: "losses", tags: ["door/.*loss"] },
          { title: "range", margins: [{ value: "mean", lower: "low", upper: "high" }] },
        ],
      },
    ],
  });
  const value = onlyValue();
  expect(value.tag).toBe("custom_scalars__config__");
  expect(value.metadata).toEqual(metadata("custom_scalars", 2));
  expect(value.tensor).toMatchObject({ dtype: 7, tensor_shape: {} });
  expect(decode("Layout", Uint8Array.from(value.tensor.string_val[0]))).toEqual({
    category: [
      {
        title: "door",
        closed: true,
        chart: [
          { title: "losses", multiline: { tag: ["door/.*loss"] } },
          { title: "range", margin: { series: [{ value: "mean", lower: "low", upper: "high" }] } },
        ],
      },
    ],
  });
});

it("graph: nodes with inputs, attributes and output shapes", () => {
  writer.graph([
    { name: "features", op: "trunk", inputs: [], outputShapes: [[-1, 128]] },
    {
      name: "door/open",
      op: "binary",
      inputs: ["features:0", "^features"],
      attributes: { activation: "sigmoid", units: -1, rate: 0.5, gate: true },
    },
  ]);
  const [event] = written() as { graph_def: number[] }[];
  expect(decode("GraphDef", Uint8Array.from(event?.graph_def ?? []))).toEqual({
    versions: { producer: 22 },
    node: [
      { name: "features", op: "trunk", attr: { _output_shapes: { list: { shape: [dims(-1, 128)] } } } },
      {
        name: "door/open",
        op: "binary",
        input: ["features:0", "^features"],
        attr: { activation: { s: ascii("sigmoid") }, units: { i: -1 }, rate: { f: 0.5 }, gate: { b: true } },
      },
    ],
  });
});
