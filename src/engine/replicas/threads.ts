/** @file Replicas in worker threads: they share memory, and each has a backend of its own. */
import { Worker } from "node:worker_threads";
import { entryPoint } from "../../platform/entry-point.js";
import { createMeetingRoom, type MeetingRoom } from "./exchange.js";
import type { LinkEvents, LinkOptions, ReplicaLink } from "./links.js";
import type { GatherMessage, Reply, Request } from "./messages.js";

/** What a thread begins with. */
export interface ThreadData {
  readonly rank: number;
  /** null: the other replicas are in other processes, and the coordinating side asks them. */
  readonly room: MeetingRoom | null;
  /** Number of requests sent; the thread waits for it to change. */
  readonly sent: Int32Array;
}

/** Starts a thread for each replica. @param eventsOf is told of the replies and of the end of each */
export function openThreads(
  { replicas, heapMegabytes, gather }: LinkOptions,
  exchangeSize: number,
  eventsOf: (rank: number) => LinkEvents,
): ReplicaLink[] {
  const room = gather === undefined ? createMeetingRoom(replicas, exchangeSize) : null;
  const options = { room, heapMegabytes, gather };
  return Array.from({ length: replicas }, (_, rank) => openThread(rank, eventsOf(rank), options));
}

interface ThreadOptions extends Pick<LinkOptions, "gather"> {
  readonly room: MeetingRoom | null;
  readonly heapMegabytes: number | undefined;
}

function openThread(rank: number, events: LinkEvents, { room, heapMegabytes, gather }: ThreadOptions): ReplicaLink {
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
  const send = (message: Request | GatherMessage): void => {
    worker.postMessage(message);
    Atomics.add(sent, 0, 1);
    Atomics.notify(sent, 0);
  };
  worker.on("message", (message: Reply | GatherMessage) => {
    if (message.kind !== "gather") events.onReply(message);
    else gather?.(message.values).then((values) => send({ kind: "gather", values }), events.onFailure);
  });
  worker.on("error", (error) => {
    fault = error;
  });
  worker.on("exit", (code) => events.onEnd(fault === null ? `with exit code ${code}` : `with ${fault.message}`));
  return {
    send,
    async close() {
      await worker.terminate();
    },
  };
}
