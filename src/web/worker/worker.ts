/** @file Where the page's network is computed: an export is opened, then rows are answered one after the other. */
import { PredictorError } from "../../predictor/errors.js";
import type { InputValue } from "../../predictor/inputs.js";
import type { Row } from "../../predictor/predictor.js";
import type { Answered, FromWorker, GivenRow, GivenValue, Opened, ToWorker } from "../messages.js";
import { explained } from "./explained.js";
import { messageOf, type OpenedExport, openExport } from "./open-export.js";
import { pictureOf } from "./pictures.js";

/** What a worker has for a window. */
interface Scope {
  postMessage(message: FromWorker): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToWorker>) => void): void;
}

const scope = self as unknown as Scope;
let opening: Promise<OpenedExport> | null = null;
/** Ends when the row before is answered. */
let before: Promise<void> = Promise.resolve();

scope.addEventListener("message", ({ data }) => {
  before = before.then(() => answerMessage(data));
});

async function answerMessage(message: ToWorker): Promise<void> {
  const id = message.kind === "ask" ? message.id : null;
  try {
    if (message.kind === "open") scope.postMessage({ kind: "opened", opened: await open(message) });
    else scope.postMessage({ kind: "answered", id: message.id, answered: await ask(message.name, message.row) });
  } catch (error) {
    const message =
      error instanceof PredictorError ? error.message : `This is a fault of the page: ${messageOf(error)}`;
    scope.postMessage({ kind: "failed", id, message });
  }
}

async function open({ folder, device }: Extract<ToWorker, { kind: "open" }>): Promise<Opened> {
  const start = performance.now();
  opening = openExport(folder, device);
  const { predictor, ...opened } = await opening;
  return { document: predictor.document, ...opened, milliseconds: performance.now() - start };
}

async function ask(name: string, given: GivenRow): Promise<Answered> {
  if (opening === null) throw new Error("the export is opened first");
  const { predictor } = await opening;
  const start = performance.now();
  const values = await Promise.all(
    Object.entries(given).map(async ([input, value]) => [input, await inputValue(value)] as const),
  );
  const row: Row = Object.fromEntries(values);
  const decoded = performance.now();
  const outputs = await predictor.logits(row);
  const computed = performance.now();
  const answers = explained(predictor.document, outputs, name, given);
  const times = { decoding: decoded - start, network: computed - decoded, total: performance.now() - start };
  return { ...answers, times };
}

function inputValue(value: GivenValue): InputValue | Promise<InputValue> {
  return value instanceof Blob ? pictureOf(value) : value;
}
