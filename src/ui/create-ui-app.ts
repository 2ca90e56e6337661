/** @file The application of `cool ui`: pages and what they ask for, for one person on one machine. */
import { type App, type AppOptions, createApp } from "../http/app.js";
import { problemPage } from "./html/shell.js";
import { addApi } from "./routes/api.js";
import type { UiContext } from "./routes/context.js";
import { addPages } from "./routes/pages.js";

export interface UiAppOptions extends Pick<AppOptions, "hosts" | "onAnswer" | "onFailure"> {
  readonly token: string;
}

export function createUiApp(ui: UiContext, options: UiAppOptions): App {
  const app = createApp({
    ...options,
    open: [],
    origins: [],
    hasCookie: true,
    problemPage,
    whereToLook: "All runs are at /.",
  });
  addApi(app, ui);
  addPages(app, ui);
  return app;
}
