/** @file The coordinating side's end of one replica, whatever it is connected by. */
import {
  BackendError,
  ConfigError,
  CoolError,
  DataError,
  type Facts,
  ReplicaError,
  TrainingError,
} from "../../errors.js";
import type { ErrorReply, Reply, Request } from "./messages.js";

/** How a link tells what comes from its replica. */
export interface LinkEvents {
  onReply(reply: Reply): void;
  /** @param how in words that follow "has ended": "with exit code 1" */
  onEnd(how: string): void;
  /** Something else has failed that it waits for. */
  onFailure(error: Error): void;
}

/** What threads and processes are opened with. */
export interface LinkOptions {
  readonly replicas: number;
  readonly heapMegabytes?: number;
  /** Variables of each process, beside those of this one. */
  readonly environments?: readonly Readonly<Record<string, string>>[] | undefined;
  /** Where replicas meet that other processes have; undefined: all are opened here. */
  readonly gather?: ((values: Float64Array) => Promise<Float64Array>) | undefined;
}

/** A replica in a thread or a process. It lives until `close`, or until it ends by itself. */
export interface ReplicaLink {
  send(request: Request): void;
  /** Ends it, whatever it is doing. */
  close(): Promise<void>;
}

/** What another side throws is an error of the same family here. */
export function errorFrom({ isExpected, name, message, facts }: ErrorReply, rank: number): Error {
  if (!isExpected) {
    return new ReplicaError(
      `Replica ${rank + 1} fails with ${name}: ${message}. The last checkpoint is kept; take --replicas 1 to see whether it fails without replicas too.`,
      { replica: rank + 1, reason: message },
    );
  }
  const Family = FAMILIES[name] ?? CoolError;
  return new Family(message, facts);
}

const FAMILIES: Readonly<Record<string, new (message: string, facts?: Facts) => CoolError>> = {
  BackendError,
  ConfigError,
  DataError,
  TrainingError,
};
