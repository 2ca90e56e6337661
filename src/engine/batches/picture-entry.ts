/** @file The thread that changes pictures: one batch after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { type PictureChanges, type Pictures, pictureAugmenter } from "./augment.js";
import type { PictureRequest } from "./picture-thread.js";

const augment = pictureAugmenter(workerData as PictureChanges);

parentPort?.on("message", ({ epoch, rows, pictures }: PictureRequest) => {
  // in this thread it changes them in place
  const changed = augment(epoch, rows, pictures) as Pictures;
  parentPort?.postMessage(
    changed,
    Object.values(changed).map(({ buffer }) => buffer as ArrayBuffer),
  );
});
