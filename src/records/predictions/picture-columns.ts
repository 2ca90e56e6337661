/** @file Answers of a task per pixel as a row of the file for each picture: areas and overlaps beside all of its pixels. */
import { areasOf, regionsOf } from "../../decoding/areas.js";
import { describeAreas, lossOfPicture, measureOfPicture, picturesIn } from "../../analysis/pixels/picture-figures.js";
import type { ScoredTask } from "../../analysis/score.js";

/** What a picture's row says, [pictures, …]. */
export interface PictureColumns {
  readonly regions: number;
  /** Part of the picture that each region is answered to take, where the task is asked. */
  readonly areas: Float32Array;
  /** IoU of each region over the pixels that count; of numbers the mean absolute error. */
  readonly overlaps: Float32Array;
  readonly losses: Float32Array;
  readonly masks: { readonly labelled: Uint8Array; readonly by_truth: Uint8Array; readonly by_prediction: Uint8Array };
  labelText(row: number): string | null;
  decodedText(row: number): string | null;
}

export function pictureColumns(answer: ScoredTask): PictureColumns {
  const { task, labels, decoded, lossMask, labelled, activeTruth, activePredicted } = answer;
  const { spec } = task;
  const masks = {
    labelled: picturesIn(spec, labelled),
    by_truth: picturesIn(spec, activeTruth),
    by_prediction: picturesIn(spec, activePredicted),
  };
  const rows = masks.labelled.length;
  const regions = regionsOf(spec).length;
  const areas = new Float32Array(rows * regions);
  const overlaps = new Float32Array(rows * regions);
  const losses = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    areas.set(areasOf(spec, decoded, activePredicted, row), row * regions);
    overlaps.set(measureOfPicture(answer, lossMask, row).each, row * regions);
    losses[row] = lossOfPicture(answer, lossMask, row);
  }
  return {
    ...{ regions, areas, overlaps, losses, masks },
    labelText: (row) =>
      masks.labelled[row] === 1 ? describeAreas(spec, areasOf(spec, labels.answers, labelled, row)) : null,
    decodedText: (row) =>
      masks.by_prediction[row] === 1 ? describeAreas(spec, areas.subarray(row * regions, (row + 1) * regions)) : null,
  };
}
