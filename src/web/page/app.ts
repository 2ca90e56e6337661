/** @file The page of an export: takes a row, has a worker answer it, and shows the answers. */
import type { Answered, Device, FromWorker, Opened, ToWorker } from "../messages.js";
import { byId, element } from "./elements.js";
import { type Fields, fieldsOf } from "./fields.js";
import { inMilliseconds } from "./numbers.js";
import { notAskedView, treeView } from "./tree.js";

const status = byId("status");
const problem = byId("problem");
const answers = byId("answers");

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
let asked = 0;

worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
  switch (data.kind) {
    case "opened":
      return showOpened(data.opened);
    case "answered":
      // a later row is on its way
      return data.id === asked ? showAnswered(data.answered) : undefined;
    case "failed":
      return data.id === null || data.id === asked ? showProblem(data.message, data.id === null) : undefined;
    default:
      return data satisfies never;
  }
});
worker.addEventListener("error", ({ message }) => {
  showProblem(
    `This browser does not run the page's worker${message ? `: ${message}` : ""}. Take one of 2024 or later.`,
    true,
  );
});

function tell(message: ToWorker): void {
  worker.postMessage(message);
}

let fields: Fields | null = null;
let current: Opened | null = null;

function showOpened(opened: Opened): void {
  current = opened;
  const { document: description, card, device, instead, milliseconds } = opened;
  const { name, id } = description.run;
  document.title = `${name} · dnn-cool`;
  byId("name").textContent = projectOf(card) ?? name;
  byId("run").textContent = `run ${name} (${id})`;
  byId("licence").textContent = licenceOf(card);
  const computes = device === "webgpu" ? "WebGPU" : "WebAssembly";
  status.textContent = `Ready in ${inMilliseconds(milliseconds)}: computes with ${computes}${instead === null ? "" : ` (${instead})`}.`;
  status.dataset.device = device;
  fields = fieldsOf(description, onPicture, (text) => showProblem(text));
  const ask = element("button", { type: "submit" }, "Ask");
  byId("form").replaceChildren(...fields.views, ...(fields.isPictureAlone ? [] : [ask]));
  byId("work").hidden = false;
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    askRow();
  });
  document.addEventListener("paste", onPaste);
  // what misses the field would open in the place of the page
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
  keepOffline();
}

function onPicture(): void {
  if (fields?.isPictureAlone === true) askRow();
}

function onPaste(event: ClipboardEvent): void {
  const [file] = event.clipboardData?.files ?? [];
  if (file !== undefined && fields?.paste(file) === true) event.preventDefault();
}

function askRow(): void {
  if (fields === null) return;
  try {
    const row = fields.row();
    asked += 1;
    problem.hidden = true;
    answers.setAttribute("aria-busy", "true");
    // earlier answers stay until there are others
    if (answers.querySelector(".tree") === null) {
      answers.replaceChildren(element("p", { class: "quiet" }, "Answering…"));
    }
    tell({ kind: "ask", id: asked, name: fields.name(), row });
  } catch (error) {
    showProblem(error instanceof Error ? error.message : String(error));
  }
}

function showAnswered({ tree, text, json, notAsked, figures, times }: Answered): void {
  if (current === null) return;
  const { graph } = current.document;
  const took = `decoded in ${inMilliseconds(times.decoding)}, computed in ${inMilliseconds(times.network)}, all in ${inMilliseconds(times.total)}`;
  answers.replaceChildren(
    treeView(graph, tree),
    ...[notAskedView(notAsked, graph.tasks.length)].filter((view) => view !== null),
    element("p", { class: "quiet", id: "times" }, took),
    printed("As cool explain prints it", "text", text),
    printed("As JSON", "json", json),
  );
  answers.setAttribute("aria-busy", "false");
  answers.dataset.answered = String(asked);
  fields?.draw(figures);
}

function printed(title: string, id: string, content: string): HTMLElement {
  return element("details", {}, element("summary", {}, title), element("pre", { id, tabindex: "0" }, content));
}

/** @param isEnd whether nothing more can be asked */
function showProblem(text: string, isEnd = false): void {
  problem.textContent = text;
  problem.hidden = false;
  answers.setAttribute("aria-busy", "false");
  if (isEnd) status.textContent = "This export cannot be opened.";
  else answers.replaceChildren(element("p", { class: "quiet" }, "No answer."));
  fields?.draw([]);
}

interface Card {
  readonly run?: { readonly project?: string };
  readonly licence?: string | null;
}

function projectOf(card: unknown): string | undefined {
  return (card as Card).run?.project;
}

function licenceOf(card: unknown): string {
  const { licence } = card as Card;
  return licence == null ? "No licence is named." : `Licence: ${licence}.`;
}

/** From now on the page works without a network; where a browser does not let it, it works as long as there is one. */
function keepOffline(): void {
  navigator.serviceWorker?.register(new URL("service-worker.js", import.meta.url)).catch(() => {});
}

/** `?device=wasm` or `?device=webgpu` in the page's address. */
function wantedDevice(): Device | null {
  const wanted = new URLSearchParams(location.search).get("device");
  return wanted === "wasm" || wanted === "webgpu" ? wanted : null;
}

status.textContent = "Opening the model…";
tell({ kind: "open", folder: new URL("./", import.meta.url).href, device: wantedDevice() });
