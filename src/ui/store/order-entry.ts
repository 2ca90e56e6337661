/** @file A thread that orders the runs of a store: of 100,000 that takes a second, in which pages are answered. */
import { parentPort, type MessagePort } from "node:worker_threads";
import { CoolError, messageOf } from "../../errors.js";
import { openRunStore, type RunStore } from "../../storage/run-store.js";
import type { OrderAnswer, OrderQuestion } from "./order-messages.js";

let opened: RunStore | null = null;

/** The store that is there now: the one that was open may have been moved. */
function storeAt(dir: string): RunStore {
  if (opened?.dir === dir && opened.isThere()) return opened;
  opened?.close();
  opened = null;
  opened = openRunStore(dir, { readonly: true });
  return opened;
}

function answer({ number, dir, query }: OrderQuestion): OrderAnswer {
  try {
    return { number, ids: storeAt(dir).queryOrder(query) };
  } catch (error) {
    const facts = error instanceof CoolError ? error.facts : {};
    return { number, error: { name: error instanceof Error ? error.name : "Error", message: messageOf(error), facts } };
  }
}

function listen(port: MessagePort): void {
  port.on("message", (question: OrderQuestion) => port.postMessage(answer(question)));
}

if (parentPort !== null) listen(parentPort);
