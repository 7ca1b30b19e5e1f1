import { z } from 'zod';
import type { Crypto } from '../crypto/crypto.ts';
import { publicKeyFromRaw, rawFromSpki, spkiDer } from '../crypto/keys.ts';
import { encodeBase64, tryDecodeBase64 } from '../encoding/base64.ts';
import { InputError } from '../encoding/input-error.ts';
import { parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import type { KeyRole, TrustedKey, TrustStore } from './types.ts';

const ROLES = [
  'certifier',
  'publisher',
  'environment',
  'whitelist-authority',
  'voucher-issuer',
  'builder',
] as const satisfies readonly KeyRole[];

const time = z.iso.datetime();

/** The schema of a trust store: a file that people review line by line. */
export const trustStoreSchema = z.strictObject({
  format: z.literal('trust-store/1'),
  keys: z
    .array(
      z.strictObject({
        keyId: z.string().regex(/^[0-9a-f]{64}$/),
        /** Base64 of the SPKI DER form: the body of the PEM file. */
        publicKey: z.string().max(200),
        role: z.enum(ROLES),
        label: z.string().max(200).exactOptional(),
        validFrom: time.exactOptional(),
        validUntil: time.exactOptional(),
        revoked: z.string().max(500).exactOptional(),
      }),
    )
    .max(10_000),
});

type TrustStoreDocument = z.infer<typeof trustStoreSchema>;

/** A trust store that trusts nobody. */
export const EMPTY_TRUST_STORE: TrustStore = makeTrustStore([]);

/**
 * Parses a trust store. Each key id is computed from its key, and one that says otherwise is refused.
 * @throws {InputError} `invalid-json` or `invalid-trust-store`, naming the entry at fault.
 */
export function parseTrustStore(
  crypto: Crypto,
  source: string | Uint8Array,
  what: string,
): TrustStore {
  const parsed = trustStoreSchema.safeParse(parseJson(source, what));
  if (!parsed.success) throw invalid(what, describeIssues(parsed.error));
  const seen = new Set<string>();
  return makeTrustStore(
    parsed.data.keys.map((entry, i) => {
      const trusted = toTrustedKey(crypto, entry, what, i);
      const identity = `${trusted.role} ${trusted.key.keyId}`;
      if (seen.has(identity))
        throw invalid(what, `keys.${i}: this key is listed twice as ${trusted.role}`);
      seen.add(identity);
      return trusted;
    }),
  );
}

/** Makes a trust store of keys. */
export function makeTrustStore(keys: readonly TrustedKey[]): TrustStore {
  const byRole = new Map(ROLES.map((role) => [role, new Map<string, TrustedKey>()]));
  for (const trusted of keys) byRole.get(trusted.role)?.set(trusted.key.keyId, trusted);
  return Object.freeze({
    keys: Object.freeze([...keys]),
    find: (keyId: string, role: KeyRole) => byRole.get(role)?.get(keyId),
  });
}

/** Writes a trust store, one key after the other, indented for review. */
export function serializeTrustStore(store: TrustStore): string {
  const document: TrustStoreDocument = {
    format: 'trust-store/1',
    keys: store.keys.map((trusted) => ({
      keyId: trusted.key.keyId,
      publicKey: encodeBase64(spkiDer(trusted.key.raw)),
      role: trusted.role,
      ...(trusted.label !== undefined && { label: trusted.label }),
      ...(trusted.validFrom !== undefined && { validFrom: iso(trusted.validFrom) }),
      ...(trusted.validUntil !== undefined && { validUntil: iso(trusted.validUntil) }),
      ...(trusted.revoked !== undefined && { revoked: trusted.revoked }),
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function toTrustedKey(
  crypto: Crypto,
  entry: TrustStoreDocument['keys'][number],
  what: string,
  index: number,
): TrustedKey {
  const where = `${what}: keys.${index}`;
  const der = tryDecodeBase64(entry.publicKey);
  const raw = der && rawFromSpki(der);
  if (raw === undefined) throw invalid(what, `keys.${index}.publicKey is not an Ed25519 key`);
  const key = publicKeyFromRaw(crypto, raw, `${where}.publicKey`);
  if (key.keyId !== entry.keyId) {
    throw invalid(what, `keys.${index}.keyId is not the id of its key, which is ${key.keyId}`);
  }
  return Object.freeze({
    key,
    role: entry.role,
    ...(entry.label !== undefined && { label: entry.label }),
    ...(entry.validFrom !== undefined && { validFrom: Date.parse(entry.validFrom) }),
    ...(entry.validUntil !== undefined && { validUntil: Date.parse(entry.validUntil) }),
    ...(entry.revoked !== undefined && { revoked: entry.revoked }),
  });
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function invalid(what: string, problem: string): InputError {
  return new InputError('invalid-trust-store', `${what} is not a trust store: ${problem}`);
}
