/** @file Replicas in worker threads: they share memory, and each has a backend of its own. */
import { Worker } from "node:worker_threads";
import { entryPoint } from "../../platform/entry-point.js";
import { createMeetingRoom, type MeetingRoom } from "./exchange.js";
import type { LinkEvents, LinkOptions, ReplicaLink } from "./links.js";
import type { Reply } from "./messages.js";

/** What a thread begins with. */
export interface ThreadData {
  readonly rank: number;
  readonly room: MeetingRoom;
  /** Number of requests sent; the thread waits for it to change. */
  readonly sent: Int32Array;
}

/** Starts a thread for each replica. @param eventsOf is told of the replies and of the end of each */
export function openThreads(
  { replicas, heapMegabytes }: LinkOptions,
  exchangeSize: number,
  eventsOf: (rank: number) => LinkEvents,
): ReplicaLink[] {
  const room = createMeetingRoom(replicas, exchangeSize);
  return Array.from({ length: replicas }, (_, rank) => openThread(rank, room, eventsOf(rank), heapMegabytes));
}

function openThread(
  rank: number,
  room: MeetingRoom,
  events: LinkEvents,
  heapMegabytes: number | undefined,
): ReplicaLink {
  const sent = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const { script, args } = entryPoint("engine/replicas/thread-entry");
  const worker = new Worker(script, {
    argv: [...args],
    execArgv: [],
    workerData: { rank, room, sent } satisfies ThreadData,
    ...(heapMegabytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } }),
    stdout: true,
    stderr: true,
  });
  // standard output belongs to the command's result
  for (const stream of [worker.stdout, worker.stderr]) stream.on("data", (chunk) => process.stderr.write(chunk));
  let fault: Error | null = null;
  worker.on("message", (reply: Reply) => events.onReply(reply));
  worker.on("error", (error) => {
    fault = error;
  });
  worker.on("exit", (code) => events.onEnd(fault === null ? `with exit code ${code}` : `with ${fault.message}`));
  return {
    send(request) {
      worker.postMessage(request);
      Atomics.add(sent, 0, 1);
      Atomics.notify(sent, 0);
    },
    async close() {
      await worker.terminate();
    },
  };
}
