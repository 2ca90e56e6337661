/** @file The pages that users read, and the snippets in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Pages whose snippets build on each other, in the order in which a newcomer reads them. */
export const GUIDES = [
  "README.md",
  "docs/guide.md",
  "docs/flow.md",
  "docs/tasks.md",
  "docs/data.md",
  "docs/training.md",
  "docs/runs.md",
  "docs/labels.md",
  "docs/probability.md",
  "docs/track.md",
  "docs/ui.md",
  "docs/ship.md",
  "docs/recipes.md",
  "docs/sweep.md",
  "docs/clusters.md",
  "docs/architecture.md",
  "CONTRIBUTING.md",
] as const;

/** Every page there is, by its path from the root; what `npm run docs` makes of the API aside. */
export const PAGES: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...["bench", "docs", "examples/home-security", "examples/shapes-masks", "examples/tokens"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}/${name}`),
  ),
];

export interface Snippet {
  readonly page: string;
  readonly language: string;
  /** The file that it is, or the test that runs it. */
  readonly title: string | undefined;
  readonly text: string;
}

export function textOf(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

export function snippetsOf(page: string): Snippet[] {
  return [...textOf(page).matchAll(/^ *```(\w*)(?: title="([^"]+)")?\n([\s\S]*?)^ *```$/gm)].map(
    ([, language = "", title, text = ""]) => ({ page, language, title, text }),
  );
}
