import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { uuidV5 } from '../../../engine/governance/effect-id.ts';
import {
  createEvents,
  createEventsHandler,
  type RunEvent,
} from '../../../engine/governance/events.ts';
import { hashOf } from '../provenance/fixtures.ts';
import { wellFormed } from './well-formed.ts';

const SOURCE = { artifactHash: hashOf('artifact'), inputHash: hashOf('input') };

/** The ids of events that are told in this order. */
function idsOf(contents: readonly number[], source = SOURCE): string[] {
  const tell = createEvents(source, () => {});
  return contents.map((payload) => tell('emit_event', { event_type: 'e', payload }).id);
}

test('uuidV5 gives the example of RFC 9562 appendix A.4', () => {
  const dns = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');
  assert.equal(uuidV5(dns, encodeUtf8('www.example.com')), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
});

test('the ids of events do not depend on the order in which they come', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 }),
      fc.nat(),
      (list, seed) => {
        const other = [...list].sort((a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5));
        assert.deepEqual(idsOf(list).sort(), idsOf(other).sort());
      },
    ),
  );
});

test('equal events of one run have ids of their own, and other runs have others', () => {
  const ids = idsOf([1, 1, 1]);
  assert.equal(new Set(ids).size, 3);
  for (const id of ids)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  const [other] = idsOf([1], { ...SOURCE, inputHash: hashOf('another') });
  assert.ok(!ids.includes(other ?? ''));
});

test('observability directives become events of the run, and answer with their ids', async () => {
  const events: RunEvent[] = [];
  const handler = createEventsHandler(createEvents(SOURCE, (event) => events.push(event)));
  assert.equal(handler.capability, null);
  for (const tag of handler.tags) {
    const directive = wellFormed(tag);
    const outcome = await handler.perform({
      ...{ directive, effectId: '', allowance: {}, signal: new AbortController().signal },
      caller: { executor: 'call@1.0.0', artifactHash: SOURCE.artifactHash, depth: 0 },
      emit: () => {},
    });
    const { type, ...content } = directive;
    const event = events.at(-1);
    assert.deepEqual([event?.type, event?.content], [type, content]);
    assert.deepEqual(outcome, { kind: 'performed', result: { event: event?.id ?? '' } });
  }
});
