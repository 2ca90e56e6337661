/** @file `cool check`: the flow and the labels of a project. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import type { LabelCounts } from "../analysis/label-report.js";
import { CoolCommand } from "../cli/command.js";
import { drawTable, groupByFlow } from "../cli/tables/tables.js";
import { checkProject, type ProjectCheck } from "../project/check-project.js";
import { loadProject } from "../project/load-project.js";
import { findProjectDir } from "../project/project-dir.js";

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
    const { rows, tables, implied, warnings } = check.labels;
    this.drawCounts(
      "split",
      rows.map(({ split, ...counts }) => ({ ...counts, part: split })),
    );
    if (tables.length > 0)
      this.drawCounts(
        "table",
        tables.map(({ table, ...counts }) => ({ ...counts, part: table })),
      );
    for (const { task_path, implied: count } of implied) {
      this.log(`implied: ${task_path}: ${count} missing labels follow from labels that are conditioned on it`);
    }
    for (const { task_path, level, message } of warnings) this.log(`${level}: ${task_path}: ${message}`);
    return check;
  }

  /** @param part what the rows are counted by */
  private drawCounts(
    part: string,
    rows: readonly (LabelCounts & { readonly task_path: string; readonly part: string })[],
  ): void {
    // the parts of a task stand together; sorting is stable, so that tasks and parts keep their order
    const order = new Map(rows.map(({ task_path }, i) => [task_path, i] as const).reverse());
    const placed = [...rows].sort((a, b) => (order.get(a.task_path) ?? 0) - (order.get(b.task_path) ?? 0));
    const body = groupByFlow(
      placed.map(({ task_path, part: name, rows: total, labelled, active, used, wasted, contradictory }) => ({
        path: task_path,
        cells: [name, ...[total, labelled, active, used, wasted, contradictory].map(String)],
      })),
    );
    const head = ["task", part, "rows", "labelled", "active", "used", "wasted", "contradictory"];
    this.log(drawTable(head, body, [2, 3, 4, 5, 6, 7]));
  }
}
