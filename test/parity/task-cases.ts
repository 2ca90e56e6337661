/** @file Every kind of task: in a conditional flow, per token, with hidden tokens, and of the user's own. */
import { Network, type TrunkFunction } from "../../src/engine/model/network.js";
import { mixTargets } from "../../src/engine/batches/mix-targets.js";
import type { Mixing } from "../../src/tasks/behaviour.js";
import * as own from "../support/custom-project.js";
import * as kinds from "../support/kinds-project.js";
import * as pixel from "../support/pixel-project.js";
import * as small from "../support/small-project.js";
import * as token from "../support/token-project.js";
import type { ParityCase } from "./compare.js";

const data = small.makeData(12);

function perRow(name: string, trunk: TrunkFunction, random = false): ParityCase {
  return {
    name: `binary, classification, multilabel and bounded regression, ${name}`,
    random,
    make() {
      const network = Network.build(small.graph, small.INPUTS, trunk, 3);
      return { network, ...small.batchOf(network, data) };
    },
  };
}

function perToken(name: string, trunk: TrunkFunction): ParityCase {
  return {
    name: `tasks per token and masked language modelling, ${name}`,
    make() {
      const network = Network.build(token.graph, token.INPUTS, trunk, 3);
      const { inputs, targets } = token.batchOf(network);
      return { network, inputs, targets };
    },
  };
}

/** The labels of two pictures in one, as mixup and cutmix make them. */
function mixed(mixing: Mixing): ParityCase {
  return {
    name: `labels of two pictures, by ${mixing}`,
    make() {
      const network = Network.build(small.graph, small.INPUTS, small.plainTrunk, 3);
      const { inputs, targets } = small.batchOf(network, data);
      const partners = Int32Array.from({ length: targets.rows }, (_, row) => (row * 5 + 3) % targets.rows);
      const mixture = { mixing, partners, share: 0.7, pasted: null };
      return { network, inputs, targets: mixTargets(small.graph, targets, mixture) };
    },
  };
}

export const taskCases: readonly ParityCase[] = [
  perRow("plain trunk", small.plainTrunk),
  perRow("batch normalization, dropout and regularizer", small.richTrunk, true),
  mixed("mixup"),
  mixed("cutmix"),
  perToken("token by token", token.tokenwise),
  perToken("with a window", token.windowed),
  {
    name: "ordinals, regressions of every loss, a box and a point",
    make: () => ({ network: kinds.build(), inputs: kinds.inputs, targets: kinds.targets }),
  },
  {
    name: "tasks per pixel, behind a U-Net",
    make: () => ({ network: pixel.build(), inputs: pixel.inputs, targets: pixel.targets }),
  },
  {
    name: "custom tasks, with heads of their own",
    make: () => ({ network: own.build(), inputs: own.inputs, targets: own.targets }),
  },
];

/** Several tasks read each feature, in each of the ways in which their gradients may be brought together. */
export const conflictCases: readonly ParityCase[] = (["project", "upgrad"] as const).flatMap((conflicts) =>
  taskCases.map((one) => ({ ...one, name: `conflicts: ${conflicts}, ${one.name}`, config: { conflicts } })),
);
