/** @file The version of the running package. */
import { readFileSync } from "node:fs";
import { packageFile } from "./package-file.js";

let version: string | undefined;

/** The `version` of package.json, read once. */
export function packageVersion(): string {
  version ??= readVersion();
  return version;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packageFile("package.json"), "utf8"));
  const isManifest = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isManifest ? String(manifest.version) : "unknown";
}
