/** @file Values of W&B's history: numbers, distributions and pictures; the rest is named. */
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkedArtifactPath } from "../../storage/tables/artifacts.js";
import { pictureOf } from "../pictures.js";
import type { PointPlace, RunSink } from "../shape.js";
import { jsonOf, numberOf } from "../texts.js";

const LARGEST_PICTURE_BYTES = 64 << 20;
const DEEPEST = 10;

/** @param files folder of the run's files, where pictures lie */
export function putJson(sink: RunSink, name: string, json: string, place: PointPlace, files: string): boolean {
  // most are plain numbers
  const plain = json.length < 30 ? Number(json) : Number.NaN;
  if (!Number.isNaN(plain) && json !== "") {
    sink.point(name, plain, place);
    return true;
  }
  return putValue(sink, name, jsonOf(json), place, files);
}

/** @returns whether it became a point */
export function putValue(
  sink: RunSink,
  name: string,
  value: unknown,
  place: PointPlace,
  files: string,
  depth = 0,
): boolean {
  if (value === null || value === undefined) return false;
  const number = typeof value === "string" && !/nan|inf/i.test(value) ? undefined : numberOf(value);
  if (number !== undefined) {
    sink.point(name, number, place);
    return true;
  }
  if (typeof value !== "object" || Array.isArray(value) || depth > DEEPEST) {
    sink.leave(Array.isArray(value) ? "lists" : "texts", "in the history, where the store has numbers");
    return false;
  }
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const type = fields._type;
  if (typeof type !== "string") {
    for (const [key, part] of Object.entries(fields)) putValue(sink, `${name}.${key}`, part, place, files, depth + 1);
    return false;
  }
  if (type.endsWith("histogram")) putHistogram(sink, name, fields, place);
  else if (type === "image-file") putPicture(sink, name, fields.path, place, files);
  else sink.leave(`values of ${type.slice(0, 40)}`, "the store has no place for them");
  return false;
}

/** `bins` are edges, of which there is one more than of `values`. */
export function putHistogram(
  sink: RunSink,
  name: string,
  { bins, values }: Readonly<Record<string, unknown>>,
  place: PointPlace,
): void {
  const edges = Array.isArray(bins) ? bins.map(Number) : [];
  const counts = Array.isArray(values) ? values.map(Number) : [];
  if (counts.length === 0 || edges.length !== counts.length + 1 || edges.concat(counts).some(Number.isNaN)) {
    sink.leave("histograms", "they have no edges and counts");
    return;
  }
  const rows = counts.flatMap((count, i) => [edges[i] ?? 0, edges[i + 1] ?? 0, count]);
  sink.histogram(name, Float64Array.from(rows), place);
}

/** @param path as the source has it: it is read only where it is a file within the folder */
export function putPicture(sink: RunSink, name: string, path: unknown, place: PointPlace, files: string): void {
  const bytes = typeof path === "string" ? fileWithin(files, path) : null;
  const picture = bytes === null ? null : pictureOf(bytes);
  if (picture !== null) sink.image(name, picture, place);
  else sink.leave("images", bytes === null ? "their file is not there" : "neither PNG nor JPEG");
}

function fileWithin(folder: string, path: string): Buffer | null {
  try {
    const file = join(folder, checkedArtifactPath(path));
    const stats = lstatSync(file, { throwIfNoEntry: false });
    return stats?.isFile() === true && stats.size <= LARGEST_PICTURE_BYTES ? readFileSync(file) : null;
  } catch {
    return null;
  }
}
