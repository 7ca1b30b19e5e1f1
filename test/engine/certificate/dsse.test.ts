import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certify } from '../../../engine/certificate/certify.ts';
import { preAuthenticationEncoding, signEnvelope } from '../../../engine/certificate/dsse.ts';
import { inspectModule } from '../../../engine/module/report.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { certifier, NOW, whitelist } from '../../support/gate.ts';
import { assemble } from '../../support/wat.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('DSSE', () => {
  test('the pre-authentication encoding of the specification', () => {
    const encoded = preAuthenticationEncoding('http://example.com/HelloWorld', utf8('hello world'));
    assert.equal(text(encoded), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  test('lengths count bytes, not characters', () => {
    assert.equal(text(preAuthenticationEncoding('é', utf8('😀'))), 'DSSEv1 2 é 4 😀');
    assert.equal(text(preAuthenticationEncoding('', new Uint8Array(0))), 'DSSEv1 0  0 ');
  });

  test('an envelope verifies over its payload and type', async () => {
    const payload = utf8('{"a":1}');
    const envelope = await signEnvelope('application/json', payload, certifier);
    assert.deepEqual(Buffer.from(envelope.payload, 'base64'), Buffer.from(payload));
    const [signature] = envelope.signatures;
    assert.ok(signature);
    assert.equal(signature.keyid, certifier.publicKey.keyId);
    const verifies = (type: string, body: Uint8Array) =>
      nodeCrypto.verify(
        certifier.publicKey,
        preAuthenticationEncoding(type, body),
        Buffer.from(signature.sig, 'base64'),
      );
    assert.equal(verifies('application/json', payload), true);
    assert.equal(verifies('application/json', utf8('{"a":2}')), false);
    assert.equal(verifies('text/plain', payload), false);
  });
});

test('certifying states the proof as an in-toto Statement v1 about the artifact', async () => {
  const bytes = assemble('(module (memory (export "memory") 1) (func (export "plan")))');
  const report = inspectModule(nodeCrypto, bytes);
  const result = await certify(nodeCrypto, {
    report,
    artifactName: 'plan.wasm',
    whitelist,
    certifier,
    issuedAt: NOW,
  });
  assert.ok(result.certified);
  assert.equal(result.inToto.payloadType, 'application/vnd.in-toto+json');
  const statement = JSON.parse(Buffer.from(result.inToto.payload, 'base64').toString());
  assert.equal(statement._type, 'https://in-toto.io/Statement/v1');
  assert.deepEqual(statement.subject, [{ name: 'plan.wasm', digest: { sha256: report.sha256 } }]);
  assert.deepEqual(statement.predicate, result.certificate.proof);
});
