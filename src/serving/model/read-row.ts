/** @file What a request says of one row → what the network takes: pictures decoded, names and types checked. */
import type { ImageInputSpec, InputSpec, NumericInputSpec } from "../../data/dataset.js";
import { decodeImage } from "../../data/inputs/images.js";
import { nearestNames, shorten } from "../../errors.js";
import { HttpProblem } from "../../http/problem.js";
import { PredictorError } from "../../predictor/errors.js";
import { type InputValue, type ReadValues, readerOf } from "../../predictor/inputs.js";
import { isMissing } from "../../tasks/behaviour.js";
import { behaviourOf } from "../../tasks/index.js";
import type { SentRow, ServedModel, ServedRow } from "./served-model.js";
import { TextCutter } from "./texts.js";

/** What is known of a model to read rows for it. */
export type ReadModel = Pick<ServedModel, "graph" | "inputs" | "tokenizers">;

/** Reads rows for one model. */
export class RowReader {
  readonly #model: ReadModel;
  readonly #maxPixels: number;
  readonly #known: readonly { readonly path: string; readonly names: readonly string[] }[];
  readonly #names: ReadonlySet<string>;
  readonly #cutter: TextCutter;

  constructor(model: ReadModel, maxPixels: number) {
    this.#model = model;
    this.#maxPixels = maxPixels;
    this.#cutter = new TextCutter(model.tokenizers);
    this.#known = model.graph.tasks
      .filter(({ spec }) => behaviourOf(spec).answeredBy === "table")
      .map(({ path, name, spec }) => ({
        path,
        names: [path, name, ...(typeof spec.column === "string" ? [spec.column] : [])],
      }));
    this.#names = new Set([
      ...Object.entries(model.inputs).flatMap(([name, spec]) => [name, ...columnsOf(spec)]),
      ...this.#known.flatMap(({ names }) => names),
    ]);
  }

  /** Whether a value of this name is read. */
  reads(name: string): boolean {
    return this.#names.has(name);
  }

  /** Paths of the known tasks, whose answers come with a row. */
  get known(): readonly string[] {
    return this.#known.map(({ path }) => path);
  }

  /**
   * @param row its number from 1, for messages
   * @throws HttpProblem 400 naming the row and what is wrong with it
   */
  async read({ name, values }: SentRow, row: number, wants: ServedRow["wants"]): Promise<ServedRow> {
    this.#refuseUnknown(values, row);
    const read: ReadValues[] = [];
    let size: ServedRow["size"] = null;
    let tokens: number | null = null;
    let text: string | undefined;
    for (const [input, spec] of Object.entries(this.#model.inputs)) {
      const value = sentValue(values, input, spec);
      if (spec.kind === "image") {
        const picture = await this.#picture(input, spec, value, row);
        read.push(picture.pixels);
        size ??= { width: picture.originalWidth, height: picture.originalHeight };
      } else {
        const raw = textOf(input, spec, value, row);
        const own = readValue(input, spec, raw === null ? value : this.#ids(input, spec, raw), row);
        read.push(own);
        if (spec.kind === "tokens") tokens ??= own.length;
        if (raw !== null) text ??= typeof raw === "string" ? raw : raw.join(" ");
      }
    }
    const known = Object.fromEntries(this.#known.map((task) => [task.path, truthOf(task, values, row)]));
    return { name, names: Object.keys(this.#model.inputs), values: read, size, tokens, known, wants, text };
  }

  #ids(input: string, spec: InputSpec, text: string | readonly string[]): readonly number[] {
    if (spec.kind !== "tokens" || spec.tokenizer === undefined) throw new Error(`no tokenizer cuts "${input}"`);
    return this.#cutter.ids(input, { ...spec, tokenizer: spec.tokenizer }, text);
  }

  #refuseUnknown(values: SentRow["values"], row: number): void {
    for (const name of values.keys()) {
      if (this.reads(name)) continue;
      const near = nearestNames(name, this.#names);
      const hint = near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `There are ${[...this.#names].join(", ")}.`;
      throw badRow(row, `has "${shorten(name)}", which is no input. ${hint}`, { input: name });
    }
  }

  async #picture(input: string, spec: ImageInputSpec, value: unknown, row: number) {
    const bytes = typeof value === "string" ? fromBase64(value) : value instanceof Uint8Array ? value : null;
    if (bytes === null) {
      const got = value == null ? "nothing" : typeof value === "string" ? "a text that is no base64" : typeof value;
      throw badRow(
        row,
        `has no picture for the input "${input}", but ${got}. Send the bytes of a file, in JSON as base64.`,
        {
          input,
        },
      );
    }
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.length === 0)
      throw badRow(row, `has an empty picture for the input "${input}". Send the bytes of a file.`, { input });
    const decoded = await decodeImage(buffer, spec, this.#maxPixels);
    if (decoded.ok) return decoded.value;
    throw badRow(row, `has a picture for the input "${input}" that ${decoded.reason}.`, { input });
  }
}

/** Columns of a table that an input reads. */
export function columnsOf(spec: InputSpec): readonly string[] {
  return spec.kind === "numeric" ? spec.columns : [spec.column];
}

function sentValue(values: SentRow["values"], input: string, spec: InputSpec): unknown {
  if (values.has(input)) return values.get(input);
  if (spec.kind !== "numeric" || spec.listLength !== null) return values.get(columnsOf(spec)[0] ?? input);
  return spec.columns.map((column) => values.get(column));
}

/** A text, or words, that a tokenizer cuts, as a cell of a table is read; null: there is none, or its ids. */
function textOf(input: string, spec: InputSpec, value: unknown, row: number): string | readonly string[] | null {
  if (spec.kind !== "tokens" || spec.tokenizer === undefined) return null;
  if (spec.tokenizer.words === true && isWords(value)) return value;
  if (!isMissing(value)) return ["string", "number", "boolean"].includes(typeof value) ? String(value) : null;
  if (spec.missing !== "error") return "";
  throw badRow(row, `has no text for the input "${input}". Send one, or the ids that its tokenizer makes of it.`, {
    input,
  });
}

function isWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string");
}

function readValue(input: string, spec: Exclude<InputSpec, ImageInputSpec>, value: unknown, row: number): ReadValues {
  const ready = spec.kind === "numeric" ? numbersOf(input, spec, value, row) : value;
  if (!isReadable(ready) || (spec.kind === "categorical" && Array.isArray(ready))) {
    const what = Array.isArray(ready) ? "a list" : "an object";
    throw badRow(row, `has a value for the input "${input}" that is ${what}.`, { input });
  }
  try {
    return readerOf(spec).read(input, spec, ready);
  } catch (error) {
    if (!(error instanceof PredictorError)) throw error;
    throw new HttpProblem(400, "bad_row", `Row ${row}: ${error.message}`, { row, ...error.facts });
  }
}

/** Numbers as JSON and forms have them; NaN where one is missing. */
function numbersOf(input: string, spec: NumericInputSpec, value: unknown, row: number): number[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((one, i) => {
    if (one === null || one === undefined || one === "") return Number.NaN;
    const number = typeof one === "string" && one.trim() === "" ? Number.NaN : Number(one);
    if (typeof one !== "object" && Number.isFinite(number)) return number;
    const column = spec.listLength === null ? spec.columns[i] : spec.columns[0];
    const got = shorten(JSON.stringify(one) ?? String(one));
    throw badRow(row, `has ${got} for "${column ?? input}" of the input "${input}", which is no finite number.`, {
      input,
      column: column ?? null,
    });
  });
}

function isReadable(value: unknown): value is InputValue | undefined {
  return typeof value !== "object" || value === null || Array.isArray(value);
}

const TRUTHS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ...[true, 1, "true", "1"].map((yes) => [yes, 1] as const),
  ...[false, 0, "false", "0"].map((no) => [no, 0] as const),
  ...[null, ""].map((unknown) => [unknown, Number.NaN] as const),
]);

function truthOf(
  { path, names }: { readonly path: string; readonly names: readonly string[] },
  values: SentRow["values"],
  row: number,
): number {
  const name = names.find((one) => values.has(one));
  const truth = name === undefined ? undefined : TRUTHS.get(values.get(name));
  if (truth !== undefined) return truth;
  throw badRow(row, `does not say the known task "${path}". Give it as true, false, or null where nobody knows.`, {
    task: path,
  });
}

/** Also of a data URL; null where it is none. */
function fromBase64(text: string): Buffer | null {
  const data = text.replace(/^data:[^,]{0,100};base64,/, "");
  return data.length % 4 !== 1 && /^[A-Za-z0-9+/_-]*={0,2}\s*$/.test(data) ? Buffer.from(data, "base64") : null;
}

function badRow(row: number, what: string, facts: Readonly<Record<string, unknown>>): HttpProblem {
  return new HttpProblem(400, "bad_row", `Row ${row} ${what}`, { row, ...facts });
}
