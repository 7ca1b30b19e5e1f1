import { attestationHash, attestationMessage, parseAttestation } from '../attestation/record.ts';
import { parseEnvelopedAttestation } from '../attestation/statement.ts';
import type { Attestation } from '../attestation/types.ts';
import {
  type AttestationQuestion,
  type AttestationStep,
  verifyAttestation,
  verifyEnvelopedAttestation,
} from '../attestation/verify.ts';
import { serializeCertificate } from '../certificate/certificate.ts';
import type { Sha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { isJsonObject, parseJson } from '../encoding/json.ts';
import { type CertificateMeans, type Certificates, gateEnvironment } from './certificates.ts';
import type { AuditedFile } from './sources.ts';

/** An attestation, and what its verification says. */
export interface JudgedAttestation
  extends Pick<Attestation, 'executor' | 'receipts' | 'signer' | 'call'> {
  readonly file: string;
  /** What links name it by; absent for the DSSE form. */
  readonly hash: Sha256 | undefined;
  /** The same for a record and its DSSE form. */
  readonly identity: Sha256;
  readonly artifactHash: Sha256;
  readonly certificateHash: Sha256;
  readonly whitelistHash: Sha256;
  readonly steps: readonly AttestationStep[];
  readonly holds: boolean;
}

/** Whether it answers a call that was made. An offer of one has a nonce too, and names no receipt. */
export function answersCall({ call, receipts }: JudgedAttestation): boolean {
  return call !== undefined && receipts.length > 0;
}

/** The attestations at hand. */
export interface Attestations {
  take(file: AuditedFile): Promise<void>;
  find(hash: Sha256): JudgedAttestation | undefined;
  all(): Iterable<JudgedAttestation>;
}

/** So many receipts are looked up that attestations name. */
const MAX_NAMED = 250_000;

export function createAttestations(
  means: CertificateMeans,
  certificates: Certificates,
): Attestations {
  const { findings } = means;
  const judged: JudgedAttestation[] = [];
  const byHash = new Map<Sha256, JudgedAttestation>();
  let namedLeft = MAX_NAMED;
  return {
    take: async (file) => {
      try {
        const read = readEither(await file.read(), displayText(file.file, 300));
        const { receipts, certificate } = read.attestation;
        namedLeft -= receipts.length;
        if (namedLeft < 0) {
          const message = `attestations from here on are not looked at: they name more than ${MAX_NAMED} receipts together`;
          findings.add('not-searched', { file: file.file }, message);
          return;
        }
        await certificates.takeEmbedded(certificate, file.file);
        const attestation = await judge(means, read, file.file);
        judged.push(attestation);
        if (attestation.hash !== undefined) byHash.set(attestation.hash, attestation);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        findings.add('unreadable-file', { file: file.file }, error.message);
      }
    },
    find: (hash) => byHash.get(hash),
    all: () => judged,
  };
}

/** An attestation in one of its two forms. */
type Read =
  | ({ readonly form: 'record' } & { readonly attestation: ReturnType<typeof parseAttestation> })
  | ({ readonly form: 'envelope' } & ReturnType<typeof parseEnvelopedAttestation>);

/** Told apart by a field that only envelopes have. */
function readEither(bytes: Uint8Array, what: string): Read {
  const value = parseJson(bytes, what);
  return isJsonObject(value) && Object.hasOwn(value, 'payloadType')
    ? { form: 'envelope', ...parseEnvelopedAttestation(bytes, what) }
    : { form: 'record', attestation: parseAttestation(bytes, what) };
}

async function judge(
  { crypto, deciders, whitelists, modules }: CertificateMeans,
  read: Read,
  file: string,
): Promise<JudgedAttestation> {
  const { executor, receipts, signer, call, certificate, environment } = read.attestation;
  const { artifactHash, proof } = certificate;
  const artifact = await modules.read(artifactHash);
  const gate = gateEnvironment(crypto, deciders, whitelists, proof.metadata.whitelist.hash);
  const asked: AttestationQuestion = {
    ...(artifact && { artifact }),
    ...(deciders.compatibility && { compatibility: deciders.compatibility.document }),
  };
  const steps =
    read.form === 'envelope'
      ? verifyEnvelopedAttestation(gate, read, asked)
      : verifyAttestation(gate, read.attestation, asked);
  return {
    ...{ file, executor, receipts, signer, artifactHash, steps },
    ...(call !== undefined && { call }),
    hash: read.form === 'record' ? attestationHash(crypto, read.attestation) : undefined,
    identity: crypto.sha256(attestationMessage(read.attestation)),
    certificateHash: crypto.sha256(serializeCertificate(certificate)),
    whitelistHash: environment.whitelist.hash,
    holds: steps.every(({ ok }) => ok),
  };
}
