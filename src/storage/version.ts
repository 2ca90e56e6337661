/** @file The version of the running package. */
import { readFileSync } from "node:fs";

let version: string | undefined;

/** The `version` of package.json, read once. */
export function packageVersion(): string {
  version ??= readVersion();
  return version;
}

function readVersion(): string {
  // src/storage and dist/storage lie equally deep under the package's root
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const isManifest = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isManifest ? String(manifest.version) : "unknown";
}
