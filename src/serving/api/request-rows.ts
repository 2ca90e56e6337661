/** @file What a request asks about: one picture, a form with pictures and fields, or rows as JSON. */
import { HttpProblem } from "../../http/problem.js";
import type { InputSpec } from "../../data/dataset.js";
import { type RowReader, columnsOf } from "../model/read-row.js";
import type { SentRow, ServedModel } from "../model/served-model.js";

/** What is known of a model to read requests about it. */
export interface RequestReader {
  readonly inputs: ServedModel["inputs"];
  readonly reader: RowReader;
  /** Rows of one request. */
  readonly maxRows: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * @param query fields that hold for the picture of a plain body
 * @throws HttpProblem 400, 413 (too many rows), 415
 */
export async function rowsOfRequest(
  type: string | undefined,
  query: Readonly<Record<string, string>>,
  body: Bytes,
  model: RequestReader,
): Promise<SentRow[]> {
  const [media = ""] = (type ?? "").toLowerCase().split(";");
  const rows = await rowsOf(media.trim(), type ?? "", query, body, model);
  if (rows.length === 0) throw bad("no_rows", "The request asks about nothing. Send at least one row.");
  if (rows.length <= model.maxRows) return rows;
  throw new HttpProblem(
    413,
    "too_many_rows",
    `The request asks about ${rows.length} rows; at most ${model.maxRows} are taken at a time. Send them in parts.`,
    { rows: rows.length, limit: model.maxRows },
  );
}

async function rowsOf(
  media: string,
  type: string,
  query: Readonly<Record<string, string>>,
  body: Bytes,
  model: RequestReader,
): Promise<SentRow[]> {
  if (media === "application/json" || media.endsWith("+json")) return fromJson(body);
  if (media === "multipart/form-data") return fromForm(type, body, model);
  if (media.startsWith("image/") || media === "application/octet-stream") return [fromPicture(query, body, model)];
  const got = media === "" ? "no Content-Type" : `the Content-Type ${JSON.stringify(media.slice(0, 100))}`;
  throw new HttpProblem(
    415,
    "unsupported_type",
    `The request has ${got}. Send a picture as image/jpeg (image/*), pictures and fields as multipart/form-data, or rows as application/json: { "inputs": [{ … }] }.`,
  );
}

/** `{ "inputs": [{ "image": "<base64>", "age": 3 }] }`; rows are named by their numbers, as those of a table. */
function fromJson(body: Bytes): SentRow[] {
  const document = parsed(body);
  const inputs = isObject(document) ? document.inputs : undefined;
  if (!Array.isArray(inputs)) {
    throw bad("bad_json", 'The JSON has no list of rows. Write { "inputs": [{ "<input or column>": value, … }, …] }.');
  }
  return inputs.map((row: unknown, i) => {
    if (!isObject(row))
      throw bad("bad_row", `Row ${i + 1} is no object: write { "<input or column>": value, … }.`, { row: i + 1 });
    return { name: String(i + 1), values: new Map(Object.entries(row)) };
  });
}

function parsed(body: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw bad("bad_json", `The body is no JSON: ${reason.slice(0, 200)}.`);
  }
}

/** Of every file a row, in their order; fields hold for all rows. Without a file the fields are one row. */
async function fromForm(type: string, body: Bytes, { inputs, reader }: RequestReader): Promise<SentRow[]> {
  const form = await formOf(type, body);
  const files = new Map<string, { readonly name: string; readonly bytes: Uint8Array }[]>();
  const fields = new Map<string, unknown>();
  for (const [name, value] of form) {
    if (typeof value === "string") fields.set(name, value);
    else {
      const input = pictureInput(name, inputs, reader);
      const file = { name: value.name, bytes: new Uint8Array(await value.arrayBuffer()) };
      files.set(input, [...(files.get(input) ?? []), file]);
    }
  }
  if (files.size === 0) return fields.size === 0 ? [] : [{ name: "1", values: fields }];
  const [first = [], ...others] = [...files.values()];
  if (others.some(({ length }) => length !== first.length)) {
    const counts = [...files].map(([input, own]) => `${own.length} of ${input}`).join(", ");
    throw bad("bad_form", `The form has ${counts}. Every row needs one of each.`);
  }
  return first.map(({ name }, i) => ({
    name: name === "" ? String(i + 1) : name,
    values: new Map([...fields, ...[...files].map(([input, own]) => [input, own[i]?.bytes] as const)]),
  }));
}

async function formOf(type: string, body: Bytes): Promise<FormData> {
  try {
    return await new Response(body, { headers: { "content-type": type } }).formData();
  } catch {
    throw bad("bad_form", "The body is no multipart/form-data, or its end is missing. Send it again.");
  }
}

/** Of a single input of pictures a file may have any name. */
function pictureInput(name: string, inputs: ServedModel["inputs"], reader: RowReader): string {
  const pictures = Object.entries(inputs).filter(([, { kind }]) => kind === "image");
  const named = pictures.find(([input, spec]) => input === name || columnsOf(spec).includes(name));
  const [only] = pictures;
  if (named !== undefined) return named[0];
  if (pictures.length === 1 && only !== undefined && !reader.reads(name)) return only[0];
  const known = pictures.map(([input]) => input).join(", ");
  throw bad(
    "bad_form",
    `The form has a file "${name.slice(0, 60)}", which is no input of pictures. ${known === "" ? "There is none." : `There are ${known}.`}`,
  );
}

/** The body is the picture; other values stand in the query. */
function fromPicture(query: Readonly<Record<string, string>>, body: Bytes, { inputs }: RequestReader): SentRow {
  const pictures = Object.entries(inputs).filter(([, { kind }]) => kind === "image");
  const [only] = pictures;
  if (only === undefined || pictures.length > 1) {
    throw new HttpProblem(
      415,
      "unsupported_type",
      `The model reads ${described(inputs)}, not one picture. Send application/json: { "inputs": [{ … }] }.`,
    );
  }
  return { name: "1", values: new Map<string, unknown>([...Object.entries(query), [only[0], body]]) };
}

function described(inputs: Readonly<Record<string, InputSpec>>): string {
  return Object.entries(inputs)
    .map(([name, { kind }]) => `${name} (${kind})`)
    .join(", ");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bad(code: string, message: string, facts: Readonly<Record<string, unknown>> = {}): HttpProblem {
  return new HttpProblem(400, code, message, facts);
}
