import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import type { Whitelist } from '../whitelist/types.ts';
import { parseWhitelist } from '../whitelist/whitelist.ts';
import type { WhitelistReport } from './report.ts';
import type { AuditDeciders } from './request.ts';
import type { AuditedFile } from './sources.ts';

/** The whitelists that are known: those that the auditor accepts, and what the folder holds. */
export interface Whitelists {
  /** Takes a document of the folder: it names what ran, and decides nothing. */
  take(file: AuditedFile): Promise<void>;
  /** Whether the auditor accepts the whitelist with this hash. */
  isAccepted(hash: Sha256): boolean;
  /** The accepted one with this hash, else the one that decides where none is named. */
  toDecideBy(hash: Sha256): Whitelist;
  /** `name@version`. */
  nameOf(hash: Sha256): string | undefined;
  reports(): readonly WhitelistReport[];
}

export function createWhitelists(
  crypto: Crypto,
  { builtIn, whitelists }: AuditDeciders,
): Whitelists {
  const accepted = new Map([...whitelists, builtIn].map((each) => [each.hash, each]));
  const reports = new Map<Sha256, WhitelistReport>();
  const tell = ({ name, version, hash }: Whitelist, source: WhitelistReport['source']) => {
    if (!reports.has(hash)) reports.set(hash, { name, version, hash, source });
  };
  tell(builtIn, 'built-in');
  for (const each of whitelists) tell(each, 'named');
  return {
    take: async (file) => {
      try {
        tell(parseWhitelist(crypto, await file.read(), displayText(file.file, 300)), 'folder');
      } catch (error) {
        // Something else that looks like one: what ran under it is found to be unknown.
        if (!(error instanceof InputError)) throw error;
      }
    },
    isAccepted: (hash) => accepted.has(hash),
    toDecideBy: (hash) => accepted.get(hash) ?? whitelists[0] ?? builtIn,
    nameOf: (hash) => {
      const found = reports.get(hash);
      return found && `${found.name}@${found.version}`;
    },
    reports: () => [...reports.values()],
  };
}
