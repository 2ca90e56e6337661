/** @file `cool explain`: what the network says about images, question by question. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../cli/command.js";
import { parseGiven } from "../runs/given-answers.js";
import { type Explanation, loadRun } from "../runs/load-run.js";

export default class Explain extends CoolCommand {
  static override summary = "Print the explanation tree of images";
  static override description =
    "A question is shown where its precondition holds by the network's own answers. Everything comes from the run's folder: the project may have changed since.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> image.png",
    "<%= config.bin %> <%= command.id %> images/*.png --run long --json",
    "<%= config.bin %> <%= command.id %> image.png --given member=true",
  ];
  static override strict = false;
  static override args = {
    image: Args.string({ description: "images (several may be given)", required: true }),
  };
  static override flags = {
    run: Flags.string({ summary: `the run to ask: ${RUN_HELP}`, default: "latest" }),
    given: Flags.string({
      summary: "answer of a known task, for all images (may be repeated)",
      multiple: true,
      default: [],
      helpValue: "NAME=true|false",
    }),
  };

  async run(): Promise<{ run: string; explanations: Explanation[] }> {
    const { argv, flags } = await this.parse(Explain);
    const run = await loadRun(this.storeDir(flags), flags.run, { project: flags.project });
    try {
      const explanations = await run.explain(argv as string[], { given: parseGiven(flags.given) });
      for (const explanation of explanations) this.log(run.print(explanation));
      return { run: run.run.id, explanations };
    } finally {
      run.close();
    }
  }
}
