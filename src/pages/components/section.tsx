/** @file A part of a page: a landmark under its heading, where the table of contents leads. */
import type { ComponentChildren } from "preact";

export interface SectionProps {
  /** A word of the page's own, never of its data. */
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
}

export function Section({ id, title, children }: SectionProps) {
  return (
    <section class="section" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}
