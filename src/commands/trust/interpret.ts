/** @file `cool interpret`: the samples that a run answers best and worst, and what its columns are worth. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { type InterpretResult, interpretRun } from "../../asking/interpret-run.js";
import type { ImportanceResult } from "../../asking/importance/importance-run.js";
import { loadRun } from "../../asking/load-run.js";
import { importanceTable } from "../../cli/tables/importance-table.js";
import { interpretationText } from "../../cli/tables/interpretation-table.js";
import { fill, warningLines } from "../../cli/text.js";
import { openConsoleLogger } from "../../logging/console.js";
import { type Split, SPLITS } from "../../tasks/evaluation.js";

interface ImportanceFlags {
  readonly project?: string | undefined;
  readonly store?: string | undefined;
  readonly task?: string | undefined;
  readonly split?: Split | undefined;
  readonly repeats?: number | undefined;
  readonly seed?: number | undefined;
  readonly together?: readonly string[] | undefined;
  readonly top: number;
}

export default class Interpret extends CoolCommand {
  static override summary = "List the best and worst samples of each task, or what each column is worth to it";
  static override description =
    "Only samples that the task was asked about and that have a label. With --out they are also drawn: one picture per task and side, with label, prediction and loss under each sample. With --importance, how much worse each task becomes where a column of numbers or categories is permuted among its rows; pictures and texts stay with theirs.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --top 3",
    "<%= config.bin %> <%= command.id %> latest --task door_locked --split test",
    "<%= config.bin %> <%= command.id %> long --out sheets",
    "<%= config.bin %> <%= command.id %> long --importance --repeats 20",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    task: Flags.string({ summary: "path of one task; default: all" }),
    top: Flags.integer({ summary: "samples on each side, or columns", default: 10, min: 1 }),
    split: Flags.option({ summary: "default: valid", options: SPLITS })(),
    out: Flags.string({ summary: "folder for the pictures", helpValue: "DIR" }),
    importance: Flags.boolean({
      summary: "what each column of numbers or categories is worth to each task, by permutation",
      description:
        "The mean of how much worse the task's first metric is where the column's cells are permuted among the rows that count for the task (active by the labels, and labelled), with its standard error.",
      exclusive: ["out"],
    }),
    repeats: Flags.integer({ summary: "permutations of each column (5)", min: 1, dependsOn: ["importance"] }),
    seed: Flags.integer({ summary: "seed of the permutations (7)", dependsOn: ["importance"] }),
    together: Flags.string({
      summary: "columns that say the same, permuted as one (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "COLUMN,COLUMN",
      dependsOn: ["importance"],
    }),
  };

  async run(): Promise<InterpretResult | ImportanceResult> {
    const { args, flags } = await this.parse(Interpret);
    if (flags.importance) return this.#importance(args.run, flags);
    const { task, top, split, out, project } = flags;
    const result = await this.withStore(flags, (store) =>
      interpretRun(store, args.run, { task, top, split, out, project }),
    );
    for (const interpretation of result.tasks) this.log(interpretationText(interpretation, result.split));
    if (out !== undefined) this.log(`${result.sheets.length} pictures written to ${out}`);
    return result;
  }

  async #importance(name: string, flags: ImportanceFlags): Promise<ImportanceResult> {
    const { project, task, split, repeats, seed, top } = flags;
    const together = (flags.together ?? []).map((names) => names.split(",").map((column) => column.trim()));
    const logger = await openConsoleLogger(process.stderr);
    const run = await loadRun(this.storeDir(flags), name, { project });
    try {
      const result = await this.interruptible((signal) =>
        run.importance({
          ...{ project, task, split, repeats, seed, together, signal },
          onProgress: (what, done, total) => logger.work?.({ what, done, total }),
        }),
      );
      await logger.close?.();
      for (const line of warningLines(result.warnings)) this.note(line);
      // a warning has said why nothing is known
      if (result.importance.length === 0) return result;
      this.log(importanceTable(result.importance, result.split, top));
      const kept = result.kept_inputs.length === 0 ? "" : `; ${result.kept_inputs.join(", ")} stays with its row`;
      const note = `worse by: mean over ${result.repeats} permutations of the column among the rows that count${kept}`;
      this.log(fill(note));
      return result;
    } finally {
      run.close();
    }
  }
}
