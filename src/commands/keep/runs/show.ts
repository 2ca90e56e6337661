/** @file `cool runs show`: everything the store knows of one run. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import { runScreen } from "../../../cli/tables/run-tables.js";
import { bestSplit, drawTable, evaluationTable } from "../../../cli/tables/tables.js";
import { cellText } from "../../../cli/text.js";
import { formatSeconds } from "../../../logging/console.js";
import { type ShownRun, showRun } from "../../../records/list-runs.js";

export default class RunsShow extends CoolCommand {
  static override summary = "Show one run: configuration, environment, thresholds, evaluation";
  static override description =
    "What fits a screen: what the run is, settings that were changed by --set or by a flag, and each task's first metric; --all for the rest. Curves and evaluation as a table of their own: cool runs export-metrics.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest",
    "<%= config.bin %> <%= command.id %> long --json",
    "<%= config.bin %> <%= command.id %> long --environment",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    all: Flags.boolean({ summary: "also every setting, threshold and metric" }),
    environment: Flags.boolean({ summary: "also the machine and the versions of packages" }),
  };

  async run(): Promise<{ run: ShownRun }> {
    const { args, flags } = await this.parse(RunsShow);
    const run = await this.withStore(flags, (store) => showRun(store, args.run));
    const split = bestSplit(run.evaluation);
    if (!flags.all) {
      const took = run.duration_s === null ? null : formatSeconds(run.duration_s);
      this.log(runScreen(run, split, { took, rows: process.stdout.isTTY ? process.stdout.rows : undefined }));
      if (flags.environment) this.log(drawTable(["environment", "value"], rowsOf(run.environment)));
      return { run };
    }
    const { config, config_changes, environment, thresholds, evaluation, last_values = [], ...facts } = run;
    const settings = Object.entries(config).map(([key, value]) => {
      const change = config_changes[key];
      return [key, cellText(value), change === undefined ? "" : change === "set" ? "by --set" : "by a flag"];
    });
    this.log(drawTable(["run", ""], rowsOf({ ...facts, tags: facts.tags.join(", ") || null })));
    this.log(drawTable(["setting", "value", "changed"], settings));
    if (flags.environment) this.log(drawTable(["environment", "value"], rowsOf(environment)));
    if (Object.keys(thresholds).length > 0) this.log(drawTable(["task", "threshold"], rowsOf(thresholds)));
    if (last_values.length > 0) {
      const rows = last_values.map(({ split, task_path, metric_name, step, value }) => [
        `${split}/${task_path}/${metric_name}`,
        String(step),
        value === null ? "–" : cellText(value),
      ]);
      this.log(drawTable(["curve", "last step", "value"], rows, [1, 2]));
    }
    if (split !== undefined) this.log(evaluationTable(evaluation, split));
    return { run };
  }
}

function rowsOf(values: Readonly<Record<string, unknown>>): string[][] {
  return Object.entries(values).map(([key, value]) => [key, cellText(value)]);
}
