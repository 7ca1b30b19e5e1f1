import { type CancellationToken, CancellationTokenSource } from 'vscode-languageserver';
import { z } from 'zod';
import type { PublicKey, Signer } from '../../engine/crypto/crypto.ts';
import { encodeBase64, tryDecodeBase64 } from '../../engine/encoding/base64.ts';
import { displayText, shortHash } from '../../engine/encoding/display.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { Sign, type SignParams, type SignResult } from '../protocol.ts';
import { cancelled, RequestError } from './failures.ts';
import type { RequestServing } from './serving.ts';

type Purpose = SignParams['purpose'];

/** How long a client may take for a signature, in milliseconds: it may have to ask a person. */
const PATIENCE_MS = 60_000;

const signResult = z.object({ signature: z.string().max(100) }) satisfies z.ZodType<SignResult>;

export interface ClientSigning {
  /** The key whose private half the client holds. */
  readonly key: PublicKey;
  /** What a message is that is to be signed. */
  purposeOf(message: Uint8Array): Purpose;
  /** Ends the waiting for a signature. */
  readonly token?: CancellationToken;
  /** How long a signature may take, in milliseconds; a minute unless given. */
  readonly patienceMs?: number;
}

/**
 * A signer whose private key stays with the client. What comes back is verified before anything is made
 * of it: `sign` throws a {@link RequestError} `signature-refused` for a signature that does not verify,
 * that is refused or that does not come, and `cancelled`.
 */
export function clientSigner(
  { connection }: Pick<RequestServing, 'connection'>,
  { key, purposeOf, token, patienceMs = PATIENCE_MS }: ClientSigning,
): Signer {
  return Object.freeze({
    publicKey: key,
    sign: async (message: Uint8Array): Promise<Uint8Array> => {
      if (token?.isCancellationRequested) throw cancelled();
      const purpose = purposeOf(message);
      const params = { key: encodeBase64(key.raw), message: encodeBase64(message), purpose };
      const ask = async (stop: CancellationToken) => connection.sendRequest(Sign, params, stop);
      const { data } = signResult.safeParse(await answerTo(ask, purpose, patienceMs, token));
      const signature = data && tryDecodeBase64(data.signature);
      if (signature !== undefined && nodeCrypto.verify(key, message, signature)) return signature;
      throw refused(purpose, `what came back is no signature by key ${shortHash(key.keyId)}…`);
    },
  });
}

/** What a client answers, as long as anybody wants to know. */
function answerTo(
  ask: (stop: CancellationToken) => Promise<unknown>,
  purpose: Purpose,
  patienceMs: number,
  token: CancellationToken | undefined,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const source = new CancellationTokenSource();
    const giveUp = (error: RequestError) => {
      reject(error);
      source.cancel();
    };
    const seconds = Math.ceil(patienceMs / 1000);
    const timer = setTimeout(
      () => giveUp(refused(purpose, `no signature came within ${seconds} s`)),
      patienceMs,
    );
    const listening = token?.onCancellationRequested(() => giveUp(cancelled()));
    ask(source.token)
      .then(resolve, (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        reject(refused(purpose, `the editor did not sign: ${displayText(reason, 300)}`));
      })
      .finally(() => {
        clearTimeout(timer);
        listening?.dispose();
      });
  });
}

/** What is signed, in words. */
const NAMES: Readonly<Record<Purpose, string>> = {
  certificate: 'the certificate',
  publisher: "the certificate, as the author's,",
  'in-toto': 'the in-toto statement',
  receipt: 'the receipt',
};

function refused(purpose: Purpose, why: string): RequestError {
  return new RequestError('signature-refused', `${NAMES[purpose]} is not signed: ${why}`);
}
