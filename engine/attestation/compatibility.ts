import { z } from 'zod';
import { isKeyId, isSha256, type KeyId, type Sha256 } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalJson, parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { checkTrusted } from '../gate/checks.ts';
import type { GateEnvironment } from '../gate/types.ts';
import { type Attestation, ISOLATION_MODES, type IsolationMode } from './types.ts';

export const COMPATIBILITY_FORMAT = 'compatibility/1';

/** No list in a compatibility file is longer than this. */
const MAX_ENTRIES = 1_000;

const sha256 = z.string().refine(isSha256, 'not a SHA-256 in hex');
const keyId = z.string().refine(isKeyId, 'not a key id');
const whitelistName = z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/, 'not a name of a whitelist');
const isolation = z.array(z.enum(ISOLATION_MODES)).min(1).max(ISOLATION_MODES.length);

/** The schema of `compatibility.json`. Unknown fields are refused: a demand nobody reads is no demand. */
export const compatibilitySchema = z.strictObject({
  format: z.literal(COMPATIBILITY_FORMAT),
  whitelists: z.array(z.strictObject({ name: whitelistName, hash: sha256 })).max(MAX_ENTRIES),
  minimumWhitelistVersion: z.record(whitelistName, z.int().min(1)),
  runtimes: z
    .array(
      z
        .strictObject({ build: sha256, isolation: isolation.exactOptional() })
        .or(z.strictObject({ signer: keyId, isolation: isolation.exactOptional() })),
    )
    .max(MAX_ENTRIES),
  certifiers: z.array(keyId).max(MAX_ENTRIES),
});

/** What an environment elsewhere must be, so that its answers count here. */
export interface Compatibility {
  /** The documents that are recognised, each by its hash. */
  readonly whitelists: readonly { readonly name: string; readonly hash: Sha256 }[];
  /** The oldest version of each whitelist, by its name; one that is not named is not accepted. */
  readonly minimumWhitelistVersion: ReadonlyMap<string, number>;
  readonly runtimes: readonly AcceptedRuntime[];
  /** Certifiers whose certificates are accepted. */
  readonly certifiers: readonly KeyId[];
}

/** One build, or all that a builder signs; only with one of these modes of isolation, if any are named. */
export type AcceptedRuntime = (
  | { readonly build: Sha256 }
  /** A key that the trust store holds in the role `builder`. */
  | { readonly signer: KeyId }
) & { readonly isolation?: readonly IsolationMode[] };

/** The conjuncts of compatibility, in their order (the paper's section on attestation). */
export const COMPATIBILITY_CODES = Object.freeze([
  'whitelist-recognised',
  'runtime-trusted',
  'certifier-accepted',
  'whitelist-version',
] as const);

export type CompatibilityCode = (typeof COMPATIBILITY_CODES)[number];

/** The answer of one conjunct. */
export interface Conjunct {
  readonly code: CompatibilityCode;
  readonly ok: boolean;
  /** What was found, in one line for a person. */
  readonly detail: string;
  /** What would have to change for it to hold; absent where it does. */
  readonly remedy?: string;
}

/**
 * Parses `compatibility.json`.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-compatibility`, naming the field at fault, `invalid-json` or
 *   `invalid-utf8`.
 */
export function parseCompatibility(source: string | Uint8Array, what: string): Compatibility {
  const parsed = compatibilitySchema.safeParse(parseJson(source, what));
  if (!parsed.success) {
    throw new InputError(
      'invalid-compatibility',
      `${what} is not a compatibility file: ${describeIssues(parsed.error)}`,
    );
  }
  const { whitelists, minimumWhitelistVersion, runtimes, certifiers } = parsed.data;
  return Object.freeze({
    whitelists,
    minimumWhitelistVersion: new Map(Object.entries(minimumWhitelistVersion)),
    runtimes,
    certifiers,
  });
}

/** What is judged: what an attestation says of its environment and its certificate. */
type Judged = Pick<Attestation, 'environment' | 'certificate'>;

/** Whose keys count, and when. */
type Deciders = Pick<GateEnvironment, 'trust' | 'now' | 'policy'>;

/**
 * Answers all four conjuncts, each by itself. They say nothing about whether the attestation is true:
 * verify it first.
 */
export function checkCompatibility(
  judged: Judged,
  compatibility: Compatibility,
  deciders: Deciders,
): readonly Conjunct[] {
  return [
    { code: 'whitelist-recognised', ...isWhitelistRecognised(judged, compatibility) },
    { code: 'runtime-trusted', ...isRuntimeTrusted(judged, compatibility, deciders) },
    { code: 'certifier-accepted', ...isCertifierAccepted(judged, compatibility) },
    { code: 'whitelist-version', ...isWhitelistRecent(judged, compatibility) },
  ];
}

type Answer = Omit<Conjunct, 'code'>;

interface UsedWhitelist {
  readonly name: string;
  readonly version: number;
  readonly hash: Sha256;
}

/** The whitelist of the environment, and that of the certificate where it is another one. */
function whitelistsOf({ environment, certificate }: Judged): readonly UsedWhitelist[] {
  const ofCertificate = certificate.proof.metadata.whitelist;
  return environment.whitelist.hash === ofCertificate.hash &&
    environment.whitelist.name === ofCertificate.name &&
    environment.whitelist.version === ofCertificate.version
    ? [ofCertificate]
    : [environment.whitelist, ofCertificate];
}

/** Every whitelist that had a part in it is one that is recognised here, by name and hash. */
function isWhitelistRecognised(judged: Judged, { whitelists }: Compatibility): Answer {
  const used = whitelistsOf(judged);
  const unknown = used.filter(
    ({ name, hash }) => !whitelists.some((known) => known.name === name && known.hash === hash),
  );
  if (unknown.length === 0)
    return { ok: true, detail: `${used.map(told).join(' and ')} is listed` };
  const entries = unknown.map(({ name, hash }) => ({ name, hash }));
  return {
    ok: false,
    detail: `${unknown.map(told).join(' and ')} is not listed`,
    remedy: `${adding(entries, 'whitelists')}, or the other side must use a whitelist that is listed`,
  };
}

/** The build is listed, or signed by a builder who is listed and trusted. */
function isRuntimeTrusted(
  { environment: { build, isolation } }: Judged,
  { runtimes }: Compatibility,
  deciders: Deciders,
): Answer {
  const named = runtimes.filter((runtime) =>
    'build' in runtime ? runtime.build === build.hash : runtime.signer === build.signer,
  );
  const isolated = named.filter((runtime) => runtime.isolation?.includes(isolation) ?? true);
  if (isolated.some((runtime) => 'build' in runtime)) {
    return { ok: true, detail: `build ${shortHash(build.hash)}… is listed` };
  }
  if (isolated.length > 0 && build.signer !== null) return judgeBuilder(build.signer, deciders);
  if (named.length > 0) {
    return {
      ok: false,
      detail: `its isolation is ${isolation}, and the build is listed for ${named.flatMap((runtime) => runtime.isolation ?? []).join(', ')}`,
      remedy: `${adding([{ build: build.hash, isolation: [isolation] }], 'runtimes')}, or the other side must isolate guests as listed`,
    };
  }
  const by = build.signer === null ? 'nobody signed it' : `${shortHash(build.signer)}… signed it`;
  return {
    ok: false,
    detail: `build ${shortHash(build.hash)}… is not listed, nor is who signed it (${by})`,
    remedy: `${adding([{ build: build.hash }], 'runtimes')}, or the other side must run a build that is listed or signed by a listed builder`,
  };
}

/** Whether the key of a builder who is listed counts. */
function judgeBuilder(signer: KeyId, deciders: Deciders): Answer {
  const problem = deciders.policy.revokedKeys.has(signer)
    ? `the policy revokes the builder's key ${shortHash(signer)}…`
    : checkTrusted(signer, 'builder', deciders);
  if (problem === undefined) {
    return { ok: true, detail: `builder ${shortHash(signer)}… signed the build` };
  }
  return {
    ok: false,
    detail: problem,
    remedy: `trust the key ${signer} as builder (touchstone keys trust KEY.pub --as builder), or the other side must run a build by a builder who is trusted`,
  };
}

/** The certifier of the executor is one whose certificates are accepted. */
function isCertifierAccepted({ certificate }: Judged, { certifiers }: Compatibility): Answer {
  const { certifier } = certificate.proof.metadata;
  return certifiers.includes(certifier)
    ? { ok: true, detail: `certifier ${shortHash(certifier)}… is listed` }
    : {
        ok: false,
        detail: `certifier ${shortHash(certifier)}… is not listed`,
        remedy: `${adding([certifier], 'certifiers')}, or the executor must be certified by a certifier who is listed`,
      };
}

/** Every whitelist that had a part in it is of the minimum version or a later one. */
function isWhitelistRecent(
  judged: Judged,
  { minimumWhitelistVersion: minimum }: Compatibility,
): Answer {
  const used = whitelistsOf(judged);
  const old = used.filter(({ name, version }) => !(version >= (minimum.get(name) ?? Infinity)));
  if (old.length === 0) {
    return {
      ok: true,
      detail: used.map((each) => `${told(each)} is at least @${minimum.get(each.name)}`).join(', '),
    };
  }
  const details = old.map((each) => {
    const least = minimum.get(each.name);
    return least === undefined
      ? `no minimum is stated for ${displayText(each.name)}`
      : `${told(each)} is older than @${least}`;
  });
  const lowered = new Map<string, number>();
  for (const { name, version } of old) {
    lowered.set(name, Math.min(version, lowered.get(name) ?? version));
  }
  return {
    ok: false,
    detail: [...new Set(details)].join(', '),
    remedy: `${adding([Object.fromEntries(lowered)], 'minimumWhitelistVersion')}, or the other side must certify and run by a version that is accepted`,
  };
}

function told({ name, version, hash }: UsedWhitelist): string {
  return `${displayText(name)}@${version} (${shortHash(hash)}…)`;
}

/** What to write into a field of the file: JSON, as it stands there. */
function adding(values: readonly unknown[], field: string): string {
  const entries = values.map((value) => displayText(canonicalJson(value), 500)).join(' and ');
  return `add ${entries} to "${field}"`;
}
