// Everything that client and server say to each other beyond the Language Server Protocol: options,
// settings, commands and requests. Both sides import this file, and nothing else of each other.

import { NotificationType0, RequestType } from 'vscode-languageserver-protocol';
import type { JsonValue } from '../engine/encoding/json.ts';
import type { CheckCode, Tier } from '../engine/gate/types.ts';
import type { RunDocument } from '../engine/governed/documents.ts';
import type { ChainVerdict } from '../engine/provenance/chain.ts';

/** What a client may say in `initializationOptions`. All of it may be left out. */
export interface InitializationOptions {
  /**
   * Whether the person trusts the workspace: only then do its own trust store, policy and whitelists
   * count, and only then is anything of it run or signed. Not trusted if left out.
   */
  readonly trusted?: boolean;
  /** A folder of the user's, not of the workspace, that may keep results. Null: keep none. */
  readonly cacheFolder?: string | null;
  /** Whether the editor has another language server for WebAssembly text. */
  readonly watElsewhere?: boolean;
  /** The commands that the client carries out; lenses and actions with others are not offered. */
  readonly commands?: readonly string[];
  /** Whether the client answers {@link Review}. Without it, what a hook wants reviewed is denied. */
  readonly reviews?: boolean;
  /** Whether titles of lenses may hold icons as `$(name)`. */
  readonly icons?: boolean;
  /** Settings, for clients that do not answer `workspace/configuration`. */
  readonly settings?: unknown;
}

/** The section of the client's settings that is the server's. */
export const SETTINGS_SECTION = 'touchstone';

/** Commands of lenses and code actions, carried out by the client. The argument is a manifest's URI. */
export const COMMANDS = Object.freeze({
  certify: 'touchstone.certify',
  run: 'touchstone.run',
  verify: 'touchstone.verify',
  inspect: 'touchstone.inspect',
  build: 'touchstone.build',
} as const);

/** Tells the server that the person trusts the workspace now. Trust is not taken back while it runs. */
export const TrustGranted = new NotificationType0('touchstone/trustGranted');

/**
 * Names an executor by its manifest or the folder of that, or by its module. A module that no project
 * of the workspace speaks of is an executor by itself.
 */
export interface ExecutorParams {
  /** A `file:` URI. */
  readonly uri: string;
}

/**
 * Everything known of a module, binary or text: what the inspector shows. Errors of this request and of
 * those below: see {@link RequestFailure}.
 */
export const Inspect = new RequestType<ExecutorParams, Inspection, RequestFailure>(
  'touchstone/inspect',
);

export interface Inspection {
  /** URI of the module. */
  readonly uri: string;
  /** In bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly whitelist: { readonly name: string; readonly version: number; readonly hash: string };
  readonly allImportsPure: boolean;
  /** In file order. */
  readonly imports: readonly InspectedImport[];
  readonly exports: readonly {
    readonly name: string;
    readonly kind: string;
    readonly type: string;
    readonly offset: number;
  }[];
  readonly memories: readonly {
    readonly imported: boolean;
    readonly address: 'i32' | 'i64';
    /** Pages of 64 KiB, in decimal: 64-bit memories go beyond what a number holds. */
    readonly minimum: string;
    readonly maximum: string | null;
    readonly shared: boolean;
  }[];
  readonly features: readonly string[];
  /** Offset and size of the contents, in bytes. */
  readonly sections: readonly {
    readonly name: string;
    readonly offset: number;
    readonly size: number;
  }[];
  /** What each independent reader said of the imports. */
  readonly readers: readonly {
    readonly reader: string;
    readonly outcome: 'agrees' | 'cannot-read' | 'disagrees';
    readonly detail?: string;
  }[];
  readonly findings: readonly {
    readonly code: string;
    readonly severity: 'error' | 'warning' | 'info';
    readonly message: string;
    readonly help?: string;
  }[];
}

export interface InspectedImport {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
  readonly type: string;
  readonly class: 'pure' | 'directive' | 'impure';
  readonly category?: string;
  /** The capability that the directive needs to be performed. */
  readonly capability?: string;
  /** Byte offset in the module. */
  readonly offset: number;
  /** Why an impure import is there: the shortest path to it, names demangled. */
  readonly path?: readonly {
    readonly name: string;
    readonly via: 'root' | 'call' | 'indirect' | 'reference';
    readonly offset?: number;
    readonly lastOfAuthor: boolean;
  }[];
  /** What its author can do about it. */
  readonly recipe?: string;
}

/**
 * The gate's checks on an executor and its certificate, in their order; the last may have failed. What
 * the workspace says of whom to trust, by which policy and against which whitelist counts where the
 * workspace is trusted; else the user's own trust store and the built-in whitelist decide.
 */
export const Verify = new RequestType<ExecutorParams, Verification, RequestFailure>(
  'touchstone/verify',
);

export interface Verification {
  readonly admitted: boolean;
  readonly checks: readonly {
    readonly code: CheckCode;
    readonly ok: boolean;
    readonly detail?: string;
  }[];
}

/**
 * Certifies an executor: the server makes the proof and asks the client for each signature with
 * {@link Sign}: of the certificate, of the publisher if there is one, of the in-toto statement. Writes
 * `<artifact>.purity.json` and `<artifact>.intoto.json` once it has all of them, else nothing. Needs a
 * trusted workspace.
 */
export const Certify = new RequestType<CertifyParams, Certification, RequestFailure>(
  'touchstone/certify',
);

export interface CertifyParams extends ExecutorParams {
  /** The certifier's public key: 32 bytes, base64. */
  readonly certifier: string;
  /** The author's public key, for the second signature: 32 bytes, base64. */
  readonly publisher?: string;
}

export type Certification =
  | {
      readonly certified: true;
      readonly certificateUri: string;
      readonly inTotoUri: string;
      readonly artifactHash: string;
    }
  /**
   * `reason` is for a person. `impure` lists the imports outside the whitelist, as `module.name`; it is
   * empty where too few readers could read the imports.
   */
  | { readonly certified: false; readonly reason: string; readonly impure: readonly string[] };

/**
 * From server to client: sign this. The private key never leaves the client; the server verifies what
 * comes back before it uses it, and takes an error, or no answer within a minute, for a refusal. Comes
 * only while a {@link Certify} or a {@link Run} that named the key is under way.
 */
export const Sign = new RequestType<SignParams, SignResult, void>('touchstone/sign');

export interface SignParams {
  /** The public key whose private half is asked for: 32 bytes, base64. */
  readonly key: string;
  /** The bytes to sign with Ed25519 (RFC 8032), base64. */
  readonly message: string;
  /**
   * What the bytes are; a client can hold them to it. `certificate`: 64 bytes, the hashes of artifact
   * and proof. `publisher`: the same behind `touchstone/publisher/1` and a newline. `in-toto`: a DSSE
   * message, which begins with `DSSEv1 `. `receipt`: canonical JSON behind `touchstone/receipt/1` and a
   * newline.
   */
  readonly purpose: 'certificate' | 'publisher' | 'in-toto' | 'receipt';
}

export interface SignResult {
  /** 64 bytes, base64. */
  readonly signature: string;
}

/**
 * Runs an executor behind the gate, in a process of its own, and records a receipt signed through
 * {@link Sign}. Needs a trusted workspace. Reports its phases as work done progress: the message is the
 * name of the phase that begins. When it is cancelled it ends early, as `cancelled`, with a receipt, and
 * is answered all the same. A run that the gate refuses is an answer too: `not-admitted`.
 */
export const Run = new RequestType<RunParams, RunAnswer, RequestFailure>('touchstone/run');

export interface RunParams extends ExecutorParams {
  /** The input document: `{ "step_config"?, "context"? }`. */
  readonly input: JsonValue;
  /** The environment's public key, which signs the receipt: 32 bytes, base64. */
  readonly environment: string;
  /** The one that the project designates if left out; 1 for a module by itself. */
  readonly tier?: Tier;
  /** The fuel limit in place of the project's. */
  readonly fuel?: number;
  /**
   * Capabilities that are granted for this run, as far as the workspace's policy lets them go. Effects of
   * others are recorded, whatever the policy grants to the command line.
   */
  readonly grants?: readonly string[];
  readonly workDoneToken?: string | number;
}

/**
 * From server to client: a hook wants a person to decide about a directive of a {@link Run} that is
 * under way. An error counts as a no.
 */
export const Review = new RequestType<ReviewParams, ReviewResult, void>('touchstone/review');

export interface ReviewParams {
  /** `pre-hooks`: nothing was done yet. `guardrails`: it was, and its result is held back. */
  readonly stage: 'pre-hooks' | 'guardrails';
  /** The directive: its tag as `type`, and its parameters. */
  readonly directive: JsonValue;
  /** `name@version`. */
  readonly executor: string;
  /** The name of the hook, and why it asks. */
  readonly hook: string;
  readonly reason: string;
}

export interface ReviewResult {
  readonly allow: boolean;
}

/** The fields of `run --format json` (DESIGN 10). */
export type RunAnswer = RunDocument;

/** The chains of receipts of a workspace, each with its verdict. */
export const Receipts = new RequestType<ReceiptsParams, ReceiptsAnswer, RequestFailure>(
  'touchstone/receipts',
);

export interface ReceiptsParams {
  /** URI of the workspace's folder, or of one in it; its chains lie in `.touchstone/receipts`. */
  readonly folder: string;
  /**
   * The public key that the client signs receipts with, 32 bytes, base64: it counts as a trusted
   * environment, beside those of the trust store that counts.
   */
  readonly environment?: string;
  /** One chain's name; all of them if left out, without their receipts. */
  readonly chain?: string;
  /** The first receipt wanted, by its place in the chain from 0; and how many at most (1,000 at once). */
  readonly from?: number;
  readonly count?: number;
}

export interface ReceiptsAnswer {
  readonly chains: readonly {
    readonly name: string;
    readonly verdict: ChainVerdict['verdict'];
    /** Where it is broken. */
    readonly epoch?: number;
    /** The verdict in one line for a person. */
    readonly detail: string;
    /** How many receipts from the start hold. */
    readonly holds: number;
    /** How many there are, whether they hold or not. */
    readonly length: number;
    /**
     * As they are stored, whether they hold or not; null for a line that is no JSON. Of a chain that was
     * asked for. There may be fewer than were asked for, but one at least if there is one: large ones
     * end a page early.
     */
    readonly receipts?: readonly JsonValue[];
  }[];
}

/** Why a request of this file failed, as the `data` of its error; `message` says it to a person. */
export interface RequestFailure {
  readonly code: /** What was sent is not what the request takes. */
    | 'invalid-params'
    /** Only a trusted workspace allows it. */
    | 'not-trusted'
    /** It is about nothing in a folder of the workspace. */
    | 'outside-workspace'
    | 'not-found'
    /** A file cannot be read, or not as what it claims to be. */
    | 'unreadable'
    | 'unwritable'
    /** The gate no longer admits what it had admitted. */
    | 'not-admitted'
    /** The client did not sign, or wrongly. */
    | 'signature-refused'
    | 'cancelled';
}
