/** @file The inputs of a batch as plain numbers. */
import type { InputValues } from "../../data/dataset.js";

/** Values of the named inputs of one batch, row by row: pixels as 0…255, numbers, ids. */
export type InputBatch = Readonly<Record<string, InputValues>>;
