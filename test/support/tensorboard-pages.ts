/** @file TensorBoard's pages on a store, in a real browser; pip and Chromium where they can be had. */
import { planTensorBoard, serveTensorBoard } from "../../src/machine/tensorboard.js";
import type { RunStore } from "../../src/storage/run-store.js";
import { findBrowser, type Page } from "./browser.js";
import { tensorBoardPython } from "./tensorboard.js";

export interface TensorBoardPages {
  readonly page: Page;
  readonly url: string;
  /** Ends the browser and the server; the store stays open. */
  close(): Promise<void>;
}

/** Opens them on what a store holds by then. @returns how, or why there is nothing to look at */
export async function findTensorBoardPages(): Promise<((store: RunStore) => Promise<TensorBoardPages>) | string> {
  const judge = await tensorBoardPython();
  if ("skip" in judge) return judge.skip;
  const launcher = findBrowser();
  if (typeof launcher === "string") return launcher;
  return async (store) => {
    const browser = await launcher();
    const page = await browser.newPage({ viewport: { width: 1600, height: 1200 } });
    const options = { program: [judge.python, "-m", "tensorboard.main"] as const, references: [], port: 0 };
    const plan = planTensorBoard(store, options);
    let ended: Promise<void> = Promise.resolve();
    const url = await new Promise<string>((resolve, reject) => {
      const onReady = (address: { readonly url: string }) => resolve(address.url);
      ended = serveTensorBoard(store, plan, options, onReady, () => {});
      ended.catch(reject);
    });
    const close = async () => {
      await browser.close();
      process.emit("SIGTERM", "SIGTERM");
      await ended;
    };
    return { page, url, close };
  };
}
