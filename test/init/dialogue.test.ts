/** @file What init asks, with answers from a list. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { askLine } from "../../src/cli/ask.js";
import { InterruptedError } from "../../src/errors.js";
import { askPlan, askSource, type Person } from "../../src/init/dialogue.js";
import { csvOf, folder } from "./table.js";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function person(...answers: readonly string[]): Person & { readonly said: string[]; readonly left: string[] } {
  const [left, said] = [[...answers], [] as string[]];
  const ask = async (question: string): Promise<string> => {
    said.push(question);
    const answer = left.shift();
    if (answer === undefined) throw new InterruptedError(`nobody answers: ${question}`);
    return answer;
  };
  return { ask, said, left, width: 80, say: (line) => said.push(line) };
}

function smokers(): string {
  const rows = Array.from({ length: 40 }, (_, row) => [
    String(row * 3),
    String(row % 2),
    ["a", "b", "c"][row % 3] ?? "",
  ]);
  const dir = folder({ "labels.csv": csvOf(["age", "smoker", "site"], rows) });
  dirs.push(dir);
  return dir;
}

describe("columns", () => {
  test("an unclear one is asked for until the answer can be; one answer makes others clear", async () => {
    const projectDir = smokers();
    const asked = person("truth", "multilabel", "input", "binary", "");
    const source = await askSource({ path: join(projectDir, "labels.csv"), projectDir }, asked);
    const { proposal } = await askPlan(source, {}, asked);
    expect(proposal.tasks).toMatchObject([{ name: "smoker", role: { kind: "binary" } }]);
    expect(proposal.inputs.map(({ columns }) => columns)).toEqual([["site"], ["age"]]);
    expect(asked.said.join("\n")).toContain('No answer named "truth"');
    expect(asked.said.join("\n")).toContain('The column "age" cannot be multilabel');
    expect(asked.said.filter((line) => line.startsWith('"site":'))).toEqual([]);
    expect(asked.left).toEqual([]);
  });

  test("what is proposed can be changed before it is written", async () => {
    const projectDir = smokers();
    const asked = person("nowhere=input", "site=ignore", "smoker=ignore", "age=regression", "site=input", "");
    const source = await askSource({ projectDir }, asked);
    const wishes = { tasks: new Map([["smoker", "binary"]] as const) };
    const { proposal } = await askPlan(source, wishes, asked);
    expect(proposal.tasks).toMatchObject([{ name: "age", role: { kind: "regression" } }]);
    expect(proposal.inputs).toMatchObject([{ columns: ["site"] }]);
    expect(asked.said.join("\n")).toContain('No column named "nowhere"');
  });
});

test("where there is nothing to begin with, it is asked for", async () => {
  const projectDir = folder();
  dirs.push(projectDir);
  const asked = person("", "labels.csv", "tokens");
  const { table } = await askSource({ projectDir }, asked);
  expect([...table.columns.keys()]).toEqual(["text", "request", "topic", "urgent"]);
  expect(asked.said.join("\n")).toContain("There is no table");
});

describe("a line at a terminal", () => {
  const ask = (typed: string, end = false) => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const answer = askLine("Which? ", { input, output });
    if (end) input.end(typed);
    else input.write(typed);
    return answer;
  };

  test("is what was typed, without spaces around it", async () => {
    await expect(ask("  labels.csv \n")).resolves.toBe("labels.csv");
  });

  test("that ends without an answer stops the work, as Ctrl-C does", async () => {
    await expect(ask("", true)).rejects.toThrow(InterruptedError);
  });
});
