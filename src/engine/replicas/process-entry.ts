/** @file A replica's process: reads requests from its socket, waiting in the read itself, until the socket ends. */
import { readSync, writeSync } from "node:fs";
import { setImmediate as eventLoop } from "node:timers/promises";
import { readFrame, toFrame } from "./frames.js";
import type { GatherMessage, Reply, Request } from "./messages.js";
import { SOCKET } from "./processes.js";
import { errorReply, Replica } from "./replica.js";

// Ctrl-C reaches every process of the terminal; the coordinating one ends the others when its step is done
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const replica = new Replica({
  gather(values) {
    send({ kind: "gather", values });
    return (receive() as GatherMessage | null)?.values ?? process.exit(0);
  },
});

for (let request = receive(); request !== null && request.kind !== "close"; request = receive()) {
  if (request.kind !== "gather") send(await answer(request));
  // output that was printed on the way
  await eventLoop();
}
// also where the coordinating process has been killed
process.exit(0);

async function answer(request: Exclude<Request, { readonly kind: "close" }>): Promise<Reply> {
  try {
    return request.kind === "open" ? await replica.open(request.setup) : replica.answer(request);
  } catch (error) {
    return errorReply(error);
  }
}

function receive(): Request | GatherMessage | null {
  return readFrame(readExactly) as Request | GatherMessage | null;
}

function readExactly(bytes: number): Buffer | null {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; ) {
    const read = readSync(SOCKET, buffer, at, bytes - at, null);
    if (read === 0) return null;
    at += read;
  }
  return buffer;
}

function send(message: Reply | GatherMessage): void {
  const frame = toFrame(message);
  for (let at = 0; at < frame.length; ) at += writeSync(SOCKET, frame, at);
}
