/** @file Files that stand in a model's place: what servers, proxies and git leave there. */
import { closeSync, openSync, readSync } from "node:fs";

/** Enough to tell. */
const HEAD_BYTES = 256;

/** What a file is that is certainly no model, in words; null: it may be one. @param bytes its beginning */
export function noModel(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return "the file is empty";
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString("latin1").trimStart();
  if (head.startsWith("version https://git-lfs")) {
    return "it is a pointer of Git LFS and not the file itself, which git lfs pull fetches";
  }
  return /^<(!doctype|html|head|body|\?xml)/i.test(head)
    ? "it is a web page, as servers answer where one has to sign in or a file is gone"
    : null;
}

/** The same of a file on the disk; null also where it cannot be read. */
export function noModelAt(file: string): string | null {
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const handle = openSync(file, "r");
    try {
      return noModel(head.subarray(0, readSync(handle, head)));
    } finally {
      closeSync(handle);
    }
  } catch {
    return null;
  }
}
