/** @file `cool ui`: a store as pages in a browser, until it is told to end. */
import type { AccessEntry } from "../http/app.js";
import { isLoopback } from "../http/hosts.js";
import { listen } from "../http/server.js";
import { newToken } from "../http/token.js";
import { packageFile } from "../platform/package-file.js";
import { packageVersion } from "../platform/version.js";
import { ChangeStream } from "./api/events.js";
import { Reports } from "./api/reports.js";
import { createUiApp } from "./create-ui-app.js";
import { readAssets } from "./html/assets.js";
import { listenOn } from "./listen-on.js";
import { LiveStore } from "./store/live-store.js";
import { OrderThread } from "./store/order-thread.js";
import { RunViews } from "./store/run-views.js";

export interface ServeUiOptions {
  readonly store: string;
  /** Folder of the user's project, as it was named: pictures of runs from elsewhere are looked for there alone. */
  readonly project?: string | undefined;
  readonly host: string;
  /** Undefined: the first free one of the usual ones; 0: any. */
  readonly port: number | undefined;
  /** Default: a new one. */
  readonly token?: string | null;
  readonly canEdit: boolean;
  readonly onAnswer?: (entry: AccessEntry) => void;
  /** Is told what else happens, in a line. */
  readonly onNote: (line: string) => void;
}

/** Pages that are being served. */
export interface ServedUi {
  /** Without the token. */
  readonly url: string;
  /** The first address, with the token in it. */
  readonly firstUrl: string;
  readonly port: number;
  readonly store: string;
  /** Copy of an older store that was migrated. */
  readonly backup: string | null;
  close(): Promise<void>;
}

const TIMEOUT_MS = 30_000;
/** For answers under way: pages that listen are let go at once. */
const GRACE_MS = 1000;

/** @throws StoreError where there is no store; UsageError for an address that cannot be had */
export async function serveUi(options: ServeUiOptions): Promise<ServedUi> {
  const token = options.token ?? newToken();
  const assets = readAssets(packageFile("dist/pages"));
  const live = new LiveStore({ dir: options.store, canEdit: options.canEdit });
  const orders = new OrderThread(live.dir);
  const changes = new ChangeStream(live);
  const about = { version: packageVersion(), store: live.dir, can_edit: options.canEdit };
  const app = createUiApp(
    { live, views: new RunViews(orders), reports: new Reports(live, options.project), changes, assets, about },
    {
      token,
      hosts: isLoopback(options.host) ? [] : [options.host],
      ...(options.onAnswer === undefined ? {} : { onAnswer: options.onAnswer }),
      onFailure: (error) => options.onNote(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    },
  );
  const release = async (): Promise<void> => {
    changes.close();
    await orders.close();
    live.close();
  };
  try {
    const listening = await listenOn(options.host, options.port, (port) =>
      listen(app, { host: options.host, port, timeoutMs: TIMEOUT_MS }),
    );
    return {
      url: listening.url,
      firstUrl: `${listening.url}/?token=${token}`,
      port: listening.port,
      store: live.dir,
      backup: live.backup,
      async close() {
        changes.close();
        await listening.close(GRACE_MS);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
