/** @file `cool runs adopt`: a model that another program has trained, as a run. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../../cli/command.js";
import { bestSplit, evaluationTable } from "../../../cli/tables/tables.js";
import { UsageError } from "../../../errors.js";
import { openConsoleLogger } from "../../../logging/console.js";
import { findProjectDir } from "../../../project/project-dir.js";
import { loadProject } from "../../../project/load-project.js";
import { uncaptured } from "../../../provenance/capture-output.js";
import { adoptRun } from "../../../training/adopting/adopt-run.js";
import type { RunResult } from "../../../training/run-result.js";

export default class RunsAdopt extends CoolCommand {
  static override summary = "Bring in an ONNX model that another program has trained, as a run";
  static override description =
    "Its outputs are the logits of the project's flow: <path>/logits of every task, as in an export, or what --output names; its inputs are those of data.inputs. It answers to the splits of the project, thresholds are tuned on valid, and it is predicted with, explained, evaluated and compared like a run that was trained here. It needs onnxruntime-node.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> net.onnx --flow door --name from-pytorch",
    "<%= config.bin %> <%= command.id %> net.onnx --output door_open=out1 --output door_locked=out2 --raw",
  ];
  static override args = {
    model: Args.string({ description: "an .onnx file with its weights inside", required: true }),
  };
  static override flags = {
    flow: Flags.string({
      summary: "folder of the project whose flow it answers; default: as --project",
      helpValue: "PROJECT",
    }),
    name: Flags.string({ summary: "name of the run" }),
    input: Flags.string({
      summary: "what the model calls a declared input (may be repeated)",
      helpValue: "INPUT=NAME",
      multiple: true,
      multipleNonGreedy: true,
    }),
    output: Flags.string({
      summary: "what the model calls the logits of a task (may be repeated)",
      helpValue: "TASK=NAME",
      multiple: true,
      multipleNonGreedy: true,
    }),
    raw: Flags.boolean({ summary: "it takes pictures as 0 to 255, and numbers as they come" }),
    preprocessor: Flags.string({
      summary: "a preprocessor_config.json: what becomes of pixels; default: 0 to 1",
      helpValue: "FILE",
    }),
  };

  async run(): Promise<RunResult> {
    const { args, flags } = await this.parse(RunsAdopt);
    const project = await loadProject(flags.flow ?? findProjectDir(flags.project ?? "."), []);
    const logger = await openConsoleLogger(uncaptured(process.stderr));
    const { store, name, raw, preprocessor } = flags;
    const asked = {
      ...{ store, name, raw, preprocessor, loggers: [logger] },
      inputs: pairsOf("input", flags.input),
      outputs: pairsOf("output", flags.output),
      commandLine: ["cool", ...process.argv.slice(2)].join(" "),
    };
    return this.interruptible(
      (signal) => adoptRun(project, args.model, { ...asked, signal, report: (result) => this.#report(result) }),
      (line) => logger.message?.(line),
    );
  }

  #report({ run, evaluation }: RunResult): void {
    const split = bestSplit(evaluation);
    if (split !== undefined) this.log(evaluationTable(evaluation, split));
    this.log(`run ${run.id} (${run.name}) is adopted; it is kept in ${run.dir}`);
  }
}

/** `door_open=out1` → { door_open: "out1" } */
function pairsOf(flag: string, pairs: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at > 0 && at < pair.length - 1) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new UsageError(`--${flag} ${pair} is no pair of names: write --${flag} OURS=THEIRS.`, { [flag]: pair });
    }),
  );
}
