/** @file The frame of dialogs that change runs: a title, fields, what went wrong, and what can be done. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { wordsOf } from "./api.js";

interface EditFrameProps {
  /** Of this page's dialogs, for its heading. */
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
  /** Whether the trash is left or entered. */
  readonly isTrash: boolean;
  /** Sends what the fields say. It may fail, in words for people. */
  onSave(): Promise<void>;
  onTrash(): Promise<void>;
  /** Without a change. */
  onCancel(): void;
}

export function EditFrame({ id, title, children, isTrash, onSave, onTrash, onCancel }: EditFrameProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const told = (work: () => Promise<void>): void => {
    work().catch((error: unknown) => setProblem(wordsOf(error)));
  };
  return (
    <dialog ref={dialog} class="card" aria-labelledby={`${id}-title`} onClose={onCancel}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          told(onSave);
        }}
      >
        <h2 id={`${id}-title`}>{title}</h2>
        {children}
        {problem === null ? null : (
          <p class="notice error lines" role="alert">
            {problem}
          </p>
        )}
        <p class="toolbar">
          <button type="submit">Save</button>
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
          <button type="button" class="end" onClick={() => told(onTrash)}>
            {isTrash ? "Bring back" : "Move to the trash"}
          </button>
        </p>
      </form>
    </dialog>
  );
}
