/** @file Every link of the pages leads somewhere, and so does every page that a comment of the code names. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { rooms } from "../../scripts/imports/rooms.mjs";
import { PAGES, root, textOf } from "../support/pages.js";

/** A page's text without its code, in which brackets are no links. */
function prose(page: string): string {
  return textOf(page)
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const headings = textOf(page)
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, "")
    .matchAll(/^#+ (.+)$/gm);
  const seen = new Map<string, number>();
  return [...headings].map(([, heading = ""]) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** What is wrong with a link; null: it leads somewhere. */
function problemOf(page: string, link: string): string | null {
  if (/^[a-z]+:/.test(link)) return null;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : relative(root, resolve(root, dirname(page), path));
  if (!existsSync(join(root, target))) return `${page} → ${link}: no such file`;
  if (anchor === undefined || anchorsOf(target).includes(anchor)) return null;
  return `${page} → ${link}: no such heading`;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(m?[jt]s|cjs|py)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

describe("pages", () => {
  it.each(PAGES)("%s has links that lead somewhere", (page) => {
    const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    expect(links.map((link) => problemOf(page, link)).filter((problem) => problem !== null)).toEqual([]);
  });

  it("can all be reached from the README", () => {
    const reached = new Set(["README.md"]);
    for (const page of reached) {
      for (const [, link = ""] of prose(page).matchAll(/\]\(([^)\s#]+\.md)/g)) {
        const target = relative(root, resolve(root, dirname(page), link));
        if (PAGES.includes(target)) reached.add(target);
      }
    }
    expect(PAGES.filter((page) => !reached.has(page))).toEqual([]);
  });

  it("have a line for every room of the code", () => {
    const architecture = textOf("docs/architecture.md");
    const names = Object.keys(rooms).map((room) => room.split("/").at(-1));
    expect(
      names.filter((name) => !architecture.includes(`\`${name}/\``) && !architecture.includes(`\`${name}.ts\``)),
    ).toEqual([]);
  });

  it("have a README that is read in five minutes", () => {
    expect(textOf("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
  });

  it("have no table without rows", () => {
    const empty = PAGES.filter((page) => /^\|[-:| ]+\|\n(?!\|)/m.test(textOf(page)));
    expect(empty).toEqual([]);
  });
});

describe("comments of the code", () => {
  const files = [...["src", "test", "bench", "examples", "scripts", "bin"].flatMap(sources), "vitest.config.ts"];

  it("name pages and headings that exist", () => {
    const problems = files.flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(/\b((?:[\w.-]+\/)*[\w.-]+\.md)(#[\w-]+)?/g)]
        .filter(([, page = ""]) => /^(docs|bench|examples)\//.test(page) || /^[A-Z]+\.md$/.test(page))
        .map(([, page = "", anchor = ""]) => problemOf("README.md", page + anchor))
        .filter((problem) => problem !== null)
        .map((problem) => `${file}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it("cite no page that does not ship", () => {
    const cited = files.filter(
      (file) =>
        file !== "test/docs/links.test.ts" && /\bDESIGN\b|\bSTYLE\.md\b/.test(readFileSync(join(root, file), "utf8")),
    );
    expect(cited).toEqual([]);
  });
});
