/** @file `cool audit`: which labels are likely wrong. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { type ApplyResult, applyToRun } from "../../asking/audit/apply-run.js";
import { type AuditResult, auditRun } from "../../asking/audit/audit-run.js";
import { placeOf } from "../../asking/audit/correction-table.js";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { numberFlag } from "../../cli/number-flag.js";
import {
  auditDoubt,
  auditedTasksTable,
  repairText,
  suspectsTable,
  suspectsWritten,
} from "../../cli/tables/audit-tables.js";
import { fill } from "../../cli/text.js";
import { openConsoleLogger } from "../../logging/console.js";

/** Repairs of whole rows. */
const SHOWN = 5;

export default class Audit extends CoolCommand {
  static override summary = "Find labels that are likely wrong, and correct them in a copy of the table";
  static override description =
    "Of a group of folds (cool run --folds) every row is judged by a network that has not seen it; of a run those of valid and test. A label is suspicious where the network and the row's other labels say otherwise: by confident learning, by the flow, and by the cheapest changes that would make the row consistent and likely.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> home-security-folds --out suspects.csv --sheets sheets",
    "<%= config.bin %> <%= command.id %> --images --json",
    "<%= config.bin %> <%= command.id %> --apply suspects.csv",
  ];
  static override args = { run: Args.string({ description: `a group of folds, or ${RUN_HELP}`, default: "latest" }) };
  static override flags = {
    task: Flags.string({ summary: "path of one task; default: all" }),
    least: numberFlag("least", {
      summary: "list labels that are wrong with this probability or more; default: 0.5",
      ...{ min: 0, max: 1 },
    })(),
    price: numberFlag("price", {
      summary: "what a changed cell costs in a repair, in nats",
      description: "Default: of each task by how many of its labels seem wrong, and how many other values there are",
      ...{ min: 0, max: Number.POSITIVE_INFINITY },
    })(),
    top: Flags.integer({ summary: "labels shown, and pictures on a sheet", default: 20, min: 1 }),
    out: Flags.string({ summary: "file for the suspects, to correct: .csv, .parquet or .jsonl", helpValue: "FILE" }),
    sheets: Flags.string({ summary: "folder for pictures of the suspects", helpValue: "DIR" }),
    images: Flags.boolean({ summary: "also compare pictures: the same one with different labels" }),
    apply: Flags.string({
      summary: "write the tables anew with the corrections of a file, beside the old ones",
      helpValue: "FILE",
      exclusive: ["task", "out", "sheets", "images", "price"],
    }),
  };

  async run(): Promise<AuditResult | ApplyResult> {
    const { args, flags } = await this.parse(Audit);
    const { apply, project } = flags;
    if (apply !== undefined) {
      const applied = await this.withStore(flags, (store) => applyToRun(store, args.run, apply, { project }));
      this.#printApplied(applied);
      return applied;
    }
    const logger = await openConsoleLogger(process.stderr);
    const { task, out, sheets, top, images, least, price } = flags;
    const result = await this.interruptible((signal) =>
      this.withStore(flags, (store) =>
        auditRun(store, args.run, {
          ...{ task, out, sheets, top, images, project, least, price, signal },
          onProgress: (what, done, total) => logger.work?.({ what, done, total }),
        }),
      ),
    );
    await logger.close?.();
    this.#print(result, top);
    return result;
  }

  #print(result: AuditResult, top: number): void {
    const { judged, run, tasks, suspects, repairs, contradictions, duplicates } = result;
    const by = judged.kind === "out_of_fold" ? "each by a network that had not seen it" : "of valid and test";
    this.log(`${run.name}: ${judged.rows} rows judged, ${by}`);
    if (judged.unjudged > 0) {
      const why = judged.advice === null ? "" : `; ${judged.advice}`;
      this.log(fill(`${judged.unjudged} rows were trained on, or left out, and cannot be judged${why}`));
    }
    this.log(auditedTasksTable(tasks));
    const doubt = auditDoubt(tasks);
    if (doubt !== null) this.note(`warning: ${doubt}`);
    const paths = tasks.map(({ task_path }) => task_path);
    if (suspects.length > 0) {
      this.log(`The ${Math.min(top, suspects.length)} most suspicious of ${suspects.length} labels:`);
      this.log(suspectsTable(suspects.slice(0, top), paths));
    }
    const several = repairs.filter(({ cells }) => cells.length > 1);
    if (several.length > 0) {
      const which = several.length === 1 ? "One row is" : `${several.length} rows are`;
      this.log(
        `${which} set right by several changes together${several.length > SHOWN ? ", of which the first" : ""}:`,
      );
      for (const { sample, cells } of several.slice(0, SHOWN)) {
        this.log(fill(`  ${sample}: ${repairText(cells, paths)}`, { indent: "    " }));
      }
    }
    if (contradictions.length > 0) {
      this.log(`${contradictions.length} labels contradict the flow (all rows; listed by --json)`);
    }
    if (duplicates !== null)
      this.log(`${duplicates.length} labels differ between pictures that are the same or nearly`);
    for (const { task_path, sample, other, label, other_label } of (duplicates ?? []).slice(0, top)) {
      const line = `  ${task_path}: ${sample} ${JSON.stringify(label)}, ${other} ${JSON.stringify(other_label)}`;
      this.log(fill(line, { indent: "    " }));
    }
    if (result.unaudited.length > 0) this.log(fill(`not judged: ${result.unaudited.join(", ")}`, { indent: "  " }));
    if (result.out !== null) {
      for (const line of suspectsWritten(suspects, result.out, run.name)) this.log(line);
    }
    for (const sheet of result.sheets) this.log(sheet);
  }

  #printApplied({ tables, refused }: ApplyResult): void {
    for (const { written, cells } of tables) this.log(`${cells} cells corrected in ${written}`);
    for (const cell of refused) this.note(`not applied: ${placeOf(cell)}: ${cell.reason}`);
  }
}
