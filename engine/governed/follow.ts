import type { JsonValue } from '../encoding/json.ts';
import {
  createEvents,
  createEventsHandler,
  type EventSink,
  type EventSource,
  pieceContent,
  type RunEvent,
} from '../governance/events.ts';
import type { Means } from '../governance/types.ts';

/**
 * Lets a run be followed: its events go to `sink` as they come, and are collected for its report.
 * @param sink without one nobody follows, and directives that tell events are recorded.
 */
export function follow(sink: EventSink | undefined, source: EventSource) {
  if (sink === undefined) return undefined;
  const events: RunEvent[] = [];
  const tell = createEvents(source, (event) => {
    if (event.type !== 'piece') events.push(event);
    sink(event);
  });
  const handler = createEventsHandler(tell);
  return {
    collected: () => ({ events }),
    emit: (effect: string, payload: JsonValue): void => {
      tell('piece', pieceContent(effect, payload));
    },
    withEvents: (means: Means): Means => ({
      ...means,
      handlers: new Map([...means.handlers, ...handler.tags.map((tag) => [tag, handler] as const)]),
    }),
  };
}
