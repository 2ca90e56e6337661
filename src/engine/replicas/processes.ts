/** @file Replicas in processes of their own, one GPU each where there are GPUs, connected by a socket. */
import { spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { entryPoint } from "../../platform/entry-point.js";
import { FrameReader, toFrame } from "./frames.js";
import type { LinkEvents, LinkOptions, ReplicaLink } from "./links.js";
import type { GatherMessage, Reply, Request } from "./messages.js";

/** File descriptor of the socket in a replica's process. */
export const SOCKET = 3;

type FromProcess = Reply | GatherMessage;

/** Starts a process for each replica. @param eventsOf is told of the replies and of the end of each */
export function openProcesses(
  { replicas, heapMegabytes, environments = [], gather }: LinkOptions,
  eventsOf: (rank: number) => LinkEvents,
): ReplicaLink[] {
  const flags = heapMegabytes === undefined ? [] : [`--max-old-space-size=${heapMegabytes}`];
  const links: ProcessLink[] = [];
  const round: (Float64Array | null)[] = Array.from({ length: replicas }, () => null);
  // all replicas wait for the values of all
  const onGather = (rank: number, values: Float64Array): void => {
    round[rank] = values;
    if (round.some((each) => each === null)) return;
    const all = new Float64Array(replicas * values.length);
    round.forEach((each, other) => {
      all.set(each as Float64Array, other * values.length);
      round[other] = null;
    });
    for (const link of links) link.write({ kind: "gather", values: all } satisfies GatherMessage);
  };
  for (let rank = 0; rank < replicas; rank++) {
    const events = eventsOf(rank);
    const meet = (values: Float64Array): void => {
      if (gather === undefined) onGather(rank, values);
      else gather(values).then((all) => links[rank]?.write({ kind: "gather", values: all }), events.onFailure);
    };
    links.push(openProcess(flags, events, environments[rank] ?? {}, meet));
  }
  return links;
}

interface ProcessLink extends ReplicaLink {
  write(message: Request | GatherMessage): void;
}

function openProcess(
  flags: readonly string[],
  events: LinkEvents,
  environment: Readonly<Record<string, string>>,
  onGather: (values: Float64Array) => void,
): ProcessLink {
  const { script, args } = entryPoint("engine/replicas/process-entry");
  const child = spawn(process.execPath, [...flags, script, ...args], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => process.stderr.write(chunk));
  const socket = child.stdio[SOCKET] as Duplex;
  const reader = new FrameReader();
  socket.on("data", (piece: Buffer) => {
    for (const message of reader.add(piece) as FromProcess[]) {
      if (message.kind === "gather") onGather(message.values);
      else events.onReply(message);
    }
  });
  // a write to a process that has gone; its exit tells more
  socket.on("error", () => {});
  const exited = new Promise<void>((resolve) => {
    child.on("error", (error) => {
      events.onEnd(`before it began: ${error.message}`);
      resolve();
    });
    child.on("exit", (code, signal) => {
      events.onEnd(signal === null ? `with exit code ${code}` : `by signal ${signal}`);
      resolve();
    });
  });
  const write = (message: Request | GatherMessage): void => {
    socket.write(toFrame(message));
  };
  return {
    write,
    send: write,
    async close() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
