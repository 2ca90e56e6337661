/** @file A model that runs beside the network, as what its features are computed by. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { InputSpec } from "../../data/dataset.js";
import { StoreError } from "../../errors.js";
import { type ExternalPart, isPerToken, storedModel, widthOf } from "../model/pretrained/external-part.js";
import { needsOf } from "../model/pretrained/describe-external.js";
import { modelDigest } from "../model/pretrained/external-model.js";
import { openExternalModel } from "../model/pretrained/open-external.js";
import type { FrozenTrunk } from "./split-network.js";

/** Owns what computes: `close` ends it. */
export interface ExternalTrunk extends FrozenTrunk {
  /** What computes. */
  readonly runtime: string;
  close(): Promise<void>;
}

/**
 * Opens a run's model from the store.
 * @param spec of the input that it reads
 * @param projectDir whose packages may be loaded; null: there is none
 * @throws StoreError where the store lacks the model, or its content is another; BackendError where what runs it is not
 * installed
 */
export async function openExternal(
  part: ExternalPart,
  spec: InputSpec,
  storeDir: string,
  projectDir: string | null,
): Promise<ExternalTrunk> {
  const file = storedModel(storeDir, part);
  assertStored(part, file);
  const { output, preprocessing, input, format, pooling } = part;
  const needs = needsOf({ ...part, file }, spec, { projectDir, isNew: false });
  const opened = await openExternalModel(format, needs);
  const ofTexts = "text" in needs ? [pooling ?? null, needs.text.tokenizer.padding] : [];
  const width = widthOf(part);
  return {
    input,
    runtime: opened.runtime,
    width,
    perToken: isPerToken(part),
    features: [{ name: part.name, size: width, offset: 0 }],
    digest: createHash("sha256")
      .update(JSON.stringify([part.digest, output, preprocessing, ...ofTexts]))
      .digest("hex"),
    compute: (values, rows) => opened.run(values, rows),
    close: () => opened.close(),
  };
}

function assertStored(part: ExternalPart, file: string): void {
  if (!existsSync(file)) {
    throw new StoreError(
      `The model ${part.model}, which feeds this run, is not in its store: ${file}. Copy it there from the store that the run was made in.`,
      { model: part.model, file },
    );
  }
  if (modelDigest(file, part.model) === part.digest) return;
  throw new StoreError(
    `The model ${part.model}, which feeds this run, has been changed: ${file}. Put back the file of that digest.`,
    { model: part.model, file, digest: part.digest },
  );
}
