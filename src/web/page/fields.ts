/** @file The form: one field, or several, for every input of the network and every known task. */
import type {
  CategoricalInput,
  NumericInput,
  PredictorDocument,
  PredictorInput,
  TokensInput,
} from "../../predictor/document.js";
import type { GivenRow, GivenValue, ShownFigure } from "../messages.js";
import { element } from "./elements.js";
import { type PictureField, pictureField } from "./picture.js";

/** Everything that a row takes. */
export interface Fields {
  readonly views: readonly HTMLElement[];
  /** Whether a picture is all that is asked for, so that it is answered as soon as it is chosen. */
  readonly isPictureAlone: boolean;
  /** @throws Error that says which field is empty */
  readonly row: () => GivenRow;
  /** What the row is called: its first picture's file, or its text. */
  readonly name: () => string;
  readonly draw: (figures: readonly ShownFigure[]) => void;
  /** Takes a file that was pasted; false where no field takes files. */
  readonly paste: (file: File) => boolean;
}

/** One input in the form. */
interface Field {
  readonly view: HTMLElement;
  /** @throws Error that says what is missing */
  readonly value: () => GivenValue;
}

export function fieldsOf(
  document: PredictorDocument,
  onPicture: () => void,
  onProblem: (text: string) => void,
): Fields {
  const pictures: PictureField[] = [];
  const fields = Object.entries(document.inputs).map(([name, input]): [string, Field] => {
    if (input.kind !== "image") return [name, fieldOf(name, input)];
    const picture = pictureField(name, onPicture, onProblem);
    pictures.push(picture);
    const label = pictures.length === 1 && Object.keys(document.inputs).length === 1 ? null : legendOf(name);
    const value = (): GivenValue => {
      const file = picture.file();
      if (file === null) throw new Error(`Choose a picture for ${name} first.`);
      return file;
    };
    return [name, { view: element("fieldset", { class: "bare" }, label, picture.view), value }];
  });
  const known = document.graph.tasks
    .filter(({ spec }) => spec.kind === "known")
    .map(({ path }): [string, Field] => [path, knownField(path)]);
  const all = [...fields, ...known];
  return {
    views: all.map(([, { view }]) => view),
    isPictureAlone: all.length === 1 && pictures.length === 1,
    row: () => Object.fromEntries(all.map(([name, { value }]) => [name, value()])),
    name: () => pictures[0]?.file()?.name ?? "input",
    draw: (figures) => pictures[0]?.draw(figures),
    paste(file) {
      const [first] = pictures;
      first?.take(file);
      return first !== undefined;
    },
  };
}

function fieldOf(name: string, input: Exclude<PredictorInput, { kind: "image" }>): Field {
  switch (input.kind) {
    case "numeric":
      return numbersField(name, input);
    case "categorical":
      return choiceField(name, input);
    case "tokens":
      return textField(name, input);
    default:
      return input satisfies never;
  }
}

function legendOf(text: string): HTMLElement {
  return element("legend", {}, text);
}

function numbersField(name: string, { columns, listLength, missing }: NumericInput): Field {
  const single = listLength === null ? columns : Array.from({ length: listLength }, (_, i) => `${name} ${i + 1}`);
  const inputs = single.map((column) => {
    const input = element("input", { type: "number", step: "any", inputmode: "decimal", "aria-label": column });
    return { column, input };
  });
  const labels = inputs.map(({ column, input }) => element("label", {}, element("span", {}, column), input));
  return {
    view: element("fieldset", {}, legendOf(name), element("div", { class: "numbers" }, ...labels)),
    value: () =>
      inputs.map(({ column, input }) => {
        const number = input.valueAsNumber;
        if (Number.isNaN(number) && missing === "error") throw new Error(`Enter a number for ${column} first.`);
        return number;
      }),
  };
}

function choiceField(name: string, { categories, missing }: CategoricalInput): Field {
  const empty = missing === "error" ? [] : [element("option", { value: "" }, "(missing)")];
  const options = categories.map((category) => element("option", { value: category }, category));
  const select = element("select", { name }, ...empty, ...options);
  return {
    view: element("label", {}, element("span", {}, name), select),
    value: () => (select.value === "" ? null : select.value),
  };
}

function textField(name: string, { split, maxLength, missing }: TokensInput): Field {
  const text = element("textarea", { name, rows: "3", spellcheck: "false" });
  const how = split === "whitespace" ? "tokens, with spaces between them" : "characters";
  const hint = element("span", { class: "quiet" }, `at most ${maxLength} ${how}`);
  return {
    view: element("label", {}, element("span", {}, name), text, hint),
    value() {
      if (text.value.trim() === "" && missing === "error") throw new Error(`Enter a text for ${name} first.`);
      return text.value;
    },
  };
}

/** An answer that comes with the row. */
function knownField(path: string): Field {
  const options = ["unknown", "yes", "no"].map((word) => element("option", { value: word }, word));
  const select = element("select", { name: path }, ...options);
  return {
    view: element("label", {}, element("span", {}, `${path}, which is known`), select),
    value: () => (select.value === "unknown" ? null : select.value === "yes"),
  };
}
