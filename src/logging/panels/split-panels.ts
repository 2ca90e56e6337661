/** @file Every picture that a scored split gives: contact sheets, confusion matrices, reliability diagrams. */
import { calibration } from "../../analysis/calibration/reliability.js";
import { confusionMatrix } from "../../analysis/confusion.js";
import type { ScoredSplit } from "../../analysis/score.js";
import type { FlowGraph } from "../../flow/graph.js";
import type { EncodedImage } from "../tensorboard/images.js";
import { drawConfusionMatrix } from "./confusion-panel.js";
import { drawContactSheet } from "./contact-sheet.js";
import { drawReliabilityDiagram } from "./reliability-panel.js";
import { type PictureSource, sampleSheets } from "./sample-sheets.js";
import type { ImageFormat } from "./svg.js";

/** A picture of one task. */
export interface Panel {
  readonly task_path: string;
  readonly name: "best" | "worst" | "confusion_matrix" | "reliability";
  readonly image: EncodedImage;
}

/** The best and worst samples of each task that has rows, one picture at a time. */
export async function* samplePanels(
  graph: FlowGraph,
  scored: ScoredSplit,
  pictureOf: PictureSource,
  options: { readonly top: number; readonly format: ImageFormat; readonly tasks?: readonly string[] },
): AsyncGenerator<Panel> {
  for await (const { task_path, side, sheet } of sampleSheets(graph, scored, pictureOf, options)) {
    yield { task_path, name: side, image: await drawContactSheet(sheet, options.format) };
  }
}

/** Confusion of classes and calibration of probabilities, for the tasks that have them and rows. */
export async function* diagramPanels(scored: ScoredSplit, format: ImageFormat): AsyncGenerator<Panel> {
  for (const task of scored.tasks) {
    const { path } = task.task;
    const matrix = confusionMatrix(task);
    if (matrix !== null && matrix.total > 0) {
      const image = await drawConfusionMatrix(path, `${matrix.total} on ${scored.split}`, matrix, format);
      yield { task_path: path, name: "confusion_matrix", image };
    }
    const calibrated = calibration(task);
    if (calibrated !== null && calibrated.expectedCalibrationError !== null) {
      const error = calibrated.expectedCalibrationError.toFixed(3);
      const subtitle = `${calibrated.count} answers on ${scored.split}, calibration error ${error}`;
      yield {
        task_path: path,
        name: "reliability",
        image: await drawReliabilityDiagram(path, subtitle, calibrated, format),
      };
    }
  }
}
