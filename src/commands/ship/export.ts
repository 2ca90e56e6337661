/** @file `cool export`: a run as a model that answers without dnn-cool. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { drawTable } from "../../cli/tables/tables.js";
import { measuredTable } from "../../cli/tables/measured-table.js";
import { UsageError } from "../../errors.js";
import { openConsoleLogger } from "../../logging/console.js";
import { type ExportResult, shipRun } from "../../shipping/export-run.js";
import { FORMATS } from "../../shipping/formats.js";
import type { Measurement } from "../../shipping/measuring/measurement.js";
import { GATE_FORMS } from "../../shipping/onnx/export-onnx.js";
import { PRECISIONS } from "../../shipping/onnx/precision.js";
import { openBrowser } from "../../shipping/web/open-browser.js";

export default class Export extends CoolCommand {
  static override summary = "Export a run's model, to answer without dnn-cool";
  static override description =
    "onnx: one model for any ONNX runtime, with preprocessing and decisions inside. layers: a LayersModel for TensorFlow.js. savedmodel: the same as onnx, for TensorFlow. web: a page for any static server, that answers in the browser, and goes on without a network. All come with predictor.json for dnn-cool/predictor, a model card, and the SHA-256 of every file. To move a run with all its files to another store, see cool runs export.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest --to shipped",
    "<%= config.bin %> <%= command.id %> long --to model.onnx",
    "<%= config.bin %> <%= command.id %> long --precision int8 --to small",
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
    precision: Flags.option({
      options: PRECISIONS,
      default: "float32",
      summary: "how an ONNX model keeps its weights",
      description:
        "float16: half the size, computed in float32. int8: dense layers and convolutions in whole numbers of 8 bits (dynamic quantization), a quarter of the size. What either costs is measured on the test split.",
    })(),
    gates: Flags.option({
      options: GATE_FORMS,
      default: "tensors",
      summary: "what an ONNX model does about questions that are not asked",
      description:
        "tensors: the whole network answers every row, and says which answers count. if: layers that only gated questions need run where one of these is asked of any row of the batch.",
    })(),
    measure: Flags.boolean({
      summary: "evaluate the ONNX model beside its run, with onnxruntime-node; default: of float16 and int8",
      allowNo: true,
    }),
    licence: Flags.string({ summary: "terms under which the model may be used, for its card", helpValue: "TEXT" }),
    open: Flags.boolean({
      summary: "serve the page of --format web on this computer, and show it, until Ctrl-C",
    }),
  };

  async run(): Promise<ExportResult> {
    const { args, flags } = await this.parse(Export);
    const { open, format } = flags;
    if (open && format !== "web") {
      throw new UsageError(`--open shows a page, and --format ${format} has none. Add --format web.`, { format });
    }
    const logger = await openConsoleLogger(process.stderr);
    const result = await this.interruptible((signal) =>
      this.withStore(flags, (store) =>
        shipRun(store, args.run, {
          ...flags,
          signal,
          onProgress: (what, done, total) => logger.work?.({ what, done, total }),
        }),
      ),
    );
    await logger.close?.();
    this.log(`run ${result.run.id} (${result.run.name}) is exported to ${result.out}`);
    this.log(
      drawTable(
        ["file", "bytes"],
        result.files.map(({ path, bytes }) => [path, String(bytes)]),
      ),
    );
    if (result.measurement !== undefined) this.#tell(result.measurement, result.precision);
    if (open) await this.#show(result.out);
    return result;
  }

  async #show(folder: string): Promise<void> {
    // a server is only loaded where one is asked for
    const { serveFolder } = await import("../../shipping/web/static-server.js");
    const served = await serveFolder(folder);
    try {
      this.note(`the page is at ${served.url}; press Ctrl-C to stop`);
      openBrowser(served.url);
      await this.untilInterrupted();
    } finally {
      await served.close();
    }
  }

  #tell({ measured, not_measured: reason, bytes }: Measurement, precision: string): void {
    const share = Math.round((100 * bytes.exported) / bytes.float32);
    if (precision !== "float32") this.log(`${precision}: ${share} % of the ${bytes.float32} bytes in float32`);
    if (measured === null) {
      this.note(`warning: not measured: ${reason}`);
      return;
    }
    this.log(measuredTable(measured.metrics, measured.split));
    this.log(`${measured.rows} rows, in ${measured.runtime}, where the questions are rightly asked`);
    if (measured.data_changed) {
      this.note(
        "warning: the tables or pictures have changed since the run was made, and part of the differences with them",
      );
    }
  }
}
