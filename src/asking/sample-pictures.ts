/** @file What can be shown of a sample: its image file, its pixels as the network sees them, or its words. */
import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { at, i32At } from "../arrays.js";
import { isQuery } from "../data/tables/sql.js";
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
import { type RunConfig, runFiles } from "../records/run-folder.js";
import { tablesOf } from "../project/settings.js";
import type { StoredRun } from "./stored-run.js";
import { glueOf, readWords, textOf } from "../records/stored-words.js";

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
  if (existsSync(path)) return { kind: "file", path };
  const { size, channels } = pixels.spec;
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
  { config, dir, project }: Pick<StoredRun, "config" | "dir" | "project">,
  split: Split,
): Promise<(sample: Pick<SampleReference, "id" | "row" | "position">) => SamplePicture> {
  const inputs = Object.values(config.inputs);
  if (inputs.some(({ kind }) => kind === "image")) {
    // where it was made may be another machine; the user's own project is where its pictures are here
    const folders = [...(project === null ? [] : [project.dir]), config.projectDir];
    return ({ id }) => storedImage(config, folders, id);
  }
  const tokens = inputs.find((spec) => spec.kind === "tokens");
  const words = tokens === undefined ? null : await readWords(runFiles(dir).words(split));
  if (tokens === undefined || words === null) {
    return () => ({ kind: "missing", reason: "cannot be shown: the run has no image input" });
  }
  return ({ row, position }) => ({ kind: "text", text: textOf(words[row] ?? [], glueOf(tokens), position) });
}

/** @param id name of the sample, which is the path of its first image */
function storedImage(config: RunConfig, projectDirs: readonly string[], id: string): SamplePicture {
  const candidates = projectDirs.flatMap((projectDir) => imageFiles(config, projectDir, id));
  const found = candidates.find(isFile) ?? candidates[0];
  return found === undefined ? { kind: "missing", reason: "is not found" } : { kind: "file", path: found };
}

/** A pipe or a device of this name would be read for ever. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Where a sample's image may be: an id may begin with its table and end with the number of its row. */
function imageFiles({ settings }: RunConfig, projectDir: string, id: string): string[] {
  const tables = tablesOf(settings.data);
  const prefix = tables.find((table) => id.startsWith(`${table}:`));
  const path = prefix === undefined ? id : id.slice(prefix.length + 1);
  const folders = (prefix === undefined ? tables : [prefix]).map((table) => tableFolder(projectDir, table));
  const paths = [path, path.replace(/#\d+$/, "")];
  return paths.flatMap((relative) => folders.map((folder) => resolve(folder, relative)));
}

/** Image paths are relative to the table's file; those of a query to the project. */
function tableFolder(projectDir: string, table: string): string {
  return isQuery(table) ? projectDir : dirname(resolve(projectDir, table));
}
