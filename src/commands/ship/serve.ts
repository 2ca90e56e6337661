/** @file `cool serve`: a run or an export behind HTTP. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { bytesFlag, timeFlag } from "../../cli/quantities.js";
import type { Serving } from "../../serving/serve-model.js";

interface Served {
  readonly url: string;
  readonly run: { readonly id: string; readonly name: string };
  readonly requests: number;
  readonly rows: number;
}

export default class Serve extends CoolCommand {
  static override summary = "Serve a run or an export over HTTP";
  static override description =
    "Answers POST /predict and POST /explain (a picture, a form, or JSON), GET /health, /metrics and /openapi.json, until Ctrl-C or SIGTERM: then it finishes what is under way. Served are runs, and what cool export has written (folders of the formats onnx and layers, and .onnx files). On addresses that others reach it asks for a token.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest",
    "<%= config.bin %> <%= command.id %> shipped --port 8080 --workers 4",
    "COOL_SERVE_TOKEN=$(openssl rand -hex 32) <%= config.bin %> <%= command.id %> model.onnx --host 0.0.0.0 --allow-host api.example.org",
  ];
  static override args = {
    model: Args.string({ description: `${RUN_HELP}; or path of an export`, default: "latest" }),
  };
  static override flags = {
    host: Flags.string({ summary: "address to serve on", default: "127.0.0.1" }),
    port: Flags.integer({ summary: "port to serve on; 0: any that is free", default: 8000, min: 0, max: 65_535 }),
    "token-file": Flags.string({
      summary: "file of a token that requests must bring; or COOL_SERVE_TOKEN",
      helpValue: "FILE",
    }),
    "max-batch": Flags.integer({ summary: "rows that pass the network together", default: 32, min: 1, max: 1024 }),
    "max-delay": timeFlag("max-delay", { summary: "wait of a row for others", usual: "5ms", min: 0, max: 10_000 }),
    "max-body": bytesFlag("max-body", { summary: "size of a request", usual: "20MB", min: 1000, max: 1e9 }),
    "max-pixels": Flags.integer({
      summary: "size of a picture, in millions of pixels",
      default: 64,
      min: 1,
      max: 268,
      helpValue: "MILLIONS",
    }),
    timeout: timeFlag("timeout", {
      summary: "time for a request to come, and to be answered",
      usual: "30s",
      min: 100,
      max: 3_600_000,
    }),
    workers: Flags.integer({ summary: "copies of the model; default: one per core, at most 8", min: 1, max: 256 }),
    cors: Flags.string({
      summary: "origin whose pages may ask (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      helpValue: "https://HOST",
    }),
    "allow-host": Flags.string({
      summary: "name by which it may be asked (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      helpValue: "NAME",
    }),
    quiet: Flags.boolean({ summary: "no line per request on stderr" }),
  };

  async run(): Promise<Served> {
    const { args, flags } = await this.parse(Serve);
    // what serves is loaded by nobody else
    const [{ readToken }, { checkOrigin }, { serveModel }] = await Promise.all([
      import("../../http/token.js"),
      import("../../http/hosts.js"),
      import("../../serving/serve-model.js"),
    ]);
    const token = readToken({
      file: flags["token-file"],
      variable: ["COOL_SERVE_TOKEN", process.env.COOL_SERVE_TOKEN],
    });
    const serving = await serveModel(args.model, {
      storeDir: () => this.storeDir(flags),
      project: flags.project,
      host: flags.host,
      port: flags.port,
      token,
      maxBatch: flags["max-batch"],
      maxDelayMs: flags["max-delay"] ?? 5,
      maxBodyBytes: flags["max-body"] ?? 20e6,
      maxPixels: flags["max-pixels"] * 1e6,
      timeoutMs: flags.timeout ?? 30_000,
      workers: flags.workers,
      origins: flags.cors.map(checkOrigin),
      hosts: flags["allow-host"],
      onAnswer: (entry) => {
        if (!flags.quiet) this.note(JSON.stringify(entry));
      },
      onNote: (line) => this.note(line),
    });
    this.#tell(serving);
    await this.#untilStopped(serving);
    const { url, model, counts } = serving;
    return { url, run: model.run, requests: counts.requests, rows: counts.rows };
  }

  #tell({ url, model, workers, runtime }: Serving): void {
    const line = `${model.title} is served on ${url} by ${workers} ${workers === 1 ? "worker" : "workers"} (${runtime})`;
    // with --json, stdout is the result's
    if (this.jsonEnabled()) this.note(line);
    else this.log(line);
  }

  async #untilStopped(serving: Serving): Promise<void> {
    await this.interruptible(
      (signal) =>
        new Promise<void>((resolve, reject) => {
          signal.addEventListener("abort", () => {
            serving.close().then((isAll) => {
              if (!isAll) this.note("some requests were not answered in time and have been cut off");
              resolve();
            }, reject);
          });
        }),
      () => this.note("\nstopping: requests under way are finished; Ctrl-C again quits at once"),
    );
  }
}
