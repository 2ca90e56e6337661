/** @file `cool compare runs`: what differs between runs. */
import { Args, Flags } from "@oclif/core";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { drawTable, formatMetric, groupByFlow } from "../../cli/tables.js";
import { compareRuns, type RunComparison } from "../../runs/compare-runs.js";
import { SPLITS } from "../../tasks/evaluation.js";

export default class CompareRuns extends CoolCommand {
  static override summary = "Compare runs: settings that differ, metrics side by side";
  static override description =
    "Without runs all finished ones are compared. The best value of each row is marked with *.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> base wide --split valid",
    "<%= config.bin %> <%= command.id %> base wide --all --json",
  ];
  static override strict = false;
  static override args = { run: Args.string({ description: `two runs or more: ${RUN_HELP}` }) };
  static override flags = {
    split: Flags.option({ summary: "split that the table shows", options: SPLITS, default: "test" as const })(),
    gates: Flags.option({
      summary: "kind of gates that the table shows",
      options: ["truth", "predicted"] as const,
      default: "truth" as const,
    })(),
    all: Flags.boolean({ summary: "also metrics of single labels and those that are equal" }),
  };

  async run(): Promise<RunComparison> {
    const { argv, flags } = await this.parse(CompareRuns);
    const comparison = await this.withStore(flags, (store) => compareRuns(store, argv as string[]));
    const { runs, params, metrics } = comparison;
    if (runs.length < 2) {
      this.log(`There ${runs.length === 1 ? "is one finished run" : "are no finished runs"}; comparing takes two.`);
      return comparison;
    }
    const names = runs.map(({ name }) => name);
    const numeric = runs.map((_, i) => i + 2);
    if (params.length > 0) {
      const rows = params.map(({ key, values }) => [
        key,
        ...values.map((value) => (value === null ? "–" : String(value))),
      ]);
      this.log(drawTable(["setting", ...names], rows));
    } else this.log("The runs have the same settings.");
    const rows = metrics
      .filter((metric) => metric.split === flags.split && metric.gates === flags.gates)
      .filter((metric) => flags.all || (metric.best !== null && !metric.metric_name.includes("/")))
      .map(({ task_path, metric_name, values, best }) => ({
        path: task_path,
        cells: [metric_name, ...values.map((value, i) => `${formatMetric(value)}${i === best ? " *" : "  "}`)],
      }));
    this.log(drawTable([`task (${flags.split})`, "metric", ...names], groupByFlow(rows), numeric));
    return comparison;
  }
}
