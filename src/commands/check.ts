/** @file `cool check`: the flow and the labels of a project. */
import { Args, Flags } from "@oclif/core";
import { CoolCommand } from "../cli/command.js";
import { drawTable, groupByFlow } from "../cli/tables.js";
import { checkProject, type ProjectCheck } from "../runs/check-project.js";
import { findProjectDir, loadProject } from "../runs/project.js";

export default class Check extends CoolCommand {
  static override summary = "Show a project's flow and how many labels each task can use";
  static override description =
    "used: labelled and active, so they train the task; wasted: labelled but gated off; contradictory: labelled although the precondition is false.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> examples/home-security --json",
  ];
  static override args = { project: Args.directory({ description: "folder of the project" }) };
  static override flags = {
    set: Flags.string({
      summary: "a setting, e.g. data.split.seed=3",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "key=value",
    }),
  };

  async run(): Promise<ProjectCheck> {
    const { args, flags } = await this.parse(Check);
    const project = await loadProject(args.project ?? findProjectDir(flags.project ?? "."), flags.set ?? []);
    const check = await checkProject(project, (line) => this.note(line));
    this.log(check.tree);
    this.log("");
    const { rows, warnings } = check.labels;
    const body = groupByFlow(
      rows.map(({ split, task_path, ...counts }) => ({
        path: task_path,
        cells: [split, ...Object.values(counts).map(String)],
      })),
    );
    this.log(
      drawTable(
        ["task", "split", "rows", "labelled", "active", "used", "wasted", "contradictory"],
        body,
        [2, 3, 4, 5, 6, 7],
      ),
    );
    for (const { task_path, level, message } of warnings) this.log(`${level}: ${task_path}: ${message}`);
    return check;
  }
}
