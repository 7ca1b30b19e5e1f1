// Folders made to mislead, to crash or to exhaust whoever audits them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createFindings } from '../../../engine/audit/findings.ts';
import { findAudited } from '../../../engine/platform/node/audit-files.ts';
import { appendCrafted, attestCrafted, decided, hashOf } from './crafted.ts';
import { evidence, temporary, write } from './evidence.ts';
import { auditOf, codesOf, findingOf, told } from './support.ts';

const HUGE = 8_000_000_000;

/** A file that says it is huge, and takes no room. */
function makeHuge(path: string): void {
  write(path, '');
  truncateSync(path, HUGE);
}

describe('hostile folders', () => {
  test('symbolic links are not followed, whatever they lead to', async (t) => {
    const here = await evidence(t);
    const { folder, travel } = here;
    symlinkSync('.', join(folder, 'loop'));
    symlinkSync(folder, join(travel.receipts, 'up'));
    symlinkSync('/dev/zero', join(folder, 'zero.purity.json'));
    symlinkSync('nowhere', join(folder, 'lost.attestation.json'));
    symlinkSync('travel.jsonl', join(travel.receipts, 'twin.jsonl'));
    write(join(travel.receipts, 'twin.tip.json'), { epoch: 0, hash: hashOf('x') });
    const report = await auditOf(here);
    assert.equal(report.totals.byCode['link-not-followed'], 5);
    const twin = report.chains.find(({ name }) => name === 'twin');
    assert.equal(twin?.verdict, 'unreadable');
    assert.equal(findingOf(report, 'unreadable-file').where.chain, 'twin');
    assert.equal(report.chains.length, 5);
  });

  test('what is no regular file is not opened', {
    skip: process.platform === 'win32',
  }, async (t) => {
    const here = await evidence(t);
    const pipes = ['pipe.purity.json', 'pipe.jsonl', 'pipe.tip.json', 'pipe', 'pipe.wasm'];
    const made = spawnSync(
      'mkfifo',
      pipes.map((name) => join(here.folder, name)),
    );
    assert.equal(made.status, 0);
    const report = await auditOf(here);
    assert.equal(report.totals.byCode['unreadable-file'], 4);
    assert.match(findingsText(report), /it is not a regular file/);
  });

  test('ten thousand files of junk are told apart from evidence', async (t) => {
    const here = await evidence(t);
    const junk = join(here.folder, 'junk');
    mkdirSync(junk);
    const suffixes = ['.json', '.jsonl', '.txt', '.bin', '.md', ''];
    for (let i = 0; i < 10_000; i++) {
      write(join(junk, `${i}${suffixes[i % suffixes.length]}`), `{"n":${i}`);
    }
    const report = await auditOf(here);
    assert.deepEqual(report.findings, [], told(report));
    assert.equal(report.files.chains, 4);
  });

  test('ten thousand broken certificates are counted, and the first ones told', async (t) => {
    const here = await evidence(t);
    for (let i = 0; i < 10_000; i++) write(join(here.folder, `junk/${i}.purity.json`), 'x');
    const report = await auditOf(here);
    assert.equal(report.totals.byCode['unreadable-file'], 10_000);
    assert.equal(report.totals.errors, 10_000);
    assert.equal(report.findings.length, 1_000);
  });

  test('huge files are refused unread, or read as far as they hold', async (t) => {
    const here = await evidence(t);
    const { folder, travel } = here;
    for (const name of ['huge.purity.json', 'huge.attestation.json', 'huge.wasm', 'huge.json']) {
      makeHuge(join(folder, name));
    }
    makeHuge(join(folder, 'huge.receipt.json'));
    makeHuge(join(travel.receipts, 'huge.jsonl'));
    write(join(travel.receipts, 'huge.tip.json'), { epoch: 0, hash: hashOf('x') });
    makeHuge(join(travel.receipts, 'huge.open/1.jsonl'));
    makeHuge(join(travel.receipts, 'giant.tip.json'));
    const report = await auditOf(here);
    const text = findingsText(report);
    for (const name of ['huge.purity.json', 'huge.attestation.json', 'huge.receipt.json']) {
      assert.match(text, new RegExp(`${name}: it has 8000000000 bytes; at most \\d+ are read`));
    }
    const huge = report.chains.find(({ name }) => name === 'huge');
    assert.deepEqual([huge?.verdict, huge?.holds], ['invalid-signature', 0]);
    const giant = report.chains.find(({ name }) => name === 'giant');
    assert.equal(giant?.verdict, 'empty');
    assert.match(text, /giant\.tip\.json is not the tip of a chain/);
    assert.match(text, /modules from here on are not looked at/);
    // The rest of it holds all the same.
    assert.equal(report.chains.filter(({ verdict }) => verdict === 'valid').length, 4);
  });

  test('names that would fool a terminal are told, and made safe in messages', async (t) => {
    const here = await evidence(t);
    const name = 'a\u001b[2J\u202etxt\n.purity.json';
    write(join(here.folder, name), 'x');
    write(join(here.folder, '__proto__.purity.json'), 'x');
    write(join(here.folder, '-rf.jsonl'), '{"artifactHash":"x');
    const report = await auditOf(here);
    const texts = report.findings.map(({ message }) => message).join('\n');
    assert.match(texts, /a\\u\{1b\}\[2J\\u\{202e\}txt\\u\{a\}\.purity\.json/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    assert.doesNotMatch(texts, /[\u001b\u202e]/);
    assert.ok(report.findings.some(({ where }) => where.file === name));
    assert.equal(report.chains.find((chain) => chain.name === '-rf')?.verdict, 'truncated');
  });

  test('folders are searched so deep, and so many entries', async (t) => {
    const here = await evidence(t);
    const deep = join(here.folder, 'd/'.repeat(300));
    mkdirSync(deep, { recursive: true });
    write(join(deep, 'x.purity.json'), 'x');
    const report = await auditOf(here);
    assert.deepEqual(codesOf(report), ['not-searched']);
    const shallow = await findAudited(here.folder, { maxDepth: 1 });
    assert.ok(shallow.problems.length > 3 && shallow.chains.length === 0);
    const few = await findAudited(here.folder, { maxEntries: 5 });
    assert.deepEqual(
      few.problems.map(({ code }) => code),
      ['not-searched'],
    );
  });

  test('JSON made to exhaust a parser is none', async (t) => {
    const here = await evidence(t);
    const deep = '['.repeat(2_000_000);
    write(join(here.folder, 'deep.json'), deep);
    write(join(here.folder, 'deep.attestation.json'), deep);
    write(join(here.folder, 'proto.json'), '{"__proto__":{"format":"receipt-proof/1"}}');
    write(join(here.folder, 'null.json'), 'null');
    write(join(here.folder, 'list.json'), '["format"]');
    write(join(here.folder, 'bad.json'), new Uint8Array([0xff, 0xfe, 0x22]));
    write(join(here.folder, 'service.json'), { name: 'x', version: '1', functions: [{}] });
    write(join(here.folder, 'proof.json'), { format: 'receipt-proof/1' });
    const report = await auditOf(here);
    assert.deepEqual(
      report.findings.map(({ where }) => where.file),
      ['deep.attestation.json', 'proof.json'],
      told(report),
    );
  });

  test('a receipt with a hundred thousand directives is told in counts', async (t) => {
    const here = await evidence(t);
    const many = new Array(100_000).fill(decided({ decision: 'recorded', reason: 'X(y)' }));
    await appendCrafted(here.travel, 'travel', { decisions: many });
    const report = await auditOf(here);
    assert.deepEqual(codesOf(report), []);
    assert.equal(report.effects.byTag.call_machine?.recorded, 100_000);
    const all = await auditOf(here, { all: true });
    assert.equal(all.effects.list?.length, 100_000 + 10);
    assert.equal(all.effects.more, undefined);
  });

  test('tags, reasons and names that are made up do not fill the memory, and are made safe', async (t) => {
    const here = await evidence(t);
    const name = `travel\u202e${'x'.repeat(5_000)}@1`;
    const decisions = Array.from({ length: 3_000 }, (_, i) => ({
      ...decided({ decision: 'recorded', reason: `Reason${'\u001b'.repeat(500)}(${i})` }),
      directive: { type: i === 0 ? '__proto__' : `made-up-${i}\u202e${'y'.repeat(100)}` },
      hooks: [{ artifactHash: hashOf(`hook ${i}`), verdict: 'allow' as const }],
    }));
    const last = { ...decided({ decision: 'denied', reason: '\u001b[2J' }), hooks: undefined };
    await appendCrafted(here.travel, 'travel', {
      executor: name,
      status: 'denied',
      decisions: [...decisions, last].map(({ hooks, ...rest }) => ({
        ...rest,
        ...(hooks && { hooks }),
      })),
    });
    const report = await auditOf(here);
    assert.deepEqual(codesOf(report), ['not-searched', 'chain-of-another'], told(report));
    assert.ok(Object.keys(report.effects.byTag).length <= 1_001);
    assert.ok(Object.hasOwn(report.effects.byTag, '__proto__'));
    assert.equal(report.hooks.length, 1_000);
    const shown = JSON.stringify(report);
    assert.doesNotMatch(shown, /\u202e|\\u001b\[2J|x{300}|y{70}/);
    const denial = report.denied.find(({ code }) => code === '(no code)');
    assert.deepEqual(denial?.reasons, [{ reason: '\\u{1b}[2J', count: 1 }]);
  });

  test('attestations that name more receipts than are looked up are left out, and said to be', async (t) => {
    const here = await evidence(t);
    const receipts = Array.from({ length: 4_096 }, (_, i) => hashOf(`receipt ${i}`));
    const { record } = await attestCrafted(here, here.hotel, 'hotel', { receipts });
    for (let i = 0; i < 65; i++) write(join(here.folder, `x/${i}.attestation.json`), record);
    const report = await auditOf(here);
    assert.equal(report.totals.byCode['not-searched'], 5);
    assert.equal(report.totals.byCode['attested-receipt-missing'], 61);
  });
});

test('a folder that is not there, and one that is a file, are no folders', async () => {
  const folder = temporary();
  await assert.rejects(findAudited(join(folder, 'none')), /no such file/);
  write(join(folder, 'file'), '');
  await assert.rejects(findAudited(join(folder, 'file')), /a part of the path is not a folder/);
});

test('findings are counted beyond those that are kept', () => {
  const findings = createFindings();
  for (let i = 0; i < 5_000; i++) findings.add('effect-attempted', { file: 'x' }, 'it was begun');
  findings.add('chain-broken', { file: 'y' }, 'it is broken');
  assert.equal(findings.list().length, 1_001);
  assert.equal(findings.list()[0]?.code, 'chain-broken');
  assert.deepEqual(
    [...findings.counts()],
    [
      ['chain-broken', 1],
      ['effect-attempted', 5_000],
    ],
  );
});

function findingsText(report: Awaited<ReturnType<typeof auditOf>>): string {
  return report.findings.map(({ message }) => message).join('\n');
}
