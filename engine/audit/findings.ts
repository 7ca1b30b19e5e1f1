export type Severity = 'error' | 'warning';

/** Each kind of finding: how bad it is, and what to do about it. */
const KINDS = {
  'chain-invalid-signature': [
    'error',
    'ask for an unchanged copy of the chain; nothing from this place on is believed',
  ],
  'environment-unknown': [
    'error',
    'if you trust this environment, add its key: touchstone keys trust KEY.pub --as environment',
  ],
  'environment-revoked': [
    'error',
    'its receipts count for nothing: ask what else shows that these runs took place',
  ],
  'chain-broken': [
    'error',
    'ask for an unchanged copy of the chain; nothing from this place on is believed',
  ],
  'chain-epoch-gap': ['error', 'ask for the receipts that are missing'],
  'chain-truncated': ['error', 'ask for the receipts that are cut off'],
  'receipt-contradiction': [
    'error',
    'no honest run leaves this: ask the environment that signed it how it came about',
  ],
  'performed-unchecked': [
    'error',
    'nothing shows that the executor was pure: ask why it ran in tier 3 with a grant',
  ],
  'tier-below-policy': ['error', 'ask for runs of a certified executor, or lower "minimumTier"'],
  'certificate-missing': ['error', 'ask for the certificate file with this SHA-256'],
  'certificate-invalid': ['error', 'ask for a certificate by a certifier whom you trust'],
  'certificate-mismatch': ['error', 'ask for the certificate of the module that ran'],
  'certificate-revoked': ['error', 'runs under it count as runs without a certificate'],
  'certificate-refused': ['error', 'what the policy asks for is missing: ask for it'],
  'module-changed': ['error', 'ask for the module that was certified'],
  'whitelist-unknown': ['error', 'if you accept this whitelist, name its file with --whitelist'],
  'attestation-invalid': ['error', 'do not count on this answer: ask for one that verifies'],
  'attestation-contradiction': [
    'error',
    'receipt and attestation tell different things: ask the environment that signed both',
  ],
  'attested-receipt-missing': [
    'error',
    'ask for the whole chain: what was attested must stand in it',
  ],
  'nonce-reused': ['error', 'one answer stands for two calls: ask for the answer to each'],
  'linked-receipt-missing': ['error', 'ask for the chain of the machine that was called'],
  'linked-attestation-missing': ['error', 'ask for the attestation with this SHA-256'],
  'link-mismatch': [
    'error',
    'what is linked is not what was called: ask the environment of the caller',
  ],
  'link-reused': ['error', 'one run stands for two calls: ask for the receipt of each'],
  'receipt-mismatch': [
    'error',
    'keep it beside the attestation that names it, as it was received, or remove it',
  ],
  'proof-invalid': ['error', 'ask for the proof again: touchstone receipts prove'],
  'proof-not-in-chain': [
    'error',
    'the chain is another one, or not whole: ask its environment for all of it',
  ],
  'run-open': [
    'error',
    'effects have begun that no receipt tells of: if its process is gone, the next run of the executor records it',
  ],
  'unreadable-file': ['error', 'ask for an unchanged copy of the file'],
  'not-searched': ['error', 'audit what was left out by itself'],
  'tip-missing': ['warning', 'without it nobody sees what is cut off the end: ask for the file'],
  'chain-of-another': ['warning', 'a chain has the name of its executor: ask who renamed it'],
  'run-interrupted': ['warning', 'see which of its effects took place: touchstone audit --all'],
  'effect-attempted': ['warning', 'find out where the effect would show whether it took place'],
  'receipt-not-at-hand': ['warning', 'ask the organisation that was called for this receipt'],
  'call-not-followed': [
    'warning',
    'ask the organisation that was called for what it was told in turn',
  ],
  'link-not-followed': ['warning', 'put the file itself in place of the symbolic link'],
} as const satisfies Readonly<Record<string, readonly [Severity, string]>>;

export type FindingCode = keyof typeof KINDS;

/** The codes of findings, in the order in which they are told: errors first. */
export const FINDING_CODES = Object.freeze(Object.keys(KINDS) as FindingCode[]);

/** Where something was found. */
export interface Place {
  /** From the audited folder, with forward slashes. */
  readonly file: string;
  /** The name of the chain, where the file is one. */
  readonly chain?: string;
  readonly epoch?: number;
  /** The directive's place in the receipt, counted from 1. */
  readonly directive?: number;
}

/** The place of a directive in a receipt; that of the receipt where there is none. */
export function placeIn(receipt: Place, directive: number | undefined): Place {
  return directive === undefined ? receipt : { ...receipt, directive };
}

/** Something that does not hold, or that nobody can tell. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
  readonly where: Place;
  readonly remedy: string;
}

/** So many findings of one code are kept; the others are counted. */
const MAX_KEPT = 1_000;

export interface Findings {
  /** @param message what was found, in one line, safe to show. */
  add(code: FindingCode, where: Place, message: string): void;
  /** What was kept, by code; and how many of each code there were. */
  list(): readonly Finding[];
  counts(): ReadonlyMap<FindingCode, number>;
}

/** Collects findings; memory is bounded however many there are. */
export function createFindings(): Findings {
  const kept = new Map<FindingCode, Finding[]>();
  const counts = new Map<FindingCode, number>();
  return {
    add: (code, where, message) => {
      counts.set(code, (counts.get(code) ?? 0) + 1);
      const found = kept.get(code) ?? [];
      kept.set(code, found);
      const [severity, remedy] = KINDS[code];
      if (found.length < MAX_KEPT) found.push({ code, severity, message, where, remedy });
    },
    list: () => FINDING_CODES.flatMap((code) => kept.get(code) ?? []),
    counts: () => new Map(FINDING_CODES.flatMap((code) => entryOf(counts, code))),
  };
}

function entryOf(counts: ReadonlyMap<FindingCode, number>, code: FindingCode) {
  const count = counts.get(code);
  return count === undefined ? [] : ([[code, count]] as const);
}

/** How bad a finding of this code is. */
export function severityOf(code: FindingCode): Severity {
  return KINDS[code][0];
}
