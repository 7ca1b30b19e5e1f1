import { Command } from 'commander';
import { parseCompatibility } from '../../engine/attestation/compatibility.ts';
import { audit } from '../../engine/audit/audit.ts';
import type { AuditReport } from '../../engine/audit/report.ts';
import type { AuditDeciders } from '../../engine/audit/request.ts';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { findAudited } from '../../engine/platform/node/audit-files.ts';
import { ownTrustOf } from '../../engine/platform/node/audit-trust.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import {
  builtInHere,
  readPolicy,
  readTrustStore,
  readWhitelist,
} from '../../engine/platform/node/deciders.ts';
import { readDocument } from '../../engine/platform/node/files.ts';
import { isFolder } from '../../engine/platform/node/paths.ts';
import { describeAudit } from '../audit-text.ts';
import { type Format, formatOption } from '../options.ts';
import { print, printJson } from '../terminal.ts';

interface AuditOptions {
  readonly trust?: string;
  readonly policy?: string;
  readonly compatibility?: string;
  readonly whitelist?: readonly string[];
  readonly executor?: string;
  readonly all?: true;
  readonly format: Format;
}

/** `touchstone audit FOLDER`. */
export function auditCommand(): Command {
  return new Command('audit')
    .description('tell from files alone what ran, what was done and denied, what does not hold')
    .argument('<folder>', 'receipts, certificates, attestations and modules, anywhere below it')
    .option('--trust <file>', "whom you trust (default: the folder's own word, and it is said so)")
    .option('--policy <file>', 'what you demand and revoke (default: nothing beyond the gate)')
    .option('--compatibility <file>', 'what the environments of attestations must be')
    .option(
      '--whitelist <reference>',
      'one that you accept beside mashin@1; may be given more than once',
      (reference: string, others: readonly string[] = []) => [...others, reference],
    )
    .option('--executor <name>', 'tell this executor alone, and what it called')
    .option('--all', 'list every directive and every call')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone audit . --trust auditor.json
  $ touchstone audit evidence --trust auditor.json --compatibility them.json
  $ touchstone audit evidence --trust auditor.json --executor travel --all
  $ touchstone audit evidence --trust auditor.json --format json > audit.json

Nothing is run, written or asked of a network. Without --trust the folder
itself says whom to trust, which shows no more than that it is of one piece.
Exit 0 if all holds, 1 if a finding is an error, 2 if the folder cannot be read
or has nothing in it to audit.`,
    )
    .action(auditAction);
}

async function auditAction(folder: string, options: AuditOptions): Promise<void> {
  const deciders = await readDeciders(folder, options);
  const { executor, all } = options;
  const report = await audit(nodeCrypto, await findAudited(folder), { deciders, executor, all });
  checkFound(folder, report);
  if (options.format === 'json') printJson(report);
  else print(describeAudit(folder, report, all ?? false));
  if (!report.holds) process.exitCode = 1;
}

async function readDeciders(folder: string, options: AuditOptions): Promise<AuditDeciders> {
  const { trust, policy, compatibility, whitelist = [] } = options;
  if (!(await isFolder(folder))) {
    throw new InputError('usage', `${displayText(folder, 500)}: it is a file; name its folder`);
  }
  const whitelists = await Promise.all(whitelist.map((each) => readWhitelist(each)));
  const own = trust === undefined ? await ownTrustOf(folder) : undefined;
  return {
    trust: own?.store ?? (await readTrustStore(trust)),
    trustSource: {
      source: own === undefined ? (trust ?? null) : own.source,
      own: own?.source != null,
    },
    ...(policy !== undefined && {
      policy: { document: (await readPolicy(policy)).gate, source: policy },
    }),
    ...(compatibility !== undefined && {
      compatibility: {
        document: parseCompatibility(
          await readDocument(compatibility),
          displayText(compatibility, 500),
        ),
        source: compatibility,
      },
    }),
    builtIn: builtInHere(),
    whitelists,
    now: Date.now,
  };
}

/** An audit that finds nothing to look at must not look like one that finds nothing wrong. */
function checkFound(folder: string, { files, chains, executor, findings }: AuditReport): void {
  const shown = displayText(folder, 500);
  if (executor !== null && chains.length === 0) {
    const name = displayText(executor, 100);
    throw new InputError('usage', `${shown}: there is no chain of receipts of ${name} in it`);
  }
  const { chains: chainFiles, certificates, attestations, receipts, proofs, openRuns } = files;
  const found = chainFiles + certificates + attestations + receipts + proofs + openRuns;
  if (found === 0 && findings.length === 0) {
    throw new InputError(
      'usage',
      `${shown}: nothing to audit: no chain of receipts, attestation or certificate is in it`,
    );
  }
}
