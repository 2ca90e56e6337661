/** @file The processes of one job over MPI, as one of them sees the others. */
import { hostname } from "node:os";
import { Worker } from "node:worker_threads";
import { at } from "../../../arrays.js";
import { BackendError, ReplicaError, UsageError } from "../../../errors.js";
import { entryPoint } from "../../../platform/entry-point.js";
import { launchedBy } from "./library.js";
import type { Done, Joined, MpiAnswer, MpiCall, MpiThreadData } from "./protocol.js";

const PATIENCE_SECONDS = 60;

/** What calls between the ranks have come to. */
export interface Traffic {
  readonly seconds: number;
  /** Sent by this rank. */
  readonly bytes: number;
}

/**
 * The ranks of a job. Every rank makes the same calls in the same order; a call ends when all have made it. After a failure
 * all calls fail: what is left is to end the process, which the launcher answers by ending the others.
 */
export class Communicator {
  readonly rank: number;
  readonly size: number;
  /** Names of the machines, in the order of the ranks. */
  readonly hosts: readonly string[];
  readonly #thread: MpiThread;
  #traffic: Traffic = { seconds: 0, bytes: 0 };
  /** A call after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor({ rank, size, hosts }: Joined, thread: MpiThread) {
    this.rank = rank;
    this.size = size;
    this.hosts = hosts;
    this.#thread = thread;
  }

  /**
   * Joins the job that a launcher has started this process in.
   * @param projectDir where koffi may lie, too
   * @throws UsageError without a launcher; BackendError without a library, or without koffi
   */
  static async join(projectDir: string | null, environment = process.env): Promise<Communicator> {
    const place = launchedBy(environment);
    if (place === null) {
      throw new UsageError(
        "--replicas mpi is for processes that mpirun or srun starts. Write: mpirun -n 2 cool run --replicas mpi (or srun --mpi=pmix cool run --replicas mpi), or take --replicas 2 on one machine.",
      );
    }
    const patience = Number(environment.DNN_COOL_MPI_PATIENCE ?? PATIENCE_SECONDS);
    if (!(patience > 0)) {
      throw new UsageError(
        `DNN_COOL_MPI_PATIENCE=${environment.DNN_COOL_MPI_PATIENCE} is no number of seconds. Write how long a rank may be silent, for example 60.`,
      );
    }
    const sent = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const thread = new MpiThread({ place, projectDir, sent, host: hostname(), patienceSeconds: patience });
    const joined = await thread.joined;
    return new Communicator(joined, thread);
  }

  /** A rank in messages, at the beginning of a sentence or within: its number, from 0 as MPI counts, and its machine. */
  nameOf(rank: number): string {
    return `Rank ${rank} of ${this.size} (on ${at(this.hosts, rank)})`;
  }

  /** What calls have come to since the last time that it was asked. */
  takeTraffic(): Traffic {
    const traffic = this.#traffic;
    this.#traffic = { seconds: 0, bytes: 0 };
    return traffic;
  }

  /** Bytes of every rank, in the order of the ranks; each may bring another number of them. */
  async gather(values: Uint8Array): Promise<readonly Uint8Array[]> {
    return (await this.#call({ kind: "gather", values })).values;
  }

  /** The sum over all ranks, in place, added in the order of the ranks. @param values in shared memory */
  async sum(values: Float32Array): Promise<void> {
    await this.#call({ kind: "sum", values });
  }

  /** Bytes of one rank. @param values null on the others */
  async cast(values: Uint8Array | null, root: number): Promise<Uint8Array> {
    return at((await this.#call({ kind: "cast", root, values: root === this.rank ? values : null })).values, 0);
  }

  /** Waits for the others to be done as well, and leaves the job. */
  async leave(): Promise<void> {
    await this.#call({ kind: "leave" });
    await this.#thread.end();
  }

  async #call(call: MpiCall): Promise<Done> {
    const calling = this.#last.then(() => this.#thread.ask(call));
    this.#last = calling.catch(() => {});
    const answer = await calling;
    if (answer.kind === "done") {
      const { seconds, bytes } = this.#traffic;
      this.#traffic = { seconds: seconds + answer.seconds, bytes: bytes + answer.bytes };
      return answer;
    }
    if (answer.kind === "failed" && answer.silent !== null) {
      throw new ReplicaError(
        `${this.nameOf(answer.silent)} does not answer any more: its process has ended, or its machine cannot be reached. The last checkpoint is kept; go on with: cool run --resume. DNN_COOL_MPI_PATIENCE says how many seconds are waited.`,
        { rank: answer.silent, host: at(this.hosts, answer.silent) },
      );
    }
    throw new ReplicaError(
      `The job over MPI has failed: ${answer.kind === "failed" ? answer.message : "its thread answers something else"}. The last checkpoint is kept; go on with: cool run --resume.`,
    );
  }
}

/** The thread that calls MPI; one call at a time. */
class MpiThread {
  readonly joined: Promise<Joined>;
  readonly #worker: Worker;
  readonly #sent: Int32Array;
  #waiting: ((answer: MpiAnswer) => void) | null = null;
  #failure: MpiAnswer | null = null;

  constructor(data: MpiThreadData) {
    const { script, args } = entryPoint("engine/replicas/mpi/mpi-entry");
    this.#sent = data.sent;
    this.#worker = new Worker(script, { argv: [...args], execArgv: [], workerData: data });
    const first = new Promise<MpiAnswer>((resolve) => {
      this.#waiting = resolve;
    });
    this.#worker.on("message", (answer: MpiAnswer) => this.#receive(answer));
    this.#worker.on("error", ({ message }) => this.#receive({ kind: "failed", silent: null, message }));
    this.joined = first.then((answer) => {
      if (answer.kind === "joined") return answer;
      throw new BackendError(answer.kind === "failed" ? answer.message : "The job over MPI could not be joined.");
    });
  }

  #receive(answer: MpiAnswer): void {
    if (answer.kind === "failed") this.#failure = answer;
    const waiting = this.#waiting;
    this.#waiting = null;
    // a process that has failed ends, and with it the job: nobody waits in this thread then
    this.#worker.unref();
    waiting?.(answer);
  }

  async ask(call: MpiCall): Promise<MpiAnswer> {
    if (this.#failure !== null) return this.#failure;
    const answered = new Promise<MpiAnswer>((resolve) => {
      this.#waiting = resolve;
    });
    this.#worker.ref();
    this.#worker.postMessage(call);
    Atomics.add(this.#sent, 0, 1);
    Atomics.notify(this.#sent, 0);
    return answered;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
