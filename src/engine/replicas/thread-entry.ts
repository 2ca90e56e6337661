/** @file A replica's thread: waits for requests without an event loop, so that nothing lies between two of them. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { meetingExchange } from "./exchange.js";
import type { Reply, Request } from "./messages.js";
import { errorReply, Replica } from "./replica.js";
import type { ThreadData } from "./threads.js";

const { rank, room, sent } = workerData as ThreadData;
const port = parentPort;
if (port === null) throw new Error("this module is the entry of a thread");
const replica = new Replica(meetingExchange(room, rank));

for (let received = 0; ; received++) {
  Atomics.wait(sent, 0, received);
  const { message } = receiveMessageOnPort(port) as { readonly message: Request };
  if (message.kind === "close") break;
  port.postMessage(await answer(message));
}

async function answer(request: Exclude<Request, { readonly kind: "close" }>): Promise<Reply> {
  try {
    return request.kind === "open" ? await replica.open(request.setup) : replica.answer(request);
  } catch (error) {
    return errorReply(error);
  }
}
