/** @file `cool evaluate`: the evaluation table of a finished run, or of a run or an export on a labelled table. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { type EvaluateResult, evaluateRun } from "../../asking/evaluate-run.js";
import type { LabelledResult } from "../../asking/exports/evaluate-labelled.js";
import { type GroupResult, groupResult } from "../../asking/groups/group-runs.js";
import { type SlicedRun, sliceRun } from "../../asking/slices/slice-run.js";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { contractTable } from "../../cli/tables/contract-tables.js";
import { intervalTable, sliceTable, worstTable } from "../../cli/tables/interval-tables.js";
import { bestSplit, evaluationTable, groupTable } from "../../cli/tables/tables.js";
import { UsageError } from "../../errors.js";
import { shellWord } from "../../platform/shell-word.js";
import { EVALUATED_GATES, type EvaluatedGates, SPLITS, type Split } from "../../tasks/evaluation.js";

export default class Evaluate extends CoolCommand {
  static override summary = "Show every metric of every task of a finished run, or of an export on a table";
  static override description =
    "With true gates: how good an answer is when its question was rightly asked. With predicted gates: how good it is where the network asks the question itself, over the rows whose gate it opened and that are labelled; a question that it asked wrongly mostly has no label and is not counted. End to end: what a user gets, over the rows that should be asked or are; a question asked wrongly, or not asked, has no right answer. With --table the network answers to the rows of a labelled table: that of a run, or of what cool export has written, which needs neither project nor store.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> long --split valid --gates predicted",
    "<%= config.bin %> <%= command.id %> --metric matthews_correlation --metric log_loss",
    "<%= config.bin %> <%= command.id %> --metric all --labels",
    "<%= config.bin %> <%= command.id %> --intervals --gates end_to_end",
    "<%= config.bin %> <%= command.id %> --by camera,hour --worst 5",
    "<%= config.bin %> <%= command.id %> shipped --table new-labels.csv",
  ];
  static override args = { run: Args.string({ description: `${RUN_HELP}; or an export`, default: "latest" }) };
  static override flags = {
    split: Flags.option({ summary: "one split; default: all in JSON, the test split as a table", options: SPLITS })(),
    table: Flags.string({
      summary: "evaluate on this labelled table: a file, or a SQL query",
      helpValue: "TABLE",
    }),
    "on-bad-image": Flags.option({
      summary: "with --table: stop, or leave out rows whose pictures cannot be read",
      options: ["error", "skip"] as const,
      default: "error",
    })(),
    metric: Flags.string({
      summary: "this metric alone, also one that is computed on demand, or all (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "NAME",
    }),
    labels: Flags.boolean({ summary: "also the metrics of single labels of multilabel tasks" }),
    intervals: Flags.boolean({
      summary: "a table with 95 % confidence intervals, of one kind of gates (true ones, or --gates)",
    }),
    by: Flags.string({
      summary: "the first metric of each task, or --metric, on slices by columns of the run's table",
      description:
        "Several columns, with commas between, cut together; several --by one after the other. A number with more than 8 values is cut into quarters of the rows.",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "COLUMN[,COLUMN]",
    }),
    worst: Flags.integer({
      summary: "the slices of one column or two (of --by, else of all without labels) that are worst beside the rest",
      min: 1,
      helpValue: "N",
    }),
    gates: Flags.option({
      summary: "one kind of gates",
      description:
        "truth: open by the labels; predicted: opened by the network; both count labelled rows alone. end_to_end: what a user gets, over the rows that should be asked or are",
      options: EVALUATED_GATES,
    })(),
  };

  async run(): Promise<EvaluateResult | Sliced | LabelledResult | Omit<GroupResult, "thresholds">> {
    const { args, flags } = await this.parse(Evaluate);
    const labelled = await this.#onTable(args.run, flags);
    if (labelled !== null) return labelled;
    const isSliced = flags.by !== undefined || flags.worst !== undefined;
    const group = await this.withStore(flags, (store) => {
      const found = store.findGroup(args.run);
      return found === null ? null : groupResult(store, found, { ...flags, metrics: flags.metric });
    });
    if (group !== null) {
      if (isSliced || flags.intervals) {
        throw new UsageError(
          `"${args.run}" is a group of runs. Intervals and slices are those of a single run: name one of ${group.group.runs.map(({ name }) => name).join(", ")}.`,
        );
      }
      const shown = flags.split ?? bestSplit(group.evaluation);
      if (shown !== undefined) this.log(groupTable(group.evaluation, shown, flags));
      return group;
    }
    const result = await this.withStore(flags, (store) =>
      evaluateRun(store, args.run, {
        split: flags.split,
        gates: flags.gates,
        metrics: flags.metric,
        project: flags.project,
        onWarning: (text) => this.note(`warning: ${text}`),
      }),
    );
    const split = flags.split ?? bestSplit(result.evaluation);
    const labels = asksLabels(flags);
    if (split === undefined) return result;
    if (isSliced) return { ...result, ...(await this.#slice(args.run, split, flags)) };
    this.#print(result, split, { ...flags, labels });
    return result;
  }

  #print(
    { evaluation, contracts = [] }: Pick<EvaluateResult, "evaluation" | "contracts">,
    split: Split,
    { labels, intervals, gates, title = split }: Printed,
  ): void {
    if (intervals) this.log(intervalTable(evaluation, split, gates ?? "truth", { labels, title }));
    else this.log(evaluationTable(evaluation, split, { labels, title }));
    const own = contracts.filter((count) => count.split === split);
    if (own.length > 0) this.log(contractTable(own));
  }

  /** @returns null where no table is meant */
  async #onTable(named: string, flags: TableFlags): Promise<LabelledResult | null> {
    const { table, split, project, gates, metric: metrics, worst } = flags;
    const { findExport } = await import("../../asking/exports/open-export.js");
    const found = await findExport(named);
    if (table === undefined) {
      if (found === null) return null;
      throw new UsageError(
        `${named} is an export, which has no rows of its own. Name a labelled table: cool evaluate ${shellWord(named)} --table labels.csv`,
        { export: named },
      );
    }
    if (split !== undefined) {
      throw new UsageError("The rows of --table are no split of the run: leave out either --split or --table.");
    }
    const by = columnsOf(flags.by);
    const { evaluateExport, evaluateRunOn } = await import("../../asking/exports/evaluate-labelled.js");
    const result = await this.interruptible((signal) => {
      const options = { project, gates, metrics, worst, by, signal, onBadImage: flags["on-bad-image"] };
      return found === null
        ? evaluateRunOn(this.storeDir(flags), named, table, options)
        : evaluateExport(found, table, options);
    });
    if (result.skipped > 0) this.note(`warning: ${result.skipped} rows were left out, whose pictures cannot be read`);
    for (const note of result.notes) this.note(`warning: ${note}`);
    const { slices } = result;
    if (slices === undefined) {
      // an export with branches has no true gates
      const shown = gates ?? (result.export?.gates === "if" ? "predicted" : undefined);
      this.#print(result, "test", { ...flags, gates: shown, labels: asksLabels(flags), title: result.rows_of });
      return result;
    }
    this.#printSlices(slices, by, result.rows_of);
    return result;
  }

  #printSlices({ slices, worst }: SlicedRun, by: readonly (readonly string[])[], title: string): void {
    if (by.length > 0) this.log(sliceTable(slices, by, title));
    if (worst === undefined) return;
    this.log(worstTable(worst.slices, worst.tested));
    for (const warning of worst.warnings ?? []) this.note(`warning: ${warning}`);
  }

  async #slice(run: string, split: Split, flags: SliceFlags): Promise<Pick<Sliced, "slices">> {
    const by = columnsOf(flags.by);
    const { project, worst, metric: metrics, gates = "truth" } = flags;
    const slices = await this.withStore(flags, (store) =>
      sliceRun(store, run, { split, gates, by, metrics, worst, project }),
    );
    this.#printSlices(slices, by, split);
    return { slices };
  }
}

interface Printed {
  readonly labels: boolean;
  readonly intervals: boolean;
  readonly gates?: EvaluatedGates | undefined;
  /** What the rows are called; default: as their split. */
  readonly title?: string;
}

/** What `--json` prints with --by or --worst. */
interface Sliced extends EvaluateResult {
  readonly slices: SlicedRun;
}

/** Columns that cut together, several times. */
function columnsOf(by: readonly string[] = []): string[][] {
  return by.map((names) => names.split(",").map((name) => name.trim()));
}

function asksLabels({ labels, metric = [] }: { readonly labels: boolean; readonly metric?: string[] | undefined }) {
  return labels || metric.some((name) => name.includes("/"));
}

interface TableFlags extends SliceFlags {
  readonly table?: string | undefined;
  readonly split?: Split | undefined;
  readonly labels: boolean;
  readonly intervals: boolean;
  readonly "on-bad-image": "error" | "skip";
}

interface SliceFlags {
  readonly by?: string[] | undefined;
  readonly worst?: number | undefined;
  readonly metric?: string[] | undefined;
  readonly gates?: EvaluatedGates | undefined;
  readonly project?: string | undefined;
  readonly store?: string | undefined;
}
