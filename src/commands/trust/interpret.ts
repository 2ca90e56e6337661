/** @file `cool interpret`: the samples that a run answers best and worst. */
import { relative } from "node:path";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { drawTable } from "../../cli/tables/tables.js";
import { formatLoss } from "../../logging/panels/text.js";
import {
  type InterpretResult,
  interpretRun,
  type ShownInterpretation,
  type ShownSample,
} from "../../asking/interpret-run.js";
import { SPLITS } from "../../tasks/evaluation.js";

export default class Interpret extends CoolCommand {
  static override summary = "List the best and worst samples of each task";
  static override description =
    "Only samples that the task was asked about and that have a label. With --out they are also drawn: one picture per task and side, with label, prediction and loss under each sample.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --top 3",
    "<%= config.bin %> <%= command.id %> latest --task door_locked --split test",
    "<%= config.bin %> <%= command.id %> long --out sheets",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    task: Flags.string({ summary: "path of one task; default: all" }),
    top: Flags.integer({ summary: "samples on each side", default: 10, min: 1 }),
    split: Flags.option({ summary: "default: valid", options: SPLITS })(),
    out: Flags.string({ summary: "folder for the pictures", helpValue: "DIR" }),
  };

  async run(): Promise<InterpretResult> {
    const { args, flags } = await this.parse(Interpret);
    const { task, top, split, out, project } = flags;
    const result = await this.withStore(flags, (store) =>
      interpretRun(store, args.run, { task, top, split, out, project }),
    );
    for (const interpretation of result.tasks) this.print(interpretation, result.split);
    if (out !== undefined) this.log(`${result.sheets.length} pictures written to ${out}`);
    return result;
  }

  private print({ task_path, best, worst }: ShownInterpretation, split: string): void {
    const words = [...best, ...worst].some(({ text }) => text !== undefined);
    const rows = Object.entries({ worst, best }).flatMap(([side, samples]) =>
      samples.map((sample) => [
        side,
        ...(words ? [sample.id, sample.text ?? ""] : [imageOf(sample)]),
        answerText(sample.label),
        answerText(sample.prediction),
        ...(sample.measure === undefined ? [] : [rounded(sample.measure.value)]),
        formatLoss(sample.loss),
      ]),
    );
    this.log(`${task_path} on ${split}`);
    const sample = words
      ? ["sample", "text"]
      : [[...best, ...worst].some(({ image }) => image !== null) ? "image" : "sample"];
    const [first] = [...best, ...worst];
    const measure = first?.measure === undefined ? [] : [first.measure.name];
    const head = ["", ...sample, "label", "prediction", ...measure, "loss"];
    this.log(
      drawTable(
        head,
        rows,
        [...measure, "loss"].map((name) => head.indexOf(name)),
      ),
    );
  }
}

/** Numbers with four significant digits. */
function answerText(answer: ShownSample["label"]): string {
  const numbers = [answer].flat().filter((one) => typeof one === "number");
  if (typeof answer === "number") return rounded(answer);
  return numbers.length > 0 ? `[${numbers.map(rounded).join(", ")}]` : JSON.stringify(answer);
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** The path from here where that is the shorter one, so that it can be opened. */
function imageOf({ id, image }: ShownSample): string {
  if (image === null) return id;
  const fromHere = relative(process.cwd(), image);
  return fromHere.length < image.length ? fromHere : image;
}
