/** @file What the page began with: who serves it, and the answer to its first question. */
import type { About } from "../../../ui/api/types.js";

interface First {
  readonly about: About;
  first: unknown;
}

let found: First | null = null;

function embedded(): First {
  // written by the same version of dnn-cool as this script
  found ??= JSON.parse(document.getElementById("first")?.textContent ?? "") as First;
  return found;
}

export function about(): About {
  return embedded().about;
}

/** The answer that the first view would ask for, once. */
export function takeFirst<T>(): T | null {
  const { first } = embedded();
  embedded().first = null;
  return first as T | null;
}
