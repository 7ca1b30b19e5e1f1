// Exceptions: those of WebAssembly 3.0 (core specification 5.4.1), and the legacy ones. V8 takes no
// module with both.

import { anyBlockType, type BlockType, depthOf, sameTypes, writeBlockType } from './blocks.ts';
import type { Body } from './body.ts';
import { OP } from './opcodes.ts';
import type { Family } from './repertoire.ts';
import { functionType, type Shape } from './shape.ts';
import { EXNREF, type ValueType } from './types.ts';

function payload({ shape }: Body, tag: number): readonly ValueType[] {
  return functionType(shape, shape.tags[tag] ?? -1).params;
}

function anyTag({ random, shape }: Body): number {
  return random.below(shape.tags.length);
}

function raise(body: Body): void {
  const tag = anyTag(body);
  const types = payload(body, tag);
  body.values(types, 1);
  body.op(OP.throw).u32(tag);
  body.pop(types.length);
}

/** The inside of a protected block, in which something is likely to be thrown. */
function risky(body: Body): void {
  body.statements(3);
  if (body.random.oneIn(3)) raise(body);
  else body.sometimes(() => raise(body));
}

/** `try` with handlers, or `try` that delegates. */
function legacyTry(body: Body): void {
  if (!body.hasRoomForBlocks) return;
  const { random } = body;
  const type = anyBlockType(body);
  body.values(type.params, 1);
  body.op(OP.try);
  writeBlockType(body, type);
  body.within('try', type.params, type.results, () => risky(body));
  if (random.oneIn(4)) {
    body.op(OP.delegate).u32(random.below(body.labels.length));
    return;
  }
  const handle = (params: readonly ValueType[]) => {
    body.pop(type.results.length);
    body.push(...params);
    body.within('catch', params, type.results, () => handler(body));
  };
  for (let n = random.below(3); n > 0; n--) {
    const tag = anyTag(body);
    body.op(OP.catch).u32(tag);
    handle(payload(body, tag));
  }
  if (random.oneIn(2)) {
    body.op(OP.catchAll);
    handle([]);
  }
  body.op(OP.end);
}

function handler(body: Body): void {
  body.statements(2);
  if (!body.random.oneIn(3)) return;
  const label = body.random.pick(body.labels.filter(({ kind }) => kind === 'catch'));
  const rethrow = () => body.op(OP.rethrow).u32(depthOf(body, label));
  if (body.random.oneIn(4)) rethrow();
  else body.sometimes(rethrow);
}

interface Handler {
  readonly kind: number;
  readonly tag: number | undefined;
  /** What its label has to take. */
  readonly types: readonly ValueType[];
}

const REFERENCE = 1;
const ALL = 2;

function anyHandler(body: Body): Handler {
  const kind = body.random.below(4);
  const tag = kind < ALL ? anyTag(body) : undefined;
  const thrown = tag === undefined ? [] : payload(body, tag);
  return { kind, tag, types: (kind & REFERENCE) === 0 ? thrown : [...thrown, EXNREF] };
}

/** The type of a block with these results and no parameters. */
function resultType({ types }: Shape, results: readonly ValueType[]): BlockType {
  if (results.length < 2) return { params: [], results };
  const index = types.findIndex(
    (type) =>
      type.kind === 'function' && type.params.length === 0 && sameTypes(type.results, results),
  );
  return { params: [], results, index };
}

/** `try_table` in a block that its first handler leads to; further handlers lead anywhere fitting. */
function tryTable(body: Body): void {
  if (!body.hasRoomForBlocks) return;
  const { random, shape } = body;
  const first = anyHandler(body);
  const around = resultType(shape, first.types);
  body.op(OP.block);
  writeBlockType(body, around);
  body.within('block', [], around.results, () => {
    const type = anyBlockType(body);
    body.values(type.params, 1);
    body.op(OP.tryTable);
    writeBlockType(body, type);
    const own = body.labels.length - 1;
    const handlers = [{ ...first, label: body.labels[own] }];
    for (let n = random.below(3); n > 0; n--) {
      const another = anyHandler(body);
      const fitting = body.labels.filter(({ types }) => sameTypes(types, another.types));
      const label = random.pickAny(fitting);
      if (label !== undefined) handlers.push({ ...another, label });
    }
    body.writer.u32(handlers.length);
    for (const { kind, tag, label } of handlers) {
      body.writer.byte(kind);
      if (tag !== undefined) body.writer.u32(tag);
      body.writer.u32(label === undefined ? 0 : depthOf(body, label));
    }
    body.within('try', type.params, type.results, () => risky(body));
    body.op(OP.end);
  });
  body.op(OP.end);
}

function throwReference(body: Body): void {
  body.value(EXNREF, 1);
  body.op(OP.throwRef);
  body.pop(1);
}

export const EXCEPTIONS: Family = {
  producers: [],
  statements: [
    { weight: 6, possible: ({ style }) => style.exceptions === 'legacy', emit: legacyTry },
    { weight: 6, possible: ({ style }) => style.exceptions === 'exnref', emit: tryTable },
    {
      weight: 2,
      possible: ({ style }) => style.exceptions === 'exnref',
      emit: (body) => body.sometimes(() => throwReference(body)),
    },
    {
      weight: 1,
      possible: ({ style }) => style.exceptions !== 'none',
      emit: (body) => body.sometimes(() => raise(body)),
    },
  ],
};
