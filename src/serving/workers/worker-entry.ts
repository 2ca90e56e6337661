/** @file The entry of a worker, in a thread or in a process. */
import { parentPort } from "node:worker_threads";
import type { ToWorker } from "./messages.js";
import { ModelWorker } from "./worker.js";

const worker = new ModelWorker();

if (parentPort === null) {
  // a terminal's Ctrl-C reaches every process of the group; the server says when this one ends
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("message", async (message: ToWorker) => process.send?.(await worker.handle(message)));
  process.on("disconnect", () => process.exit(0));
} else {
  const port = parentPort;
  port.on("message", async (message: ToWorker) => port.postMessage(await worker.handle(message)));
}
