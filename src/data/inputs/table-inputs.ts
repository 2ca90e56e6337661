/** @file The inputs that tables hold, of every kind → sources that are read row by row. */
import { createHash } from "node:crypto";
import { at } from "../../arrays.js";
import { ConfigError } from "../../errors.js";
import type { ImageInputSpec, InputSource, InputSpec, SkippedRow } from "../dataset.js";
import type { ImageSizes } from "../labels/unit-scale.js";
import { columnOf, type Table } from "../tables/table.js";
import { type ImageInputs, loadTableImages, type TableImageOptions, type TableImages } from "./table-images.js";
import { type JoinedTables, tableNames } from "../tables/tables.js";
import type { TokenizerPlaces } from "../tokenizers/stored-tokenizer.js";
import { readTokens } from "./tokens.js";
import { yieldTo } from "../../platform/yield-to.js";
import { type OnUnseen, type ReadyInput, readCategorical, readNumeric } from "./vectors.js";

export type InputSpecs = Readonly<Record<string, InputSpec>>;

export interface TableInputOptions extends TableImageOptions, Pick<TokenizerPlaces, "stored"> {
  /** Named inputs. The first image input's paths name the rows, and its sizes scale labels in pixels. */
  readonly inputs: InputSpecs;
  /** Lets categories pass that the specs do not list. */
  readonly onUnseen?: OnUnseen | undefined;
}

export interface TableInputs {
  /** Rows of the tables that can be used, ascending. Everything but `sizes` is over these rows. */
  readonly kept: Int32Array;
  readonly ids: readonly string[];
  /** In the order of the specs. */
  readonly inputs: Readonly<Record<string, InputSource>>;
  readonly skipped: readonly SkippedRow[];
  /** What is odd about their cells. */
  readonly warnings: readonly string[];
  /** Of the first image input, over all rows of the tables; NaN without one. */
  readonly sizes: ImageSizes;
  /** sha256 over the contents of all images and vocabularies, hex. */
  readonly digest: string;
  close(): void;
}

/**
 * Reads all inputs. Also serves tables without labels. Cells are read before the first image is decoded.
 * @param fitRows rows of the train split, for inputs that are fitted to it; null where the specs are complete
 * @throws DataError if a column is missing, a cell cannot be read, images are bad and `onBadImage` is "error", or no
 *   row is good; InterruptedError if the signal fires
 */
export async function loadTableInputs(
  joined: JoinedTables,
  options: TableInputOptions,
  fitRows: Int32Array | null,
): Promise<TableInputs> {
  const { signal } = options;
  const ids = rowIds(joined, options.inputs);
  const ready = await readCells(joined, options, fitRows);
  const images = await imagesOf(joined, imageSpecs(options.inputs), ids, options);
  const { kept } = images;
  await yieldTo(signal);
  const sources = Object.keys(options.inputs).map((name): [string, InputSource] => {
    const source = images.inputs[name] ?? ready.get(name)?.source(kept);
    if (source === undefined) throw new Error(`the input ${name} was not read`);
    return [name, source];
  });
  return {
    ...images,
    warnings: warningsOf(ready),
    ids: Array.from(kept, (row) => at(ids, row)),
    inputs: Object.fromEntries(sources),
    digest: digestOf(images.digest, sources),
  };
}

function digestOf(images: string, sources: readonly (readonly [string, InputSource])[]): string {
  const vocabularies = sources.flatMap(([name, { spec }]) =>
    spec.kind === "tokens" ? [[name, spec.tokenizer?.digest ?? spec.vocabulary]] : [],
  );
  if (vocabularies.length === 0) return images;
  return createHash("sha256").update(images).update(JSON.stringify(vocabularies)).digest("hex");
}

export function warningsOf(ready: ReadonlyMap<string, ReadyInput>): string[] {
  return [...ready.values()].flatMap(({ warnings = [] }) => warnings);
}

/** Inputs that stand in the cells themselves. */
export async function readCells(
  joined: JoinedTables,
  options: Pick<TableInputOptions, "inputs" | "projectDir" | "signal" | "stored" | "onUnseen">,
  fitRows: Int32Array | null,
): Promise<ReadonlyMap<string, ReadyInput>> {
  const { inputs, projectDir, signal, stored, onUnseen } = options;
  const ready = new Map<string, ReadyInput>();
  for (const [name, spec] of Object.entries(inputs)) {
    await yieldTo(signal);
    switch (spec.kind) {
      case "image":
        break;
      case "numeric":
        ready.set(name, readNumeric(name, spec, joined, fitRows));
        break;
      case "categorical":
        ready.set(name, readCategorical(name, spec, joined, onUnseen));
        break;
      case "tokens":
        ready.set(name, await readTokens(name, spec, joined, { projectDir, signal, stored }));
        break;
      default:
        spec satisfies never;
    }
  }
  return ready;
}

async function imagesOf(
  joined: JoinedTables,
  specs: ImageInputs,
  ids: readonly string[],
  options: TableImageOptions,
): Promise<TableImages> {
  if (Object.keys(specs).length > 0) return loadTableImages(joined, specs, ids, options);
  const unknown = new Float32Array(joined.rows).fill(Number.NaN);
  return {
    kept: Int32Array.from(ids, (_, row) => row),
    inputs: {},
    skipped: [],
    sizes: { width: unknown, height: unknown, input: null },
    digest: "",
    close() {},
  };
}

function imageSpecs(inputs: InputSpecs): ImageInputs {
  const entries = Object.entries(inputs).flatMap(([name, spec]): [string, ImageInputSpec][] =>
    spec.kind === "image" ? [[name, spec]] : [],
  );
  return Object.fromEntries(entries);
}

/**
 * Unique names of all rows: those of their tables, with `<table>:` before a name that more than one table has.
 * @throws DataError if the column that names rows is missing; ConfigError if there are no inputs
 */
export function rowIds({ tables }: JoinedTables, inputs: InputSpecs): string[] {
  const ids = tables.map((table) => tableIds(table, inputs));
  if (ids.length === 1) return at(ids, 0);
  const uses = new Map<string, number>();
  for (const id of ids.flat()) uses.set(id, (uses.get(id) ?? 0) + 1);
  const names = tableNames(tables);
  return ids.flatMap((own, i) => own.map((id) => (uses.get(id) === 1 ? id : `${names[i]}:${id}`)));
}

/**
 * Names of a table's rows, different in the table: the path of the first image input's image, with `#<row>` where it
 * comes more than once; without images the row's number.
 */
export function tableIds(table: Table, inputs: InputSpecs): string[] {
  if (Object.keys(inputs).length === 0) {
    throw new ConfigError("The data has no inputs. Name at least one, e.g. an image input.");
  }
  const [first] = Object.entries(imageSpecs(inputs));
  if (first === undefined) return Array.from({ length: table.rows }, (_, row) => String(row + 1));
  const cells = columnOf(table, first[1].column, `the input "${first[0]}"`);
  const paths = cells.map((cell) => (cell === null || cell === undefined ? "" : String(cell)));
  const uses = new Map<string, number>();
  for (const path of paths) uses.set(path, (uses.get(path) ?? 0) + 1);
  return paths.map((path, row) => (uses.get(path) === 1 ? path : `${path}#${row + 1}`));
}
