/** @file The thread that orders runs, asked one question after another. */
import { Worker } from "node:worker_threads";
import { CoolError, StoreError, UsageError } from "../../errors.js";
import { entryPoint } from "../../platform/entry-point.js";
import type { RunsQuery } from "../../storage/run-store.js";
import type { OrderAnswer, OrderQuestion } from "./order-messages.js";

/** Orders the runs of a query, somewhere. */
export interface Orderer {
  order(query: RunsQuery): Promise<readonly string[]>;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (ids: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

/** Is started by the first question, and again where it ended. */
export class OrderThread implements Orderer {
  readonly #dir: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #number = 0;

  /** @param dir folder of the store */
  constructor(dir: string) {
    this.#dir = dir;
  }

  order(query: RunsQuery): Promise<readonly string[]> {
    const question: OrderQuestion = { number: ++this.#number, dir: this.#dir, query };
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.number, { resolve, reject });
      this.#worker ??= this.#start();
      this.#worker.postMessage(question);
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    // whoever asks meanwhile is told so, and it is no failure for the log
    this.#end(new StoreError("cool ui is ending."));
    await worker?.terminate();
  }

  #start(): Worker {
    const { script, args } = entryPoint("ui/store/order-entry");
    const worker = new Worker(script, { argv: [...args], execArgv: [], stdout: true, stderr: true });
    for (const stream of [worker.stdout, worker.stderr]) stream.on("data", (chunk) => process.stderr.write(chunk));
    worker.on("message", (answer: OrderAnswer) => this.#hear(answer));
    worker.on("error", (error) => this.#worker === worker && this.#end(ended(error.message)));
    worker.on("exit", () => this.#worker === worker && this.#end(ended("it was ended")));
    worker.unref();
    return worker;
  }

  #hear(answer: OrderAnswer): void {
    const waiting = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    if ("ids" in answer) waiting?.resolve(answer.ids);
    else waiting?.reject(thrownAs(answer.error));
  }

  #end(reason: Error): void {
    this.#worker = null;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(reason);
  }
}

function ended(reason: string): Error {
  return new Error(`the thread that orders runs has ended: ${reason}`);
}

function thrownAs({ name, message, facts }: Extract<OrderAnswer, { error: unknown }>["error"]): Error {
  if (name === "UsageError") return new UsageError(message, facts);
  if (name === "StoreError") return new StoreError(message, facts);
  return name === "Error" ? new Error(message) : new CoolError(message, facts);
}
