import type { Sha256 } from '../crypto/crypto.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../encoding/json.ts';
import { type EffectHandler, performed, refused } from './effect.ts';
import { contentId } from './effect-id.ts';

/** Something that a run tells those who follow it. */
export interface RunEvent {
  /** A UUIDv5 of what the event says and of the run that says it, whenever it arrives. */
  readonly id: string;
  /** The tag of its directive; `piece` for a part of an answer that is still coming. */
  readonly type: 'record_step' | 'broadcast' | 'emit_event' | 'piece';
  /** The directive's parameters; of a piece, `{ effect, payload }`. */
  readonly content: JsonObject;
}

/** Takes the events of a run as they come. */
export type EventSink = (event: RunEvent) => void;

/** Whose events they are. */
export interface EventSource {
  readonly artifactHash: Sha256;
  readonly inputHash: Sha256;
}

/**
 * Makes the events of one run. The n-th of equal events has an id of its own, so that none is lost,
 * and the same one whatever comes between them.
 */
export function createEvents(source: EventSource, sink: EventSink) {
  const seen = new Map<string, number>();
  return (type: RunEvent['type'], content: JsonObject): RunEvent => {
    const text = canonicalJson({ type, content });
    const nth = seen.get(text) ?? 0;
    seen.set(text, nth + 1);
    const { artifactHash, inputHash } = source;
    const event = { id: contentId({ artifactHash, inputHash, type, content, nth }), type, content };
    sink(event);
    return event;
  };
}

/**
 * Performs `record_step`, `broadcast` and `emit_event`: each becomes an event of its run. They need no
 * grant, since they reach nobody but those who follow the run.
 */
export function createEventsHandler(tell: ReturnType<typeof createEvents>): EffectHandler {
  return {
    tags: TAGS,
    capability: null,
    perform: async ({ directive: { type, ...parameters } }) => {
      const tag = TAGS.find((each) => each === type);
      if (tag === undefined) return refused('no-event', 'the directive tells no event');
      return performed({ event: tell(tag, parameters).id });
    },
  };
}

const TAGS = ['record_step', 'broadcast', 'emit_event'] as const;

/** An event for a piece of a streamed answer. */
export function pieceContent(effect: string, payload: JsonValue): JsonObject {
  return { effect, payload: isJsonObject(payload) ? payload : { value: payload } };
}
