import { displayText } from '../encoding/display.ts';
import type { Hook, HookAnswer, HookOpinion, HookQuestion, Reviewer } from './hook.ts';
import { deny } from './stages.ts';

/** Who is asked in a stage, and who decides where a hook asks for a person. */
export interface Asked {
  readonly hooks: readonly Hook[];
  readonly reviewer: Reviewer | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Asks hooks in order, and stops at the first that does not let the directive through.
 * @param opinions takes what each of them said.
 * @returns why the directive is denied; `undefined` where all let it through.
 */
export async function askAll(
  { hooks, reviewer, signal }: Asked,
  question: HookQuestion,
  opinions: HookOpinion[],
): Promise<string | undefined> {
  for (const hook of hooks) {
    if (hook.directives !== undefined && !hook.directives.has(question.directive.type)) continue;
    const { artifactHash, verdict, reason = '' } = await answerOf(hook, question, signal);
    opinions.push({ artifactHash, verdict });
    if (verdict === 'allow') continue;
    const who = displayText(hook.name, 60);
    const words = reason === '' ? who : `${who}: ${displayText(reason, 200)}`;
    if (verdict === 'failed') return deny('HookFailed', words);
    if (verdict === 'deny') return deny('HookDenied', words);
    if (reviewer === undefined) return deny('ReviewUnavailable', words);
    const isLetThrough = await reviewOf(reviewer, { ...question, hook: hook.name, reason }, signal);
    if (!isLetThrough) return deny('ReviewDenied', words);
  }
  return undefined;
}

const VERDICTS: ReadonlySet<unknown> = new Set(['allow', 'deny', 'review', 'failed']);

/** The answer of a hook. One that throws, or answers what is no answer, has failed. */
async function answerOf(
  hook: Hook,
  question: HookQuestion,
  signal: AbortSignal | undefined,
): Promise<HookAnswer> {
  try {
    const { artifactHash, verdict, reason } = await hook.ask(question, signal);
    if (VERDICTS.has(verdict)) return { artifactHash, verdict, ...(reason && { reason }) };
  } catch {
    // It failed, and what it threw says nothing that is the same for equal runs.
  }
  return { artifactHash: null, verdict: 'failed' };
}

async function reviewOf(
  reviewer: Reviewer,
  question: Parameters<Reviewer['review']>[0],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return (await reviewer.review(question, signal)) === true;
  } catch {
    return false;
  }
}
