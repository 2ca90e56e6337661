/** @file A table whose columns sort: a caption, headers of columns and rows, and a way to scroll by keyboard. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

export interface Column<Row> {
  readonly key: string;
  readonly label: string;
  /** Aligned to the right; sorts from the largest. */
  readonly numeric?: boolean;
  /** What rows are sorted by, and shown as where there is no `show`. null stands last. */
  value(row: Row): string | number | null;
  show?(row: Row): ComponentChildren;
}

export interface TableProps<Row> {
  readonly caption: string;
  /** Only for those who hear the page: a heading says the same. */
  readonly captionHidden?: boolean;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  keyOf(row: Row, index: number): string;
  /** Default: true. */
  readonly sortable?: boolean;
}

interface Order {
  readonly key: string;
  readonly descending: boolean;
}

/** The first column names the row. */
export function Table<Row>(props: TableProps<Row>) {
  const { caption, captionHidden = false, columns, rows, keyOf, sortable = true } = props;
  const [order, setOrder] = useState<Order | null>(null);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="table" tabIndex={0} aria-label={caption}>
      <table>
        <caption class={captionHidden ? "hidden-visually" : undefined}>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Header
                key={column.key}
                column={column}
                order={order?.key === column.key ? order : null}
                onSort={sortable && rows.length > 1 ? setOrder : null}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted(rows, columns, order).map((row, index) => (
            <tr key={keyOf(row, index)}>
              {columns.map((column, i) => (
                <Cell key={column.key} column={column} row={row} names={i === 0} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface HeaderProps<Row> {
  readonly column: Column<Row>;
  readonly order: Order | null;
  readonly onSort: ((order: Order) => void) | null;
}

function Header<Row>({ column, order, onSort }: HeaderProps<Row>) {
  const { key, label, numeric = false } = column;
  const kind = numeric ? "number" : undefined;
  if (onSort === null) {
    return (
      <th scope="col" class={kind}>
        {label}
      </th>
    );
  }
  const descending = order === null ? numeric : !order.descending;
  return (
    <th scope="col" class={kind} aria-sort={order === null ? "none" : order.descending ? "descending" : "ascending"}>
      <button type="button" class="sort" onClick={() => onSort({ key, descending })}>
        {label}
        <span class="sort-mark" aria-hidden="true">
          {order === null ? "" : order.descending ? "↓" : "↑"}
        </span>
      </button>
    </th>
  );
}

function Cell<Row>({ column, row, names }: { column: Column<Row>; row: Row; names: boolean }) {
  const content = column.show?.(row) ?? column.value(row) ?? "–";
  const kind = column.numeric === true ? "number" : undefined;
  if (names) {
    return (
      <th scope="row" class={kind}>
        {content}
      </th>
    );
  }
  return <td class={kind}>{content}</td>;
}

function sorted<Row>(rows: readonly Row[], columns: readonly Column<Row>[], order: Order | null): readonly Row[] {
  const column = columns.find(({ key }) => key === order?.key);
  if (column === undefined || order === null) return rows;
  const sign = order.descending ? -1 : 1;
  const isNone = (value: string | number | null): boolean => value === null || Number.isNaN(value);
  return rows
    .map((row) => ({ row, value: column.value(row) }))
    .sort(({ value: a }, { value: b }) => {
      if (isNone(a) || isNone(b)) return Number(isNone(a)) - Number(isNone(b));
      return sign * compared(a, b);
    })
    .map(({ row }) => row);
}

function compared(a: string | number | null, b: string | number | null): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
