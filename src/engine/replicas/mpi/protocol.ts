/** @file What the main thread and the thread that calls MPI say to each other. */
import type { MpiPlace } from "./library.js";

/** What the thread begins with. */
export interface MpiThreadData {
  readonly place: MpiPlace;
  readonly projectDir: string | null;
  /** Number of requests sent; the thread waits for it to change. */
  readonly sent: Int32Array;
  readonly host: string;
  /** How long another rank may be silent while this one waits. */
  readonly patienceSeconds: number;
}

/** Values of all ranks, in the order of the ranks. */
export interface GatherCall {
  readonly kind: "gather";
  readonly values: Uint8Array;
}

/** The sum of the values of all ranks, in place, in shared memory, added in the order of the ranks. */
export interface SumCall {
  readonly kind: "sum";
  readonly values: Float32Array;
}

/** Bytes of one rank to all. @property values null on those that receive */
export interface CastCall {
  readonly kind: "cast";
  readonly root: number;
  readonly values: Uint8Array | null;
}

/** Waits for all ranks, and leaves the job. */
export interface LeaveCall {
  readonly kind: "leave";
}

export type MpiCall = GatherCall | SumCall | CastCall | LeaveCall;

export interface Joined {
  readonly kind: "joined";
  readonly rank: number;
  readonly size: number;
  /** Names of the machines, in the order of the ranks. */
  readonly hosts: readonly string[];
}

export interface Done {
  readonly kind: "done";
  /** Of a gather one per rank, of a cast one. */
  readonly values: readonly Uint8Array[];
  /** Seconds within MPI, and bytes that this rank sent. */
  readonly seconds: number;
  readonly bytes: number;
}

/** A rank that does not answer; null: something else. */
export interface Failed {
  readonly kind: "failed";
  readonly silent: number | null;
  readonly message: string;
}

export type MpiAnswer = Joined | Done | Failed;
