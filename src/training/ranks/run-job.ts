/** @file A job over MPI from joining to leaving: the first rank leads a run, the others follow it. */
import { parseDevice } from "../../engine/backends/device.js";
import { Communicator } from "../../engine/replicas/mpi/communicator.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import { type RunRanks, runRanks } from "./run-ranks.js";

export interface JobOptions {
  readonly storeDir: string;
  readonly device: string | undefined;
}

/** One rank of a job. */
export class RunJob {
  readonly #communicator: Communicator;
  readonly #project: LoadedProject;
  readonly #options: JobOptions;

  private constructor(communicator: Communicator, project: LoadedProject, options: JobOptions) {
    this.#communicator = communicator;
    this.#project = project;
    this.#options = options;
  }

  /** @throws UsageError where no launcher has started this process; BackendError without MPI or koffi */
  static async join(project: LoadedProject, options: JobOptions): Promise<RunJob> {
    return new RunJob(await Communicator.join(project.projectDir), project, options);
  }

  get rank(): number {
    return this.#communicator.rank;
  }

  get size(): number {
    return this.#communicator.size;
  }

  /** @param work the run, of which the other ranks do the same steps */
  async lead<T>(signal: AbortSignal, work: (ranks: RunRanks) => Promise<T>): Promise<T> {
    return this.#inJob(signal, work);
  }

  async follow(signal: AbortSignal): Promise<void> {
    const { followRun } = await import("./follow-run.js");
    const { storeDir, device } = this.#options;
    await this.#inJob(signal, (ranks) =>
      followRun(this.#project, {
        ...{ ranks, storeDir, signal },
        device: device === undefined ? null : parseDevice(device),
      }),
    );
  }

  /**
   * All ranks leave together when all is written, or all have stopped. One that fails ends without leaving: its launcher
   * ends the others, which wait for it.
   */
  async #inJob<T>(signal: AbortSignal, work: (ranks: RunRanks) => Promise<T>): Promise<T> {
    const ranks = runRanks(this.#communicator, signal);
    try {
      const result = await work(ranks);
      await this.#communicator.leave();
      return result;
    } catch (error) {
      if (ranks.signal.aborted) await this.#communicator.leave();
      throw error;
    }
  }
}
