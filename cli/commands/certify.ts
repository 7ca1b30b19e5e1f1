import { basename } from 'node:path';
import { Command } from 'commander';
import { CERTIFICATE_SUFFIX, IN_TOTO_SUFFIX } from '../../engine/certificate/certificate.ts';
import type { CertifyResult } from '../../engine/certificate/certify.ts';
import { parsePrivateKeyPem } from '../../engine/crypto/keys.ts';
import { displayText, shortHash } from '../../engine/encoding/display.ts';
import { certifySubject } from '../../engine/platform/node/certification.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { readTextFile } from '../../engine/platform/node/files.ts';
import { findSubject } from '../../engine/platform/node/subject.ts';
import { type Format, formatOption } from '../options.ts';
import {
  columns,
  formatBytes,
  labelled,
  MARK,
  message,
  plural,
  print,
  printJson,
  wrap,
} from '../terminal.ts';
import { whitelistToDecideBy } from '../workspace.ts';

interface CertifyOptions {
  readonly key: string;
  readonly publisherKey?: string;
  readonly out?: string;
  readonly whitelist?: string;
  readonly format: Format;
}

/** `touchstone certify PATH`. */
export function certifyCommand(): Command {
  return new Command('certify')
    .description('issue a purity certificate for a pure executor; refuses impure ones')
    .argument('<path>', 'a .wasm file, an executor.json, or the folder that holds one')
    .requiredOption('--key <file>', "the certifier's private key (PEM)")
    .option('--publisher-key <file>', "the author's private key, for the second signature")
    .option('--out <file>', `where to write (default: <artifact>${CERTIFICATE_SUFFIX})`)
    .option('--whitelist <reference>', 'NAME@VERSION or a file (default: mashin@1)')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone keys generate --out certifier.pem
  $ touchstone certify examples/call --key certifier.pem

Beside the certificate it writes <artifact>${IN_TOTO_SUFFIX}: the same proof as an
in-toto statement in a DSSE envelope, for other people's tools.`,
    )
    .action(certifyAction);
}

async function certifyAction(path: string, options: CertifyOptions): Promise<void> {
  const subject = await findSubject(path);
  const whitelist = await whitelistToDecideBy(subject, options.whitelist);
  const certifier = await readSigner(options.key);
  const publisher =
    options.publisherKey === undefined ? undefined : await readSigner(options.publisherKey);
  const result = await certifySubject(subject, {
    whitelist,
    certifier,
    publisher,
    out: options.out,
  });
  if (!result.certified) {
    refuse(path, result, options.format);
    return;
  }
  const { certificateFile: out, inTotoFile: inToto } = result;
  const { proof, artifactHash, proofHash } = result.certificate;
  if (options.format === 'json') {
    printJson({
      certified: true,
      certificate: out,
      inToto,
      bytes: result.bytes.length,
      artifactHash,
      proofHash,
      certifier: certifier.publicKey.keyId,
      ...(publisher && { publisher: publisher.publicKey.keyId }),
      imports: proof.imports.length,
    });
    return;
  }
  const signers = publisher
    ? `certifier ${shortHash(certifier.publicKey.keyId)}…, publisher ${shortHash(publisher.publicKey.keyId)}…`
    : `certifier ${shortHash(certifier.publicKey.keyId)}…`;
  print(
    `${MARK.ok} ${displayText(basename(subject.artifact))} is pure: ${describeProof(proof.imports)}`,
  );
  print(
    labelled([
      ['certificate', `${displayText(out, 500)}, ${formatBytes(result.bytes.length)}`],
      ['in-toto', displayText(inToto, 500)],
      ['signed by', signers],
      ['sha256', artifactHash],
    ]),
  );
}

function describeProof(imports: readonly { readonly class: string }[]): string {
  const directives = imports.filter((entry) => entry.class === 'directive').length;
  if (imports.length === 0) return 'no imports at all';
  if (directives === 0) return `${plural(imports.length, 'import')}, none with an effect`;
  return `${plural(imports.length, 'import')}, ${imports.length - directives} pure and ${plural(directives, 'directive constructor')}`;
}

function refuse(
  path: string,
  result: CertifyResult & { readonly certified: false },
  format: Format,
): void {
  process.exitCode = 1;
  if (format === 'json') {
    printJson(result);
    return;
  }
  if (result.reason === 'readers') {
    print(
      wrap(
        `${MARK.fail} not certified: two readers must read the imports. ${result.detail}`,
        '',
        '  ',
      ),
    );
    return;
  }
  print(
    `${MARK.fail} not certified: ${plural(result.impure.length, 'import')} outside the whitelist`,
  );
  const rows = result.impure.map((entry) => [
    `${displayText(entry.module)}.${displayText(entry.name)}`,
    entry.kind === 'function'
      ? displayText(entry.type)
      : `${entry.kind} ${displayText(entry.type)}`,
  ]);
  print(columns(rows, '    ').join('\n'));
  message(`Why each import is there: touchstone check ${displayText(path, 500)}`);
}

async function readSigner(file: string) {
  return parsePrivateKeyPem(nodeCrypto, await readTextFile(file), displayText(file, 500));
}
