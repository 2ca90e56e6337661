/** @file A real browser for tests, driven by playwright-core. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

/** The part of playwright-core that is used here. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate(script: string): Promise<unknown>;
  screenshot(options: { readonly path: string; readonly fullPage?: boolean }): Promise<unknown>;
  textContent(selector: string): Promise<string | null>;
  getAttribute(selector: string, name: string): Promise<string | null>;
  waitForSelector(
    selector: string,
    options: { readonly state: "attached"; readonly timeout: number },
  ): Promise<unknown>;
  setInputFiles(selector: string, file: string): Promise<void>;
  fill(selector: string, value: string): Promise<void>;
  selectOption(selector: string, value: string): Promise<unknown>;
  click(selector: string, options?: { readonly modifiers?: readonly "Shift"[] }): Promise<void>;
  /** What assistive technology is told of the first element that is found. */
  locator(selector: string): { ariaSnapshot(): Promise<string> };
  reload(): Promise<unknown>;
  goBack(): Promise<unknown>;
  goForward(): Promise<unknown>;
  url(): string;
  close(): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void> };
  on(event: "console", listener: (message: { type(): string; text(): string }) => void): void;
  on(event: "pageerror", listener: (error: Error) => void): void;
}
export interface BrowserContext {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
interface ViewOptions {
  readonly viewport: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
  readonly javaScriptEnabled?: boolean;
}
export interface Browser {
  newPage(options: ViewOptions): Promise<Page>;
  newContext(options?: Partial<ViewOptions>): Promise<BrowserContext>;
  close(): Promise<void>;
}
interface Playwright {
  readonly chromium: {
    launch(options: { readonly executablePath: string; readonly args: readonly string[] }): Promise<Browser>;
  };
}

const WAIT_MS = 60_000;

/** Until an expression is true: asked from outside, as a page's policy may let nobody evaluate text in it. */
export async function until(page: Page, expression: string): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while ((await page.evaluate(expression)) !== true) {
    if (Date.now() > end) throw new Error(`it did not come to hold: ${expression}`);
    await sleep(50);
  }
}

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** @returns how to start a browser, or why there is none */
export function findBrowser(): ((args?: readonly string[]) => Promise<Browser>) | string {
  const executablePath = [process.env.COOL_BROWSER ?? "", ...BROWSERS].find((path) => existsSync(path));
  if (executablePath === undefined) return "no browser: install Debian's chromium, or name one in COOL_BROWSER";
  try {
    const { chromium } = createRequire(import.meta.url)("playwright-core") as Playwright;
    // a container's root user has no sandbox
    return (args = []) => chromium.launch({ executablePath, args: ["--no-sandbox", ...args] });
  } catch {
    return "playwright-core is not installed";
  }
}
