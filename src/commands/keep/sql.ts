/** @file `cool sql`: a query on the store, which can only read. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../cli/command.js";
import { drawTable } from "../../cli/tables/tables.js";
import { cellText } from "../../cli/text.js";
import { csvCell } from "../../comparing/export-metrics.js";
import { readOnlySql } from "../../storage/query/read-only-sql.js";

export default class Sql extends CoolCommand {
  static override summary = "Run one SELECT on the store's SQLite database";
  static override description =
    "The connection cannot write. Tables: runs, run_tags, run_config, run_environment, metric_points (a view of metric_series and series_points), evaluation, thresholds, calibration, samples_interpretation, artifacts.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> "select id, name, state from runs order by started_at desc limit 5"',
    "<%= config.bin %> <%= command.id %> \"select task_path, avg(metric_res) from evaluation where metric_name = 'f1_score' group by 1\" --csv",
    '<%= config.bin %> <%= command.id %> "select name, sql from sqlite_master" --json',
  ];
  static override args = { query: Args.string({ description: "one SELECT", required: true }) };
  static override flags = { csv: Flags.boolean({ summary: "print CSV" }) };

  async run(): Promise<{ columns: readonly string[]; rows: readonly (readonly (string | number | null)[])[] }> {
    const { args, flags } = await this.parse(Sql);
    const result = readOnlySql(this.storeDir(flags), args.query);
    if (this.jsonEnabled()) return result;
    const { columns, rows } = result;
    if (flags.csv) this.writeData([columns, ...rows].map((row) => `${row.map(csvCell).join(",")}\n`).join(""));
    else {
      const numeric = columns.flatMap((_, i) => (rows.some((row) => typeof row[i] === "number") ? [i] : []));
      this.log(
        drawTable(
          columns,
          rows.map((row) => row.map(cellText)),
          numeric,
        ),
      );
      this.log(`${rows.length} row${rows.length === 1 ? "" : "s"}`);
    }
    return result;
  }
}
