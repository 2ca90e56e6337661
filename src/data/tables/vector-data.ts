/**
 * @file The arrays beneath DuckDB's vectors, so that a column is read and written without a call for each cell. The
 * library keeps them to itself: where one is made otherwise than is known here, there is none, and cells are read one by one.
 */
import type { DuckDBVector } from "@duckdb/node-api";
import { u8At } from "../../arrays.js";

/** What numbers lie in. */
export type Items =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** The numbers of a vector; null where it holds none, or is made otherwise. */
export function itemsOf(vector: DuckDBVector): Items | null {
  const items: unknown = "items" in vector ? vector.items : null;
  return isItems(items) ? items : null;
}

function isItems(items: unknown): items is Items {
  return ArrayBuffer.isView(items) && !(items instanceof DataView);
}

/** The bytes of a vector of texts or truths; null where it is made otherwise. */
export function bytesOf(vector: DuckDBVector): DataView | null {
  const view: unknown = "dataView" in vector ? vector.dataView : null;
  return view instanceof DataView ? view : null;
}

/** Which cells of a vector are there, a bit for each from the lowest; `all` where none is missing, null where unknown. */
export function validityOf(vector: DuckDBVector): Uint8Array | "all" | null {
  const validity: unknown = "validity" in vector ? vector.validity : null;
  if (typeof validity !== "object" || validity === null || !("data" in validity) || !("offset" in validity))
    return null;
  const { data, offset } = validity;
  if (offset !== 0) return null;
  if (data === null) return "all";
  return data instanceof BigUint64Array ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : null;
}

/** Whether a cell is there, by {@link validityOf}. */
export function isValid(validity: Uint8Array | "all", i: number): boolean {
  return validity === "all" || (u8At(validity, i >> 3) & (1 << (i & 7))) !== 0;
}
