/** @file `cool report`: runs as one file that can be sent. */
import { closeSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { StoreError, UsageError } from "../errors.js";
import type { RunStore } from "../storage/run-store.js";
import { type ReportOptions, reportDocument } from "./report-document.js";
import { REPORT_MARK, type ReportSection, reportPage } from "./report-html.js";

export interface WriteReportOptions extends ReportOptions {
  /** Default: `<title>.report.html` in the working folder. */
  readonly out?: string | undefined;
  /** Whether a file that is no report is written over. */
  readonly force?: boolean;
}

export interface WrittenReport {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  readonly kind: "run" | "comparison" | "group";
  readonly runs: readonly { readonly id: string; readonly name: string }[];
  readonly sections: readonly ReportSection[];
  readonly left_out: readonly string[];
}

/**
 * @param references runs, or a group; none: the latest run
 * @throws UsageError where another file is there already, StoreError where the file cannot be written
 */
export async function writeReport(
  store: RunStore,
  references: readonly string[],
  { out, force = false, ...options }: WriteReportOptions = {},
): Promise<WrittenReport> {
  // before minutes are spent
  if (out !== undefined) refuseOther(resolve(out), force);
  const document = await reportDocument(store, references, options);
  const path = resolve(out ?? `${fileName(document.title)}.report.html`);
  refuseOther(path, force);
  const { html, sections } = await reportPage(document);
  write(path, html);
  return {
    ...{ path, bytes: Buffer.byteLength(html), kind: document.kind },
    runs: document.runs.map(({ overview: { id, name } }) => ({ id, name })),
    sections,
    left_out: document.left_out,
  };
}

/** A name that is a file's on every system, and never a path. */
export function fileName(title: string): string {
  const plain = title
    .normalize("NFC")
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[-.]+/, "")
    .slice(0, 80)
    .replace(/[-.]+$/, "");
  return plain === "" ? "run" : plain;
}

/** A report is made anew; whatever else has the name stays. */
function refuseOther(path: string, force: boolean): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isFile()) {
    throw new UsageError(`${path} is no file. Name a file for the report with --out.`, { out: path });
  }
  if (force || beginningOf(path).includes(REPORT_MARK)) return;
  throw new UsageError(
    `${path} is there already and is no report. Name another file with --out, or write over it with --force.`,
    { out: path },
  );
}

const BEGINNING_BYTES = 512;

function beginningOf(path: string): string {
  const handle = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(BEGINNING_BYTES);
    return bytes.toString("utf8", 0, readSync(handle, bytes, 0, BEGINNING_BYTES, 0));
  } finally {
    closeSync(handle);
  }
}

function write(path: string, html: string): void {
  const writing = `${path}.writing-${process.pid}`;
  try {
    writeFileSync(writing, html);
    renameSync(writing, path);
  } catch (error) {
    rmSync(writing, { force: true });
    throw new StoreError(
      `The report ${path} cannot be written: ${(error as Error).message}. Name another file with --out.`,
      { out: path },
      { cause: error },
    );
  }
}
