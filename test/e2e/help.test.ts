/** @file The help of the built command line: every command has its place, and a wrong name gets the nearest. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { cool } from "../support/cli.js";

const manifest = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../oclif.manifest.json", import.meta.url)), "utf8"),
) as { readonly commands: Readonly<Record<string, { readonly hidden?: boolean }>> };
const commands = Object.entries(manifest.commands).flatMap(([id, { hidden = false }]) =>
  hidden ? [] : [id.replaceAll(":", " ")],
);

interface Groups {
  readonly groups: readonly { readonly title: string; readonly commands: readonly { readonly name: string }[] }[];
}

describe("cool help", () => {
  it("has a place for every command, and one only", async () => {
    const { code, json } = await cool(["help", "--json"]);
    expect(code).toBe(0);
    const placed = (json as Groups).groups.flatMap((group) => group.commands.map(({ name }) => name));
    expect([...placed].sort()).toEqual([...commands].sort());
  });

  it("puts a command where its file lies", async () => {
    const { json } = await cool(["help", "--json"]);
    for (const { title, commands: rows } of (json as Groups).groups)
      for (const name of rows.map((row) => row.name)) {
        const path = fileURLToPath(
          new URL(`../../src/commands/${title}/${name.replaceAll(" ", "/")}`, import.meta.url),
        );
        expect(existsSync(path) || existsSync(`${path}.ts`), path).toBe(true);
      }
  });

  it("fits a terminal, as --help does, and begins with the first steps", async () => {
    const { code, stdout } = await cool(["help"]);
    expect(code).toBe(0);
    expect(stdout).toBe((await cool(["--help"])).stdout);
    expect(stdout).toContain("$ cool init labels.csv");
    expect(stdout).toMatch(/BEGIN\n {2}init .*TRAIN\n {2}run .*KEEP\n {2}runs /s);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("of a command or a topic is its own help, and of a wrong name the nearest", async () => {
    expect((await cool(["help", "runs", "list"])).stdout).toBe((await cool(["runs", "list", "--help"])).stdout);
    expect((await cool(["help", "runs"])).stdout).toContain("runs export");
    const { code, stderr } = await cool(["help", "tun"]);
    expect(code).toBe(2);
    expect(stderr).toContain('No command named "tun". Did you mean "tune"');
  });
});
