/** @file What labels need to know of their rows' pictures, where they are pixels of the original or parts of a frame. */
import type { UnitScale } from "../../decoding/decoders.js";
import { type ImageSizes, unitScaleBy } from "../../decoding/unit-scale.js";
import type { TaskSpec } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";

export type { ImageSizes } from "../../decoding/unit-scale.js";

/** How many unit scales a row of the task's labels has: one for each fact about its picture that they hang on. */
export function scalesPerRow(spec: TaskSpec): number {
  return behaviourOf(spec).imageScales(spec).length;
}

/** [rows, scales of the task]; null where its labels are taken as they are. */
export function unitScaleFrom(spec: TaskSpec, sizes: ImageSizes): UnitScale {
  return unitScaleBy(behaviourOf(spec).imageScales(spec), sizes);
}
