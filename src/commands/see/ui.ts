/** @file `cool ui`: the runs of a store in the browser. */
import { spawn } from "node:child_process";
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../cli/command.js";
import { migrationNote } from "../../storage/database/migrations.js";
import type { ServedUi } from "../../ui/serve-ui.js";

interface UiAddress {
  /** With the token that the first visit needs. */
  readonly url: string;
  readonly port: number;
  readonly store: string;
  readonly can_edit: boolean;
}

export default class Ui extends CoolCommand {
  static override summary = "Look at the runs of a store in the browser";
  static override description =
    "Serves pages on this machine's loopback address until Ctrl-C: all runs with search, sorting and comparison, and each run with its curves, evaluation, samples and log, live while it trains. The printed address holds a token that the first visit exchanges for a cookie; COOL_UI_TOKEN sets one of your own. Everything is read only unless --edit is given. With --json the address is printed once it answers.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> --edit",
    "<%= config.bin %> <%= command.id %> --store .cool --port 7200 --no-open",
  ];
  static override flags = {
    port: Flags.integer({ summary: "default: the first free one from 7100; 0: any", min: 0, max: 65_535 }),
    host: Flags.string({ summary: "address to serve on", default: "127.0.0.1" }),
    edit: Flags.boolean({ summary: "let the pages change tags, notes, stars and the trash", default: false }),
    open: Flags.boolean({ summary: "open the browser where there is a display", default: true, allowNo: true }),
  };

  async run(): Promise<UiAddress | undefined> {
    const { flags } = await this.parse(Ui);
    // what serves is loaded by nobody else
    const [{ readToken }, { isLoopback }, { serveUi }] = await Promise.all([
      import("../../http/token.js"),
      import("../../http/hosts.js"),
      import("../../ui/serve-ui.js"),
    ]);
    const ui = await serveUi({
      store: this.storeDir(flags),
      project: flags.project,
      host: flags.host,
      port: flags.port,
      token: readToken({ variable: ["COOL_UI_TOKEN", process.env.COOL_UI_TOKEN] }),
      canEdit: flags.edit,
      onNote: (line) => this.note(line),
    });
    if (ui.backup !== null) this.note(migrationNote(ui.backup));
    if (!isLoopback(flags.host)) {
      this.note(`warning: whoever reaches ${flags.host} and has the token can read this store, over plain HTTP.`);
    }
    this.#announce(ui, flags.edit);
    if (flags.open && hasDisplay()) openBrowser(ui.firstUrl);
    await this.untilInterrupted();
    await ui.close();
    return undefined;
  }

  #announce({ firstUrl, port, store }: ServedUi, canEdit: boolean): void {
    if (this.jsonEnabled()) super.logJson({ url: firstUrl, port, store, can_edit: canEdit } satisfies UiAddress);
    else this.log(`${store} at ${firstUrl} (${canEdit ? "with changes" : "read only"}; Ctrl-C ends it)`);
  }

  /** The address has been printed when it answered; the end prints nothing. */
  protected override logJson(json: unknown): void {
    if (json !== undefined) super.logJson(json);
  }
}

function hasDisplay(): boolean {
  if (process.platform === "darwin" || process.platform === "win32") return !process.env.SSH_CONNECTION;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/** Where there is none that opens, the address has been printed. */
function openBrowser(url: string): void {
  const [program, args] =
    process.platform === "darwin"
      ? ["open", [url]]
      : process.platform === "win32"
        ? ["rundll32", ["url.dll,FileProtocolHandler", url]]
        : ["xdg-open", [url]];
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
