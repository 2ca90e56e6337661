/** @file defineTask as users write it: a custom task whose head is made of the engine's layers. */
import { createHash } from "node:crypto";
import type { Layers, SymbolicTensor } from "../engine/model/network.js";
import {
  defineCustomTask,
  type GateKind,
  type NumberGate,
  type CustomTaskConstructor,
  type CustomTaskDefinition,
} from "../tasks/custom/define-custom.js";

/** What a head is built of. */
export interface HeadParts {
  /** The trunk's feature, [batch, n]; of a task per token [batch, length, n]. */
  readonly feature: SymbolicTensor;
  /** The tfjs-layers functions. A layer's name is placed under the task's path. */
  readonly layers: Layers;
  /** Numbers per row that the head must put out. */
  readonly width: number;
  /** The task's path. */
  readonly name: string;
}

/** Layers from the feature to the logits, [batch, width]; of a task per token [batch, length, width]. */
export type HeadFunction = (parts: HeadParts) => SymbolicTensor;

/** A kind of task of the user's own. */
export type TaskDefinition<AnswerWidth extends number = 1, Gate extends NumberGate = "bounds"> = CustomTaskDefinition<
  AnswerWidth,
  Gate,
  HeadFunction
>;

/**
 * Defines a kind of task: its loss, activation, decoder and metrics, and, if it needs one, its head.
 * @returns a constructor of its tasks: `angle({ column: "wrist_angle", lossWeight: 2 })`
 * @throws ConfigError where a part is missing, unknown, or not what it must be
 */
export function defineTask<AnswerWidth extends number = 1, Gate extends NumberGate = "bounds">(
  definition: TaskDefinition<AnswerWidth, Gate>,
): CustomTaskConstructor<GateKind<AnswerWidth, Gate>> {
  return defineCustomTask(definition, (text) => createHash("sha256").update(text).digest("hex"));
}
