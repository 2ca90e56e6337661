/** @file `cool check`: the flow, the labels and the network of a project: what a run would find before its first step. */
import { join } from "node:path";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import type { ClassCount, LabelCounts } from "../../analysis/label-report.js";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { cellText } from "../../cli/text.js";
import { againstTable } from "../../cli/tables/contract-tables.js";
import { baselineTable, drawTable, groupByFlow } from "../../cli/tables/tables.js";
import type { Against } from "../../comparing/against/check-against.js";
import { UsageError } from "../../errors.js";
import { checkPrepared, type ProjectCheck } from "../../project/check-project.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import { loadProject, prepareData } from "../../project/load-project.js";
import { findProjectDir } from "../../project/project-dir.js";
import { EVALUATED_GATES, type EvaluatedGates, type Split, SPLITS } from "../../tasks/evaluation.js";
import { behaviourOf } from "../../tasks/index.js";
import type { CheckedPictures } from "../../training/check-pictures.js";
import { measureNetwork, type NetworkMeasure, type NetworkPart } from "../../training/measure-network.js";

/** What `--json` prints. */
interface Checked extends Omit<ProjectCheck, "inputs" | "dataset"> {
  readonly network: readonly NetworkPart[];
  /** Pictures that were decoded; null without --images. */
  readonly pictures: number | null;
  /** Pictures that two splits show under different paths; null without --images. */
  readonly duplicates: CheckedPictures["duplicates"] | null;
}

/** @throws UsageError for what is no share */
function parseMargin(text: string): number {
  const margin = Number(text);
  if (text.trim() !== "" && margin >= 0 && margin < 1) return margin;
  throw new UsageError(`--margin ${text} is no share. Write a number from 0 up to, not including, 1, e.g. 0.01.`, {
    margin: text,
  });
}

export default class Check extends CoolCommand {
  static override summary = "Show a project's flow, how many labels each task can use, and the size of its network";
  static override description =
    "used: labelled and active, so they train the task; wasted: labelled but gated off; contradictory: labelled although the precondition is false. With --against nothing of the project is read: a finished run is compared with another one on the rows that both have, task by task, and the command fails (exit code 1) where one is worse beyond chance (one-sided paired tests, Holm's method over the tasks), is gone, or where the run's answers break a contract of its flow.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> examples/home-security --json",
    "<%= config.bin %> <%= command.id %> --against released --margin 0.01",
  ];
  static override args = { project: Args.directory({ description: "folder of the project" }) };
  static override flags = {
    against: Flags.string({
      summary: "fail where a finished run (--run) is worse than this one, for CI",
      helpValue: "RUN",
      exclusive: ["images", "set"],
    }),
    run: Flags.string({
      summary: `with --against, the run to check: ${RUN_HELP} (default: latest)`,
      dependsOn: ["against"],
    }),
    margin: Flags.string({
      summary: "with --against, how much worse a task may be: of shares a share, of errors a part (default: 0)",
      dependsOn: ["against"],
      helpValue: "SHARE",
    }),
    split: Flags.option({
      summary: "with --against, the split (default: test)",
      options: SPLITS,
      dependsOn: ["against"],
    })(),
    gates: Flags.option({
      summary: "with --against, the rows that count; end_to_end: what users get (default: truth)",
      options: EVALUATED_GATES,
      dependsOn: ["against"],
    })(),
    images: Flags.boolean({ summary: "decode every picture, too, into the cache that runs read" }),
    set: Flags.string({
      summary: "a setting, e.g. data.split.seed=3",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "key=value",
    }),
  };

  async run(): Promise<Checked | Against> {
    const { args, flags } = await this.parse(Check);
    if (flags.against !== undefined) return this.#checkAgainst(flags.against, { ...flags, ...args });
    const project = await loadProject(args.project ?? findProjectDir(flags.project ?? "."), flags.set ?? []);
    // outside: what prepares data is the project's own, and hears of no signal
    await prepareData(project, (line) => this.note(line));
    const { inputs, dataset, ...read } = await this.interruptible((signal) => checkPrepared(project, signal));
    const doubt = await this.#monitorDoubt(project, dataset);
    const { parts: network, warnings: doubts } = await this.#measure(project, inputs, flags.store);
    const check = { ...read, warnings: [...read.warnings, ...doubt, ...doubts] };
    const decoded = flags.images ? await this.#decode(project, flags.store) : null;
    const pictures = decoded?.rows ?? null;
    const baselines = decoded?.baselines ?? check.baselines;
    this.log(check.tree);
    this.log("");
    const { rows, tables, implied, warnings, classes } = check.labels;
    this.drawCounts(
      "split",
      rows.map(({ split, ...counts }) => ({ ...counts, part: split })),
    );
    if (tables.length > 0)
      this.drawCounts(
        "table",
        tables.map(({ table, ...counts }) => ({ ...counts, part: table })),
      );
    if (classes.length > 0) this.#drawClasses(classes);
    if (baselines.length > 0) this.log(baselineTable(baselines));
    if (pictures === null && project.graph.tasks.some(({ spec }) => behaviourOf(spec).imageScales(spec).length > 0)) {
      this.log("constant answers in pixels of the pictures: with --images");
    }
    this.log(
      drawTable(
        ["network", "parameters"],
        network.map(({ part, parameters }) => [cellText(part), String(parameters)]),
        [1],
      ),
    );
    for (const { task_path, implied: count } of implied) {
      this.log(`implied: ${task_path}: ${count} missing labels follow from labels that are conditioned on it`);
    }
    for (const { task_path, level, message } of warnings) this.log(`${level}: ${task_path}: ${message}`);
    for (const warning of check.warnings) this.log(`warning: ${warning}`);
    for (const task of check.unasked) this.log(`warning: ${task}: is declared, and the flow never asks it`);
    this.#logLeaks(check.leaks);
    this.#logDuplicates(decoded?.duplicates ?? []);
    if (pictures !== null) this.log(`${pictures} rows have pictures that can be decoded`);
    return { ...check, baselines, network, pictures, duplicates: decoded?.duplicates ?? null };
  }

  async #checkAgainst(
    base: string,
    flags: { readonly [flag in "run" | "margin" | "project" | "store"]?: string | undefined } & {
      readonly split?: Split | undefined;
      readonly gates?: EvaluatedGates | undefined;
    },
  ): Promise<Against> {
    const { checkAgainst } = await import("../../comparing/against/check-against.js");
    const { run = "latest", split = "test", gates = "truth", project } = flags;
    const margin = parseMargin(flags.margin ?? "0");
    const result = await this.withStore(flags, (store) =>
      checkAgainst(store, run, base, { split, gates, margin, project }),
    );
    this.log(againstTable(result));
    if (!result.passed) process.exitCode = 1;
    return result;
  }

  async #decode(project: LoadedProject, store?: string): Promise<CheckedPictures> {
    const { checkPictures } = await import("../../training/check-pictures.js");
    const dir = store ?? join(project.projectDir, ".cool");
    return this.interruptible((signal) => checkPictures(project, dir, signal));
  }

  /** With the store where the network begins with the weights of a run in it. */
  async #measure(project: LoadedProject, inputs: ProjectCheck["inputs"], store?: string): Promise<NetworkMeasure> {
    const { from } = project.settings.train;
    if (from === null || typeof from === "string") return measureNetwork(project, inputs);
    return this.withStore({ project: project.projectDir, store }, (opened) => measureNetwork(project, inputs, opened));
  }

  /** What a run would warn of before its first epoch. */
  async #monitorDoubt(project: LoadedProject, dataset: ProjectCheck["dataset"]): Promise<string[]> {
    const { monitorDoubt } = await import("../../training/epochs/watched-metric.js");
    const doubt = await monitorDoubt({ project, settings: project.settings, dataset });
    return doubt === null ? [] : [doubt];
  }

  #drawClasses(classes: readonly ClassCount[]): void {
    this.log(
      drawTable(
        ["task", "class", "train", "valid", "test"],
        classes.map(({ task_path, class: name, train, valid, test }) => [
          ...[task_path, name].map(cellText),
          ...[train, valid, test].map(String),
        ]),
        [2, 3, 4],
      ),
    );
  }

  #logLeaks(leaks: ProjectCheck["leaks"]): void {
    const [first] = leaks;
    if (first === undefined) return;
    const others = leaks.length > 1 ? `, and so do ${leaks.length - 1} more` : "";
    this.log(
      `warning: the picture ${first.picture} of the input "${first.input}" stands in ${first.splits.join(" and ")}${others}: what is measured there was seen in training`,
    );
  }

  #logDuplicates(duplicates: CheckedPictures["duplicates"]): void {
    for (const kind of ["same", "near"] as const) {
      const [first, ...others] = duplicates.filter((one) => one.kind === kind);
      if (first === undefined) continue;
      const { picture, split, other, other_split, input } = first;
      const alike = kind === "same" ? "is the same as" : "is nearly the same as";
      const more = others.length === 0 ? "" : `, and so for ${others.length} more`;
      this.log(
        `warning: the picture ${cellText(picture)} in ${split} ${alike} ${cellText(other)} in ${other_split} (input "${input}")${more}: ${split} measures what ${other_split} has shown; group them with data.split.groupBy, or remove one`,
      );
    }
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
    const head = ["task", part, "rows", "labelled", "active", "used", "wasted", "contra-\ndictory"];
    // counts say more than a name in one piece
    this.log(drawTable(head, body, [2, 3, 4, 5, 6, 7], { narrowest: 12 }));
  }
}
