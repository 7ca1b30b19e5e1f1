import { type Command, InvalidArgumentError, Option } from 'commander';
import { CERTIFICATE_SUFFIX } from '../engine/certificate/certificate.ts';

export type Format = 'text' | 'json';

/** `--format text|json`, as most commands take it. */
export function formatOption(): Option {
  return new Option('--format <format>', 'how to answer').choices(['text', 'json']).default('text');
}

/** Parses an option's value as a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
      throw new InvalidArgumentError(`expected a whole number of at least ${min}`);
    }
    return value;
  };
}

/** Parses `--tier`. */
export function tier(text: string): 1 | 2 | 3 {
  const found = ([1, 2, 3] as const).find((each) => String(each) === text);
  if (found === undefined) throw new InvalidArgumentError('expected 1, 2 or 3');
  return found;
}

/** What decides about an admission, as `verify` and `run` take it. */
export interface GateOptions {
  readonly certificate?: string;
  readonly trust?: string;
  readonly policy?: string;
  readonly whitelist?: string;
}

/** Adds the options of {@link GateOptions} to a command. */
export function addGateOptions(command: Command): Command {
  return command
    .option('--certificate <file>', `the certificate (default: <artifact>${CERTIFICATE_SUFFIX})`)
    .option('--trust <file>', "the trust store (default: .touchstone/trust.json, then the user's)")
    .option('--policy <file>', 'the policy (default: .touchstone/policy.json, if there is one)')
    .option('--whitelist <reference>', 'NAME@VERSION or a file (default: mashin@1)');
}
