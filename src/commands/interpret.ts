/** @file `cool interpret`: the samples that a run answers best and worst. */
import { Args, Flags } from "@oclif/core";
import { CoolCommand, RUN_HELP } from "../cli/command.js";
import { drawTable, formatMetric } from "../cli/tables.js";
import { type InterpretResult, interpretRun } from "../runs/interpret-run.js";
import { SPLITS } from "../tasks/evaluation.js";

export default class Interpret extends CoolCommand {
  static override summary = "List the best and worst samples of each task";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --top 3",
    "<%= config.bin %> <%= command.id %> latest --task door_locked --split test",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    task: Flags.string({ summary: "path of one task; default: all" }),
    top: Flags.integer({ summary: "samples on each side", default: 10, min: 1 }),
    split: Flags.option({ summary: "default: valid", options: SPLITS })(),
  };

  async run(): Promise<InterpretResult> {
    const { args, flags } = await this.parse(Interpret);
    const result = await this.withStore(flags, (store) =>
      interpretRun(store, args.run, { task: flags.task, top: flags.top, split: flags.split }),
    );
    for (const { task_path, best, worst } of result.tasks) {
      const rows = Object.entries({ worst, best }).flatMap(([side, samples]) =>
        samples.map(({ id, label, prediction, loss }) => [
          side,
          id,
          JSON.stringify(label),
          JSON.stringify(prediction),
          formatMetric(loss),
        ]),
      );
      this.log(`${task_path} on ${result.split}`);
      this.log(drawTable(["", "sample", "label", "prediction", "loss"], rows, [4]));
    }
    return result;
  }
}
