import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { canonicalBytes } from '../../../engine/encoding/json.ts';
import { checkBuild } from '../../../engine/platform/node/build-hash.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { describeEnvironment } from '../../../engine/platform/node/environment-descriptor.ts';
import { whitelist } from '../../support/gate.ts';
import { ROOT } from '../../support/import-graph.ts';

const { writeBuildManifest } = await import(
  pathToFileURL(join(ROOT, 'scripts', 'build-manifest.mjs')).href
);

const FILES = ['cli.js', 'chunks/a-1B2.js', 'grammars/web-tree-sitter.wasm'];

interface Document {
  readonly files: Readonly<Record<string, string>>;
  readonly signature?: Readonly<Record<string, string>>;
}

interface Build {
  readonly folder: string;
  readonly keyFile: string;
  readonly document: () => Document;
  readonly change: (changes: object) => void;
}

/** A small build, with a key that could sign it. */
function build(t: TestContext): Build {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-build-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const path of [...FILES, 'bench/gate.js', 'types/engine/index.d.ts']) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), `the contents of ${path}`);
  }
  const keys = mkdtempSync(join(tmpdir(), 'touchstone-builder-'));
  t.after(() => rmSync(keys, { recursive: true, force: true }));
  const { privateKey } = generateKeyPairSync('ed25519');
  const keyFile = join(keys, 'builder.pem');
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const file = join(folder, 'build.json');
  const document = (): Document => JSON.parse(readFileSync(file, 'utf8'));
  const change = (changes: object) =>
    writeFileSync(file, JSON.stringify({ ...document(), ...changes }));
  return { folder, keyFile, document, change };
}

const refusedFor = (problem: RegExp) => (error: unknown) =>
  error instanceof InputError &&
  error.code === 'invalid-attestation' &&
  problem.test(error.message);

describe('the hash of a build', () => {
  test('is that of what build.json lists: every file but what is made beside the build', async (t) => {
    const { folder, document } = build(t);
    const { hash } = writeBuildManifest(folder, '1.2.3');
    const described = document();
    assert.deepEqual(Object.keys(described.files), FILES.toSorted());
    assert.equal(hash, nodeCrypto.sha256(canonicalBytes(described)));
    assert.deepEqual(await checkBuild(folder), { version: '1.2.3', hash, signer: null });
    assert.deepEqual(await checkBuild(pathToFileURL(`${folder}/`)), {
      version: '1.2.3',
      hash,
      signer: null,
    });
  });

  test('is the same with a signature, and the same wherever it is made', async (t) => {
    const [one, other] = [build(t), build(t)];
    const plain = writeBuildManifest(one.folder, '1.2.3');
    const signed = writeBuildManifest(other.folder, '1.2.3', other.keyFile);
    assert.equal(plain.hash, signed.hash);
    const found = await checkBuild(other.folder);
    assert.deepEqual(found, { version: '1.2.3', hash: plain.hash, signer: signed.keyId });
    assert.notEqual(writeBuildManifest(one.folder, '1.2.4').hash, plain.hash);
  });

  for (const path of FILES) {
    test(`a build whose ${path} was changed, cut or removed attests nothing`, async (t) => {
      const { folder } = build(t);
      writeBuildManifest(folder, '1.2.3');
      const named = refusedFor(new RegExp(`not as it was made: ${path.replaceAll('.', '\\.')}: `));
      appendFileSync(join(folder, path), ' ');
      await assert.rejects(checkBuild(folder), named);
      writeFileSync(join(folder, path), '');
      await assert.rejects(checkBuild(folder), named);
      rmSync(join(folder, path));
      await assert.rejects(checkBuild(folder), named);
      mkdirSync(join(folder, path));
      await assert.rejects(checkBuild(folder), named);
    });
  }

  test('a signature that does not verify, or is of another key, attests nothing', async (t) => {
    const { folder, keyFile, document, change } = build(t);
    writeBuildManifest(folder, '1.2.3', keyFile);
    const { signature } = document();
    const other = build(t);
    writeBuildManifest(other.folder, '1.2.3', other.keyFile);
    const { signature: theirs } = other.document();
    change({ signature: { ...signature, signature: theirs?.signature } });
    await assert.rejects(checkBuild(folder), refusedFor(/its signature does not verify/));
    change({ signature: { ...signature, keyId: theirs?.keyId } });
    await assert.rejects(checkBuild(folder), refusedFor(/its key id is not that of/));
    change({ signature: { ...signature, publicKey: 'AAAA' } });
    await assert.rejects(checkBuild(folder), refusedFor(/not an Ed25519 key/));
    change({ signature, version: '9.9.9' });
    await assert.rejects(checkBuild(folder), refusedFor(/its signature does not verify/));
  });

  test('build.json itself is read strictly, and cannot lead out of the build', async (t) => {
    const { folder, document, change } = build(t);
    writeBuildManifest(folder, '1.2.3');
    const { files } = document();
    const hash = Object.values(files)[0];
    const wrong: readonly object[] = [
      { more: 1 },
      { format: 'build/2' },
      { files: {} },
      { files: { '../cli.js': hash } },
      { files: { '/etc/passwd': hash } },
      { files: { 'a//b': hash } },
      { files: { 'a/..': hash } },
      { files: { 'cli.js': 'x' } },
    ];
    for (const changes of wrong) {
      change({ format: 'build/1', files, ...changes });
      await assert.rejects(checkBuild(folder), refusedFor(/build\.json/), JSON.stringify(changes));
    }
  });

  test('sources that run have none, which is said', async (t) => {
    const { folder } = build(t);
    await assert.rejects(
      checkBuild(folder),
      (error) =>
        error instanceof InputError &&
        error.code === 'usage' &&
        /only a build attests.*npm run build/.test(error.message),
    );
    writeBuildManifest(folder, '1.2.3');
    renameSync(join(folder, 'build.json'), join(folder, 'other.json'));
    await assert.rejects(checkBuild(folder), /only a build attests/);
  });

  test('a key of another kind signs no build', (t) => {
    const { folder, keyFile } = build(t);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    assert.throws(() => writeBuildManifest(folder, '1.2.3', keyFile), /is not an Ed25519 key/);
  });
});

test('the environment describes this process, and the build as it was found', () => {
  const found = describeEnvironment({
    build: { version: '1.2.3', hash: whitelist.hash, signer: null },
    whitelist,
    isolation: 'process',
  });
  assert.deepEqual(found, {
    runtime: { name: 'touchstone', version: '1.2.3' },
    engine: { name: 'node', version: process.versions.node, v8: process.versions.v8 },
    build: { hash: whitelist.hash, signer: null },
    whitelist: { name: 'mashin', version: 1, hash: whitelist.hash },
    platform: { os: process.platform, arch: process.arch },
    isolation: 'process',
  });
});
