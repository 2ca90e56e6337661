/** @file Sentences of a small probabilistic grammar and their labels: seeded, so that everybody trains on the same. */
import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import path from "node:path";

/** Parts of speech. */
export const PARTS = ["determiner", "adjective", "noun", "verb", "adverb", "polite", "mark"] as const;
export type Part = (typeof PARTS)[number];

/** Topics, each with words of its own: a sentence keeps to one of them. */
const TOPICS = [
  {
    people: ["baker", "farmer", "cook"],
    things: ["bread", "apple", "soup", "cheese"],
    verbs: ["eats", "cuts", "buys"],
    adjectives: ["fresh", "warm", "sweet"],
  },
  {
    people: ["pilot", "sailor", "driver"],
    things: ["ship", "plane", "engine", "wheel"],
    verbs: ["steers", "repairs", "stops"],
    adjectives: ["fast", "heavy", "loud"],
  },
  {
    people: ["singer", "painter", "writer"],
    things: ["song", "picture", "book", "poem"],
    verbs: ["loves", "sells", "makes"],
    adjectives: ["famous", "sad", "bright"],
  },
] as const;
const DETERMINERS = ["the", "a", "every"];
const ADVERBS = ["slowly", "often", "never"];
const POLITE = ["please", "kindly"];
const QUESTION = "?";
const STOP = ".";

/** Every word that a sentence may have, in the order of their ids. */
export const VOCABULARY: readonly string[] = [
  ...TOPICS.flatMap(({ people, things, verbs, adjectives }) => [...people, ...things, ...verbs, ...adjectives]),
  ...DETERMINERS,
  ...ADVERBS,
  ...POLITE,
  QUESTION,
  STOP,
];

/** One sentence and what is labelled of it; lists have one entry per word, null where nobody labelled it. */
export interface Sentence {
  readonly text: string;
  readonly part: readonly (Part | null)[];
  /** Of nouns: whether it is a person. */
  readonly person: readonly (0 | 1 | null)[];
  /** Whether the sentence is a request. */
  readonly request: 0 | 1;
  /** Of requests: which words say so. */
  readonly asks: readonly (0 | 1 | null)[];
}

/** Numbers in [0, 1). mulberry32: 32 bits of state are plenty for an example. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Word {
  readonly word: string;
  readonly part: Part;
  readonly person?: boolean;
  readonly asks?: boolean;
}

/** sentence → [polite] noun-phrase [adverb] verb noun-phrase mark; all words of one topic. */
function drawWords(next: () => number): { readonly words: readonly Word[]; readonly request: boolean } {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)] as Item;
  const topic = pick(TOPICS);
  const request = next() < 0.4;
  const nounPhrase = (person: boolean): Word[] => [
    { word: pick(DETERMINERS), part: "determiner" },
    ...(next() < 0.5 ? [{ word: pick(topic.adjectives), part: "adjective" } as const] : []),
    { word: pick(person ? topic.people : topic.things), part: "noun", person },
  ];
  const words: Word[] = [
    ...(request ? [{ word: pick(POLITE), part: "polite", asks: true } as const] : []),
    ...nounPhrase(true),
    ...(next() < 0.3 ? [{ word: pick(ADVERBS), part: "adverb" } as const] : []),
    { word: pick(topic.verbs), part: "verb" },
    ...nounPhrase(next() < 0.2),
    { word: request ? QUESTION : STOP, part: "mark", asks: request },
  ];
  return { words, request };
}

/** One sentence; a label in fifty of a word is missing. */
export function drawSentence(next: () => number): Sentence {
  const { words, request } = drawWords(next);
  return {
    text: words.map(({ word }) => word).join(" "),
    part: words.map(({ part }) => (next() < 0.02 ? null : part)),
    person: words.map(({ part, person }) => (part === "noun" ? (person === true ? 1 : 0) : null)),
    request: request ? 1 : 0,
    asks: words.map(({ asks }) => (request ? (asks === true ? 1 : 0) : null)),
  };
}

export const SENTENCES = 1500;

/** Writes `sentences.jsonl` into the project, unless it is there. */
export async function ensureSentences(projectDir: string, log: (line: string) => void = () => {}): Promise<void> {
  const file = path.join(projectDir, "sentences.jsonl");
  if (existsSync(file)) return;
  const next = seededNumbers(7);
  const lines = Array.from({ length: SENTENCES }, () => JSON.stringify(drawSentence(next)));
  // another process may be at the same: a half-written table must never be read
  const writing = `${file}.${process.pid}`;
  await writeFile(writing, `${lines.join("\n")}\n`);
  await rename(writing, file);
  log(`${SENTENCES} sentences written to ${file}`);
}
