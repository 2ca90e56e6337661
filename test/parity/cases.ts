/** @file What every backend must compute alike: all kinds of layers and of tasks. */
import type { ParityCase } from "./compare.js";
import { layerCases } from "./layer-cases.js";
import { sizedCases } from "./sized-cases.js";
import { taskCases } from "./task-cases.js";

export const parityCases: readonly ParityCase[] = [...layerCases, ...sizedCases, ...taskCases];
export { conflictCases } from "./task-cases.js";
