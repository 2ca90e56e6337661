/** @file The legend of a chart by keyboard: each curve is a button that shows or hides it. */
import type uPlot from "uplot";

/** @param hidden labels of curves that are not shown, which are kept up to date */
export function makeLegendButtons(plot: uPlot, hidden: Set<string>): void {
  const legend = plot.root.querySelector(".u-legend");
  // uPlot lays it out as a table, which it is not
  legend?.setAttribute("role", "group");
  legend?.setAttribute("aria-label", "Curves");
  for (const { label } of rowsOf(plot)) {
    label.tabIndex = 0;
    label.setAttribute("role", "button");
    label.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      label.click();
    });
  }
  tellLegend(plot, hidden);
}

export function tellLegend(plot: uPlot, hidden: Set<string>): void {
  for (const { label, series } of rowsOf(plot)) {
    const isShown = series.show !== false;
    label.setAttribute("aria-pressed", String(isShown));
    const name = String(series.label ?? "");
    if (isShown) hidden.delete(name);
    else hidden.add(name);
  }
}

/** The first row and series are those of the axis. */
function rowsOf({ root, series }: uPlot): { readonly label: HTMLElement; readonly series: uPlot.Series }[] {
  const labels = [...root.querySelectorAll<HTMLElement>(".u-legend .u-series > th")];
  const offset = series.length - labels.length;
  return labels.flatMap((label, i) => {
    const own = series[i + offset];
    return own === undefined || i + offset === 0 ? [] : [{ label, series: own }];
  });
}
