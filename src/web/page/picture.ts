/** @file A picture to be asked about: from a file, dropped, pasted, or of the camera, with its figures drawn on it. */
import type { ShownFigure } from "../messages.js";
import { openCamera } from "./camera.js";
import { element } from "./elements.js";
import { inDigits } from "./numbers.js";

/** A field that takes a picture. */
export interface PictureField {
  readonly view: HTMLElement;
  /** null: none has been chosen. */
  readonly file: () => File | null;
  readonly take: (file: File) => void;
  readonly draw: (figures: readonly ShownFigure[]) => void;
}

/** Colours of figures, which style.css has. */
const COLOURS = 6;
/** Below this width single pixels are shown as such. */
const SMALL = 200;

/**
 * @param onChosen told whenever another picture is there
 * @param onProblem told in words
 */
export function pictureField(
  name: string,
  onChosen: (file: File) => void,
  onProblem: (text: string) => void,
): PictureField {
  let file: File | null = null;
  const input = element("input", {
    type: "file",
    accept: "image/*",
    class: "hidden",
    id: `file-${name}`,
    tabindex: "-1",
  });
  const choose = element("button", { type: "button" }, "Choose a picture…");
  const camera = element("button", { type: "button", class: "second" }, "Use the camera");
  const image = element("img", { alt: "" });
  const figures = element("div", { class: "figures", "aria-hidden": "true" });
  const stage = element("div", { class: "stage", hidden: true }, image, figures);
  const legend = element("ul", { class: "legend", "aria-label": "Figures on the picture" });
  const hint = element("p", { class: "quiet" }, "or drop one here, or paste it");
  const video = element("div", { class: "camera", hidden: true });
  const actions = element("div", { class: "actions" }, choose, camera);
  const view = element("div", { class: "drop" }, stage, legend, video, actions, hint, input);

  const take = (chosen: File): void => {
    file = chosen;
    if (image.src !== "") URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(chosen);
    image.alt = `The picture ${chosen.name}`;
    stage.hidden = false;
    draw([]);
    onChosen(chosen);
  };
  const draw = (found: readonly ShownFigure[]): void => {
    figures.replaceChildren(...found.map(figureView));
    legend.replaceChildren(...found.map(legendItem));
  };
  // what the browser cannot show the worker cannot decode, which says so
  image.addEventListener("error", () => {
    stage.hidden = true;
  });
  image.addEventListener("load", () => image.classList.toggle("small", image.naturalWidth < SMALL));
  choose.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [chosen] = input.files ?? [];
    // the same file may be chosen again
    if (chosen !== undefined) take(chosen);
    input.value = "";
  });
  camera.addEventListener("click", () => {
    camera.disabled = true;
    openCamera(video, take)
      .catch((error: unknown) => onProblem(error instanceof Error ? error.message : String(error)))
      .finally(() => {
        camera.disabled = false;
        video.hidden = true;
        camera.focus();
      });
  });
  takeDropped(view, take, onProblem);
  return { view, file: () => file, take, draw };
}

function takeDropped(view: HTMLElement, take: (file: File) => void, onProblem: (text: string) => void): void {
  view.addEventListener("dragover", (event) => {
    event.preventDefault();
    view.classList.add("over");
  });
  view.addEventListener("dragleave", () => view.classList.remove("over"));
  view.addEventListener("drop", (event) => {
    event.preventDefault();
    view.classList.remove("over");
    const [dropped] = event.dataTransfer?.files ?? [];
    if (dropped === undefined) onProblem("What was dropped is no file. Save the picture first, and drop its file.");
    else take(dropped);
  });
}

function figureView({ x, y, size }: ShownFigure, i: number): HTMLElement {
  const view = element("span", { class: `${size === null ? "point" : "box"} colour-${i % COLOURS}` });
  view.style.left = `${100 * x}%`;
  view.style.top = `${100 * y}%`;
  if (size !== null) {
    view.style.width = `${100 * size.width}%`;
    view.style.height = `${100 * size.height}%`;
  }
  return view;
}

/** Says in words what is drawn. */
function legendItem({ label, x, y, size }: ShownFigure, i: number): HTMLElement {
  const percent = (fraction: number): string => `${inDigits(Math.round(1000 * fraction) / 10)} %`;
  const where = `at ${percent(x)} from the left, ${percent(y)} from the top`;
  const extent = size === null ? "" : `, ${percent(size.width)} wide, ${percent(size.height)} high`;
  return element(
    "li",
    {},
    element("span", { class: `key colour-${i % COLOURS}`, "aria-hidden": "true" }),
    element("span", {}, label),
    element("span", { class: "spoken" }, ` ${where}${extent}`),
  );
}
