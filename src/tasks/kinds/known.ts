/** @file known: a yes-or-no column that is there whenever the network is asked. No head, no loss. */
import { decoders } from "../../decoding/decoders.js";
import type { KnownSpec } from "../../flow/graph.js";
import { checkOptions, TEXT } from "../../options.js";
import { MIXED, OFF_PICTURE, SIGMOID_CROSS_ENTROPY, UNFITTED, type TaskBehaviour, UNWEIGHTED } from "../behaviour.js";
import { NO_METRICS } from "../metrics.js";
import { binaryBehaviour } from "./binary.js";

/**
 * A yes-or-no question that the network is not asked, because its answer comes with the input: a column of the table,
 * at training and at inference. It is a condition by itself. Cells: 0, 1, true, false; an empty one is unknown, and
 * what is asked under it is then not asked.
 */
export function known(options: Omit<KnownSpec, "kind" | "lossWeight"> = {}): KnownSpec {
  checkOptions("known", options, { column: TEXT, lossWeight: null });
  return { kind: "known", ...options };
}

export const knownBehaviour: TaskBehaviour<KnownSpec> = {
  ...decoders.known,
  head: () => "none",
  logitNames: () => [],
  classes: () => null,
  choices: () => null,
  options: () => ({}),
  problemWith(spec) {
    // a configuration that was never compiled
    return spec.lossWeight === undefined ? null : "is known, so it has no loss to weigh; remove its lossWeight";
  },
  parseLabel: (_spec, cells, scales, out, at) => binaryBehaviour.parseLabel({ kind: "binary" }, cells, scales, out, at),
  ...OFF_PICTURE,
  // it comes with the row, and nothing learns it
  ...MIXED,
  ...UNFITTED,
  lossTerms: () => 0,
  lossSum: () => 0,
  ...UNWEIGHTED,
  lossForm: () => SIGMOID_CROSS_ENTROPY,
  target: () => Number.NaN,
  scoreNames: () => [],
  questions: () => [],
  tuner: () => null,
  constants: () => [],
  ensemble: () => new Float32Array(0),
  isEvaluated: () => false,
  metrics: NO_METRICS,
  headlineMetric: () => null,
  endToEnd: null,
  judgement: null,
  likelihood: () => "categorical",
  answerType: () => "truth",
};
