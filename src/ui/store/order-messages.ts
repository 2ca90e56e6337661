/** @file What the thread that orders runs is asked, and what it answers. */
import type { Facts } from "../../errors.js";
import type { RunsQuery } from "../../storage/run-store.js";

export interface OrderQuestion {
  readonly number: number;
  readonly dir: string;
  readonly query: RunsQuery;
}

export type OrderAnswer =
  | { readonly number: number; readonly ids: readonly string[] }
  | {
      readonly number: number;
      /** As it is thrown where it is asked. */
      readonly error: { readonly name: string; readonly message: string; readonly facts: Facts };
    };
