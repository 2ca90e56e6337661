/**
 * @file A condition on runs, by recursive descent:
 *
 *     or      = and { "or" and }
 *     and     = not { "and" not }
 *     not     = "not" not | "(" or ")" | test
 *     test    = field [ comparison literal | ["not"] "in" "(" literal { "," literal } ")" | "is" ["not"] "null" ]
 *     literal = text | number | "true" | "false" | "null" | name
 */
import { at as itemAt } from "../../arrays.js";
import { COMPARISONS, type Comparison, type Condition, type FieldRef, type Literal } from "./ast.js";
import { queryError } from "./query-error.js";
import { type Token, tokenize } from "./tokens.js";

const LONGEST = 20_000;
const DEEPEST = 100;

/** @throws UsageError that shows the text with the place of the problem */
export function parseCondition(text: string): Condition {
  if (text.length > LONGEST) {
    throw queryError(text, LONGEST, `The condition has ${text.length} characters; the limit is ${LONGEST}.`);
  }
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): Condition {
    const condition = this.#or();
    if (this.#peek().kind !== "end") {
      const isAfterName = this.#tokens[this.#next - 1]?.kind === "name";
      throw this.#expected(
        isAfterName ? "=, !=, <, <=, >, >=, ~, in, like, is, and, or, or the end" : "and, or, or the end",
      );
    }
    return condition;
  }

  #or(): Condition {
    let left = this.#and();
    while (this.#accept("or")) left = { kind: "or", left, right: this.#and() };
    return left;
  }

  #and(): Condition {
    let left = this.#not();
    while (this.#accept("and")) left = { kind: "and", left, right: this.#not() };
    return left;
  }

  #not(): Condition {
    this.#depth += 1;
    // SQLite, too, has a limit to how deep expressions go
    if (this.#depth > DEEPEST) throw this.#problem(`The condition is nested more than ${DEEPEST} deep.`);
    const condition = this.#accept("not")
      ? ({ kind: "not", inner: this.#not() } as const)
      : this.#accept("(")
        ? this.#closed(this.#or())
        : this.#test();
    this.#depth -= 1;
    return condition;
  }

  #closed(condition: Condition): Condition {
    this.#expect(")");
    return condition;
  }

  #test(): Condition {
    const field = this.#field();
    if (this.#accept("in")) return this.#membership(field);
    if (this.#accept("is")) return this.#nullness(field);
    if (this.#peek().text === "not" && this.#peek(1).text === "in") {
      this.#next += 2;
      return { kind: "not", inner: this.#membership(field) };
    }
    const operator = this.#comparison();
    return operator === undefined
      ? { kind: "is true", field }
      : { kind: "compare", field, operator, literal: this.#literal() };
  }

  #comparison(): Comparison | undefined {
    const { kind, text } = this.#peek();
    const operator = COMPARISONS.find((comparison) => kind === "symbol" && comparison === text);
    if (operator !== undefined) this.#next += 1;
    return operator;
  }

  #membership(field: FieldRef): Condition {
    this.#expect("(");
    const literals = [this.#literal()];
    while (this.#accept(",")) literals.push(this.#literal());
    this.#expect(")");
    return { kind: "in", field, literals };
  }

  #nullness(field: FieldRef): Condition {
    const operator = this.#accept("not") ? "!=" : "=";
    const { at } = this.#expect("null");
    return { kind: "compare", field, operator, literal: { value: null, at } };
  }

  #field(): FieldRef {
    const { kind, text, at } = this.#peek();
    if (kind !== "name") throw this.#expected("the name of a field");
    this.#next += 1;
    return { name: text, at };
  }

  #literal(): Literal {
    const { kind, text, at } = this.#peek();
    const value = literalOf(kind, text);
    if (value === undefined) throw this.#expected("a number, a text in quotes, true, false or null");
    this.#next += 1;
    return { value, at };
  }

  #accept(symbol: string): boolean {
    const { kind, text } = this.#peek();
    const isNext = kind === "symbol" && text === symbol;
    if (isNext) this.#next += 1;
    return isNext;
  }

  #expect(symbol: string): Token {
    const token = this.#peek();
    if (!this.#accept(symbol)) throw this.#expected(`"${symbol}"`);
    return token;
  }

  #peek(ahead = 0): Token {
    return itemAt(this.#tokens, Math.min(this.#next + ahead, this.#tokens.length - 1));
  }

  #expected(what: string): Error {
    const { kind, text } = this.#peek();
    return this.#problem(`Expected ${what}, found ${kind === "end" ? "the end" : JSON.stringify(text)}.`);
  }

  #problem(problem: string): Error {
    return queryError(this.#text, this.#peek().at, problem);
  }
}

/** The value of a token; undefined for what is none. A bare word is a text: `state = failed`. */
function literalOf(kind: Token["kind"], text: string): Literal["value"] | undefined {
  if (kind === "text" || kind === "name") return text;
  if (kind === "number") return Number(text);
  if (kind !== "symbol") return undefined;
  return text === "true" ? true : text === "false" ? false : text === "null" ? null : undefined;
}
