/** @file Pictures that stand in several rows of a run's tables, with labels that differ. */
import { join } from "node:path";
import { at, i32At } from "../../arrays.js";
import { differingLabels, type RowPair } from "../../analysis/audit/differing-labels.js";
import { isPixelSource } from "../../data/dataset.js";
import { alikePictures, indexPictures } from "../../data/inputs/picture-index.js";
import { loadTableInputs } from "../../data/inputs/table-inputs.js";
import type { Described } from "../../tasks/index.js";
import type { PredictOptions } from "../open-inputs.js";
import type { StoredRun } from "../stored-run.js";
import { type LabelTable, placeOfRow, type RowPlace } from "./label-table.js";

/** A task that two rows with the same picture, or nearly, answer differently. */
export interface DuplicateLabels {
  readonly task_path: string;
  /** Whether the pictures are the same pixel by pixel, as the network sees them. */
  readonly kind: "same" | "near";
  readonly sample: string;
  readonly place: RowPlace;
  readonly label: Described;
  readonly other: string;
  readonly other_place: RowPlace;
  readonly other_label: Described;
}

/**
 * Of each picture the most alike earlier one is compared. Pictures that cannot be read are left out.
 * @param storeDir whose cache keeps decoded pictures
 */
export async function duplicateLabels(
  { config, graph }: StoredRun,
  table: LabelTable,
  storeDir: string,
  { signal, onProgress }: Pick<PredictOptions, "signal" | "onProgress">,
): Promise<DuplicateLabels[]> {
  const images = Object.entries(config.inputs).filter(([, { kind }]) => kind === "image");
  if (images.length === 0) return [];
  const opened = await loadTableInputs(
    table.joined,
    {
      inputs: Object.fromEntries(images),
      projectDir: table.projectDir,
      cacheDir: join(storeDir, "cache"),
      onBadImage: "skip",
      signal,
      onProgress: (done, total) => onProgress?.("decoding images", done, total),
    },
    null,
  );
  try {
    const kinds = new Map<string, "same" | "near">();
    const pairs: RowPair[] = [];
    for (const source of Object.values(opened.inputs).filter(isPixelSource)) {
      const rows = Int32Array.from(opened.kept, (_, row) => row);
      const index = await indexPictures(source, rows, signal);
      for (const found of alikePictures(index, Array.from(rows))) {
        const pair = { a: i32At(opened.kept, found.a), b: i32At(opened.kept, found.b) };
        if (!kinds.has(`${pair.a} ${pair.b}`)) pairs.push(pair);
        kinds.set(`${pair.a} ${pair.b}`, found.kind);
      }
    }
    return differingLabels(graph, table.labels, table.joined.rows, pairs).map(({ a, b, task, label_a, label_b }) => ({
      task_path: at(graph.tasks, task).path,
      kind: kinds.get(`${a} ${b}`) ?? "near",
      ...{ sample: at(table.ids, b), place: placeOfRow(table, b), label: label_b },
      ...{ other: at(table.ids, a), other_place: placeOfRow(table, a), other_label: label_a },
    }));
  } finally {
    opened.close();
  }
}
