import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, FrameReader } from '../../../engine/platform/node/process-frames.ts';
import { HeldPrograms } from '../../../engine/platform/node/process-programs.ts';

const frame = fc.record(
  {
    kind: fc.nat(255),
    detail: fc.nat(255),
    turn: fc.nat(0xffff_ffff),
    payload: fc.uint8Array({ maxLength: 300 }),
  },
  { noNullPrototype: true },
);

test('frames cut anywhere arrive as they were sent', () => {
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 64 })), (frames, cuts) => {
      const stream = Buffer.concat(frames.map((each) => encodeFrame(each, each.payload)));
      const reader = new FrameReader(() => 300);
      const received: unknown[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const end = at + (cuts[i % (cuts.length || 1)] ?? stream.length);
        const problem = reader.push(new Uint8Array(stream.subarray(at, end)), (each) => {
          received.push({
            kind: each.kind,
            detail: each.detail,
            turn: each.turn,
            payload: new Uint8Array(each.payload),
          });
          return true;
        });
        assert.equal(problem, undefined);
        at = end;
      }
      assert.deepEqual(received, frames);
    }),
  );
});

test('a frame beyond its bound is refused at its header, before its payload', () => {
  const reader = new FrameReader(({ kind }) => (kind === 1 ? 10 : 0));
  const push = (bytes: Uint8Array) => reader.push(bytes, () => true);
  assert.equal(push(encodeFrame({ kind: 1, detail: 0, turn: 0 }, new Uint8Array(10))), undefined);
  const over = encodeFrame({ kind: 1, detail: 0, turn: 0 }, new Uint8Array(11));
  assert.match(push(over.subarray(0, 12)) ?? '', /frame of 11 bytes/);
});

test('programs held never exceed their bounds, and each has a slot of its own', () => {
  const use = fc.record({ id: fc.nat(30).map(String), bytes: fc.integer({ min: 1, max: 40 }) });
  fc.assert(
    fc.property(fc.array(use, { maxLength: 200 }), (uses) => {
      const bounds = { count: 8, bytes: 100 };
      const programs = new HeldPrograms(bounds);
      const host = new Map<number, { id: string; bytes: number }>();
      for (const { id, bytes } of uses) {
        const { slot, isHeld, forgotten } = programs.place(id, bytes);
        for (const each of forgotten) assert.ok(host.delete(each));
        if (isHeld) assert.equal(host.get(slot)?.id, id);
        else assert.ok(!host.has(slot) && ![...host.values()].some((held) => held.id === id));
        if (!isHeld) host.set(slot, { id, bytes });
        assert.ok(host.size <= bounds.count);
        const sum = [...host.values()].reduce((total, held) => total + held.bytes, 0);
        assert.ok(sum <= bounds.bytes);
      }
    }),
  );
});

test('the program used longest ago is forgotten first', () => {
  const programs = new HeldPrograms({ count: 2, bytes: 100 });
  const a = programs.place('a', 1);
  const b = programs.place('b', 1);
  programs.place('a', 1);
  assert.deepEqual(programs.place('c', 1).forgotten, [b.slot]);
  assert.deepEqual(programs.place('large', 1_000).forgotten.length, 2);
  assert.equal(programs.has('large'), true);
  assert.equal(programs.has('a'), false);
  assert.equal(a.isHeld, false);
});
