// The canonical JSON of a receipt (RFC 8785), written directly: the fields are known ahead, so their
// order is too. Each value is checked as it is written, for what is written must be readable.

import { isSha256 } from '../crypto/crypto.ts';
import { InputError } from '../encoding/input-error.ts';
import { PURITY_METHODS } from '../gate/types.ts';
import {
  BATCHED_FORMAT,
  DECISION_KINDS,
  FUEL_SCHEDULE_NAME,
  HOOK_VERDICTS,
  PHASES,
  RECEIPT_FORMAT,
  RECEIPT_STATUSES,
} from './receipt-format.ts';
import { isRunId } from './run-id.ts';
import type {
  BatchEnd,
  BatchPlace,
  Receipt,
  ReceiptContent,
  ReceiptDirective,
  SignedReceipt,
} from './types.ts';

/** A receipt's canonical text in three pieces: `batch` stands after the first, `signature` after the second. */
interface Pieces {
  readonly before: string;
  readonly middle: string;
  readonly after: string;
}

const STATUSES: ReadonlySet<string> = new Set(RECEIPT_STATUSES);
const DECISIONS: ReadonlySet<string> = new Set(DECISION_KINDS);
const VERDICTS: ReadonlySet<string> = new Set(HOOK_VERDICTS);

/** `completed` by its length. */
const COMPLETED = [...PHASES.keys(), PHASES.length].map((count) =>
  JSON.stringify(PHASES.slice(0, count)),
);

/**
 * The canonical text of a receipt.
 * @throws {InputError} `invalid-receipt` for a value that a reader would refuse.
 */
export function receiptText(receipt: Receipt): string {
  switch (receipt.format) {
    case RECEIPT_FORMAT:
      return signedText(receipt).signed(receipt.signature);
    case BATCHED_FORMAT:
      return batchedText(receipt, receipt.batch);
    default:
      throw invalid('format');
  }
}

/** The canonical text of a receipt that is signed by itself, without its signature and with it. */
export interface SignedText {
  readonly unsigned: string;
  signed(signature: string): string;
}

/** Writes what is signed and what is signed then, checking values once. Errors as {@link receiptText}. */
export function signedText(receipt: Omit<SignedReceipt, 'signature'>): SignedText {
  const { before, middle, after } = pieces(receipt, RECEIPT_FORMAT);
  return {
    unsigned: `${before}${middle}${after}`,
    signed: (signature) => `${before}${middle}${signatureText(signature)}${after}`,
  };
}

/** The canonical text of a receipt at its place in a batch. Errors as {@link receiptText}. */
export function batchedText(receipt: ReceiptContent, batch: BatchPlace | BatchEnd): string {
  const { before, middle, after } = pieces(receipt, BATCHED_FORMAT);
  const index = whole(batch.index, 'batch.index');
  const end =
    'root' in batch
      ? `,"root":${hash(batch.root, 'batch.root')},${signatureText(batch.signature).slice(0, -1)}`
      : '';
  return `${before}"batch":{"index":${index}${end}},${middle}${after}`;
}

function pieces(receipt: ReceiptContent, format: string): Pieces {
  const { certificateHash, fuel, outputHash, purityMethod, run, signer, status, tier } = receipt;
  if (PURITY_METHODS[tier] !== purityMethod) throw invalid('purityMethod');
  if ((tier === 1) !== (certificateHash !== null)) throw invalid('certificateHash');
  if (!isRunId(run)) throw invalid('run');
  if (!STATUSES.has(status)) throw invalid('status');
  return {
    before: `{"artifactHash":${hash(receipt.artifactHash, 'artifactHash')},`,
    middle: `"certificateHash":${hashOrNull(certificateHash, 'certificateHash')},"completed":${completedText(receipt)},"directives":[${receipt.directives.map(directiveText).join(',')}],"epoch":${whole(receipt.epoch, 'epoch')},"executor":${text(receipt.executor, 'executor')},"format":"${format}","fuel":{"limit":${whole(fuel.limit, 'fuel.limit')},${scheduleText(fuel.schedule)}"used":${fuel.used === null ? 'null' : whole(fuel.used, 'fuel.used')}},"inputHash":${hash(receipt.inputHash, 'inputHash')},"outputHash":${hashOrNull(outputHash, 'outputHash')},"prevHash":${hash(receipt.prevHash, 'prevHash')},"purityMethod":"${purityMethod}","run":"${run}",`,
    after: `"signer":${hash(signer, 'signer')},${stateText(receipt)}"status":"${status}","tier":${tier},"whitelistHash":${hash(receipt.whitelistHash, 'whitelistHash')}}`,
  };
}

function stateText({ state }: ReceiptContent): string {
  if (state === undefined) return '';
  return `"state":{"after":${hashOrNull(state.after, 'state.after')},"before":${hashOrNull(state.before, 'state.before')}},`;
}

function scheduleText(schedule: string | undefined): string {
  if (schedule === undefined) return '';
  if (!FUEL_SCHEDULE_NAME.test(schedule)) throw invalid('fuel.schedule');
  return `"schedule":"${schedule}",`;
}

function completedText({ completed }: ReceiptContent): string {
  if (!completed.every((phase, i) => phase === PHASES[i])) throw invalid('completed');
  return COMPLETED[completed.length] ?? '[]';
}

function directiveText(directive: ReceiptDirective): string {
  const { decision, reason, resultHash } = directive;
  if (!DECISIONS.has(decision)) throw invalid('directives.decision');
  const why = reason === undefined ? '' : `,"reason":${text(reason, 'directives.reason')}`;
  const result =
    resultHash === undefined ? '' : `,"resultHash":${hash(resultHash, 'directives.resultHash')}`;
  return `{"decision":"${decision}","hash":${hash(directive.hash, 'directives.hash')}${hooksText(directive)}${linkText(directive)}${why}${result},"type":${text(directive.type, 'directives.type')}}`;
}

function hooksText({ hooks }: ReceiptDirective): string {
  if (hooks === undefined) return '';
  if (hooks.length === 0) throw invalid('directives.hooks');
  const texts = hooks.map(({ artifactHash, verdict }) => {
    if (!VERDICTS.has(verdict)) throw invalid('directives.hooks.verdict');
    return `{"artifactHash":${hashOrNull(artifactHash, 'directives.hooks')},"verdict":"${verdict}"}`;
  });
  return `,"hooks":[${texts.join(',')}]`;
}

function linkText({ link }: ReceiptDirective): string {
  if (link === undefined) return '';
  const { attestation, receipt } = link;
  const parts = [
    ...(attestation === undefined
      ? []
      : [`"attestation":${hash(attestation, 'directives.link.attestation')}`]),
    ...(receipt === undefined ? [] : [`"receipt":${hash(receipt, 'directives.link.receipt')}`]),
  ];
  return `,"link":{${parts.join(',')}}`;
}

function signatureText(signature: string): string {
  if (signature.length !== 88) throw invalid('signature');
  return `"signature":${text(signature, 'signature')},`;
}

/** What stood last in a field and was a hash: receipts of one executor share most of theirs. */
const checked = new Map<string, string>();

function hash(value: string, field: string): string {
  if (checked.get(field) !== value) {
    if (!isSha256(value)) throw invalid(field);
    checked.set(field, value);
  }
  return `"${value}"`;
}

function hashOrNull(value: string | null, field: string): string {
  return value === null ? 'null' : hash(value, field);
}

function whole(value: number, field: string): string {
  if (!Number.isSafeInteger(value) || value < 0) throw invalid(field);
  return String(value);
}

function text(value: string, field: string): string {
  if (typeof value !== 'string' || !value.isWellFormed()) throw invalid(field);
  return JSON.stringify(value);
}

function invalid(field: string): InputError {
  return new InputError(
    'invalid-receipt',
    `the receipt to write is not a receipt: "${field}" is not what a reader takes`,
  );
}
