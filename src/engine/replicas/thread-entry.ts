/** @file A replica's thread: waits for requests without an event loop, so that nothing lies between two of them. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { meetingExchange } from "./exchange.js";
import type { Exchange } from "./exchange.js";
import type { GatherMessage, Reply, Request } from "./messages.js";
import { errorReply, Replica } from "./replica.js";
import type { ThreadData } from "./threads.js";

const { rank, room, sent } = workerData as ThreadData;
const port = parentPort;
if (port === null) throw new Error("this module is the entry of a thread");
const replica = new Replica(room === null ? askingExchange(port) : meetingExchange(room, rank));

for (let request = next(port); request.kind !== "close"; request = next(port)) {
  if (request.kind !== "gather") port.postMessage(await answer(request));
}

/** Exchange with replicas of other processes, by way of the coordinating side. */
function askingExchange(to: MessagePort): Exchange {
  return {
    gather(values) {
      to.postMessage({ kind: "gather", values } satisfies GatherMessage);
      return (next(to) as GatherMessage).values;
    },
  };
}

/** Waits for the next request, or for what other replicas have brought. */
function next(from: MessagePort): Request | GatherMessage {
  for (;;) {
    const seen = Atomics.load(sent, 0);
    const received = receiveMessageOnPort(from) as { readonly message: Request | GatherMessage } | undefined;
    if (received !== undefined) return received.message;
    // it also ends by the notice of a request that has been read already
    Atomics.wait(sent, 0, seen);
  }
}

async function answer(request: Exclude<Request, { readonly kind: "close" }>): Promise<Reply> {
  try {
    return request.kind === "open" ? await replica.open(request.setup) : replica.answer(request);
  } catch (error) {
    return errorReply(error);
  }
}
