/** @file `cool ask`: which cells to label next. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { placeOf } from "../../asking/audit/correction-table.js";
import { type AskResult, askRun, type ReadResult, readAnswers } from "../../asking/labelling/ask-run.js";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { askedCellsTable, askedTasksTable } from "../../cli/tables/labelling-tables.js";
import { openConsoleLogger } from "../../logging/console.js";
import { shellWord } from "../../platform/shell-word.js";

export default class Ask extends CoolCommand {
  static override summary = "Rank the empty cells of the table that are most worth labelling next";
  static override description =
    "Draws rows in proportion to their expected gain per second of labelling: how often the network is wrong about a task, how few labels it has, how doubtful the row is, how rare a gate's likely answer, and what it opens or makes needless. The same run and table give the same list. A cell whose gate is closed is never asked for; where a gate is unknown it comes first. Of a group of folds the first one answers.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --budget 200 --out next.csv",
    "<%= config.bin %> <%= command.id %> --budget 500 --costs costs.json --label-studio studio",
    "<%= config.bin %> <%= command.id %> --read export.json",
  ];
  static override args = { run: Args.string({ description: `a group of folds, or ${RUN_HELP}`, default: "latest" }) };
  static override flags = {
    budget: Flags.integer({
      summary: "questions that are asked at most, as far as the network can tell",
      default: 200,
      min: 1,
    }),
    costs: Flags.string({
      summary: 'JSON file of seconds that a label takes: {"door_open": 2, "*": 5}',
      helpValue: "FILE",
    }),
    top: Flags.integer({ summary: "cells shown", default: 20, min: 1 }),
    out: Flags.string({ summary: "file for the cells, to fill in: .csv, .parquet or .jsonl", helpValue: "FILE" }),
    "label-studio": Flags.string({ summary: "folder for a labelling project of Label Studio", helpValue: "DIR" }),
    read: Flags.string({
      summary: "write the tables anew with the answers of a JSON export of Label Studio, beside the old ones",
      helpValue: "FILE",
      exclusive: ["costs", "out", "label-studio"],
    }),
  };

  async run(): Promise<AskResult | ReadResult> {
    const { args, flags } = await this.parse(Ask);
    const { read, project, budget, costs, out, top } = flags;
    if (read !== undefined) {
      const result = await this.withStore(flags, (store) => readAnswers(store, args.run, read, { project }));
      for (const { written, cells } of result.tables) this.log(`${cells} cells filled in ${written}`);
      for (const cell of result.refused) this.note(`not read: ${placeOf(cell)}: ${cell.reason}`);
      return result;
    }
    const logger = await openConsoleLogger(process.stderr);
    const result = await this.interruptible((signal) =>
      askRun(this.storeDir(flags), args.run, {
        ...{ budget, costs, out, project, signal, studio: flags["label-studio"] },
        onProgress: (what, done, total) => logger.work?.({ what, done, total }),
      }),
    );
    await logger.close?.();
    this.#print(result, top);
    return result;
  }

  #print({ run, cells, tasks, questions, seconds, out, studio, postponed }: AskResult, top: number): void {
    if (cells.length === 0) {
      this.log(`${run.name}: no cell of the table is empty and worth asking for.`);
      return;
    }
    const time = seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
    this.log(`${run.name}: ${cells.length} cells, of which ${Math.round(questions)} are asked: about ${time}`);
    this.log(askedTasksTable(tasks));
    this.log(`The first ${Math.min(top, cells.length)}:`);
    this.log(
      askedCellsTable(
        cells.slice(0, top),
        tasks.map(({ task_path }) => task_path),
      ),
    );
    if (out !== null) {
      this.log(`${cells.length} cells written to ${out}; fill in the column "corrected", then`);
      this.log(`  cool audit ${shellWord(run.name)} --apply ${shellWord(out)}`);
    }
    for (const [i, { folder, tasks: rows, controls }] of studio.entries()) {
      this.log(`${i === 0 ? "Label Studio" : `pass ${i + 1}`}: ${rows} tasks in ${folder}`);
      if (i > 0) this.log(`  conditions that visibleWhen cannot express: ${controls.join(", ")}`);
    }
    if (postponed > 0) this.log(`${postponed} cells wait for the answers of the first pass: read them, and ask again`);
    if (studio.length > 0)
      this.log(`Import config.xml and tasks.json; then cool ask ${shellWord(run.name)} --read export.json`);
  }
}
