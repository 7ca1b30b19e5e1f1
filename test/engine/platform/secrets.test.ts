import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { InputError, type InputErrorCode } from '../../../engine/encoding/input-error.ts';
import { nodeSecrets } from '../../../engine/platform/node/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'touchstone-secrets-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'secrets.json');
const onPosix = { skip: process.platform === 'win32' };
const HIDDEN = 'hidden-value';

function keep(text: string, mode = 0o600): void {
  rmSync(file, { recursive: true, force: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

beforeEach(() => keep(JSON.stringify({ KEY: HIDDEN, EMPTY: '', NUMBER: 1 })));

async function refusal(code: InputErrorCode, name = 'KEY', path = file): Promise<string> {
  const error = await nodeSecrets(path)
    .get(name)
    .then(
      (value) => assert.fail(`answered ${value}`),
      (reason: unknown) => reason,
    );
  assert.ok(error instanceof InputError, String(error));
  assert.equal(error.code, code, error.message);
  assert.doesNotMatch(`${error.message} ${error.stack} ${error.cause}`, /hidden|value"/);
  return error.message;
}

async function withVariables(
  variables: Readonly<Record<string, string>>,
  use: () => Promise<void>,
): Promise<void> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    await use();
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

test('a secret is a field of the file, which is read anew each time', async () => {
  const secrets = nodeSecrets(file);
  assert.equal(await secrets.get('KEY'), HIDDEN);
  keep('{"KEY":"another"}');
  assert.equal(await secrets.get('KEY'), 'another');
  rmSync(file);
  assert.equal(await secrets.get('KEY'), undefined);
});

test('a variable of the environment comes first, unless it is empty', async () => {
  await withVariables(
    { TOUCHSTONE_SECRET_KEY: 'from outside', TOUCHSTONE_SECRET_ALONE: 'alone' },
    async () => {
      assert.equal(await nodeSecrets(file).get('KEY'), 'from outside');
      assert.equal(await nodeSecrets(join(folder, 'none')).get('ALONE'), 'alone');
    },
  );
  await withVariables({ TOUCHSTONE_SECRET_KEY: '', TOUCHSTONE_SECRET_GONE: '' }, async () => {
    assert.equal(await nodeSecrets(file).get('KEY'), HIDDEN);
    assert.equal(await nodeSecrets(file).get('GONE'), undefined);
  });
});

test('what is no secret is none', async () => {
  const secrets = nodeSecrets(file);
  for (const name of ['NONE', 'EMPTY', '', '__proto__', 'constructor', 'toString', 'K EY', 'A=B']) {
    assert.equal(await secrets.get(name), undefined, name);
  }
});

test('a file that others may touch is refused, with what to do', onPosix, async () => {
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777]) {
    keep(`{"KEY":"${HIDDEN}"}`, mode);
    assert.match(await refusal('unreadable'), /: others than you .*; run: chmod 600 /);
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    keep(`{"KEY":"${HIDDEN}"}`, mode);
    assert.equal(await nodeSecrets(file).get('KEY'), HIDDEN);
  }
});

test('a file of another user is refused', { skip: process.getuid?.() !== 0 }, async () => {
  chownSync(file, 12_345, 12_345);
  assert.match(await refusal('unreadable'), /: it belongs to another user; .*chmod 600/);
});

test(
  'what is no regular file is refused without waiting, and a link leads to what counts',
  onPosix,
  async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    assert.match(await refusal('unreadable', 'KEY', pipe), /: it is not a regular file$/);
    assert.match(
      await refusal('unreadable', 'KEY', folder),
      /: it is (a folder|not a regular file)/,
    );
    const link = join(folder, 'link');
    symlinkSync(file, link);
    assert.equal(await nodeSecrets(link).get('KEY'), HIDDEN);
    chmodSync(file, 0o644);
    await refusal('unreadable', 'KEY', link);
  },
);

test('a file that is no object of texts is refused without repeating it', async () => {
  for (const text of [
    '',
    `"${HIDDEN}"`,
    `["${HIDDEN}"]`,
    `{"KEY": ${HIDDEN}}`,
    `{"KEY": "${HIDDEN}`,
    `{"KEY": "${HIDDEN}" "A": 1}`,
    `{"KEY": "${HIDDEN}", "KEY": "${HIDDEN}"}`,
    `{"KEY": {"a": "${HIDDEN}"}}`,
    `{"KEY": "\\ud800${HIDDEN}"}`,
  ]) {
    keep(text);
    await refusal('invalid-json');
  }
  rmSync(file);
  writeFileSync(file, Buffer.from([0x7b, 0xff]), { mode: 0o600 });
  await refusal('invalid-utf8');
  keep(JSON.stringify({ KEY: 1, OTHER: 'fine' }));
  assert.match(await refusal('invalid-json'), /: "KEY" is no text$/);
  assert.equal(await nodeSecrets(file).get('OTHER'), 'fine');
});

test('sizes are bounded', async () => {
  keep(JSON.stringify({ KEY: `hidden${'x'.repeat(16_378)}` }));
  assert.equal((await nodeSecrets(file).get('KEY'))?.length, 16_384);
  keep(JSON.stringify({ KEY: `hidden${'x'.repeat(16_379)}` }));
  await refusal('too-large');
  truncateSync(file, 1_099_511_627_776);
  await refusal('too-large');
});

test(
  'the file lies in the user’s configuration folder, never where a process happens to run',
  onPosix,
  async () => {
    const home = join(folder, 'home');
    for (const [name, base] of [
      ['of-config', join(folder, 'config')],
      ['of-home', join(home, '.config')],
      ['of-here', '.'],
    ] as const) {
      const below = join(folder, base === '.' ? 'here' : '', 'touchstone');
      const where = base === '.' ? below : join(base, 'touchstone');
      mkdirSync(where, { recursive: true });
      writeFileSync(join(where, 'secrets.json'), JSON.stringify({ KEY: name }), { mode: 0o600 });
    }
    const cwd = process.cwd();
    process.chdir(join(folder, 'here'));
    try {
      await withVariables({ HOME: home, XDG_CONFIG_HOME: join(folder, 'config') }, async () => {
        assert.equal(await nodeSecrets().get('KEY'), 'of-config');
      });
      for (const relative of ['', '.', 'touchstone/..']) {
        await withVariables({ HOME: home, XDG_CONFIG_HOME: relative }, async () => {
          assert.equal(await nodeSecrets().get('KEY'), 'of-home', relative);
        });
      }
    } finally {
      process.chdir(cwd);
    }
  },
);
