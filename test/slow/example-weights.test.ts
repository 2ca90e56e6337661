/** @file Training the example comes to the weights that it came to before, bit by bit. */
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

// recorded when the gradient by a filter began to be added up in bands (commit 33472624), which rounds otherwise; a new
// record needs such a reason
const WEIGHTS = "6bce0c41ae60cbcf979d2b5c89348cd232a46527515018dd13974247b0d097a3";

test("two epochs of the example on wasm end with the weights on record", async () => {
  const options = ["--epochs", "2", "--seed", "7", "--backend", "wasm", "--store", store];
  const { code } = await cool(["run", example, ...options], { timeoutMs: 290_000 });
  expect(code).toBe(0);
  const [id = ""] = readdirSync(join(store, "runs"));
  const weights = readFileSync(join(store, "runs", id, "checkpoints", "last", "weights.bin"));
  expect(createHash("sha256").update(weights).digest("hex")).toBe(WEIGHTS);
});
