/** @file The search: a condition in the language of `--where`, with the fields that it may name. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { FieldNames } from "../../../ui/api/types.js";
import { ask } from "../shared/api.js";
import { lineOf } from "../shared/text.js";

interface SearchBoxProps {
  readonly where: string;
  readonly problem: string | null;
  onSearch(where: string): void;
}

/** The word that is being written, up to the caret: what a field's name may begin with. */
const WORD = /[\w./@-]+$/;
const MOST_NAMES = 8;

export function SearchBox({ where, problem, onSearch }: SearchBoxProps) {
  const [text, setText] = useState(where);
  const [names, setNames] = useState<readonly string[]>([]);
  const fields = useRef<Promise<readonly string[]> | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    setText(where);
    setNames([]);
  }, [where]);
  const suggest = async (written: string): Promise<void> => {
    const [word = ""] = WORD.exec(written) ?? [];
    if (word.length === 0) return setNames([]);
    fields.current ??= ask<FieldNames>("/api/fields").then((answer) => answer.fields);
    const known = await fields.current.catch(() => {
      fields.current = null;
      return [];
    });
    setNames(matches(word, known));
  };
  const take = (name: string): void => {
    const quoted = /^[\w./@-]+$/.test(name) ? name : `\`${name}\``;
    setText(`${text.replace(WORD, "")}${quoted} `);
    setNames([]);
    input.current?.focus();
  };
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setNames([]);
          onSearch(text);
        }}
      >
        <label class="hidden-visually" for="where">
          Condition on runs
        </label>
        <input
          id="where"
          ref={input}
          type="search"
          autocomplete="off"
          spellcheck={false}
          maxLength={20_000}
          placeholder='monitored > 0.9 and tag = "good"'
          value={text}
          aria-invalid={problem !== null}
          aria-describedby={problem === null ? undefined : "where-problem"}
          aria-controls="where-names"
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            void suggest(currentTarget.value);
          }}
          onKeyDown={(event) => {
            const [first] = names;
            if (event.key === "Escape") {
              if (names.length === 0) input.current?.blur();
              setNames([]);
            } else if (event.key === "Tab" && !event.shiftKey && first !== undefined) {
              event.preventDefault();
              take(first);
            }
          }}
        />
        <button type="submit">Search</button>
      </form>
      <ul id="where-names" class="names" aria-label="fields" hidden={names.length === 0}>
        {names.map((name, i) => (
          <li key={name}>
            <button type="button" tabIndex={-1} onClick={() => take(name)}>
              {lineOf(name, 100)}
              {i === 0 ? <kbd>Tab</kbd> : null}
            </button>
          </li>
        ))}
      </ul>
      {problem === null ? null : (
        <pre id="where-problem" class="notice error" role="alert">
          {problem}
        </pre>
      )}
    </search>
  );
}

/** Names that begin with the word, then those that have it in them. */
function matches(word: string, names: readonly string[]): string[] {
  const wanted = word.toLowerCase();
  const placeOf = (name: string): number => name.toLowerCase().indexOf(wanted);
  return names
    .filter((name) => placeOf(name) >= 0 && name !== word)
    .sort((a, b) => placeOf(a) - placeOf(b) || a.length - b.length)
    .slice(0, MOST_NAMES);
}
