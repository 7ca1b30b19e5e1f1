// What a caller verifies of another organisation's offer before it sends input, and of its answer before
// it uses output.

import { serializeCertificate } from '../certificate/certificate.ts';
import type { Crypto, KeyId, Sha256 } from '../crypto/crypto.ts';
import { shortHash } from '../encoding/display.ts';
import { canonicalJson } from '../encoding/json.ts';
import type { GateEnvironment } from '../gate/types.ts';
import { signatureProblem } from '../provenance/environment.ts';
import { serializeReceipt } from '../provenance/receipt.ts';
import { RECEIPT_FORMAT } from '../provenance/receipt-format.ts';
import { receiptMessage } from '../provenance/sign.ts';
import type { Receipt } from '../provenance/types.ts';
import { type Compatibility, checkCompatibility } from './compatibility.ts';
import { type CallAnswer, offeredCall } from './exchange.ts';
import type { Attestation, AttestationRecord } from './types.ts';
import { verifyAttestation } from './verify.ts';

/** Why an offer or an answer does not count. */
export interface ExchangeProblem {
  /** The step, conjunct or field that does not hold, in kebab-case. */
  readonly code: string;
  /** What was found, in one line for a person. */
  readonly detail: string;
}

/** What was asked for. */
export interface AskedOffer {
  readonly machine: string;
  readonly nonce: string;
  readonly compatibility: Compatibility;
  /** The environment that must offer it; any that is trusted unless given. */
  readonly environment?: KeyId | undefined;
}

/**
 * Checks an offer: the steps of `verifyAttestation`, the environment that was asked for, the four
 * conjuncts of compatibility, and that it answers this very request.
 * @returns the first problem; `undefined` where input may be sent.
 */
export function checkOffer(
  gate: GateEnvironment,
  record: AttestationRecord,
  { machine, nonce, compatibility, environment }: AskedOffer,
): ExchangeProblem | undefined {
  const unverified = problemOf(verifyAttestation(gate, record));
  if (unverified !== undefined) return unverified;
  if (environment !== undefined && record.signer !== environment) {
    const asked = `${shortHash(environment)}… was asked for`;
    return problem(
      'environment-key',
      `environment ${shortHash(record.signer)}… offers it; ${asked}`,
    );
  }
  const incompatible = problemOf(checkCompatibility(record, compatibility, gate));
  if (incompatible !== undefined) return incompatible;
  if (record.call?.nonce !== nonce) return problem('nonce', 'it is an offer to somebody else');
  if (!isSame(record.call, offeredCall(gate.crypto, machine, nonce))) {
    return problem('machine', 'it offers something else than was asked for');
  }
  return record.receipts.length === 0 ? undefined : problem('receipts', 'an offer has none');
}

/** What was sent, to whom. */
export interface AskedCall {
  /** The offer, which was checked. */
  readonly offer: AttestationRecord;
  readonly nonce: string;
  readonly inputHash: Sha256;
}

/**
 * Checks the answer to a call: that it is by the environment that offered it, about the same executor
 * there, and that its attestation and its receipt bind nonce, input, output and status.
 * @param gate as the offer was checked by.
 * @returns the first problem; `undefined` where the output counts.
 */
export function checkAnswer(
  gate: GateEnvironment,
  { offer, nonce, inputHash }: AskedCall,
  { status, output, attestation, receipt }: CallAnswer,
): ExchangeProblem | undefined {
  const { crypto, trust } = gate;
  for (const field of ['signer', 'environment', 'certificate', 'executor'] as const) {
    if (!isSame(attestation[field], offer[field])) {
      return problem(field, 'another one than was offered');
    }
  }
  const unverified = problemOf(verifyAttestation(gate, attestation));
  if (unverified !== undefined) return unverified;
  const { call } = attestation;
  if (call?.nonce !== nonce) return problem('nonce', 'it attests another call');
  if (call.inputHash !== inputHash) return problem('input', 'it attests another input');
  if (call.outputHash !== (output && crypto.sha256(output))) {
    return problem('output', 'it attests another output');
  }
  if (call.status !== status) return problem('status', 'it attests another status');
  if (!isSame(attestation.receipts, [crypto.sha256(serializeReceipt(receipt))])) {
    return problem('receipts', 'it attests another receipt');
  }
  if (receipt.format !== RECEIPT_FORMAT) return problem('receipt', 'it is not signed by itself');
  const unsigned = signatureProblem(crypto, trust, receipt, receiptMessage(receipt));
  if (unsigned !== undefined) return problem('receipt-signature', unsigned);
  const said = receiptFacts(crypto, attestation);
  const differs = RECEIPT_FIELDS.find((field) => !isSame(receipt[field], said[field]));
  return differs && problem('receipt', `it says another ${differs} than the attestation`);
}

const RECEIPT_FIELDS = [
  'signer',
  'executor',
  'artifactHash',
  'certificateHash',
  'tier',
  'whitelistHash',
  'inputHash',
  'outputHash',
  'status',
] as const satisfies readonly (keyof Receipt)[];

/** What the receipt of an attested call says, as far as the attestation tells it. */
function receiptFacts(
  crypto: Crypto,
  { signer, executor, certificate, environment, call }: Attestation,
): Readonly<Record<(typeof RECEIPT_FIELDS)[number], unknown>> {
  return {
    signer,
    executor,
    artifactHash: certificate.artifactHash,
    certificateHash: crypto.sha256(serializeCertificate(certificate)),
    tier: 1,
    whitelistHash: environment.whitelist.hash,
    inputHash: call?.inputHash,
    outputHash: call?.outputHash,
    status: call?.status,
  };
}

/** Whether two values have the same canonical bytes. */
function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function problemOf(
  answers: readonly { readonly code: string; readonly ok: boolean; readonly detail?: string }[],
): ExchangeProblem | undefined {
  const unmet = answers.find(({ ok }) => !ok);
  return unmet && problem(unmet.code, unmet.detail ?? 'it does not hold');
}

function problem(code: string, detail: string): ExchangeProblem {
  return { code, detail };
}
