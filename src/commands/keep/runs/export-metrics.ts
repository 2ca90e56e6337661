/** @file `cool runs export-metrics`: evaluation frames and curves as CSV, JSON or Parquet. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import { UsageError } from "../../../errors.js";
import {
  formatOf,
  MEASUREMENTS,
  metricsTable,
  TABLE_FORMATS,
  toText,
  writeMetrics,
} from "../../../comparing/export-metrics.js";

export default class RunsExportMetrics extends CoolCommand {
  static override summary = "Write the evaluation or the curves of runs as one table";
  static override description =
    "Without --out the table is printed. The format is that of the file's ending, or --format.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest",
    "<%= config.bin %> <%= command.id %> base wide --out evaluation.parquet",
    "<%= config.bin %> <%= command.id %> base --what curves --out curves.csv",
    "<%= config.bin %> <%= command.id %> base --format jsonl",
  ];
  static override strict = false;
  static override args = { run: Args.string({ description: `one run or more: ${RUN_HELP}`, default: "latest" }) };
  static override flags = {
    what: Flags.option({ summary: "which metrics", options: MEASUREMENTS, default: "evaluation" as const })(),
    format: Flags.option({ summary: "format of what is printed", options: TABLE_FORMATS })(),
    out: Flags.string({ summary: "file to write: .csv, .json, .jsonl or .parquet", helpValue: "FILE" }),
  };

  async run(): Promise<{ rows: number; out: string | null }> {
    const { args, argv, flags } = await this.parse(RunsExportMetrics);
    const { out, what } = flags;
    const format = flags.format ?? (out === undefined ? "csv" : formatOf(out));
    if (out !== undefined && formatOf(out) !== format) {
      throw new UsageError(`--format ${format} contradicts the ending of ${out}. Leave one of them out.`, {
        format,
        out,
      });
    }
    const references = argv.length === 0 ? [args.run] : (argv as string[]);
    const table = await this.withStore(flags, (store) => metricsTable(store, references, what));
    if (out !== undefined) {
      await writeMetrics(out, table);
      this.log(`${table.rows.length} rows written to ${out}`);
    } else if (format === "parquet") {
      throw new UsageError("Parquet cannot be printed. Name a file with --out FILE.parquet.", { format });
    } else if (!this.jsonEnabled()) this.writeData(toText(table, format));
    return { rows: table.rows.length, out: out ?? null };
  }
}
