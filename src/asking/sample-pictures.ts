/** @file What can be shown of a sample: its image file, its pixels as the network sees them, or its words. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { at, i32At } from "../arrays.js";
import {
  type Dataset,
  firstPixels,
  firstTokens,
  type InputSource,
  type PixelSource,
  wordsOf,
} from "../data/dataset.js";
import type { SamplePicture } from "../logging/panels/picture.js";
import type { PictureSource, SampleReference } from "../logging/panels/sample-sheets.js";
import type { Split } from "../tasks/evaluation.js";
import { runFiles } from "../records/run-folder.js";
import { storedImages, tableFolder } from "./pictures/stored-images.js";
import type { StoredRun } from "./stored-run.js";
import { glueOf, readWords, textOf } from "../records/stored-words.js";

/** Completes "the picture …". */
export const NO_PICTURES = "cannot be shown: the run has no image input";

/** Pictures of a run that is at work: from the files of its first image input, else of what else it reads. */
export function datasetPictures(dataset: Dataset, projectDir: string): PictureSource {
  const pixels = firstPixels(dataset.inputs);
  if (pixels !== undefined) {
    return ({ split, row }) => imageOf(dataset, pixels, i32At(dataset.splits[split], row), projectDir);
  }
  const tokens = firstTokens(dataset.inputs);
  if (tokens !== undefined) {
    const glue = glueOf(tokens.spec);
    return ({ split, row, position }) => {
      const words = wordsOf(tokens, i32At(dataset.splits[split], row));
      return { kind: "text", text: textOf(words, glue, position) };
    };
  }
  return ({ split, row }) => numbersOf(dataset.inputs, i32At(dataset.splits[split], row));
}

/** The file, which has more detail; the pixels that the network sees where it has gone. */
function imageOf(dataset: Dataset, pixels: PixelSource, row: number, projectDir: string): SamplePicture {
  const table = dataset.tables.find(({ rows }) => rows.includes(row))?.table;
  return pictureIn(pixels, row, tableFolder(projectDir, table ?? "."));
}

function pictureIn(pixels: PixelSource, row: number, folder: string): SamplePicture {
  const path = resolve(folder, at(pixels.paths, row));
  const { size, channels, framing } = pixels.spec;
  if (existsSync(path)) return { kind: "file", path, ...(framing === undefined ? {} : { framing }) };
  return { kind: "pixels", pixels: pixels.read([row]), height: size[0], width: size[1], channels };
}

/** What can be shown of a row of new data. @param folder that paths of its pictures are relative to */
export function inputPicture(
  inputs: Readonly<Record<string, InputSource>>,
  row: number,
  folder: string,
): SamplePicture {
  const pixels = firstPixels(inputs);
  if (pixels !== undefined) return pictureIn(pixels, row, folder);
  const tokens = firstTokens(inputs);
  if (tokens === undefined) return numbersOf(inputs, row);
  return { kind: "text", text: textOf(wordsOf(tokens, row), glueOf(tokens.spec)) };
}

function numbersOf(inputs: Readonly<Record<string, InputSource>>, row: number): SamplePicture {
  const shown = Object.entries(inputs).map(([name, source]) => {
    const values = Array.from(source.read([row]), (value) => Number(value.toPrecision(3)));
    return `${name}: ${values.join(" ")}`;
  });
  return { kind: "text", text: shown.join(" ") };
}

/** What can be shown of a finished run's samples: the image files that they are named after, or their words. */
export async function storedPictures(
  stored: Pick<StoredRun, "config" | "dir" | "project" | "run">,
  split: Split,
): Promise<(sample: Pick<SampleReference, "id" | "row" | "position">) => SamplePicture> {
  const { config, dir } = stored;
  const inputs = Object.values(config.inputs);
  if (inputs.some(({ kind }) => kind === "image")) return storedImages(stored);
  const tokens = inputs.find((spec) => spec.kind === "tokens");
  const words = tokens === undefined ? null : await readWords(runFiles(dir).words(split));
  if (tokens === undefined || words === null) {
    return () => ({ kind: "missing", reason: NO_PICTURES });
  }
  return ({ row, position }) => ({ kind: "text", text: textOf(words[row] ?? [], glueOf(tokens), position) });
}
