/** @file `cool runs show`: everything the store knows of one run. */
import { Args } from "@oclif/core";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { bestSplit, drawTable, evaluationTable } from "../../cli/tables.js";
import { type ShownRun, showRun } from "../../runs/list-runs.js";

export default class RunsShow extends CoolCommand {
  static override summary = "Show one run: configuration, thresholds, evaluation";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest",
    "<%= config.bin %> <%= command.id %> long --json",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };

  async run(): Promise<{ run: ShownRun }> {
    const { args, flags } = await this.parse(RunsShow);
    const run = await this.withStore(flags, (store) => showRun(store, args.run));
    const { config, thresholds, evaluation, ...facts } = run;
    const text = (value: unknown): string =>
      value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value);
    this.log(
      drawTable(
        ["run", ""],
        Object.entries(facts).map(([key, value]) => [key, text(value)]),
      ),
    );
    this.log(
      drawTable(
        ["setting", "value"],
        Object.entries(config).map(([key, value]) => [key, text(value)]),
      ),
    );
    if (Object.keys(thresholds).length > 0) {
      this.log(
        drawTable(
          ["task", "threshold"],
          Object.entries(thresholds).map(([key, value]) => [key, text(value)]),
        ),
      );
    }
    const split = bestSplit(evaluation);
    if (split !== undefined) this.log(evaluationTable(evaluation, split));
    return { run };
  }
}
