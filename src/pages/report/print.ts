/** @file Parts of the page that open by themselves: all on paper, and the one that a link leads to. */

/** Opens what can be opened before the page is printed, and closes it again. @returns how to stop */
export function openWhenPrinted(): () => void {
  let opened: HTMLDetailsElement[] = [];
  const before = (): void => {
    opened = [...document.querySelectorAll<HTMLDetailsElement>("details:not([open])")];
    for (const details of opened) details.open = true;
  };
  const after = (): void => {
    for (const details of opened) details.open = false;
    opened = [];
  };
  addEventListener("beforeprint", before);
  addEventListener("afterprint", after);
  return () => {
    removeEventListener("beforeprint", before);
    removeEventListener("afterprint", after);
  };
}

/** Opens the part of the page that a link leads to. @returns how to stop */
export function openWhenTold(): () => void {
  const open = (): void => {
    const target = location.hash === "" ? null : document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  open();
  addEventListener("hashchange", open);
  return () => removeEventListener("hashchange", open);
}
