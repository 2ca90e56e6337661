/** @file `cool explain`: what the network says about images, question by question. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { COVERAGE_FLAGS, coverageFrom } from "../../cli/coverage-flags.js";
import { warningLines } from "../../cli/text.js";
import { tableColumns } from "../../cli/tables/table-layout.js";
import { treeStyle } from "../../cli/tree-style.js";
import { openConsoleLogger } from "../../logging/console.js";
import { DEFAULT_SAMPLES } from "../../asking/explain-run.js";
import { UsageError } from "../../errors.js";
import { parseGiven } from "../../asking/given-answers.js";
import { type Explanation, type LoadedRun, loadRun } from "../../asking/load-run.js";
import { type MaskedPicture, type WrittenMasks, writeDrawnMasks } from "../../asking/pixels/drawn-masks.js";
import { type WrittenWhy, writeWhy } from "../../asking/why/why-run.js";
import { type WrittenField, writeReceptiveFields } from "../../asking/receptive-field-run.js";

interface Explained {
  readonly run: string;
  readonly explanations: Explanation[];
  readonly receptive_fields?: WrittenField[];
  readonly why?: WrittenWhy[];
  readonly masks?: WrittenMasks[];
  /** Suppositions that change nothing, answers that are NaN, and what the guarantee of a coverage does not reach. */
  readonly warnings?: readonly string[];
}

/** @throws UsageError where --out names no drawing, or one of two */
function assertOneDrawing(flags: {
  readonly out?: string | undefined;
  readonly masks?: boolean;
  readonly "receptive-field"?: string | undefined;
}): void {
  const hasMasks = flags.masks === true;
  if (flags.out === undefined || hasMasks !== (flags["receptive-field"] !== undefined)) return;
  const what = hasMasks
    ? "--masks and --receptive-field draw two. Ask for one of them, or leave --out out"
    : "nothing is drawn that it could hold. Add --masks or --receptive-field";
  throw new UsageError(`--out names the file of one drawing, and ${what}.`, { out: flags.out });
}

export default class Explain extends CoolCommand {
  static override summary = "Print the explanation tree of images or other inputs";
  static override description =
    "A question is shown where its precondition holds by the network's own answers. Everything comes from the run's folder: the project may have changed since. Where a tree is wider than the terminal, logits and then the probabilities of being asked are left out, and lines are folded; --wide shows all.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> image.png",
    "<%= config.bin %> <%= command.id %> images/*.png --run long --json",
    "<%= config.bin %> <%= command.id %> image.png --given member=true",
    "<%= config.bin %> <%= command.id %> image.png --suppose door_open=false --suppose door_locked.threshold=0.9",
    "<%= config.bin %> <%= command.id %> image.png --coverage 0.95",
    "<%= config.bin %> <%= command.id %> image.png --uncertainty --samples 100",
    "<%= config.bin %> <%= command.id %> image.png --why",
    "<%= config.bin %> <%= command.id %> image.png --masks",
    "<%= config.bin %> <%= command.id %> image.png --receptive-field person_present --out person.png",
    "<%= config.bin %> <%= command.id %> \"select 'every painter sells a song .' as text\" --receptive-field part",
  ];
  static override strict = false;
  static override args = {
    image: Args.string({
      description: "images or texts (several may be given), or one table or query with the run's input columns",
      required: true,
    }),
  };
  static override flags = {
    run: Flags.string({ summary: `the run to ask: ${RUN_HELP}`, default: "latest" }),
    given: Flags.string({
      summary: "answer of a known task, for all images (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      helpValue: "NAME=true|false",
    }),
    suppose: Flags.string({
      summary: "an answer as if the network gave it, or a threshold NAME.threshold=NUMBER (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      helpValue: "NAME=ANSWER",
    }),
    ...COVERAGE_FLAGS,
    uncertainty: Flags.boolean({ summary: "ask again and again under dropout, and show how far the answers spread" }),
    samples: Flags.integer({
      summary: `passes under dropout (${DEFAULT_SAMPLES})`,
      min: 2,
      dependsOn: ["uncertainty"],
    }),
    seed: Flags.integer({ summary: "seed of the dropout", dependsOn: ["uncertainty"] }),
    why: Flags.boolean({
      summary: "draw where in the image each answer comes from, as <image>.why.png here",
      description:
        "Of decisions by Grad-CAM where the trunk has a map of at least 3 × 3 places, of numbers by SmoothGrad, and behind an ONNX or graph model, which have no gradients, by occlusion; figures that are answered are drawn as well.",
    }),
    masks: Flags.boolean({
      summary: "draw the answers of tasks per pixel over the image, as <image>.masks.png here",
    }),
    "receptive-field": Flags.string({
      summary: "draw the pixels, or the tokens, on which a task's answer depends",
      helpValue: "TASK",
    }),
    out: Flags.string({
      summary: "file of the drawing; default: <image>.<task>.png or <image>.masks.png here",
      helpValue: "FILE.png",
    }),
  };

  async run(): Promise<Explained> {
    const { argv, flags } = await this.parse(Explain);
    const coverage = coverageFrom(flags);
    assertOneDrawing(flags);
    const run = await loadRun(this.storeDir(flags), flags.run, { project: flags.project });
    const images = argv as string[];
    const { uncertainty: asked, samples, seed, out } = flags;
    try {
      const given = parseGiven(flags.given);
      const uncertainty = asked ? { samples, seed } : undefined;
      if (asked) await this.#warnWithoutDropout(run);
      const ofAnswers: string[] = [];
      const masked: MaskedPicture[] = [];
      const onWarning = (warning: string): void => void ofAnswers.push(warning);
      const explanations = await run.explain(images, {
        given,
        uncertainty,
        coverage,
        suppose: flags.suppose,
        onWarning,
        onMasks: flags.masks ? (picture) => void masked.push(picture) : undefined,
      });
      const ofCoverage = coverage === undefined ? [] : await run.coverageWarnings(coverage);
      for (const line of ofAnswers) this.note(`warning: ${line}`);
      for (const line of warningLines(ofCoverage)) this.note(line);
      const warnings = [...ofAnswers, ...ofCoverage];
      const said = coverage === undefined && warnings.length === 0 ? {} : { warnings };
      const task = flags["receptive-field"];
      const fields = task === undefined ? [] : await writeReceptiveFields(run, images, task, out);
      const masks = await writeDrawnMasks(masked, { inputs: images, tables: run.tables }, out);
      const sheets = flags.why ? await this.#why(run, images) : [];
      for (const explanation of explanations) this.log(run.print(explanation, treeStyle(), tableColumns()));
      for (const { file, input } of sheets) this.log(`why ${input} is answered so: ${file}`);
      for (const { file, input } of masks) this.log(`masks of ${input}: ${file}`);
      const why = flags.why ? { why: sheets } : {};
      const drawn = flags.masks ? { masks } : {};
      const result = { run: run.id, explanations, ...said, ...why, ...drawn };
      if (task === undefined) return result;
      if (explanations.length > images.length) {
        this.note(
          `The receptive field is that of the first row; give a query for another, e.g. one that ends in: limit 1 offset 2`,
        );
      }
      for (const { file, input } of fields) this.log(`receptive field of ${task} on ${input}: ${file}`);
      return { ...result, receptive_fields: fields };
    } finally {
      run.close();
    }
  }

  /** Where no gradient is known it takes a hundred passes. */
  async #why(run: LoadedRun, images: readonly string[]): Promise<WrittenWhy[]> {
    const logger = await openConsoleLogger(process.stderr);
    const sheets = await this.interruptible((signal) =>
      writeWhy(run, images, { signal, onProgress: (what, done, total) => logger.work?.({ what, done, total }) }),
    );
    await logger.close?.();
    return sheets;
  }

  async #warnWithoutDropout(run: LoadedRun): Promise<void> {
    const still = await run.withoutDropout();
    if (still.length === 0) return;
    const all = run.graph.tasks.every(({ path, feature }) => feature === null || still.includes(path));
    const whose = all ? "The trunk has no dropout layer" : `No dropout layer leads to ${still.join(", ")}`;
    this.note(
      `${whose}, so every pass gives the same ${all ? "answers and all" : "answer there and its"} deviations are 0. Add layers.dropout({ rate: 0.2 }) to the trunk before the feature and train again.`,
    );
  }
}
