/** @file Server-sent events: pages are told that the store has changed, and ask again for what they show. */
import { HttpProblem } from "../../http/problem.js";
import type { LiveStore, StoreChange } from "../store/live-store.js";

/** Pages that listen at a time. */
const MOST_LISTENERS = 64;
/** Before the socket would count as one on which nothing moves. */
const BEAT_MS = 10_000;
/** What an answer is. */
export const EVENTS = { headers: { "content-type": "text/event-stream; charset=utf-8" } } as const;

export class ChangeStream {
  readonly #live: LiveStore;
  readonly #most: number;
  readonly #open = new Set<() => void>();

  constructor(live: LiveStore, most: number = MOST_LISTENERS) {
    this.#live = live;
    this.#most = most;
  }

  get listeners(): number {
    return this.#open.size;
  }

  /** @throws HttpProblem where too many listen */
  listen(gone: AbortSignal): Response {
    if (this.#open.size >= this.#most) {
      throw new HttpProblem(
        503,
        "too_many_pages",
        `${this.#most} pages are open already. Close some.`,
        {},
        {
          "retry-after": "10",
        },
      );
    }
    let end = (): void => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        end = this.#tell(controller);
        gone.addEventListener("abort", end, { once: true });
      },
      cancel: () => end(),
    });
    return new Response(body, EVENTS);
  }

  /** Ends all streams, so that a server can end although pages are open. */
  close(): void {
    for (const end of [...this.#open]) end();
  }

  #tell(controller: ReadableStreamDefaultController<Uint8Array>): () => void {
    const encoder = new TextEncoder();
    const send = (text: string): void => {
      // a page that does not read what it is sent: the next change tells it all the same
      if ((controller.desiredSize ?? 0) > -64) controller.enqueue(encoder.encode(text));
    };
    const change = (state: StoreChange): void => send(`data: ${JSON.stringify(state)}\n\n`);
    const stop = this.#live.onChange(change);
    const beat = setInterval(() => send(": here\n\n"), BEAT_MS);
    const end = (): void => {
      if (!this.#open.delete(end)) return;
      stop();
      clearInterval(beat);
      try {
        controller.close();
      } catch {
        // whoever listened has gone
      }
    };
    this.#open.add(end);
    send("retry: 2000\n\n");
    change(this.#live.state);
    return end;
  }
}
