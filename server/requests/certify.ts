import type { CancellationToken } from 'vscode-languageserver';
import type { CertifyResult } from '../../engine/certificate/certify.ts';
import type { PublicKey } from '../../engine/crypto/crypto.ts';
import { certifySubject } from '../../engine/platform/node/certification.ts';
import { importName, plural, whitelistText } from '../../engine/rules/words.ts';
import type { Whitelist } from '../../engine/whitelist/types.ts';
import { isFailure } from '../analysis/lane.ts';
import type { Certification, SignParams } from '../protocol.ts';
import { uriOf } from '../workspace/uris.ts';
import { requestError } from './inspect.ts';
import type { CertifyOrder } from './params.ts';
import type { RequestServing } from './serving.ts';
import { clientSigner } from './sign.ts';
import { trustedSubjectAt, whitelistFor } from './subjects.ts';

/**
 * Certifies the executor at a path with keys that the client holds.
 * @throws {RequestError} `not-trusted`, `outside-workspace`, `signature-refused` or `cancelled`: nothing
 *   is written then.
 * @throws {InputError} for an executor or whitelist that cannot be used, `reader-disagreement`,
 *   `unwritable`.
 */
export async function certifyAt(
  serving: RequestServing,
  { uri: path, certifier, publisher }: CertifyOrder,
  token: CancellationToken,
): Promise<Certification> {
  const { subject } = await trustedSubjectAt(serving, path, 'certifying');
  const whitelist = await whitelistFor(serving, subject);
  const signer = (key: PublicKey, purposeOf: (message: Uint8Array) => SignParams['purpose']) =>
    clientSigner(serving, { key, purposeOf, token });
  const result = await certifySubject(subject, {
    whitelist,
    certifier: signer(certifier, certifierPurpose),
    publisher: publisher && signer(publisher, () => 'publisher'),
    // A large module takes longer to read than the conversation with the editor may wait.
    async inspect(path) {
      const report = await serving.session.files.do({ kind: 'report', path });
      if (isFailure(report)) throw requestError(report);
      return report;
    },
  });
  if (!result.certified) return refusal(result, whitelist);
  return {
    certified: true,
    certificateUri: uriOf(result.certificateFile),
    inTotoUri: uriOf(result.inTotoFile),
    artifactHash: result.certificate.artifactHash,
  };
}

/** The certifier signs two hashes of 32 bytes, and a DSSE message, which is longer. */
function certifierPurpose({ length }: Uint8Array): 'certificate' | 'in-toto' {
  return length === 64 ? 'certificate' : 'in-toto';
}

function refusal(
  result: CertifyResult & { readonly certified: false },
  whitelist: Whitelist,
): Certification {
  if (result.reason === 'readers') {
    const reason = `two readers must read the imports: ${result.detail}`;
    return { certified: false, reason, impure: [] };
  }
  const impure = result.impure.map(importName);
  const reason = `${plural(impure.length, 'import')} outside the whitelist ${whitelistText(whitelist)}`;
  return { certified: false, reason, impure };
}
