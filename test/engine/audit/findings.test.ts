// Each finding by itself: evidence that holds is changed in one way, and what does not hold is told.

import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  FINDING_CODES,
  type FindingCode,
  type Place,
  severityOf,
} from '../../../engine/audit/findings.ts';
import type { AuditDeciders } from '../../../engine/audit/request.ts';
import { canonicalBytes } from '../../../engine/encoding/json.ts';
import { parsePolicy } from '../../../engine/governance/policy-file.ts';
import { recordInterrupted } from '../../../engine/governed/recovery.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { fileRunJournal } from '../../../engine/platform/node/run-journal.ts';
import { proveReceipt, serializeProof } from '../../../engine/provenance/proof.ts';
import {
  appendCrafted,
  artifactOf,
  attestCrafted,
  decided,
  hashIn,
  hashOf,
  linesOf,
  receiptsOf,
} from './crafted.ts';
import {
  auditorTrust,
  crypto,
  type Evidence,
  evidence,
  moduleNamed,
  temporary,
  write,
} from './evidence.ts';
import { auditOf, codesOf, told } from './support.ts';

/** What is changed, and what is to be found then. */
interface Case {
  readonly change: (here: Evidence) => unknown;
  readonly by?: (here: Evidence) => Partial<AuditDeciders>;
  /** The auditor's trust store, if it is another one. */
  readonly trust?: (here: Evidence) => string;
  readonly message: RegExp;
  readonly where: Place;
  /** What follows from it. */
  readonly others?: readonly FindingCode[];
}

const TRAVEL = 'travel/.touchstone/receipts/travel.jsonl';
const PLANNER = 'travel/.touchstone/receipts/planner.jsonl';
const inTravel = (epoch: number, directive?: number): Place => ({
  ...{ file: TRAVEL, chain: 'travel', epoch },
  ...(directive !== undefined && { directive }),
});

function rewrite({ receipts }: Evidence['travel'], chain: string, lines: readonly string[]): void {
  write(join(receipts, `${chain}.jsonl`), lines.map((line) => `${line}\n`).join(''));
}

const policy = (document: object) => () => ({
  policy: {
    document: parsePolicy(canonicalBytes({ format: 'policy/1', ...document }), 'it').gate,
    source: 'policy.json',
  },
});

/** The hash of a certificate file. */
function certificateHash({ folder }: Evidence, file: string) {
  return crypto.sha256(readFileSync(join(folder, file)));
}

/** The one file of a kind among what an organisation keeps of its calls. */
function kept({ folder }: Evidence, name: string, suffix: string): string {
  const file = readdirSync(join(folder, name, 'calls')).find((each) => each.endsWith(suffix));
  return join(folder, name, 'calls', file ?? '');
}

/** Leaves the entry of a run that has begun its first effect. */
async function leaveRun({ travel }: Evidence): Promise<void> {
  const [first] = receiptsOf(travel, 'travel');
  if (first === undefined) throw new TypeError('travel has run');
  const open = await fileRunJournal(crypto, travel.receipts).open('travel', {
    executor: first.executor,
    admitted: first,
    inputHash: hashOf('input'),
    outcome: {
      output: new Uint8Array([1]),
      fuel: { limit: 10, used: 1 },
      directives: [{ type: 'memory_op' }, { type: 'http_request' }],
    },
  });
  open.begin(0);
  await open.leave();
}

const interrupt: Case['change'] = async (here) => {
  await leaveRun(here);
  const { receipts, signer } = here.travel;
  const services = {
    crypto,
    receipts: fileReceiptStore(crypto, receipts),
    journal: fileRunJournal(crypto, receipts),
    environment: signer,
  };
  assert.equal((await recordInterrupted(services, 'travel')).length, 1);
};

const RECEIPT_3 = 'travel/receipt-3.json';

const CASES: Readonly<Record<FindingCode, Case>> = {
  'chain-invalid-signature': {
    change: ({ travel }) => {
      const lines = linesOf(travel, 'travel');
      const changed = lines[1]?.replace('"limit":50000000', '"limit":50000001') ?? '';
      rewrite(travel, 'travel', lines.with(1, changed));
    },
    message: /^receipt 1: the signature of environment \w{8}… does not verify$/,
    where: inTravel(1),
  },
  'environment-unknown': {
    change: () => {},
    trust: ({ travel, hotel }) => auditorTrust([travel, hotel]),
    message: /^receipt 0: environment \w{8}… is not in the trust store$/,
    where: { file: 'bank/.touchstone/receipts/bank.jsonl', chain: 'bank', epoch: 0 },
    others: ['attestation-invalid'],
  },
  'environment-revoked': {
    change: () => {},
    by: ({ bank }) => policy({ revoked: { keys: [bank.signer.publicKey.keyId] } })(),
    message: /^the policy revokes environment \w{8}…, which signed receipts here$/,
    where: { file: 'bank/.touchstone/receipts/bank.jsonl', chain: 'bank' },
    others: ['attestation-invalid'],
  },
  'chain-broken': {
    change: ({ travel }) =>
      write(join(travel.receipts, 'travel.tip.json'), { epoch: 3, hash: hashOf('other') }),
    message: /^receipt 3 \(\w{8}…\) is another than the one recorded as the tip/,
    where: inTravel(3),
  },
  'chain-epoch-gap': {
    change: ({ travel }) => rewrite(travel, 'travel', linesOf(travel, 'travel').toSpliced(1, 1)),
    message: /^receipt 1 is expected after receipt 0, found is receipt 2$/,
    where: inTravel(1),
  },
  'chain-truncated': {
    change: ({ travel }) => rewrite(travel, 'travel', linesOf(travel, 'travel').slice(0, -1)),
    message: /^receipts 3 to 3 are cut off/,
    where: inTravel(3),
  },
  'receipt-contradiction': {
    change: ({ travel }) =>
      appendCrafted(travel, 'travel', {
        decisions: [
          decided({ decision: 'recorded', reason: 'NotGranted(x)', resultHash: hashOf('r') }),
        ],
      }),
    message: /^it is recorded and has a result$/,
    where: inTravel(4, 1),
  },
  'performed-unchecked': {
    change: ({ travel }) =>
      appendCrafted(travel, 'travel', {
        admitted: {
          ...{ artifactHash: artifactOf('travel'), certificateHash: null, tier: 3 },
          ...{ purityMethod: 'unchecked', whitelistHash: whitelistHashOf(travel) },
        },
        decisions: [decided({ decision: 'performed', resultHash: hashOf('r') })],
      }),
    message: /^call_machine is performed for an unchecked module$/,
    where: inTravel(4, 1),
  },
  'tier-below-policy': {
    change: ({ travel }) =>
      appendCrafted(travel, 'travel', {
        admitted: {
          ...{ artifactHash: artifactOf('travel'), certificateHash: null, tier: 2 },
          ...{ purityMethod: 'static_analysis', whitelistHash: whitelistHashOf(travel) },
        },
        decisions: [],
      }),
    by: policy({}),
    message: /^travel@1\.0\.0 ran once in tier 2; the policy admits tier 1$/,
    where: inTravel(4),
  },
  'certificate-missing': {
    change: ({ folder }) => rmSync(join(folder, 'travel/build/planner.wasm.purity.json')),
    message: /^planner@1\.0\.0 ran once under certificate \w{64}, which is not at hand$/,
    where: { file: PLANNER, chain: 'planner', epoch: 0 },
  },
  'certificate-invalid': {
    change: ({ folder }) => {
      const file = join(folder, 'travel/build/planner.wasm.purity.json');
      const text = readFileSync(file, 'utf8');
      write(join(folder, 'spare.purity.json'), text.replace(/"signature":"../, '"signature":"AA'));
    },
    message: /^the certificate does not hold: signature: .* \(0 times relied on\)$/,
    where: { file: 'spare.purity.json' },
  },
  'certificate-mismatch': {
    change: ({ travel }) => {
      const [first] = receiptsOf(travel, 'travel');
      return appendCrafted(travel, 'travel', {
        ...(first && { admitted: { ...first, artifactHash: hashOf('another') } }),
        decisions: [],
      });
    },
    message: /ran once under a certificate of another module: it ran \w{8}…, the certificate/,
    where: inTravel(4),
  },
  'certificate-revoked': {
    change: () => {},
    by: (here) =>
      policy({
        revoked: {
          certificates: [certificateHash(here, 'travel/build/planner.wasm.purity.json')],
        },
      })(),
    message: /^the certificate does not hold: policy: the policy revokes this certificate/,
    where: { file: 'travel/build/planner.wasm.purity.json' },
  },
  'certificate-refused': {
    change: ({ folder }) => {
      for (const name of ['hotel', 'bank', 'travel/calls', 'travel/.touchstone']) {
        rmSync(join(folder, name), { recursive: true });
      }
      rmSync(join(folder, 'travel/build/travel.wasm.purity.json'));
    },
    by: policy({ publisher: 'required' }),
    message: /policy: the policy asks for a publisher signature; the certificate has none/,
    where: { file: 'travel/build/planner.wasm.purity.json' },
  },
  'module-changed': {
    change: ({ folder }) => write(join(folder, 'travel/build/planner.wasm'), moduleNamed('other')),
    message: /^it is not the module that the certificate beside it is about/,
    where: { file: 'travel/build/planner.wasm' },
  },
  'whitelist-unknown': {
    change: ({ travel }) => {
      const [first] = receiptsOf(travel, 'travel');
      return appendCrafted(travel, 'travel', {
        ...(first && { admitted: { ...first, whitelistHash: hashOf('theirs') } }),
        decisions: [],
      });
    },
    message: /^travel@1\.0\.0 ran under a whitelist that is not accepted here \(\w{8}…\)$/,
    where: inTravel(4),
  },
  'attestation-invalid': {
    change: async (here) => {
      const { record, file } = await attestCrafted(here, here.hotel, 'hotel', {});
      write(join(here.folder, file), { ...record, executor: 'hotel@1.0.1' });
    },
    message: /^the attestation of hotel@1\.0\.1 fails at environment-signature: /,
    where: { file: 'travel/calls/crafted.attestation.json' },
  },
  'attestation-contradiction': {
    change: (here) => {
      const [receipt] = receiptsOf(here.hotel, 'hotel');
      const nonce = 'AAECAwQFBgcICQoLDA0ODw';
      const inputHash = receipt?.inputHash ?? hashOf('input');
      return attestCrafted(here, here.hotel, 'hotel', {
        call: { nonce, inputHash, outputHash: hashOf('other output'), status: 'ok' },
      });
    },
    message: /^the attestation of hotel@1\.0\.0: its receipt is of another output than the call$/,
    where: { file: 'travel/calls/crafted.attestation.json' },
  },
  'attested-receipt-missing': {
    change: (here) =>
      attestCrafted(here, here.hotel, 'hotel', {
        receipts: [hashIn(here.hotel, 'hotel'), hashOf('one more')],
      }),
    message: /^receipt \w{8}…, which the attestation of hotel@1\.0\.0 names, is not in the chain/,
    where: { file: 'travel/calls/crafted.attestation.json' },
  },
  'nonce-reused': {
    change: async (here) => {
      const answer = JSON.parse(readFileSync(kept(here, 'travel', '.attestation.json'), 'utf8'));
      await attestCrafted(here, here.hotel, 'hotel', {
        call: answer.call,
        environment: { ...answer.environment, isolation: 'worker' },
      });
    },
    message: /^its nonce \S{22} is that of another answer, too: travel\/calls\//,
    where: { file: 'travel/calls/crafted.attestation.json' },
  },
  'linked-receipt-missing': {
    change: ({ travel }) => {
      rmSync(join(travel.receipts, 'planner.jsonl'));
      rmSync(join(travel.receipts, 'planner.tip.json'));
    },
    message: /^travel@1\.0\.0: call_machine: receipt \w{8}… of what was called is not at hand$/,
    where: inTravel(2, 1),
  },
  'linked-attestation-missing': {
    change: (here) => {
      rmSync(kept(here, 'travel', '.attestation.json'));
      rmSync(kept(here, 'travel', '.receipt.json'));
    },
    message: /^travel@1\.0\.0: call_machine: attestation \w{8}… of what was called is not at hand$/,
    where: inTravel(1, 1),
  },
  'link-mismatch': {
    change: ({ travel, bank }) =>
      appendCrafted(travel, 'travel', {
        decisions: [
          decided({
            ...{ decision: 'performed', resultHash: hashOf('r') },
            link: { receipt: hashIn(bank, 'bank') },
          }),
        ],
      }),
    message: /receipt \w{8}… of what was called is of another environment, and no attestation/,
    where: inTravel(4, 1),
  },
  'link-reused': {
    change: ({ travel }) =>
      appendCrafted(travel, 'travel', {
        decisions: [
          decided({
            ...{ decision: 'performed', resultHash: hashOf('r') },
            link: { receipt: hashIn(travel, 'planner') },
          }),
        ],
      }),
    message: /what it links \(\w{8}…\) is linked for another call, too$/,
    where: inTravel(4, 1),
  },
  'receipt-mismatch': {
    change: (here) => {
      const file = kept(here, 'travel', '.receipt.json');
      write(file, readFileSync(file, 'utf8').replace('"limit":50000000', '"limit":50000001'));
    },
    message: /^no attestation at hand names receipt 0 of hotel@1\.0\.0 \(\w{8}…\)$/,
    where: { file: 'travel/calls/HASH.receipt.json', epoch: 0 },
  },
  'proof-invalid': {
    change: async ({ folder, travel }) => {
      const chain = fileReceiptStore(crypto, travel.receipts).open('travel');
      const text = new TextDecoder().decode(serializeProof(await proveReceipt(crypto, chain, 3)));
      write(join(folder, RECEIPT_3), text.replace('"limit":50000000', '"limit":50000001'));
    },
    message: /^the proof does not hold: receipt 3: its signature does not verify$/,
    where: { file: RECEIPT_3, epoch: 3 },
  },
  'proof-not-in-chain': {
    change: async ({ folder, travel }) => {
      // The same environment tells another receipt 4 to somebody else.
      const other = join(temporary(), 'receipts');
      cpSync(travel.receipts, other, { recursive: true });
      await appendCrafted({ ...travel, receipts: other }, 'travel', { decisions: [] });
      const chain = fileReceiptStore(crypto, other).open('travel');
      write(join(folder, RECEIPT_3), serializeProof(await proveReceipt(crypto, chain, 4)));
    },
    message: /^receipt 4 of travel@1\.0\.0 \(\w{8}…\) is proven, and is not in the chain/,
    where: { file: RECEIPT_3, epoch: 4 },
  },
  'run-open': {
    change: leaveRun,
    message: /^a run of travel@1\.0\.0 has begun effects, and has no receipt/,
    where: { file: 'travel/.touchstone/receipts/travel.open/HASH.left.jsonl' },
  },
  'unreadable-file': {
    change: ({ folder }) => write(join(folder, 'spare.purity.json'), 'not a certificate'),
    message: /^spare\.purity\.json: it is not valid JSON here/,
    where: { file: 'spare.purity.json' },
  },
  'not-searched': {
    change: ({ folder }) => mkdirSync(join(folder, 'd/'.repeat(66)), { recursive: true }),
    message: /^folders deeper than 64 are not looked at$/,
    where: { file: 'd/'.repeat(65).slice(0, -1) },
  },
  'tip-missing': {
    change: ({ travel }) => rmSync(join(travel.receipts, 'travel.tip.json')),
    message: /^the chain travel has no tip \(travel\.tip\.json\)$/,
    where: { file: TRAVEL, chain: 'travel' },
  },
  'chain-of-another': {
    change: ({ travel }) => {
      for (const suffix of ['.jsonl', '.tip.json']) {
        renameSync(
          join(travel.receipts, `planner${suffix}`),
          join(travel.receipts, `renamed${suffix}`),
        );
      }
    },
    message: /^the chain renamed holds receipts of planner@1\.0\.0$/,
    where: { file: 'travel/.touchstone/receipts/renamed.jsonl', chain: 'renamed', epoch: 0 },
  },
  'run-interrupted': {
    change: interrupt,
    message: /^a run of travel@1\.0\.0 was interrupted/,
    where: inTravel(4),
    others: ['effect-attempted'],
  },
  'effect-attempted': {
    change: interrupt,
    message: /^memory_op was begun, and nobody knows how it ended$/,
    where: inTravel(4, 1),
    others: ['run-interrupted'],
  },
  'receipt-not-at-hand': {
    change: (here) => {
      rmSync(join(here.folder, 'bank'), { recursive: true });
      rmSync(kept(here, 'hotel', '.receipt.json'));
    },
    message: /^receipt \w{8}…, which the attestation of bank@1\.0\.0 names, is not at hand$/,
    where: { file: 'hotel/calls/HASH.attestation.json' },
  },
  'call-not-followed': {
    change: ({ folder }) => {
      rmSync(join(folder, 'bank'), { recursive: true });
      rmSync(join(folder, 'hotel'), { recursive: true });
    },
    message: /^hotel@1\.0\.0: call_machine: attestation \w{8}… of what was called is not at hand$/,
    where: { file: 'travel/calls/HASH.receipt.json', epoch: 0, directive: 1 },
  },
  'link-not-followed': {
    change: ({ folder }) => symlinkSync('/etc', join(folder, 'elsewhere')),
    message: /^it is a symbolic link, which is not followed$/,
    where: { file: 'elsewhere' },
  },
};

function whitelistHashOf(where: Evidence['travel']) {
  return receiptsOf(where, 'travel')[0]?.whitelistHash ?? hashOf('none');
}

/** A place whose file has no random name. */
function plainPlace(where: Place): Place {
  return { ...where, file: where.file.replace(/[0-9a-f]{32,64}/, 'HASH') };
}

describe('findings', { concurrency: 2 }, () => {
  test('evidence that holds has none', async (t) => {
    const report = await auditOf(await evidence(t));
    assert.deepEqual(report.findings, [], told(report));
    assert.equal(report.holds, true);
    assert.deepEqual(report.totals, { errors: 0, warnings: 0, byCode: {} });
  });

  for (const code of FINDING_CODES) {
    test(code, async (t) => {
      const here = await evidence(t);
      const { change, by, trust, message, where, others = [] } = CASES[code];
      await change(here);
      const store = trust?.(here) ?? here.trust;
      const report = await auditOf({ ...here, trust: store }, by && { by: by(here) });
      const finding = report.findings.find((each) => each.code === code);
      assert.ok(finding, `${code} among ${told(report)}`);
      assert.match(finding.message, message);
      assert.deepEqual(plainPlace(finding.where), where, told(report));
      assert.equal(finding.severity, severityOf(code));
      assert.ok(finding.remedy.length > 0);
      assert.equal(report.holds, report.totals.errors === 0);
      if (finding.severity === 'error') assert.equal(report.holds, false);
      const expected = FINDING_CODES.filter((each) => each === code || others.includes(each));
      assert.deepEqual([...new Set(codesOf(report))], expected, told(report));
    });
  }
});
