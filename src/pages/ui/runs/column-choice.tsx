/** @file Which columns the list has. */
import { useEffect, useState } from "preact/hooks";
import { lineOf } from "../shared/text.js";
import { USUAL_COLUMNS } from "./columns.js";

const KEY = "cool-hidden-columns";

/** Usual columns that are not shown, as the browser remembers them. */
export function useHidden(): readonly [hidden: ReadonlySet<string>, toggle: (field: string) => void] {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(remembered);
  useEffect(() => {
    // the other tabs of this browser
    const changed = ({ key }: StorageEvent): void => {
      if (key === KEY) setHidden(remembered());
    };
    addEventListener("storage", changed);
    return () => removeEventListener("storage", changed);
  }, []);
  const toggle = (field: string): void => {
    const next = new Set(hidden);
    if (!next.delete(field)) next.add(field);
    setHidden(next);
    try {
      localStorage.setItem(KEY, JSON.stringify([...next]));
    } catch {
      // the choice holds until the page is closed
    }
  };
  return [hidden, toggle];
}

function remembered(): ReadonlySet<string> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return new Set(Array.isArray(stored) ? stored.map(String) : []);
  } catch {
    return new Set();
  }
}

interface ColumnChoiceProps {
  readonly hidden: ReadonlySet<string>;
  /** Fields that were chosen besides. */
  readonly columns: readonly string[];
  onToggle(field: string): void;
  onColumns(columns: readonly string[]): void;
}

export function ColumnChoice({ hidden, columns, onToggle, onColumns }: ColumnChoiceProps) {
  const [field, setField] = useState("");
  return (
    <details class="choice">
      <summary>Columns</summary>
      <div class="card">
        {USUAL_COLUMNS.map((column) => (
          <label key={column.field}>
            <input type="checkbox" checked={!hidden.has(column.field)} onChange={() => onToggle(column.field)} />{" "}
            {column.label}
          </label>
        ))}
        {columns.map((name) => (
          <label key={name}>
            <input type="checkbox" checked onChange={() => onColumns(columns.filter((one) => one !== name))} />{" "}
            {lineOf(name, 60)}
          </label>
        ))}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (field.trim() !== "") onColumns([...new Set([...columns, field.trim()])]);
            setField("");
          }}
        >
          <input
            aria-label="a field to show"
            placeholder="train.batchSize"
            value={field}
            onInput={({ currentTarget }) => setField(currentTarget.value)}
          />
          <button type="submit">Add</button>
        </form>
      </div>
    </details>
  );
}
