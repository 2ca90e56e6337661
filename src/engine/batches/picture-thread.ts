/** @file A thread that changes the pictures of a batch while this one steps. */
import { Worker } from "node:worker_threads";
import { DataError } from "../../errors.js";
import type { PictureAugmenter, PictureChanges, Pictures } from "./augment.js";
import { entryPoint } from "../../platform/entry-point.js";

/** What the thread is sent; it answers with the pictures, or with what went wrong. */
export interface PictureRequest {
  readonly epoch: number;
  readonly rows: Int32Array;
  readonly pictures: Pictures;
}

interface Waiting {
  readonly resolve: (pictures: Pictures) => void;
  readonly reject: (error: Error) => void;
}

/** Owns a thread: `close` ends it. */
export class PictureThread {
  readonly #worker: Worker;
  /** In the order of the requests, which is that of the answers. */
  readonly #waiting: Waiting[] = [];
  #fault: Error | null = null;

  constructor(changes: PictureChanges) {
    const { script, args } = entryPoint("engine/batches/picture-entry");
    this.#worker = new Worker(script, { argv: [...args], execArgv: [], workerData: changes });
    this.#worker.on("message", (pictures: Pictures) => this.#waiting.shift()?.resolve(pictures));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (code) => this.#fail(new Error(`it has ended with exit code ${code}`)));
    // a process that has nothing else to do need not wait for it
    this.#worker.unref();
  }

  readonly augment: PictureAugmenter = (epoch, rows, pictures) =>
    new Promise((resolve, reject) => {
      if (this.#fault !== null) {
        reject(this.#fault);
        return;
      }
      this.#worker.ref();
      const settled = (): void => {
        if (this.#waiting.length === 0) this.#worker.unref();
      };
      this.#waiting.push({
        resolve: (changed) => {
          settled();
          resolve(changed);
        },
        reject,
      });
      // what is a view of more than itself cannot be handed over
      const own = Object.fromEntries(Object.entries(pictures).map(([name, bytes]) => [name, alone(bytes)]));
      const request: PictureRequest = { epoch, rows: rows.slice(), pictures: own };
      this.#worker.postMessage(
        request,
        Object.values(own).map(({ buffer }) => buffer as ArrayBuffer),
      );
    });

  #fail(reason: Error): void {
    this.#fault ??= new DataError(`The thread that augments pictures does not go on: ${reason.message}.`, {
      reason: reason.message,
    });
    for (const { reject } of this.#waiting.splice(0)) reject(this.#fault);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function alone(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
