/**
 * @file Field numbers of the messages in an event file: TensorFlow's `event.proto`, `summary.proto` and the
 * `plugin_data.proto` of TensorBoard's plugins. Those of graphs and tensors are in `protobuf/tensorflow.ts`.
 */

export const FILE_VERSION = "brain.Event:2";

export const EVENT = {
  wallTime: 1,
  step: 2,
  fileVersion: 3,
  graphDef: 4,
  summary: 5,
  sessionLog: 7,
} as const;

export const SESSION_LOG = { status: 1 } as const;
export const SESSION_STATUS = { start: 1, stop: 2, checkpoint: 3 } as const;

export const SUMMARY = { value: 1 } as const;
export const VALUE = { tag: 1, simpleValue: 2, image: 4, histogram: 5, audio: 6, tensor: 8, metadata: 9 } as const;
export const HISTOGRAM = { min: 1, max: 2, limits: 6, counts: 7 } as const;
export const IMAGE = { height: 1, width: 2, encoded: 4 } as const;
export const METADATA = { pluginData: 1, displayName: 2, description: 3, dataClass: 4 } as const;
export const PLUGIN_DATA = { name: 1, content: 2 } as const;
/** How TensorBoard stores a series. */
export const DATA_CLASS = { scalar: 1, tensor: 2, blobSequence: 3 } as const;

/** `google.protobuf.Value` */
export const ANY_VALUE = { number: 2, string: 3, boolean: 4 } as const;

export const PR_CURVE_PLUGIN = { thresholds: 2 } as const;

export const HPARAMS_PLUGIN = { experiment: 2, sessionStart: 3, sessionEnd: 4 } as const;
export const EXPERIMENT = { timeCreated: 3, hparam: 4, metric: 5 } as const;
export const HPARAM_INFO = { name: 1, type: 4 } as const;
export const HPARAM_TYPE = { string: 1, boolean: 2, number: 3 } as const;
export const METRIC_INFO = { name: 1, displayName: 3 } as const;
export const METRIC_NAME = { group: 1, tag: 2 } as const;
export const SESSION_START = { hparam: 1, groupName: 4, startTime: 5 } as const;
export const SESSION_END = { status: 1, endTime: 2 } as const;
export const HPARAMS_STATUS = { success: 1, failure: 2 } as const;

export const LAYOUT = { category: 2 } as const;
export const CATEGORY = { title: 1, chart: 2, closed: 3 } as const;
export const CHART = { title: 1, multiline: 2, margin: 3 } as const;
export const MULTILINE = { tag: 1 } as const;
export const MARGIN = { series: 1 } as const;
export const SERIES = { value: 1, lower: 2, upper: 3 } as const;
