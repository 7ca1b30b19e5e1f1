import { InputError } from '../encoding/input-error.ts';
import { Cursor } from '../module/cursor.ts';
import { SECTION } from '../module/sections.ts';
import type { FunctionAnalysis } from './analysis.ts';
import { analyse } from './body-walk.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Declarations } from './declarations.ts';
import { BodyEmitter, TEMPORARIES } from './emitter.ts';
import { BodyRewriter, LARGE_FRAME, type RewriteContext } from './rewrite.ts';
import { boundedFunctions, frameUnits } from './stack-bounds.ts';
import type { DefinedType } from './type-section.ts';
import { readValueType, V128 } from './value-types.ts';

export interface RewrittenCode {
  readonly section: Uint8Array;
  /** Floating-point instructions whose NaNs are made canonical. */
  readonly canonicalised: number;
  /** What can give another result on another machine, in words for a person. */
  readonly nondeterministic: string | undefined;
}

/** V8 takes no larger function bodies, and no more locals (its own limits, as every browser's). */
const MAX_BODY_BYTES = 7_654_321;
const MAX_LOCALS = 50_000;

/** A function body, read and analysed. */
interface Body {
  readonly functionIndex: number;
  readonly type: DefinedType & { readonly kind: 'function' };
  readonly locals: Locals;
  readonly end: number;
  readonly analysis: FunctionAnalysis;
  /** What its frame takes of the stack, in units of 8 bytes. */
  readonly units: number;
}

/**
 * The code section with every body rewritten; `undefined` where the module has none.
 * @throws {InputError} `invalid-module`, `too-large` as `instrument`.
 */
export function rewriteCode(
  about: Omit<RewriteContext, 'isBounded'> & { readonly canonicalNaN: boolean },
): RewrittenCode | undefined {
  const { bytes, declarations, positions, canonicalNaN } = about;
  const bodies = readBodies(bytes, declarations, canonicalNaN);
  if (bodies === undefined) return undefined;
  const { importedFunctions } = declarations;
  const bounded = boundedFunctions(bodies, importedFunctions);
  const isBounded = (index: number) =>
    index < importedFunctions || bounded[index - importedFunctions] === 1;
  const context: RewriteContext = { ...about, isBounded };
  const out = new ByteWriter(bytes.length * 2);
  const code = new ByteWriter(4096);
  out.unsigned(bodies.length);
  for (const body of bodies) {
    code.clear();
    positions.begin();
    const locals = rewriteBody(code, context, body);
    const size = locals.length + code.length;
    if (size > MAX_BODY_BYTES) {
      throw tooLarge(body.functionIndex, `${size} bytes`, `${MAX_BODY_BYTES}`);
    }
    out.unsigned(size);
    out.bytes(locals);
    positions.place(out.length);
    out.bytes(code.view());
  }
  return { section: out.take(), ...summarise(bodies) };
}

function summarise(bodies: readonly Body[]): Omit<RewrittenCode, 'section'> {
  const canonicalised = bodies.reduce((sum, { analysis }) => sum + analysis.nans.size, 0);
  const found = bodies.find(({ analysis }) => analysis.nondeterministic !== undefined);
  return {
    canonicalised,
    nondeterministic:
      found &&
      `an instruction of relaxed SIMD or of threads at byte ${found.analysis.nondeterministic}`,
  };
}

function readBodies(
  bytes: Uint8Array,
  declarations: Declarations,
  canonicalNaN: boolean,
): Body[] | undefined {
  const section = declarations.sections.find(({ id }) => id === SECTION.code);
  if (section === undefined) return undefined;
  const cursor = new Cursor(bytes, section.offset, section.offset + section.size);
  const bodies: Body[] = [];
  for (let left = cursor.u32(); left > 0 && cursor.ok; left--) {
    const size = cursor.u32();
    const start = cursor.position;
    cursor.skip(size);
    cursor.expectOk('the code section');
    const functionIndex = declarations.importedFunctions + bodies.length;
    bodies.push(readBody(bytes, declarations, functionIndex, start, start + size, canonicalNaN));
  }
  return bodies;
}

function readBody(
  bytes: Uint8Array,
  declarations: Declarations,
  functionIndex: number,
  start: number,
  end: number,
  canonicalNaN: boolean,
): Body {
  const type = declarations.types[declarations.functions[functionIndex] ?? -1];
  if (type?.kind !== 'function') {
    throw new InputError('invalid-module', `function ${functionIndex} has no type of a function`);
  }
  const locals = readLocals(new Cursor(bytes, start, end));
  const analysis = analyse(bytes, locals.end, end, type, declarations, canonicalNaN);
  const slots = type.params * (type.vectors ? 2 : 1) + locals.slots;
  const units = frameUnits(analysis, declarations.vectors, slots);
  return { functionIndex, type, locals, end, analysis, units };
}

/** Writes a body's instructions to `out`. @returns its declaration of locals. */
function rewriteBody(out: ByteWriter, context: RewriteContext, body: Body): Uint8Array {
  const { type, locals, analysis, functionIndex, end } = body;
  const own = type.params + locals.count;
  const emit = new BodyEmitter(out, context.bytes, context.positions, own);
  const rewriter = new BodyRewriter(emit, context, analysis, {
    units: unitsToCount(body, context.isBounded),
    results: type.results,
  });
  rewriter.write(locals.end, end);
  const added = emit.temporaries;
  const all = own + added.length;
  if (all > MAX_LOCALS) throw tooLarge(functionIndex, `${all} locals`, `${MAX_LOCALS}`);
  const declared = new ByteWriter(locals.end - locals.start + 2 * added.length + 8);
  declared.unsigned(locals.groups + added.length);
  declared.copy(context.bytes, locals.start, locals.end);
  for (const name of added) declared.bytes([1, TEMPORARIES[name]]);
  return declared.take();
}

/** A frame counts where something is called from it that could go on calling, or where it is large. */
function unitsToCount(
  { functionIndex, analysis, units }: Body,
  isBounded: RewriteContext['isBounded'],
): number {
  if (isBounded(functionIndex)) return 0;
  const goesOn = analysis.callsUnknown || [...analysis.callees].some((each) => !isBounded(each));
  return goesOn || units > LARGE_FRAME ? units : 0;
}

function tooLarge(functionIndex: number, what: string, most: string): InputError {
  return new InputError(
    'too-large',
    `function ${functionIndex} has ${what} when it is metered; engines take at most ${most}`,
  );
}

interface Locals {
  readonly groups: number;
  readonly count: number;
  /** Stack slots of 8 bytes. */
  readonly slots: number;
  /** Where the groups stand; the instructions follow. */
  readonly start: number;
  readonly end: number;
}

function readLocals(cursor: Cursor): Locals {
  const groups = cursor.u32();
  const start = cursor.position;
  let count = 0;
  let slots = 0;
  for (let left = groups; left > 0 && cursor.ok; left--) {
    const many = cursor.u32();
    const [first] = readValueType(cursor);
    count += many;
    slots += many * (first === V128 ? 2 : 1);
  }
  cursor.expectOk('the locals of a function');
  return { groups, count, slots, start, end: cursor.position };
}
