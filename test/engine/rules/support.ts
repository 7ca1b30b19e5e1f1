import { certify } from '../../../engine/certificate/certify.ts';
import { publicKeyFromRaw, signerFromSeed } from '../../../engine/crypto/keys.ts';
import { nobleCrypto as crypto } from '../../../engine/crypto/noble.ts';
import type { InputError } from '../../../engine/encoding/input-error.ts';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import type { GateEnvironment, GatePolicy } from '../../../engine/gate/types.ts';
import { inspectModule } from '../../../engine/module/report.ts';
import { assembleWat } from '../../../engine/module/wat.ts';
import { manifestError, readManifest } from '../../../engine/project/manifest.ts';
import {
  type CertificateInput,
  type Examination,
  type ExamineOptions,
  type ExecutorInput,
  examineExecutor,
  examineModule,
} from '../../../engine/rules/examine.ts';
import type { RuleCode } from '../../../engine/rules/rules.ts';
import type { Diagnostic } from '../../../engine/rules/types.ts';
import type { Whitelist } from '../../../engine/whitelist/types.ts';
import { builtInWhitelist } from '../../../engine/whitelist/whitelist.ts';

export { crypto };
export const MASHIN = builtInWhitelist(crypto);

/** A pure executor that no rule has anything to say about. */
export const PURE = `(module
  (import "mashin" "get_input_len" (func $len (result i32)))
  (memory (export "memory") 1 4)
  (func (export "plan") (drop (call $len))))`;

export const MANIFEST = `{
  "name": "tried", "version": "1.0.0",
  "artifact": "build/tried.wasm"
}`;

export const NOW = Date.UTC(2026, 10, 20);
export const certifier = signerFromSeed(crypto, new Uint8Array(32).fill(7));

type More = Partial<Omit<ExecutorInput, 'manifest' | 'reading' | 'contents'>> &
  Partial<Pick<ExamineOptions, 'severities' | 'environment' | 'whitelist'>> & {
    readonly contents?: Uint8Array | InputError;
  };

/** Examines a module by itself, given as text or bytes. */
export async function examineAlone(
  source: string | Uint8Array | InputError,
  more: More = {},
): Promise<Examination> {
  const contents = await toContents(source);
  return examineModule({ path: 'tried.wasm', contents, ...more }, optionsOf(more));
}

/** Examines an executor with a manifest. */
export async function examineProject(
  source: string | Uint8Array | InputError,
  manifestText: string = MANIFEST,
  more: More = {},
): Promise<Examination> {
  const reading = readManifest(manifestText);
  if (reading.manifest === undefined) throw manifestError(reading, 'executor.json');
  return examineExecutor(
    {
      path: 'build/tried.wasm',
      manifestPath: 'executor.json',
      contents: await toContents(source),
      manifest: reading.manifest,
      reading,
      ...more,
    },
    optionsOf(more),
  );
}

/** The findings of one rule. */
export function findingsOf(examination: Examination, code: RuleCode): readonly Diagnostic[] {
  return examination.artifact.diagnostics.filter((diagnostic) => diagnostic.code === code);
}

/** The only finding of one rule; fails where there are none or several. */
export function oneFinding(examination: Examination, code: RuleCode): Diagnostic {
  const [found, ...others] = findingsOf(examination, code);
  if (found === undefined || others.length > 0) {
    const codes = examination.artifact.diagnostics.map((d) => `${d.code}: ${d.message}`);
    throw new Error(`expected one ${code}, found ${codes.join('\n') || 'nothing'}`);
  }
  return found;
}

/** Codes of all findings, in their order. */
export function codesOf({ artifact }: Examination): readonly string[] {
  return artifact.diagnostics.map(({ code }) => code);
}

/** A certificate of a module. */
export async function certificateOf(
  source: string,
  whitelist: Whitelist = MASHIN,
): Promise<CertificateInput & { readonly contents: Uint8Array }> {
  const result = await certify(crypto, {
    report: inspectModule(crypto, await assembleWat(source, 'tried.wat')),
    artifactName: 'tried.wasm',
    whitelist,
    certifier,
    issuedAt: Date.UTC(2026, 10, 18),
  });
  if (!result.certified) throw new Error('not certified');
  return { path: 'tried.wasm.purity.json', contents: result.bytes };
}

/** A gate that trusts {@link certifier}, unless told otherwise. */
export function environment(
  more: {
    readonly trusted?: boolean;
    readonly revoked?: string;
    readonly whitelist?: Whitelist;
    readonly policy?: Partial<GatePolicy>;
  } = {},
): GateEnvironment {
  const key = publicKeyFromRaw(crypto, certifier.publicKey.raw, 'the key');
  const revoked = more.revoked === undefined ? {} : { revoked: more.revoked };
  const keys = more.trusted === false ? [] : [{ key, role: 'certifier' as const, ...revoked }];
  return {
    crypto,
    whitelist: more.whitelist ?? MASHIN,
    trust: makeTrustStore(keys),
    policy: { ...DEFAULT_POLICY, ...more.policy },
    now: () => NOW,
  };
}

async function toContents(
  source: string | Uint8Array | InputError,
): Promise<Uint8Array | InputError> {
  return typeof source === 'string' ? assembleWat(source, 'tried.wat') : source;
}

function optionsOf({ severities, environment, whitelist }: More): ExamineOptions {
  return {
    crypto,
    whitelist: whitelist ?? environment?.whitelist ?? MASHIN,
    ...(severities && { severities }),
    ...(environment && { environment }),
  };
}
