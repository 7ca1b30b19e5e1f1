import type { QuickJSContext, QuickJSHandle, QuickJSWASMModule } from 'quickjs-emscripten-core';
import {
  DETAIL_LENGTH,
  type Evaluation,
  type EvaluationFailure,
  encodeFailure,
  encodeValue,
  type FailureCode,
} from './evaluation.ts';
import { PRELUDE } from './prelude.ts';
import { type MeteredQuickJS, QuickJSInstance } from './quickjs.ts';

/**
 * Bytes of QuickJS's own stack. Functions that call each other too deep get an error, which they can
 * catch, before the meter ends the evaluation for its call depth.
 */
const STACK_BYTES = 163_840;

/** What the code came to, before any limit is looked at. */
type Result = { readonly json: string } | EvaluationFailure;

/**
 * Evaluates code in an instance and a context of its own, and settles what it promises.
 * @returns the answer, encoded.
 * @throws what no limit explains: the engine itself has failed.
 */
export async function evaluate(
  quickjs: MeteredQuickJS,
  evaluation: Evaluation,
): Promise<Uint8Array> {
  const { limits } = evaluation;
  const instance = new QuickJSInstance(quickjs, limits);
  try {
    const result = evaluateIn(await instance.start(), evaluation);
    const limit = instance.limitReached('failure' in result);
    if (limit !== undefined) return encodeFailure(limit);
    return 'json' in result
      ? encodeValue(result.json, instance.fuelUsed, limits)
      : encodeFailure(result.failure, result.detail);
  } catch (error) {
    const limit = instance.limitReached(true);
    if (limit === undefined) throw error;
    return encodeFailure(limit);
  }
}

/** No handle is given back: the whole memory that they point into is dropped afterwards. */
function evaluateIn(quickjs: QuickJSWASMModule, { code, bindings, limits }: Evaluation): Result {
  const runtime = quickjs.newRuntime({ maxStackSizeBytes: STACK_BYTES });
  const context = runtime.newContext();
  const { bind, write, describe } = evaluatePrelude(context);
  const fail = (failure: FailureCode, thrown: QuickJSHandle): EvaluationFailure => {
    const detail = call(context, describe, thrown, context.newNumber(DETAIL_LENGTH));
    return { failure, detail: context.getString(context.unwrapResult(detail)) };
  };

  const bound = call(context, bind, context.newString(bindings));
  if (bound.error) return fail('invalid-bindings', bound.error);

  const evaluated = context.evalCode(code, 'code.js', SCRIPT);
  if (evaluated.error) return fail('code-threw', evaluated.error);
  while (runtime.hasPendingJob()) {
    const { error } = runtime.executePendingJobs();
    if (error) return fail('code-threw', error);
  }
  const settled = context.getPromiseState(evaluated.value);
  if (settled.type === 'pending') return { failure: 'unsettled', detail: '' };
  if (settled.type === 'rejected') return fail('code-threw', settled.error);

  const written = call(context, write, settled.value, context.newNumber(limits.outputBytes));
  if (written.error) return fail('not-json', written.error);
  return context.typeof(written.value) === 'string'
    ? { json: context.getString(written.value) }
    : { failure: 'too-large', detail: '' };
}

/** A script in the global scope, never a module. */
const SCRIPT = { type: 'global' } as const;

function evaluatePrelude(context: QuickJSContext) {
  const functions = context.unwrapResult(context.evalCode(PRELUDE, 'prelude.js', SCRIPT));
  return {
    bind: context.getProp(functions, 'bind'),
    write: context.getProp(functions, 'write'),
    describe: context.getProp(functions, 'describe'),
  };
}

function call(context: QuickJSContext, callee: QuickJSHandle, ...args: QuickJSHandle[]) {
  return context.callFunction(callee, context.undefined, ...args);
}
