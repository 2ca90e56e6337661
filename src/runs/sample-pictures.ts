/** @file What can be shown of a sample: its image file, its pixels as the network sees them, or its words. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type Dataset,
  firstPixels,
  type InputSource,
  isTokenSource,
  type PixelSource,
  type TokenSource,
} from "../data/dataset.js";
import type { SamplePicture } from "../logging/panels/picture.js";
import type { PictureSource } from "../logging/panels/sample-sheets.js";
import type { RunConfig } from "./run-folder.js";
import { tablesOf } from "./settings.js";

/** Pictures of a run that is at work: from the files of its first image input, else of what else it reads. */
export function datasetPictures(dataset: Dataset, projectDir: string): PictureSource {
  const pixels = firstPixels(dataset.inputs);
  if (pixels !== undefined) {
    return ({ split, row }) => imageOf(dataset, pixels, dataset.splits[split][row] as number, projectDir);
  }
  const words = Object.values(dataset.inputs).find(isTokenSource);
  if (words !== undefined)
    return ({ split, row, position }) => wordsOf(words, dataset.splits[split][row] as number, position);
  return ({ split, row }) => numbersOf(dataset.inputs, dataset.splits[split][row] as number);
}

/** The file, which has more detail; the pixels that the network sees where it has gone. */
function imageOf(dataset: Dataset, pixels: PixelSource, row: number, projectDir: string): SamplePicture {
  const table = dataset.tables.find(({ rows }) => rows.includes(row))?.table;
  const path = resolve(tableFolder(projectDir, table ?? "."), pixels.paths[row] as string);
  if (existsSync(path)) return { kind: "file", path };
  const { size, channels } = pixels.spec;
  return { kind: "pixels", pixels: pixels.read([row]), height: size[0], width: size[1], channels };
}

/** Words before and after the one that is meant. */
const CONTEXT = 8;

/** @param position token that is meant: it is marked, and only what is around it is shown */
function wordsOf(source: TokenSource, row: number, position?: number): SamplePicture {
  const { vocabulary, split } = source.spec;
  const ids = Array.from(source.read([row])).slice(0, source.lengths[row]);
  const words = ids.map((id) => (typeof vocabulary === "string" ? String(id) : (vocabulary[id - 1] ?? "?")));
  const glue = split === "characters" ? "" : " ";
  if (position === undefined) return { kind: "text", text: words.join(glue) };
  const from = Math.max(0, position - CONTEXT);
  const shown = words.with(position, `«${words[position]}»`).slice(from, position + CONTEXT + 1);
  const [before, after] = [from > 0 ? ["…"] : [], position + CONTEXT + 1 < words.length ? ["…"] : []];
  return { kind: "text", text: [...before, ...shown, ...after].join(glue) };
}

function numbersOf(inputs: Readonly<Record<string, InputSource>>, row: number): SamplePicture {
  const shown = Object.entries(inputs).map(([name, source]) => {
    const values = Array.from(source.read([row]), (value) => Number(value.toPrecision(3)));
    return `${name}: ${values.join(" ")}`;
  });
  return { kind: "text", text: shown.join(" ") };
}

/**
 * The picture of a finished run's sample: the file that it is named after.
 * @param id name of the sample, which is the path of its first image
 */
export function storedPicture(config: RunConfig, id: string): SamplePicture {
  if (!Object.values(config.inputs).some(({ kind }) => kind === "image")) {
    return { kind: "missing", reason: "cannot be shown: the run has no image input" };
  }
  const candidates = imageFiles(config, id);
  const found = candidates.find((file) => existsSync(file)) ?? candidates[0];
  return found === undefined ? { kind: "missing", reason: "is not found" } : { kind: "file", path: found };
}

/** Where a sample's image may be: an id may begin with its table and end with the number of its row. */
function imageFiles({ projectDir, settings }: RunConfig, id: string): string[] {
  const tables = tablesOf(settings.data);
  const prefix = tables.find((table) => id.startsWith(`${table}:`));
  const path = prefix === undefined ? id : id.slice(prefix.length + 1);
  const folders = (prefix === undefined ? tables : [prefix]).map((table) => tableFolder(projectDir, table));
  const paths = [path, path.replace(/#\d+$/, "")];
  return paths.flatMap((relative) => folders.map((folder) => resolve(folder, relative)));
}

/** Image paths are relative to the table's file; those of a query to the project. */
function tableFolder(projectDir: string, table: string): string {
  return /^\s*(select|with|from)\s/i.test(table) ? projectDir : dirname(resolve(projectDir, table));
}
