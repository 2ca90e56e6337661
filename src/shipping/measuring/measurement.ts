/** @file What is told of an exported model beside its run: how large it is, and how good. */
import type { StoredRun } from "../../asking/stored-run.js";
import { CoolError, InterruptedError } from "../../errors.js";
import { type Measured, measureExport, type MeasureOptions } from "./measure-export.js";

/** The exported model beside its run, or why nobody knows. */
export interface Measurement {
  readonly measured: Measured | null;
  /** Why it could not be evaluated. */
  readonly not_measured?: string;
  /** Size of the model, beside that of the same in float32. */
  readonly bytes: { readonly float32: number; readonly exported: number };
}

/**
 * What cannot be measured is exported all the same: the reason is told.
 * @param plainSize bytes of the same model in float32
 */
export async function measurementOf(
  stored: StoredRun,
  model: Uint8Array,
  plainSize: () => number,
  options: MeasureOptions,
): Promise<Measurement> {
  const bytes = { float32: plainSize(), exported: model.length };
  try {
    return { measured: await measureExport(stored, model, options), bytes };
  } catch (error) {
    if (!(error instanceof CoolError) || error instanceof InterruptedError) throw error;
    return { measured: null, not_measured: error.message, bytes };
  }
}
