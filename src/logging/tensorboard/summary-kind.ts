/** @file The kinds of summaries: which plugin of TensorBoard shows them, and how it stores them. */
import type { ProtoWriter } from "../../protobuf/wire.js";
import { DATA_CLASS, METADATA, PLUGIN_DATA, VALUE } from "./schema.js";

interface Plugin {
  readonly plugin: string;
  readonly dataClass: number;
}

/** What a summary says beside its value, on the first use of its tag. */
export interface Annotation {
  /** Markdown. */
  readonly description?: string | undefined;
  /** The plugin's own message. */
  readonly content?: Uint8Array;
}

const PLUGINS = {
  scalar: { plugin: "scalars", dataClass: DATA_CLASS.scalar },
  histogram: { plugin: "histograms", dataClass: DATA_CLASS.tensor },
  image: { plugin: "images", dataClass: DATA_CLASS.blobSequence },
  text: { plugin: "text", dataClass: DATA_CLASS.tensor },
  "PR curve": { plugin: "pr_curves", dataClass: DATA_CLASS.tensor },
  hyperparameters: { plugin: "hparams", dataClass: DATA_CLASS.tensor },
  "custom scalars layout": { plugin: "custom_scalars", dataClass: DATA_CLASS.tensor },
} as const satisfies Record<string, Plugin>;

/** What a tag holds, in words. */
export type SummaryKind = keyof typeof PLUGINS;

/** Appends the `metadata` field of a `Summary.Value`; readers want it on the first value of a tag in each file. */
export function writeMetadata(value: ProtoWriter, kind: SummaryKind, { description, content }: Annotation): void {
  const { plugin, dataClass } = PLUGINS[kind];
  const metadata = value.begin(VALUE.metadata);
  const pluginData = value.begin(METADATA.pluginData);
  value.string(PLUGIN_DATA.name, plugin);
  if (content !== undefined) value.raw(PLUGIN_DATA.content, content);
  value.end(pluginData);
  if (description !== undefined) value.string(METADATA.description, description);
  value.integer(METADATA.dataClass, dataClass);
  value.end(metadata);
}
