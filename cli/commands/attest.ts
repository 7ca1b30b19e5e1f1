import { Command, Option } from 'commander';
import {
  attest,
  attestationHash,
  MAX_EVIDENCE_BYTES,
  serializeAttestation,
} from '../../engine/attestation/record.ts';
import { signAttestationStatement } from '../../engine/attestation/statement.ts';
import type { AttestationRecord, Evidence } from '../../engine/attestation/types.ts';
import { parseCertificate } from '../../engine/certificate/parse.ts';
import type { Sha256, Signer } from '../../engine/crypto/crypto.ts';
import { encodeBase64 } from '../../engine/encoding/base64.ts';
import { displayText, shortHash } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { canonicalBytes } from '../../engine/encoding/json.ts';
import { createGate } from '../../engine/gate/admit.ts';
import type { GateEnvironment } from '../../engine/gate/types.ts';
import { checkBuild } from '../../engine/platform/node/build-hash.ts';
import {
  type CertificateFile,
  readCertificateFile,
} from '../../engine/platform/node/certificate-file.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { describeEnvironment } from '../../engine/platform/node/environment-descriptor.ts';
import { readFileBounded, readModule, writeFileAtomic } from '../../engine/platform/node/files.ts';
import { fileReceiptStore } from '../../engine/platform/node/receipt-store.ts';
import { findSubject, type Subject } from '../../engine/platform/node/subject.ts';
import { type ReceiptSelection, selectReceipts } from '../attest-receipts.ts';
import { verifyAttestationCommand } from '../attest-verify.ts';
import { environmentSigner, ownEnvironment, withOwnEnvironment } from '../environment-key.ts';
import { certifyRemedy } from '../execution.ts';
import {
  addGateOptions,
  type Format,
  formatOption,
  type GateOptions,
  wholeNumber,
} from '../options.ts';
import { color, formatBytes, labelled, MARK, plural, print, printJson, wrap } from '../terminal.ts';
import { gateEnvironment, workspaceFile } from '../workspace.ts';

const SUFFIX = '.attestation.json';

interface AttestOptions extends GateOptions, ReceiptSelection {
  readonly receipts?: string;
  readonly out?: string;
  readonly evidence?: string;
  readonly evidenceType?: string;
  readonly intoto?: true;
  readonly format: Format;
}

/** `touchstone attest PATH`, and `attest verify`. */
export function attestCommand(): Command {
  const command = new Command('attest')
    .description('state, for others, what runs here: certificate, environment and receipts, signed')
    .argument('<path>', 'a .wasm file, an executor.json, or the folder that holds one')
    .option('--receipts <folder>', 'where its receipts are (default: .touchstone/receipts)')
    .addOption(
      new Option('--run <id>', 'attest the receipts of this run').conflicts([
        'epoch',
        'all',
        'last',
      ]),
    )
    .addOption(
      new Option('--epoch <n>', 'attest this receipt, counted from 0')
        .argParser(wholeNumber(0))
        .conflicts(['all', 'last']),
    )
    .addOption(
      new Option('--last <n>', 'attest this many receipts, the last ones (default: 1)')
        .argParser(wholeNumber(1))
        .conflicts(['all']),
    )
    .option('--all', 'attest every receipt of the chain')
    .option('--out <file>', `where the record goes (default: NAME${SUFFIX})`)
    .option('--evidence <file>', 'a quote of the hardware or the like, taken as it is')
    .option('--evidence-type <type>', 'what the evidence is: a media type or a URI')
    .option('--intoto', 'write the record as a DSSE envelope for in-toto, too');
  return (
    addGateOptions(command)
      .addOption(formatOption())
      // What stands after "verify" is for it, though this command has options of the same names.
      .enablePositionalOptions()
      .addCommand(verifyAttestationCommand())
      .addHelpText(
        'after',
        `
Examples:
  $ touchstone attest examples/echo --last 10
  $ touchstone attest examples/echo --intoto --out echo.attestation.json
  $ touchstone attest verify echo.attestation.json --compatibility them.json

Only an executor that the gate admits is attested, and only receipts of it that
hold. The record names the hash of the build that is running, whose files are
checked first.`,
      )
      .action(attestAction)
  );
}

async function attestAction(path: string, options: AttestOptions): Promise<void> {
  // A build that is not as it was made says nothing about anything.
  const build = await checkBuild(new URL('./', import.meta.url));
  const subject = await findSubject(path);
  const evidence = await readEvidence(options);
  const environment = await gateEnvironment(subject, options);
  const certificate = await readCertificateFile(subject.artifact, options.certificate);
  if (certificate === undefined) {
    refuse(subject, `it has no certificate; ${certifyRemedy(subject)}`, options.format);
    return;
  }
  const bytes = await readModule(subject.artifact);
  const checks = createGate(environment).verify(bytes, certificate.bytes, certificate.name);
  const failed = checks.find((check) => !check.ok);
  if (failed !== undefined) {
    refuse(subject, `the gate refuses it: ${failed.code}: ${failed.detail}`, options.format);
    return;
  }
  const signer = await knownEnvironment();
  const receipts = await receiptsOf(subject, certificate, environment, signer, options);
  if (typeof receipts === 'string') {
    refuse(subject, receipts, options.format);
    return;
  }
  const record = await attest(
    nodeCrypto,
    {
      certificate: parseCertificate(certificate.bytes, certificate.name).certificate,
      executor: subject.executor,
      environment: describeEnvironment({
        build,
        whitelist: environment.whitelist,
        isolation: 'process',
        evidence,
      }),
      receipts,
    },
    signer,
  );
  const out = options.out ?? `${subject.name}${SUFFIX}`;
  const inToto = options.intoto && besideRecord(out);
  const envelope = inToto && canonicalBytes(await signAttestationStatement(record, signer));
  await writeFileAtomic(out, serializeAttestation(record), 0o644);
  if (inToto && envelope) await writeFileAtomic(inToto, envelope, 0o644);
  tell(record, out, inToto, options.format);
}

/** The key of this workspace's environment, which has left receipts. */
async function knownEnvironment(): Promise<Signer> {
  if ((await ownEnvironment()) !== undefined) return environmentSigner();
  throw new InputError(
    'usage',
    'nothing has run in this workspace yet, so there are no receipts to attest; begin with touchstone run',
  );
}

/** The receipts that are asked for, by their hashes; or why they are not attested. */
async function receiptsOf(
  { name, executor }: Subject,
  { bytes, name: what }: CertificateFile,
  { trust, whitelist }: GateEnvironment,
  signer: Signer,
  options: AttestOptions,
): Promise<readonly Sha256[] | string> {
  const folder = options.receipts ?? workspaceFile('receipts');
  return selectReceipts(
    fileReceiptStore(nodeCrypto, folder).open(name),
    await withOwnEnvironment(trust),
    options,
    {
      executor,
      artifactHash: parseCertificate(bytes, what).certificate.artifactHash,
      certificateHash: nodeCrypto.sha256(bytes),
      whitelistHash: whitelist.hash,
      signer: signer.publicKey.keyId,
    },
  );
}

async function readEvidence({
  evidence,
  evidenceType,
}: AttestOptions): Promise<Evidence | undefined> {
  if (evidence === undefined && evidenceType === undefined) return undefined;
  if (evidence === undefined || evidenceType === undefined) {
    throw new InputError('usage', '--evidence and --evidence-type belong together');
  }
  const bytes = await readFileBounded(evidence, MAX_EVIDENCE_BYTES, 'evidence');
  return { type: evidenceType, data: encodeBase64(bytes) };
}

function besideRecord(out: string): string {
  return `${out.endsWith('.json') ? out.slice(0, -'.json'.length) : out}.intoto.json`;
}

function refuse(subject: Subject, detail: string, format: Format): void {
  process.exitCode = 1;
  if (format === 'json') printJson({ attested: false, executor: subject.executor, detail });
  else {
    const name = color.bold(displayText(subject.executor));
    print(wrap(`${MARK.fail} ${name} was not attested: ${detail}`, '', '  '));
  }
}

function tell(
  record: AttestationRecord,
  out: string,
  inToto: string | undefined,
  format: Format,
): void {
  const hash = attestationHash(nodeCrypto, record);
  const { executor, receipts, environment, signer } = record;
  const { build } = environment;
  if (format === 'json') {
    printJson({
      attested: true,
      executor,
      record: out,
      ...(inToto && { inToto }),
      hash,
      build,
      receipts,
      signer,
    });
    return;
  }
  const name = color.bold(displayText(executor));
  print(`${MARK.ok} ${name} attested with ${plural(receipts.length, 'receipt')}`);
  const size = formatBytes(serializeAttestation(record).length);
  print(
    labelled([
      ['record', `${displayText(out, 500)}, ${size}`],
      ...(inToto ? ([['in-toto', displayText(inToto, 500)]] as const) : []),
      ['environment', `${shortHash(signer)}…`],
      [
        'build',
        `${shortHash(build.hash)}…, ${build.signer === null ? 'signed by nobody' : `signed by ${shortHash(build.signer)}…`}`,
      ],
      ['sha256', hash],
    ]),
  );
}
