/** @file A model behind an address, fetched once: its files are kept in this user's cache. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { noModel } from "./no-model.js";
import { PREPROCESSOR_CONFIG } from "./preprocessor-config.js";
import { ConfigError, CoolError, lineOf } from "../../../errors.js";
import { cacheFolder, type Environment } from "../../../platform/cache-folder.js";

/**
 * The local copy of a model's file: `<cache>/models/<digest of the address>/`, with its weights and, where the server has
 * one, its preprocessor_config.json beside it. The folder is complete or not there.
 * @param address of a model.json, whose weights lie beside it
 * @throws ConfigError where it cannot be had
 */
export async function fetchModel(address: string, env: Environment = process.env): Promise<string> {
  const folder = join(cacheFolder(env), "models", createHash("sha256").update(address).digest("hex").slice(0, 32));
  const name = basename(new URL(address).pathname) || "model.json";
  const file = join(folder, name);
  if (existsSync(file)) return file;
  const writing = `${folder}.${randomUUID()}.writing`;
  try {
    mkdirSync(writing, { recursive: true });
    const bytes = await get(address);
    if (name.endsWith(".json")) assertJson(bytes, address);
    writeFileSync(join(writing, name), bytes);
    for (const path of weightPaths(bytes)) writeFileSync(join(writing, path), await get(beside(address, path)));
    await tryPreprocessing(address, writing);
    rename(writing, folder);
    return file;
  } catch (error) {
    rmSync(writing, { recursive: true, force: true });
    if (error instanceof CoolError) throw error;
    throw unavailable(address, error instanceof Error ? error.message : String(error), error);
  }
}

/** Another process may have fetched the same meanwhile. */
function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
    rmSync(from, { recursive: true, force: true });
  }
}

async function get(address: string): Promise<Buffer> {
  const response = await fetch(address);
  if (!response.ok) throw unavailable(address, `the server answers ${response.status} ${response.statusText}`.trim());
  const bytes = Buffer.from(await response.arrayBuffer());
  // what is kept is not fetched again
  const problem = noModel(bytes);
  if (problem !== null) throw unavailable(address, `the server answers, but ${problem}`);
  return bytes;
}

function assertJson(bytes: Buffer, address: string): void {
  try {
    JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw unavailable(address, `what the server answers is no JSON, or not all of it (${lineOf(error)})`, error);
  }
}

function unavailable(address: string, reason: string, cause?: unknown): ConfigError {
  return new ConfigError(
    `The model ${address} cannot be fetched: ${reason}. Check the address and the network, or fetch it by hand and name the file.`,
    { address, reason },
    { cause },
  );
}

/** Weight files that a model.json names; a file that is none names none. */
function weightPaths(bytes: Buffer): string[] {
  try {
    const { weightsManifest = [] } = JSON.parse(bytes.toString("utf8")) as {
      weightsManifest?: readonly { readonly paths?: readonly string[] }[];
    };
    const paths = weightsManifest.flatMap((group) => group.paths ?? []);
    // what lies elsewhere is refused when the model is read
    return paths.filter((path) => basename(path) === path && path !== "");
  } catch {
    return [];
  }
}

/** With the address's own query, as signed addresses need. */
function beside(address: string, path: string): string {
  const url = new URL(path, address);
  url.search = new URL(address).search;
  return url.href;
}

async function tryPreprocessing(address: string, folder: string): Promise<void> {
  const response = await fetch(beside(address, PREPROCESSOR_CONFIG)).catch(() => null);
  if (response?.ok !== true) return;
  const bytes = Buffer.from(await response.arrayBuffer());
  // servers of web pages answer with one where a file is not there
  if (noModel(bytes) === null) writeFileSync(join(folder, PREPROCESSOR_CONFIG), bytes);
}
