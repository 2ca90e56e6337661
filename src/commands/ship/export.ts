/** @file `cool export`: a run as a model that answers without dnn-cool. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { drawTable } from "../../cli/tables/tables.js";
import { UsageError } from "../../errors.js";
import { type ExportResult, FORMATS, shipRun } from "../../shipping/export-run.js";
import { openBrowser } from "../../shipping/web/open-browser.js";
import { serveFolder } from "../../shipping/web/static-server.js";

export default class Export extends CoolCommand {
  static override summary = "Export a run's model, to answer without dnn-cool";
  static override description =
    "onnx: one model for any ONNX runtime, with preprocessing and decisions inside. layers: a LayersModel for TensorFlow.js. web: a page for any static server, that answers in the browser, and goes on without a network. All come with predictor.json for dnn-cool/predictor, a model card, and the SHA-256 of every file. To move a run with all its files to another store, see cool runs export.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest --to shipped",
    "<%= config.bin %> <%= command.id %> long --to model.onnx",
    "<%= config.bin %> <%= command.id %> long --format layers --to shipped --licence CC-BY-4.0",
    "<%= config.bin %> <%= command.id %> long --format web --open",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    to: Flags.string({
      summary: "new folder, or file that ends with .onnx; default: <run id>-<format>",
      helpValue: "PATH",
    }),
    format: Flags.option({ options: FORMATS, default: "onnx", summary: "what the model is written as" })(),
    licence: Flags.string({ summary: "terms under which the model may be used, for its card", helpValue: "TEXT" }),
    open: Flags.boolean({
      summary: "serve the page of --format web on this computer, and show it, until Ctrl-C",
    }),
  };

  async run(): Promise<ExportResult> {
    const { args, flags } = await this.parse(Export);
    const { project, to, format, licence } = flags;
    if (flags.open && format !== "web") {
      throw new UsageError(`--open shows a page, and --format ${format} has none. Add --format web.`, { format });
    }
    const result = await this.withStore(flags, (store) => shipRun(store, args.run, { project, to, format, licence }));
    this.log(`run ${result.run.id} (${result.run.name}) is exported to ${result.out}`);
    this.log(
      drawTable(
        ["file", "bytes"],
        result.files.map(({ path, bytes }) => [path, String(bytes)]),
      ),
    );
    if (flags.open) await this.#show(result.out);
    return result;
  }

  async #show(folder: string): Promise<void> {
    const served = await serveFolder(folder);
    try {
      this.note(`the page is at ${served.url}; press Ctrl-C to stop`);
      openBrowser(served.url);
      await this.untilInterrupted();
    } finally {
      await served.close();
    }
  }
}
