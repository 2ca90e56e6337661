/** @file A hard table for `cool init`: texts with 49 labels of all kinds beside them, half of which hang on others. */
import { createRandom, type Random } from "../../src/data/rng.js";

/** What one row answers: null where it is not asked, or its label is missing. */
type Row = (string | number | null)[];
type Test = (row: Row) => boolean | null;

interface Column {
  readonly name: string;
  readonly kind: "binary" | "class" | "number" | "labels" | "real";
  /** Null: asked of every row. */
  readonly given: Test | null;
}

const KINDS = ["binary", "binary", "binary", "class", "labels", "number", "real"] as const;
const CLASSES = ["ash", "birch", "cedar", "elm", "fir", "oak"];
const LABELS = ["wet", "dark", "torn", "old"];
const WORDS = ["the", "door", "is", "open", "and", "a", "person", "walks", "in", "with", "red", "hat", "bag", "dog"];

/** Lines of a CSV: the header, then `rows` rows. @param columns of which the first is the text */
export function* drawTable(rows: number, columns: number, seed: number): Generator<string> {
  const random = createRandom(seed);
  const flow = drawFlow(columns - 1, random);
  yield ["text", ...flow.map(({ name }) => name)].join(",");
  for (let row = 0; row < rows; row++) {
    const answers: Row = [];
    for (const { kind, given } of flow)
      answers.push(given === null || given(answers) === true ? answer(kind, random) : null);
    const words = Array.from({ length: 5 + random.int(8) }, () => pick(WORDS, random));
    const cells = answers.map((cell) => (cell === null || random.next() < MISSING ? "" : String(cell)));
    yield [words.join(" "), ...cells].join(",");
  }
}

/** Of the asked cells so many are missing. */
const MISSING = 0.05;

function drawFlow(tasks: number, random: Random): Column[] {
  const flow: Column[] = [];
  for (let i = 0; i < tasks; i++) {
    const kind = pick(KINDS, random);
    const isGated = i >= 4 && i % 2 === 0;
    flow.push({ name: `${kind}_${i}`, kind, given: isGated ? condition(flow, random) : null });
  }
  return flow;
}

/** On one or two gates, which are seldom gated themselves: no question of a table hangs on five others in turn. */
function condition(flow: readonly Column[], random: Random): Test {
  const free = flow.map((_, i) => i).filter((i) => flow[i]?.given === null || random.next() < 0.25);
  const [one, other] = [pick(free, random), pick(free, random)];
  const left = literal(flow, one, random);
  if (one === other || random.next() < 0.4) return left;
  const right = literal(flow, other, random);
  const decisive = random.next() < 0.5;
  return (row) => {
    const values = [left(row), right(row)];
    if (values.includes(decisive)) return decisive;
    return values.includes(null) ? null : !decisive;
  };
}

function literal(flow: readonly Column[], index: number, random: Random): Test {
  const isTrue = testOf(flow[index]?.kind ?? "binary", random);
  return (row) => {
    const value = row[index] ?? null;
    return value === null ? null : isTrue(value);
  };
}

function testOf(kind: Column["kind"], random: Random): (value: string | number) => boolean {
  const isSaid = random.next() < 0.6;
  switch (kind) {
    case "binary":
      return (value) => (value === 1) === isSaid;
    case "class": {
      const some = new Set([pick(CLASSES, random), pick(CLASSES, random)]);
      return (value) => some.has(String(value)) === isSaid;
    }
    case "labels": {
      const label = pick(LABELS, random);
      return (value) => String(value).split("|").includes(label) === isSaid;
    }
    case "number":
    case "real": {
      const limit = 10 * (1 + random.int(2));
      return (value) => Number(value) >= limit === isSaid;
    }
    default:
      return kind satisfies never;
  }
}

function answer(kind: Column["kind"], random: Random): string | number {
  switch (kind) {
    case "binary":
      return Number(random.next() < 0.5);
    case "class":
      return pick(CLASSES, random);
    case "labels":
      return LABELS.filter(() => random.next() < 0.4).join("|") || "none";
    case "number":
      return random.int(30);
    case "real":
      return Number((30 * random.next()).toFixed(4));
    default:
      return kind satisfies never;
  }
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[random.int(items.length)];
  if (item === undefined) throw new RangeError("nothing to choose from");
  return item;
}
