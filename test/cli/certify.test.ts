import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { answerOf, assertExit, type Workspace, workspace } from './support.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const base64 = z.base64();

/** The certificate of DESIGN 5. */
const certificateSchema = z.strictObject({
  format: z.literal('purity-certificate/1'),
  artifactHash: hex,
  proofHash: hex,
  proof: z.strictObject({
    imports: z.array(
      z.strictObject({
        module: z.string(),
        name: z.string(),
        kind: z.string(),
        type: z.string(),
        class: z.enum(['pure', 'directive']),
      }),
    ),
    allImportsPure: z.literal(true),
    metadata: z.looseObject({ certifier: hex }),
  }),
  signature: base64,
  publisher: z.strictObject({ keyId: hex, signature: base64 }).optional(),
});

const envelopeSchema = z.strictObject({
  payload: base64,
  payloadType: z.literal('application/vnd.in-toto+json'),
  signatures: z.tuple([z.strictObject({ keyid: z.string(), sig: base64 })]),
});

/** The in-toto Statement v1 of REFERENCE 6. */
const statementSchema = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z.tuple([z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: hex }) })]),
  predicateType: z.url(),
  predicate: certificateSchema.shape.proof,
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const fromBase64 = (text: string) => Buffer.from(text, 'base64');

/** The pre-authentication encoding of DSSE v1.0.2. */
function pae(type: string, body: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `;
  return Buffer.concat([Buffer.from(head), body]);
}

const keyOf = (here: Workspace, name: string) => createPublicKey(here.read(`${name}.pub`));

async function makeKey(here: Workspace, name: string): Promise<string> {
  const { keyId } = JSON.parse(
    answerOf(await here.run('keys', 'generate', '--out', name, '--format', 'json')),
  );
  return hex.parse(keyId);
}

describe('certify', { concurrency: 4 }, () => {
  test('writes a certificate and says what it is', async (t) => {
    const here = workspace(t);
    const keyId = await makeKey(here, 'key.pem');
    const stdout = answerOf(await here.run('certify', here.example('call'), '--key', 'key.pem'));
    const file = here.read('call/build/call.wasm.purity.json');
    const artifactHash = sha256(here.read('call/build/call.wasm'));
    assert.match(stdout, /^✔ call\.wasm is pure: 4 imports, 3 pure and 1 directive constructor\n/);
    assert.ok(
      stdout.includes(
        `  certificate  call/build/call.wasm.purity.json, ${file.length.toLocaleString('en-US')} bytes\n`,
      ),
    );
    assert.ok(stdout.includes(`  in-toto      call/build/call.wasm.intoto.json\n`));
    assert.ok(stdout.includes(`  signed by    certifier ${keyId.slice(0, 8)}…\n`));
    assert.ok(stdout.endsWith(`  sha256       ${artifactHash}\n`));
  });

  test('the certificate of four imports, signed twice, has at most 1,347 bytes and verifies', async (t) => {
    const here = workspace(t);
    const keyId = await makeKey(here, 'key.pem');
    const publisherId = await makeKey(here, 'author.pem');
    const args = ['--key', 'key.pem', '--publisher-key', 'author.pem', '--format', 'json'];
    const answer = JSON.parse(answerOf(await here.run('certify', here.example('call'), ...args)));
    const file = here.read('call/build/call.wasm.purity.json');
    assert.ok(file.length <= 1347, `${file.length} bytes`);
    const certificate = certificateSchema.parse(JSON.parse(file.toString()));
    assert.equal(certificate.proof.imports.length, 4);
    assert.equal(certificate.proof.metadata.certifier, keyId);
    assert.equal(certificate.publisher?.keyId, publisherId);
    assert.equal(certificate.artifactHash, sha256(here.read('call/build/call.wasm')));
    const signed = Buffer.from(certificate.artifactHash + certificate.proofHash, 'hex');
    assert.equal(signed.length, 64);
    assert.ok(verify(null, signed, keyOf(here, 'key.pem'), fromBase64(certificate.signature)));
    const asPublisher = Buffer.concat([Buffer.from('touchstone/publisher/1\n'), signed]);
    const { signature = '' } = certificate.publisher ?? {};
    assert.ok(verify(null, asPublisher, keyOf(here, 'author.pem'), fromBase64(signature)));
    assert.deepEqual(answer, {
      certified: true,
      certificate: 'call/build/call.wasm.purity.json',
      inToto: 'call/build/call.wasm.intoto.json',
      bytes: file.length,
      artifactHash: certificate.artifactHash,
      proofHash: certificate.proofHash,
      certifier: keyId,
      publisher: publisherId,
      imports: 4,
    });
  });

  test('the DSSE envelope is an in-toto statement that other tools verify', async (t) => {
    assert.equal(
      pae('http://example.com/HelloWorld', Buffer.from('hello world')).toString(),
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
      'the vector of the specification',
    );
    const here = workspace(t);
    await makeKey(here, 'key.pem');
    answerOf(await here.run('certify', here.example('call'), '--key', 'key.pem'));
    const text = here.read('call/build/call.wasm.intoto.json').toString();
    const { payload, payloadType, signatures } = envelopeSchema.parse(JSON.parse(text));
    const body = fromBase64(payload);
    const signed = pae(payloadType, body);
    const signature = fromBase64(signatures[0].sig);
    assert.ok(verify(null, signed, keyOf(here, 'key.pem'), signature));
    const statement = statementSchema.parse(JSON.parse(body.toString()));
    assert.deepEqual(statement.subject, [
      { name: 'call.wasm', digest: { sha256: sha256(here.read('call/build/call.wasm')) } },
    ]);
    const certificate = JSON.parse(here.read('call/build/call.wasm.purity.json').toString());
    assert.deepEqual(statement.predicate, certificate.proof);
    await t.test('and openssl, too', { skip: withoutOpenssl }, () => {
      here.write('signed', signed);
      here.write('signature', signature);
      const check = () =>
        spawnSync(
          'openssl',
          [
            'pkeyutl',
            '-verify',
            '-rawin',
            '-pubin',
            '-inkey',
            'key.pem.pub',
            '-sigfile',
            'signature',
            '-in',
            'signed',
          ],
          { cwd: here.folder, encoding: 'utf8' },
        );
      assert.match(check().stdout, /Signature Verified Successfully/);
      here.write('signed', signed.subarray(1));
      assert.notEqual(check().status, 0, 'it does look');
    });
  });

  test('refuses an impure module, names the imports, and writes nothing', async (t) => {
    const here = workspace(t);
    await makeKey(here, 'key.pem');
    here.example('impure/println');
    const result = await here.run('certify', 'impure/println', '--key', 'key.pem');
    assertExit(result, 1);
    assert.match(result.stdout, /^✖ not certified: 4 imports outside the whitelist\n/);
    assert.match(result.stdout, /^ {4}wasi_snapshot_preview1\.fd_write {11}\(i32/m);
    assert.equal(result.stderr, 'Why each import is there: touchstone check impure/println\n');
    for (const kind of ['purity', 'intoto']) {
      assert.ok(!existsSync(here.path(`impure/println/build/println.wasm.${kind}.json`)));
    }
    const json = await here.run(
      'certify',
      'impure/println',
      '--key',
      'key.pem',
      '--format',
      'json',
    );
    const answer = JSON.parse(answerOf(json, 1));
    assert.equal(answer.certified, false);
    assert.equal(answer.impure.length, 4);
  });

  test('--out names the certificate; the envelope goes beside it', async (t) => {
    const here = workspace(t);
    await makeKey(here, 'key.pem');
    const out = 'out.purity.json';
    answerOf(await here.run('certify', here.example('echo'), '--key', 'key.pem', '--out', out));
    assert.ok(existsSync(here.path('out.purity.json')));
    assert.ok(existsSync(here.path('out.intoto.json')));
    assert.ok(!existsSync(here.path('echo/build/echo.wasm.purity.json')));
  });

  test('a whitelist that only the project names is not taken without being asked for', async (t) => {
    const here = workspace(t);
    await makeKey(here, 'key.pem');
    here.example('impure/abort');
    const functions = ['abort', 'seed'].map((name) => ({
      module: 'env',
      name,
      params: name === 'abort' ? ['i32', 'i32', 'i32', 'i32'] : [],
      results: name === 'abort' ? [] : ['f64'],
      class: 'pure',
      category: 'compute',
      doc: 'Mine.',
    }));
    here.write('impure/abort/mine.json', { name: 'mine', version: 1, functions });
    const manifest = JSON.parse(here.read('impure/abort/executor.json').toString());
    here.write('impure/abort/executor.json', { ...manifest, whitelist: './mine.json' });
    const result = await here.run('certify', 'impure/abort', '--key', 'key.pem');
    assertExit(result, 2);
    assert.match(result.stderr, /asks for the whitelist .*to accept it: --whitelist/);
    assert.ok(!existsSync(here.path('impure/abort/build/abort.wasm.purity.json')));
  });
});

const withoutOpenssl =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';
