import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import {
  CancellationTokenSource,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver-protocol/node';
import { RequestError } from '../../../server/requests/failures.ts';
import { type ClientSigning, clientSigner } from '../../../server/requests/sign.ts';
import { receiptKey } from './support.ts';

/** A signer whose client takes what it is sent, and never answers. */
function signerOf(t: TestContext, options: Partial<ClientSigning>) {
  const sent = new PassThrough();
  const connection = createConnection(
    ProposedFeatures.all,
    new StreamMessageReader(new PassThrough()),
    new StreamMessageWriter(sent),
  );
  connection.listen();
  t.after(() => connection.dispose());
  const key = receiptKey.publicKey;
  return {
    sent,
    signer: clientSigner({ connection }, { key, purposeOf: () => 'receipt', ...options }),
  };
}

test('a signature that does not come in time is not waited for', async (t) => {
  const { sent, signer } = signerOf(t, { patienceMs: 20 });
  await assert.rejects(async () => signer.sign(new Uint8Array(3)), {
    code: 'signature-refused',
    message: 'the receipt is not signed: no signature came within 1 s',
  });
  // The client is told that nobody wants it any more.
  await new Promise(setImmediate);
  const said = String(sent.read());
  assert.match(said, /"method":"touchstone\/sign"/);
  assert.match(said, /"method":"\$\/cancelRequest"/);
});

test('nothing is asked for once it is cancelled', async (t) => {
  const source = new CancellationTokenSource();
  source.cancel();
  const { sent, signer } = signerOf(t, { token: source.token });
  await assert.rejects(
    async () => signer.sign(new Uint8Array(3)),
    (error) => error instanceof RequestError && error.code === 'cancelled',
  );
  assert.equal(sent.read(), null);
});
