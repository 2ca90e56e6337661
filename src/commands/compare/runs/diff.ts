/** @file `cool runs diff`: everything in which two runs differ. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import type { ComparedParam } from "../../../analysis/comparison/compare.js";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import { colourDiff } from "../../../cli/diff-text.js";
import { clip, displayWidth } from "../../../cli/tables/display-width.js";
import { drawTable } from "../../../cli/tables/tables.js";
import { cellText } from "../../../cli/text.js";
import { diffRuns, type RunDiff } from "../../../comparing/diff-runs.js";
import { printableLine } from "../../../platform/printable.js";
import { runningProject } from "../../../project/project-dir.js";

/** Columns for each run's value. */
const VALUE_COLUMNS = 36;

export default class RunsDiff extends CoolCommand {
  static override summary = "Show in what two runs differ: configuration, source, environment, data, output";
  static override description =
    "The source is compared as it was, with uncommitted work, where the repository is at hand; else the patches of uncommitted work are. Of the outputs the first lines that differ are shown.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> base wide",
    "<%= config.bin %> <%= command.id %> base latest --output 20",
    "<%= config.bin %> <%= command.id %> base wide --json",
  ];
  static override args = {
    first: Args.string({ description: RUN_HELP, required: true }),
    second: Args.string({ description: RUN_HELP, required: true }),
  };
  static override flags = {
    output: Flags.integer({ summary: "lines of each output to show from the first difference", default: 5, min: 0 }),
  };

  async run(): Promise<RunDiff> {
    const { args, flags } = await this.parse(RunsDiff);
    const diff = await this.withStore(flags, (store) =>
      diffRuns(store, [args.first, args.second], {
        outputLines: flags.output,
        projectDir: runningProject(flags.project)?.dir ?? null,
      }),
    );
    if (this.jsonEnabled()) return diff;
    this.#printFacts("configuration", diff.config, diff);
    this.#printFacts("code", diff.code, diff);
    this.#printFiles(diff);
    this.#printSource(diff);
    this.#printFacts("environment", diff.environment, diff);
    this.#printFacts("data", diff.data, diff);
    this.#printOutput(diff);
    return diff;
  }

  #printFacts(title: string, facts: readonly ComparedParam[], { runs }: RunDiff): void {
    if (facts.length === 0) {
      this.log(`${title}: the same`);
      return;
    }
    // where values are long, their ends may be what differs
    const isLong = ({ values }: ComparedParam): boolean =>
      values.some((value) => displayWidth(cellText(value)) > VALUE_COLUMNS);
    const rows = facts
      .filter((fact) => !isLong(fact))
      .map(({ key, values }) => [cellText(key), ...values.map((v) => cellText(v))]);
    if (rows.length > 0) {
      this.log(drawTable([title, ...runs.map(({ name }) => clip(cellText(name), VALUE_COLUMNS))], rows));
    }
    for (const { key, values } of facts.filter(isLong)) {
      this.log(`${cellText(key)}:`);
      this.log(colourDiff(values.map((value, i) => `${i === 0 ? "-" : "+"}${cellText(value)}`).join("\n")));
    }
  }

  #printFiles({ files }: RunDiff): void {
    if (files.length > 0)
      this.log(
        drawTable(
          ["source file", ""],
          files.map(({ path, change }) => [cellText(path), change]),
        ),
      );
  }

  #printSource({ source, files, code }: RunDiff): void {
    const differs = files.length > 0 || code.some(({ key }) => key === "source_digest");
    if (source === null) this.log("source: no commit and no patch is known");
    else if (source.text === "" && differs) this.log("source: it differs, in files whose text was not kept");
    else if (source.text === "") this.log("source: the same");
    else {
      this.log(source.kind === "source" ? "source:" : "source, as a difference of patches of uncommitted work:");
      this.log(colourDiff(source.text));
    }
  }

  #printOutput({ output, runs }: RunDiff): void {
    const { lines, same_lines, first, second } = output;
    const missing = runs.filter((_, i) => lines[i] === null).map(({ name }) => cellText(name));
    if (missing.length > 0) this.log(`output: ${missing.join(" and ")} left none`);
    else if (same_lines === lines[0] && same_lines === lines[1]) this.log("output: the same");
    else {
      this.log(`output, from line ${same_lines + 1} on:`);
      const signed = [...first.map((line) => `-${line}`), ...second.map((line) => `+${line}`)];
      if (signed.length > 0) this.log(colourDiff(signed.map(printableLine).join("\n")));
    }
  }
}
