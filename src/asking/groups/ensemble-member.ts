/** @file A further fold of a group that answers together. */
import { withExternals } from "../external-sources.js";
import { resolveGiven } from "../given-answers.js";
import type { Network } from "../../engine/model/network.js";
import { type OpenInputs, openInputs, type PredictOptions } from "../open-inputs.js";
import type { ReplicaNeeds } from "../replicas.js";
import { everyRow, RunAnswerer } from "../run-answerer.js";
import type { StoredRun } from "../stored-run.js";
import type { MemberOutputs } from "./ensemble.js";

/** Owns its network. */
export class EnsembleMember {
  readonly #stored: StoredRun;
  readonly #network: Network;
  readonly #answerer: RunAnswerer;

  constructor(stored: StoredRun, network: Network, replicas: ReplicaNeeds) {
    this.#stored = stored;
    this.#network = network;
    this.#answerer = new RunAnswerer(stored, network, replicas);
  }

  /**
   * @param inputs as the user names them
   * @param opened the same, opened for another run
   * @param by that run
   */
  async answer(
    inputs: readonly string[],
    opened: OpenInputs,
    by: StoredRun,
    options: PredictOptions,
  ): Promise<MemberOutputs> {
    const { graph, config } = this.#stored;
    // pictures are the same to all folds; numbers are standardized by the rows that each was trained on
    const isSame =
      JSON.stringify([config.inputs, config.externals]) === JSON.stringify([by.config.inputs, by.config.externals]);
    const own = isSame
      ? opened
      : await openInputs(this.#stored, inputs, options, resolveGiven(graph, options.given ?? {}));
    try {
      const rows = everyRow(own);
      const sources = await withExternals(own.sources, rows, this.#stored, options);
      return { graph, outputs: await this.#answerer.outputs(sources, rows, options) };
    } finally {
      if (!isSame) own.close();
    }
  }

  close(): void {
    this.#network.dispose();
  }
}
