// The journal of runs whose effects have begun: what is left behind, by whom, and cut off anywhere.

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { fileRunJournal } from '../../../engine/platform/node/run-journal.ts';
import type { JournalledRun, LeftRun } from '../../../engine/provenance/journal.ts';
import { parseJournalEntry } from '../../../engine/provenance/journal-entry.ts';
import type { ReceiptDirective } from '../../../engine/provenance/types.ts';
import { wellFormed } from '../governance/well-formed.ts';
import { crypto, facts, hashOf } from '../provenance/fixtures.ts';
import { temporaryFolder } from '../provenance/store-harness.ts';

const DIRECTIVES = ['memory_op', 'http_request', 'db_op'].map(wellFormed);
const { executor, admitted, inputHash, outcome } = facts();
const RUN: JournalledRun = {
  ...{ executor, admitted, inputHash },
  outcome: { ...outcome, directives: DIRECTIVES },
};
const DONE: ReceiptDirective = {
  ...{ type: 'memory_op', hash: hashOf('memory'), decision: 'performed' },
  resultHash: hashOf('result'),
};

/** A run that was begun by a process which is gone: the text of its entry. */
async function entryOf(folder: string): Promise<string> {
  const journal = fileRunJournal(crypto, folder);
  const open = await journal.open('call', RUN);
  open.begin(0);
  open.decide(0, DONE);
  open.begin(1);
  open.commit({ epoch: 4, hash: hashOf('receipt') });
  const [name = ''] = readdirSync(join(folder, 'call.open'));
  const text = readFileSync(join(folder, 'call.open', name), 'utf8');
  await open.close();
  await journal.close();
  return text;
}

/** What is recovered of entries that lie in the journal. */
async function recovered(texts: Readonly<Record<string, string>>): Promise<LeftRun[]> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'call.open'));
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(join(folder, 'call.open', name), text);
  }
  const left: LeftRun[] = [];
  await fileRunJournal(crypto, folder).recover('call', async (run) => void left.push(run));
  return left;
}

const gone = (text: string) => text.replace(/"pid":\d+/, '"pid":999999999');
const decisions = (run: LeftRun | undefined) =>
  run?.content.directives.map(({ decision }) => decision);

test('a run that is under way is nobody else’s', async () => {
  const folder = temporaryFolder();
  const journal = fileRunJournal(crypto, folder);
  const open = await journal.open('call', RUN);
  open.begin(0);
  await journal.recover('call', async () => assert.fail('it is under way'));
  await open.close();
  await journal.close();
  assert.deepEqual(readdirSync(join(folder, 'call.open')), []);
});

test('the file of a run serves the next one, which says nothing of the one before', async () => {
  const folder = temporaryFolder();
  const journal = fileRunJournal(crypto, folder);
  const names = new Set<string>();
  for (const last of [2, 0, 1]) {
    const open = await journal.open('call', RUN);
    for (let index = 0; index <= last; index++) open.begin(index);
    const [name = ''] = readdirSync(join(folder, 'call.open'));
    names.add(name);
    const text = readFileSync(join(folder, 'call.open', name), 'utf8');
    const [left] = await recovered({ 'a.jsonl': gone(text) });
    const attempted = decisions(left)?.filter((each) => each === 'attempted');
    assert.equal(attempted?.length, last + 1);
    await open.close();
  }
  assert.equal(names.size, 1);
  // Between two runs nothing is left to record, whoever looks.
  const [name = ''] = names;
  const between = readFileSync(join(folder, 'call.open', name), 'utf8');
  assert.deepEqual(await recovered({ 'a.jsonl': gone(between) }), []);
  const both = [await journal.open('call', RUN), await journal.open('call', RUN)];
  assert.equal(readdirSync(join(folder, 'call.open')).length, 2);
  for (const open of both) await open.close();
  await journal.close();
  assert.deepEqual(readdirSync(join(folder, 'call.open')), []);
});

test('what had begun is attempted, what had not is skipped, what is known is kept', async () => {
  const text = gone(await entryOf(temporaryFolder()));
  const [left, ...others] = await recovered({ 'a.jsonl': text });
  assert.deepEqual(others, []);
  assert.deepEqual(decisions(left), ['performed', 'attempted', 'skipped']);
  assert.deepEqual(left?.content.directives[0], DONE);
  assert.deepEqual(left?.commit, { epoch: 4, hash: hashOf('receipt') });
  assert.equal(left?.content.status, 'interrupted');
});

test('after another start of the machine notes may be missing: all may have begun', async () => {
  const text = gone(await entryOf(temporaryFolder())).replace(/"boot":"[^"]*"/, '"boot":"another"');
  const [left] = await recovered({ 'a.jsonl': text });
  assert.deepEqual(decisions(left), ['performed', 'attempted', 'attempted']);
});

test('a run that its own process gave up is recorded by whoever comes next', async () => {
  const folder = temporaryFolder();
  const journal = fileRunJournal(crypto, folder);
  const open = await journal.open('call', RUN);
  open.begin(0);
  await open.leave();
  const left: LeftRun[] = [];
  await journal.recover('call', async (run) => void left.push(run));
  assert.deepEqual(decisions(left[0]), ['attempted', 'skipped', 'skipped']);
  assert.deepEqual(readdirSync(join(folder, 'call.open')), []);
});

test('an entry that is not recorded stays', async () => {
  const folder = temporaryFolder();
  const text = gone(await entryOf(folder));
  writeFileSync(join(folder, 'call.open', 'a.jsonl'), text);
  const failing = fileRunJournal(crypto, folder).recover('call', () =>
    Promise.reject(new InputError('unwritable', 'the disk is full')),
  );
  await assert.rejects(failing, /the disk is full/);
  assert.ok(existsSync(join(folder, 'call.open', 'a.jsonl')));
});

test('cut off at any byte, an entry tells what its whole lines tell', async () => {
  const text = gone(await entryOf(temporaryFolder()));
  const lines = text.split('\n');
  let ends = 0;
  assert.equal(parseJournalEntry(`${lines[0]}\n`, 'an entry')?.run, undefined);
  for (let at = 0; at <= text.length; at++) {
    const whole = text.slice(0, at).split('\n').length - 1;
    const entry = parseJournalEntry(text.slice(0, at), 'an entry');
    assert.equal(entry === undefined, whole === 0);
    assert.equal(entry?.run === undefined, whole < 2);
    if (entry?.run === undefined) continue;
    const { notes, commit } = entry.run;
    assert.equal(notes.begun.size, whole >= 5 ? 2 : whole >= 3 ? 1 : 0);
    assert.equal(notes.decided.size, whole >= 4 ? 1 : 0);
    assert.equal(commit !== undefined, whole >= 6);
    ends++;
  }
  assert.ok(ends > 100 && lines.length === 7);
});

test('a first line that was cut off is removed once nobody can be writing it', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'call.open'));
  const path = join(folder, 'call.open', 'a.jsonl');
  writeFileSync(path, '{"format":"run-');
  const recover = () => fileRunJournal(crypto, folder).recover('call', async () => assert.fail());
  await recover();
  assert.ok(existsSync(path));
  utimesSync(path, 0, 0);
  await recover();
  assert.ok(!existsSync(path));
});

test('what is no entry is told, and kept', async () => {
  const text = gone(await entryOf(temporaryFolder()));
  const [head = '', content = '', ...notes] = text.split('\n');
  const bad = [
    'x\n',
    '{}\n',
    `${head.replace('run-journal/1', 'run-journal/2')}\n`,
    `${head}\n${content.replace('"tier":1', '"tier":9')}\n`,
    `${head}\n${content}\n{"begin":-1}\n`,
    `${head}\n${content}\n{"begin":0,"also":1}\n`,
    `${head}\n${content}\n${notes[1]?.replace('performed', 'done')}\n`,
    `${head}\n\n`,
    `${head}\n${notes[0]}\n`,
  ];
  for (const each of bad) {
    await assert.rejects(recovered({ 'a.jsonl': each }), InputError, each);
  }
});
