/** @file A TensorFlow session on a graph of ours: its variables live as long as it does. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Binding, TensorValues } from "../backends/tensorflow/binding.js";
import { type Output, SERVE } from "./graph-def.js";

/** Values for one placeholder. */
export interface Feed {
  readonly placeholder: Output;
  readonly dtype: number;
  readonly shape: readonly number[];
  /** Not changed before the run is over. */
  readonly values: TensorValues;
}

/** Runs one loaded graph. Owns it: `dispose` frees it. */
export class Session {
  readonly #binding: Binding;
  readonly #model: number;

  /** @param savedModel bytes of `saved_model.pb` */
  constructor(binding: Binding, savedModel: Uint8Array) {
    this.#binding = binding;
    // the library reads graphs from folders only
    const folder = mkdtempSync(join(tmpdir(), "dnn-cool-graph-"));
    try {
      writeFileSync(join(folder, "saved_model.pb"), savedModel);
      this.#model = binding.loadSavedModel(folder, SERVE);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** @returns values of the outputs, in their order */
  run(feeds: readonly Feed[], outputs: readonly Output[]): TensorValues[] {
    const binding = this.#binding;
    const ids = feeds.map(({ shape, dtype, values }) => binding.createTensor(shape, dtype, values));
    try {
      const results = binding.runSavedModel(
        this.#model,
        ids,
        feeds.map(({ placeholder }) => withIndex(placeholder)).join(),
        outputs.map(withIndex).join(),
      );
      return results.map(({ id }) => {
        const values = binding.tensorDataSync(id);
        binding.deleteTensor(id);
        return values;
      });
    } finally {
      for (const id of ids) binding.deleteTensor(id);
    }
  }

  dispose(): void {
    this.#binding.deleteSavedModel(this.#model);
  }
}

function withIndex(output: Output): string {
  return output.includes(":") ? output : `${output}:0`;
}
