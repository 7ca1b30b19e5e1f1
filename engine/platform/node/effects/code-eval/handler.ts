import { displayText } from '../../../../encoding/display.ts';
import { InputError } from '../../../../encoding/input-error.ts';
import { isJsonObject } from '../../../../encoding/json.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  failed,
  performed,
  type Refused,
  refused,
} from '../../../../governance/effect.ts';
import type { ExecGrant } from '../../../../governance/grants/exec.ts';
import type { Directive } from '../../../../runtime/types.ts';
import type { HostEnd } from '../../process-host.ts';
import {
  DETAIL_LENGTH,
  type EvaluationAnswer,
  type EvaluationFailure,
  type EvaluationLimits,
} from './evaluation.ts';
import { createEvaluator, type EvaluatorOptions } from './evaluator.ts';

/** The part of the grant that says how code may be evaluated. */
export type CodeEvalGrant = Pick<
  ExecGrant,
  'languages' | 'fuel' | 'memoryPages' | 'outputBytes' | 'timeoutMs'
>;

/**
 * Performs `code_eval`: JavaScript in QuickJS, compiled to WebAssembly, in a process of its own.
 *
 * The code is a script of ECMAScript with nothing else: no module can be imported, no function of a
 * host is there, the clock stands at the beginning of 1970 (UTC), and random numbers are the same in
 * every evaluation. The members of `bindings` are constants. The value is that of the last expression;
 * a promise is settled by running all that is queued. So the same code, bindings and limits come to the
 * same value with the same fuel, everywhere, or fail the same way.
 *
 * The result is `{ "value": …, "fuel": units used }`; `undefined` is `null`. Failures: `out-of-fuel`,
 * `memory-limit`, `call-depth`, `too-large` (the value), `invalid-bindings` (a constant of the language
 * cannot be bound), `code-threw`, `unsettled` (a promise), `not-json`; and, of this machine or its
 * clock, `timeout`, `cancelled`, `evaluator-lost`, `evaluator-unavailable`.
 */
export function createCodeEvalHandler(
  grant: CodeEvalGrant,
  options: EvaluatorOptions,
): EffectHandler {
  const evaluator = createEvaluator(options);
  const { fuel, memoryPages, outputBytes, timeoutMs } = grant;
  const limits: EvaluationLimits = { fuel, memoryPages, outputBytes };
  const judge = (directive: Directive) => judgeLanguage(directive, grant);

  return {
    tags: ['code_eval'],
    capability: 'compute.exec',
    judge,
    isRepeatable: () => true,
    perform: async ({ directive, signal }) => {
      const refusal = judge(directive);
      if (refusal !== undefined) return refusal;
      const { code, bindings = {} } = directive;
      if (typeof code !== 'string' || !isJsonObject(bindings)) {
        return failed('invalid-directive', '"code" must be a text and "bindings" an object');
      }
      const evaluation = { code, bindings: JSON.stringify(bindings), limits };
      try {
        return conclude(await evaluator.evaluate(evaluation, { timeoutMs, signal }), grant);
      } catch (error) {
        return failed('evaluator-unavailable', describeMissing(error));
      }
    },
    close: () => evaluator.close(),
  };
}

function judgeLanguage({ language }: Directive, { languages }: CodeEvalGrant): Refused | undefined {
  if (languages.some((each) => each === language)) return undefined;
  const asked = typeof language === 'string' ? displayText(language, 60) : '';
  const granted = languages.length === 0 ? 'none is' : `${languages.join(', ')} is`;
  return refused(
    'language-not-granted',
    `code in "${asked}" may not be evaluated: of languages, ${granted} granted`,
  );
}

function conclude(end: HostEnd<EvaluationAnswer>, grant: CodeEvalGrant): EffectOutcome {
  switch (end.kind) {
    case 'answer':
      return 'failure' in end.answer
        ? failed(end.answer.failure, describe(end.answer, grant))
        : performed({ value: end.answer.value, fuel: end.answer.fuel });
    case 'timeout':
      return failed('timeout', `the evaluation took longer than ${grant.timeoutMs} ms`);
    case 'cancelled':
      return failed('cancelled', 'the evaluation was cancelled');
    case 'lost':
      return failed(
        'evaluator-lost',
        `the process that evaluated the code was lost: ${displayText(end.reason, DETAIL_LENGTH)}`,
      );
    case 'refused':
    case 'behind':
      return failed(
        'evaluator-lost',
        'the process was gone before it had the code, again and again',
      );
  }
}

/** In one line; the words of the code itself are made safe to show. */
function describe({ failure, detail }: EvaluationFailure, grant: CodeEvalGrant): string {
  const told = displayText(detail, DETAIL_LENGTH);
  switch (failure) {
    case 'out-of-fuel':
      return `the code used up the ${grant.fuel} units of fuel that it may have`;
    case 'memory-limit':
      return `the code asked for more memory than ${grant.memoryPages} pages of 64 KiB`;
    case 'call-depth':
      return 'the code nests deeper than the stack allows';
    case 'too-large':
      return `the value is larger than ${grant.outputBytes} bytes as JSON`;
    case 'invalid-bindings':
      return `a binding cannot be made a constant: ${told}`;
    case 'code-threw':
      return `the code threw ${told}`;
    case 'unsettled':
      return 'the value is a promise that nothing settles: all that was queued has run';
    case 'not-json':
      return `the value cannot be written as JSON: ${told}`;
  }
}

/** Where things lie on this machine is no business of the executor that reads the message. */
function describeMissing(error: unknown): string {
  return error instanceof InputError && error.code === 'usage'
    ? error.message
    : 'the process that evaluates code cannot be started: build this program, or install it again';
}
