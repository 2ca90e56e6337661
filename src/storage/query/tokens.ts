/** @file The text of a condition → tokens. */
import { queryError } from "./query-error.js";

export interface Token {
  readonly kind: "name" | "text" | "number" | "symbol" | "end";
  /** A name or symbol as written (words in lower case where they are operators), a text without its quotes. */
  readonly text: string;
  readonly at: number;
}

// a name may hold dots, slashes (metrics), one @ for the gates, and hyphens within
const NAME = /[\p{L}_][\p{L}\p{N}_.]*(?:\/[\p{L}\p{N}_.-]+)*(?:@[a-z]+)?/uy;
const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_])/uy;
const SYMBOL = /!=|<>|<=|>=|==|&&|\|\||[=<>~(),!]/uy;
const SPACE = /\s+/uy;

/** Other spellings of operators. */
const SYNONYMS: Readonly<Record<string, string>> = { "==": "=", "<>": "!=", "&&": "and", "||": "or", "!": "not" };
const WORDS = new Set(["and", "or", "not", "in", "like", "true", "false", "null", "is"]);

/** @throws UsageError for a character that no token starts with and a text that does not end */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    at += match(SPACE, text, at)?.length ?? 0;
    if (at >= text.length) return [...tokens, { kind: "end", text: "", at: text.length }];
    const { token, length } = readToken(text, at);
    tokens.push(token);
    at += length;
  }
}

function readToken(text: string, at: number): { readonly token: Token; readonly length: number } {
  const quote = text[at] as string;
  if (quote === '"' || quote === "'" || quote === "`") return readQuoted(text, at, quote);
  const number = match(NUMBER, text, at);
  if (number !== undefined) return { token: { kind: "number", text: number, at }, length: number.length };
  const name = match(NAME, text, at);
  if (name !== undefined) {
    const word = name.toLowerCase();
    const token: Token = WORDS.has(word) ? { kind: "symbol", text: word, at } : { kind: "name", text: name, at };
    return { token, length: name.length };
  }
  const symbol = match(SYMBOL, text, at);
  if (symbol === undefined) {
    throw queryError(
      text,
      at,
      `The condition has ${JSON.stringify(quote)} where nothing starts with it. A text stands in quotes, a name with such characters in backquotes.`,
    );
  }
  return { token: { kind: "symbol", text: SYNONYMS[symbol] ?? symbol, at }, length: symbol.length };
}

/** Text in quotes, in which the quote is written twice or after a backslash; in backquotes a name. */
function readQuoted(text: string, at: number, quote: string): { readonly token: Token; readonly length: number } {
  let value = "";
  for (let i = at + 1; i < text.length; i += 1) {
    const [character, next] = [text[i] as string, text[i + 1]];
    if (character === "\\" && (next === quote || next === "\\")) {
      value += next;
      i += 1;
    } else if (character !== quote) value += character;
    else if (next === quote) {
      value += quote;
      i += 1;
    } else {
      return { token: { kind: quote === "`" ? "name" : "text", text: value, at }, length: i + 1 - at };
    }
  }
  throw queryError(text, at, `This ${quote} is never closed.`);
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
