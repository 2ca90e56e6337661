/**
 * @file The thread that calls MPI, and nothing else: a collective call waits for the slowest rank, and the main thread has
 * heartbeats, signals and progress to see to. While it waits, and while it has nothing to do, it tells the other ranks
 * that this one is there.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { f32At, i32At } from "../../../arrays.js";
import { messageOf } from "../../../errors.js";
import { type MpiLibrary, type MpiRequest, openMpi } from "./library.js";
import type { Done, MpiAnswer, MpiCall, MpiThreadData } from "./protocol.js";

const { place, projectDir, sent, host, patienceSeconds } = workerData as MpiThreadData;
const BEAT_MS = 1000;

class Silent extends Error {
  readonly rank: number;
  constructor(rank: number) {
    super("a rank does not answer");
    this.rank = rank;
  }
}

/** Messages between the ranks that say nothing but that they are there. */
class Beats {
  readonly #mpi: MpiLibrary;
  readonly #beat = new Int32Array(new ArrayBuffer(4));
  readonly #into: Int32Array;
  readonly #receiving: (MpiRequest | null)[];
  readonly #heard: number[];
  #last = 0;

  constructor(mpi: MpiLibrary) {
    this.#mpi = mpi;
    this.#into = new Int32Array(new ArrayBuffer(4 * mpi.size));
    this.#heard = Array.from({ length: mpi.size }, () => Date.now());
    this.#receiving = Array.from({ length: mpi.size }, (_, rank) => this.#listen(rank));
  }

  #listen(rank: number): MpiRequest | null {
    return rank === this.#mpi.rank ? null : this.#mpi.receiveBeat(rank, this.#into.subarray(rank, rank + 1));
  }

  /** Sends and receives what is due. */
  exchange(): void {
    const now = Date.now();
    for (const [rank, request] of this.#receiving.entries()) {
      if (request === null || !this.#mpi.hasEnded(request)) continue;
      this.#heard[rank] = now;
      this.#receiving[rank] = this.#listen(rank);
    }
    if (now - this.#last < BEAT_MS) return;
    // this thread itself has stood still, maybe the whole machine: others may have spoken all the while
    if (this.#last > 0 && now - this.#last > 5 * BEAT_MS) this.#heard.fill(now);
    this.#last = now;
    for (let rank = 0; rank < this.#mpi.size; rank++) if (rank !== this.#mpi.rank) this.#mpi.sendBeat(rank, this.#beat);
  }

  /** @throws Silent where one has not been heard for too long */
  assertHeard(): void {
    const now = Date.now();
    const rank = this.#heard.findIndex((at, i) => i !== this.#mpi.rank && now - at > 1000 * patienceSeconds);
    if (rank >= 0) throw new Silent(rank);
  }

  stop(): void {
    for (const request of this.#receiving) if (request !== null) this.#mpi.cancel(request);
  }
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** How often a request is looked at. Between looks this thread sleeps: the cores are for those who compute. */
type Pace = "meeting" | "moving";

/** Looks before a sleep, and the sleep in milliseconds, by how long it has taken. */
const PACES: { readonly [Key in Pace]: (waited: number) => readonly [looks: number, sleep: number] } = {
  // the others come when they have computed their part
  meeting: (waited) => [1, waited < 2 ? 0.05 : waited < 100 ? 0.3 : 2],
  // all are there, and the library moves data only while it is asked
  moving: (waited) => (waited < 500 ? [32, 0.02] : [8, 0.3]),
};

function wait(mpi: MpiLibrary, beats: Beats | null, request: MpiRequest, pace: Pace = "meeting"): void {
  const began = performance.now();
  for (let round = 0; ; round++) {
    const waited = performance.now() - began;
    const [looks, sleep] = PACES[pace](waited);
    for (let look = 0; look < looks; look++) if (mpi.hasEnded(request)) return;
    if (round % 256 === 255 || waited > 250) {
      beats?.exchange();
      beats?.assertHeard();
    }
    Atomics.wait(nobody, 0, 0, sleep);
  }
}

/** Bytes of every rank, however many each has. */
function gather(mpi: MpiLibrary, beats: Beats | null, values: Uint8Array): Uint8Array[] {
  const width = Int32Array.BYTES_PER_ELEMENT;
  const length = new Int32Array(new ArrayBuffer(width)).fill(values.length);
  const counts = new Int32Array(new ArrayBuffer(width * mpi.size));
  const even = new Int32Array(new ArrayBuffer(width * mpi.size)).fill(width);
  wait(mpi, beats, mpi.gatherBytes(new Uint8Array(length.buffer), new Uint8Array(counts.buffer), even));
  const all = new Uint8Array(
    new ArrayBuffer(
      Math.max(
        1,
        counts.reduce((sum, count) => sum + count, 0),
      ),
    ),
  );
  // an empty array has no address
  const own = values.length === 0 ? new Uint8Array(new ArrayBuffer(1)).subarray(0, 0) : values;
  wait(mpi, beats, mpi.gatherBytes(own, all, counts), "moving");
  let end = 0;
  return Array.from(counts, (count) => {
    end += count;
    return all.slice(end - count, end);
  });
}

/**
 * Two numbers have one sum, whatever the order. Of more ranks each adds one stretch of all vectors, in the order of the
 * ranks, and gives it to the others: as many bytes as a ring takes, and the same sum as that of replicas on one machine.
 */
function sum(mpi: MpiLibrary, beats: Beats, values: Float32Array): void {
  wait(mpi, beats, mpi.barrier());
  if (mpi.size <= 2) {
    wait(mpi, beats, mpi.sumFloats(values), "moving");
    return;
  }
  const counts = new Int32Array(new ArrayBuffer(Int32Array.BYTES_PER_ELEMENT * mpi.size));
  for (let rank = 0; rank < mpi.size; rank++) {
    counts[rank] = Math.floor(values.length / mpi.size) + (rank < values.length % mpi.size ? 1 : 0);
  }
  const own = i32At(counts, mpi.rank);
  const parts = new Float32Array(new ArrayBuffer(Math.max(4, 4 * own * mpi.size)));
  const even = new Int32Array(new ArrayBuffer(counts.byteLength)).fill(own);
  wait(mpi, beats, mpi.exchangeFloats(values, counts, parts, even), "moving");
  const stretch = new Float32Array(new ArrayBuffer(Math.max(4, 4 * own))).subarray(0, own);
  for (let rank = 0; rank < mpi.size; rank++) {
    for (let i = 0; i < own; i++) stretch[i] = f32At(stretch, i) + f32At(parts, rank * own + i);
  }
  wait(mpi, beats, mpi.gatherFloats(stretch, values, counts), "moving");
}

function cast(mpi: MpiLibrary, beats: Beats, root: number, values: Uint8Array | null): Uint8Array {
  const length = new Int32Array(new ArrayBuffer(4)).fill(values?.length ?? 0);
  wait(mpi, beats, mpi.castBytes(new Uint8Array(length.buffer), root));
  const bytes = values ?? new Uint8Array(new ArrayBuffer(Math.max(1, i32At(length, 0)))).subarray(0, i32At(length, 0));
  if (bytes.length > 0) wait(mpi, beats, mpi.castBytes(bytes, root), "moving");
  return bytes;
}

function perform(mpi: MpiLibrary, beats: Beats, call: Exclude<MpiCall, { kind: "leave" }>): Omit<Done, "seconds"> {
  switch (call.kind) {
    case "gather":
      return { kind: "done", values: gather(mpi, beats, call.values), bytes: call.values.length * (mpi.size - 1) };
    case "sum": {
      sum(mpi, beats, call.values);
      const share = (2 * (mpi.size - 1)) / mpi.size;
      return { kind: "done", values: [], bytes: Math.round(call.values.byteLength * share) };
    }
    case "cast": {
      const values = cast(mpi, beats, call.root, call.values);
      return { kind: "done", values: [values], bytes: call.values === null ? 0 : values.length * (mpi.size - 1) };
    }
    default:
      return call satisfies never;
  }
}

function next(port: MessagePort, beats: Beats): MpiCall {
  for (;;) {
    const seen = Atomics.load(sent, 0);
    const received = receiveMessageOnPort(port) as { readonly message: MpiCall } | undefined;
    if (received !== undefined) return received.message;
    beats.exchange();
    Atomics.wait(sent, 0, seen, BEAT_MS / 4);
  }
}

function serve(port: MessagePort): void {
  const tell = (answer: MpiAnswer): void => port.postMessage(answer);
  try {
    const mpi = openMpi(place, projectDir);
    const hosts = gather(mpi, null, new TextEncoder().encode(host)).map((name) => new TextDecoder().decode(name));
    const beats = new Beats(mpi);
    tell({ kind: "joined", rank: mpi.rank, size: mpi.size, hosts });
    for (let call = next(port, beats); ; call = next(port, beats)) {
      const began = performance.now();
      if (call.kind === "leave") {
        wait(mpi, beats, mpi.barrier());
        beats.stop();
        mpi.finalize();
        tell({ kind: "done", values: [], seconds: 0, bytes: 0 });
        return;
      }
      const done = perform(mpi, beats, call);
      tell({ ...done, seconds: (performance.now() - began) / 1000 });
    }
  } catch (error) {
    tell({ kind: "failed", silent: error instanceof Silent ? error.rank : null, message: messageOf(error) });
  }
}

if (parentPort === null) throw new Error("this module is the entry of a thread");
serve(parentPort);
