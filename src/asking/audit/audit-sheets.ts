/** @file Pictures of suspicious labels: one sheet for each task. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Suspect } from "../../analysis/audit/audit.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { lineOf, StoreError } from "../../errors.js";
import type { SamplePicture } from "../../logging/panels/picture.js";
import { storedPictures } from "../sample-pictures.js";
import type { StoredRun } from "../stored-run.js";
import { cellText, type LabelTable } from "./label-table.js";

/**
 * @param suspects the most suspicious first
 * @returns files that were written
 * @throws StoreError where the folder cannot be written
 */
export async function suspectSheets(
  stored: StoredRun,
  scored: ScoredSplit,
  table: LabelTable,
  suspects: readonly Suspect[],
  { folder, top }: { readonly folder: string; readonly top: number },
): Promise<string[]> {
  const { graph, config } = stored;
  // drawing is only loaded where pictures are asked for
  const [{ drawContactSheet }, { describeAnswer }, { figuresOf }] = await Promise.all([
    import("../../logging/panels/contact-sheet.js"),
    import("../../logging/panels/sample-sheets.js"),
    import("../../logging/panels/figures.js"),
  ]);
  const hasImages = Object.values(config.inputs).some(({ kind }) => kind === "image");
  const pictureOf = hasImages ? await storedPictures(stored, "valid") : cellsOf(stored, table);
  const written: string[] = [];
  for (const { path } of graph.tasks) {
    const own = suspects.filter(({ task_path }) => task_path === path);
    if (own.length === 0) continue;
    const figures = figuresOf(graph, scored, path);
    const tiles = own.slice(0, top).map(({ row, sample, suspicion, label, repaired }) => ({
      sample,
      loss: 0,
      measure: { name: "wrong", value: suspicion },
      label: describeAnswer(label),
      prediction: repaired === null ? "not asked" : describeAnswer(repaired),
      picture: pictureOf({ id: sample, row }),
      figures: figures(row),
    }));
    const subtitle = `${tiles.length} of ${own.length} suspicious labels`;
    const image = await drawContactSheet({ title: path, subtitle, tiles, answer: "repaired" }, "png");
    const file = join(resolve(folder), `${path}.suspects.png`);
    write(folder, file, "png" in image ? image.png : image.jpeg);
    written.push(file);
  }
  return written;
}

/** What a row says where it has no picture. */
function cellsOf({ config }: StoredRun, { joined, rowOf }: LabelTable) {
  const columns = Object.values(config.inputs).flatMap((spec) => ("columns" in spec ? spec.columns : [spec.column]));
  return ({ id }: { readonly id: string }): SamplePicture => {
    const row = rowOf.get(id) ?? 0;
    const index = joined.firstRows.findLastIndex((first) => first <= row);
    const cells = columns.map((name) =>
      joined.tables[index]?.columns.get(name)?.at(row - (joined.firstRows[index] ?? 0)),
    );
    return { kind: "text", text: cells.map(cellText).join(" ") };
  };
}

function write(folder: string, file: string, bytes: Uint8Array): void {
  try {
    mkdirSync(resolve(folder), { recursive: true });
    writeFileSync(file, bytes);
  } catch (error) {
    throw new StoreError(
      `The sheet ${file} cannot be written: ${lineOf(error)}. Name another folder with --sheets.`,
      { file },
      { cause: error },
    );
  }
}
