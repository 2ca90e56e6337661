/** @file `cool compare runs`: what differs between runs. */
import { existsSync } from "node:fs";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import type { SampleComparison } from "../../../analysis/comparison/compare-samples.js";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import {
  columnsOf,
  comparisonRows,
  comparisonView,
  curveTable,
  factTables,
  metricTable,
  type TextTable,
  turned,
  turnedMetrics,
} from "../../../cli/tables/comparison-tables.js";
import { fits } from "../../../cli/tables/table-layout.js";
import { drawTable } from "../../../cli/tables/tables.js";
import { csvText, markdownTable } from "../../../cli/tables/text-tables.js";
import { compareRuns, MOST_RUNS, type RunComparison } from "../../../comparing/compare-runs.js";
import { runFiles } from "../../../records/run-folder.js";
import type { RunStore } from "../../../storage/run-store.js";
import { EVALUATED_GATES, type EvaluatedGates, SPLITS, type Split } from "../../../tasks/evaluation.js";

/** What is printed, and how. */
interface PrintFlags {
  readonly split?: Split | undefined;
  readonly gates: EvaluatedGates | "both";
  readonly all: boolean;
  readonly md: boolean;
}

/** So many runs are compared sample by sample: each is read whole. */
const MOST_COMPARED = 10;

export default class CompareRuns extends CoolCommand {
  static override summary = "Compare runs: settings that differ, metrics side by side";
  static override description =
    `Without runs the newest finished ones are compared, or those that --where chooses. The best value of each row is marked with •.

Of three runs or more, those that differ in their seed alone are shown as one column: mean ± sample standard deviation, n runs. So is each group that is named (the folds of a cross-validation) beside others; of one group alone its runs are compared with each other.

Runs are also compared on the samples that their splits share, task by task: McNemar's exact test for decisions, a sign-flip permutation test with a bootstrap-t interval (2,000 resamples, 95 %) for errors of at least six samples, p-values adjusted by Holm's method; * is p < 0.05. Of two runs the samples whose decisions flipped are listed, those whose loss changed most first. Of three to ${MOST_COMPARED} runs each is compared with the first, and p-values are adjusted over all tasks and runs.`;
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> base wide --split valid",
    "<%= config.bin %> <%= command.id %> base wide deep --curves",
    "<%= config.bin %> <%= command.id %> house-folds wide-folds",
    "<%= config.bin %> <%= command.id %> --interactive",
    "<%= config.bin %> <%= command.id %> base wide --all --json",
  ];
  static override strict = false;
  static override args = { run: Args.string({ description: `two or more: a group of runs, or ${RUN_HELP}` }) };
  static override flags = {
    where: Flags.string({ summary: "finished runs by a condition, as in runs list", helpValue: "CONDITION" }),
    limit: Flags.integer({ summary: "the newest so many, where none are named", min: 2, default: MOST_RUNS }),
    split: Flags.option({
      summary: "split to show",
      description: "Default: test; for curves valid",
      options: SPLITS,
    })(),
    gates: Flags.option({
      summary: "kind of gates to show",
      description:
        "truth: rows whose gate is open by the labels; predicted: those whose gate the network opened and that are labelled; end_to_end: those that should be asked or are; both: true and predicted ones where they differ, and end to end. Samples are compared by true gates, or predicted ones if these are named",
      options: [...EVALUATED_GATES, "both"] as const,
      default: "truth" as const,
    })(),
    all: Flags.boolean({ summary: "also what is the same in all runs, and metrics of single labels" }),
    curves: Flags.boolean({ summary: "also the last, best, lowest and highest value of each training curve" }),
    group: Flags.boolean({ summary: "group runs that differ in their seed alone", default: true, allowNo: true }),
    samples: Flags.boolean({
      summary: `compare up to ${MOST_COMPARED} runs sample by sample`,
      default: true,
      allowNo: true,
    }),
    top: Flags.integer({ summary: "flipped samples to name per task and direction", default: 3, min: 0 }),
    csv: Flags.boolean({ summary: "print one CSV table, without samples", exclusive: ["md", "json", "interactive"] }),
    md: Flags.boolean({ summary: "print Markdown", exclusive: ["json", "interactive"] }),
    interactive: Flags.boolean({ summary: "move through one table: sort, hide, filter", exclusive: ["json"] }),
  };

  async run(): Promise<RunComparison> {
    const { argv, flags } = await this.parse(CompareRuns);
    const isInteractive = flags.interactive && process.stdin.isTTY && process.stdout.isTTY;
    if (flags.interactive && !isInteractive)
      this.note("The output is not a terminal, so the table is not interactive.");
    const hasSamples = flags.samples && !flags.csv && !isInteractive;
    const comparison = await this.withStore(flags, async (store) => {
      const { curves, group, where, limit } = flags;
      const all = flags.all || isInteractive;
      const compared = await compareRuns(store, argv as string[], { all, curves, group, where, limit });
      if (argv.length === 0 && compared.runs.length === limit) this.note(`the newest ${limit} finished runs (--limit)`);
      // a sample has one answer in a run, and several in a group
      const isOfGroups = argv.length > 1 && compared.runs.length > argv.length;
      return hasSamples && !isOfGroups ? { ...compared, ...(await comparedSamples(store, compared, flags)) } : compared;
    });
    if (this.jsonEnabled()) return comparison;
    if (comparison.runs.length < 2) {
      const { length } = comparison.runs;
      this.log(`There ${length === 1 ? "is one finished run" : "are no finished runs"}; comparing takes two.`);
    } else if (isInteractive) {
      const { showInteractiveTable } = await import("../../../cli/tables/interactive-table.js");
      const view = comparisonView(comparison, flags.split ?? evaluatedSplit(comparison));
      const { interrupted } = await showInteractiveTable(view);
      if (interrupted) process.exitCode = 130;
    } else if (flags.csv) this.log(csvText(comparisonRows(comparison)));
    else await this.#print(comparison, flags);
    return comparison;
  }

  async #print(comparison: RunComparison, flags: PrintFlags): Promise<void> {
    const split = flags.split ?? evaluatedSplit(comparison);
    if (comparison.params.length === 0) this.log("The runs have the same settings.\n");
    for (const table of factTables(comparison)) this.#printTurned(table, () => turned(table), flags);
    const view = { split, gates: flags.gates, all: flags.all };
    const metrics = metricTable(comparison, view);
    if (metrics.rows.length === 0) this.log(`No metric on ${split} differs.`);
    this.#printTurned(metrics, () => turnedMetrics(comparison, view), flags);
    if (comparison.curves !== undefined) {
      this.#printTable(curveTable(comparison, flags.split ?? "valid", flags.all), flags);
    }
    const { samples, samples_against_first: differences } = comparison;
    if (differences !== undefined) await this.#printDifferences(comparison, differences, flags);
    if (samples === null) this.note(`A run has no predictions of the ${split} split: samples are not compared.`);
    else if (samples !== undefined) await this.#printSamples(comparison, samples, flags);
  }

  async #printSamples(comparison: RunComparison, samples: SampleComparison, flags: PrintFlags): Promise<void> {
    const { flipsTable, SAMPLES_LEGEND, samplesSummary, samplesTable } = await import(
      "../../../cli/tables/sample-tables.js"
    );
    const names = columnsOf(comparison).map(({ title }) => title) as [string, string];
    this.logText(`\n${samplesSummary(samples, names)}${flags.md ? "\n" : ""}`);
    this.#printTable(samplesTable(samples), flags);
    this.logText(`${SAMPLES_LEGEND}${flags.md ? "\n" : ""}`);
    this.#printTable(flipsTable(samples, names), flags);
  }

  async #printDifferences(
    { runs }: RunComparison,
    differences: RunComparison["samples_against_first"],
    flags: PrintFlags,
  ): Promise<void> {
    const split = differences?.[0]?.split ?? flags.split ?? "test";
    if (differences == null || differences.length === 0) {
      return this.note(`Runs have no predictions of the ${split} split: samples are not compared.`);
    }
    const { DIFFERENCES_LEGEND, differencesTable } = await import("../../../cli/tables/sample-tables.js");
    const nameOf = (id: string): string => runs.find((run) => run.id === id)?.name ?? id;
    const names = differences.map(({ run }) => nameOf(run));
    this.log(`\nSample by sample on ${split}, the difference from ${runs[0]?.name}:${flags.md ? "\n" : ""}`);
    this.#printTable(differencesTable(differences, names), flags);
    this.logText(`${DIFFERENCES_LEGEND}${flags.md ? "\n" : ""}`);
  }

  /** Columns of runs that do not fit become rows. */
  #printTurned(table: TextTable, turn: () => TextTable, flags: PrintFlags): void {
    const isTurned = !flags.md && table.rows.length > 0 && !fits(table.head, table.rows, table.numeric);
    this.#printTable(isTurned ? turn() : table, flags);
  }

  #printTable({ head, rows, numeric }: TextTable, { md }: PrintFlags): void {
    if (rows.length === 0) return;
    this.log(md ? `${markdownTable(head, rows, numeric)}\n` : drawTable(head, rows, numeric));
  }
}

/** Two runs with their changed samples, or each of three or more with the first; nothing of one run or too many. */
async function comparedSamples(
  store: RunStore,
  compared: RunComparison,
  { split, gates, top }: { split: Split | undefined; gates: PrintFlags["gates"]; top: number },
): Promise<Pick<RunComparison, "samples" | "samples_against_first">> {
  const [first, second, ...others] = compared.runs.map(({ id }) => id);
  if (first === undefined || second === undefined || others.length + 2 > MOST_COMPARED) return {};
  // what reads predictions is not loaded for runs that have none
  if (others.length > 0 && !existsSync(runFiles(store.runDir(first)).predictions(split ?? evaluatedSplit(compared)))) {
    return { samples_against_first: null };
  }
  const { compareRunSamples, compareRunsWithFirst } = await import("../../../comparing/compare-run-samples.js");
  const options = {
    split: split ?? evaluatedSplit(compared),
    gates: gates === "predicted" ? gates : ("truth" as const),
    top,
  };
  if (others.length === 0) return { samples: await compareRunSamples(store, [first, second], options) };
  return { samples_against_first: await compareRunsWithFirst(store, [first, second, ...others], options) };
}

/** The split that users care about most, of those that were evaluated. */
function evaluatedSplit({ metrics }: RunComparison): Split {
  return (["test", "valid", "train"] as const).find((split) => metrics.some((row) => row.split === split)) ?? "test";
}
