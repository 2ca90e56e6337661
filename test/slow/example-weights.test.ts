/** @file Training the example comes to the weights that it came to in the first release, bit by bit. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { cool } from "../support/cli.js";

const example = fileURLToPath(new URL("../../examples/home-security", import.meta.url));
const store = mkdtempSync(join(tmpdir(), "cool-weights-"));
afterAll(() => rmSync(store, { recursive: true, force: true }));

// recorded with the release before the rooms were sorted (commit 4a168c3)
const WEIGHTS = "053c3f3e89d32ec83690ef1d92e98c7ffa7608e0074a55397f77d9d8691fb05c";

test("two epochs of the example on wasm end with the weights of the first release", async () => {
  const options = ["--epochs", "2", "--seed", "7", "--backend", "wasm", "--store", store];
  const { code } = await cool(["run", example, ...options], { timeoutMs: 290_000 });
  expect(code).toBe(0);
  const [id = ""] = readdirSync(join(store, "runs"));
  const weights = readFileSync(join(store, "runs", id, "checkpoints", "last", "weights.bin"));
  expect(createHash("sha256").update(weights).digest("hex")).toBe(WEIGHTS);
});
