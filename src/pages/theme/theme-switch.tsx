/** @file The switch between light, dark and what the system says. */
import { useEffect, useState } from "preact/hooks";

type Theme = "auto" | "light" | "dark";

const NAMES: Readonly<Record<Theme, string>> = { auto: "as the system", light: "light", dark: "dark" };
const KEY = "dnn-cool-theme";

/** Is told where colours have changed, so that canvases are drawn again. @returns how to stop listening */
export function onThemeChange(listener: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", listener);
  addEventListener(KEY, listener);
  return () => {
    system.removeEventListener("change", listener);
    removeEventListener(KEY, listener);
  };
}

/** Remembers the choice where the browser lets a page do so. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>("auto");
  useEffect(() => {
    const recall = (): void => setTheme(remembered());
    recall();
    // what was chosen in another tab
    addEventListener("storage", recall);
    return () => removeEventListener("storage", recall);
  }, []);
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    dispatchEvent(new Event(KEY));
  }, [theme]);
  const choose = (chosen: Theme): void => {
    setTheme(chosen);
    remember(chosen);
  };
  return (
    <label class="needs-script no-print small">
      Colours{" "}
      <select value={theme} onChange={(event) => choose(themeOf(event.currentTarget.value))}>
        {Object.entries(NAMES).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function themeOf(text: string | null): Theme {
  return text === "light" || text === "dark" ? text : "auto";
}

/** A page from disk, or one without cookies, may have no storage. */
function remembered(): Theme {
  try {
    return themeOf(localStorage.getItem(KEY));
  } catch {
    return "auto";
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // the choice holds until the page is closed
  }
}
