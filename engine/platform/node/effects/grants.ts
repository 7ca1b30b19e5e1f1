// What is granted to a run: by the policy, and by whoever asks for the run.

import { isAbsolute, resolve } from 'node:path';
import { displayText } from '../../../encoding/display.ts';
import { InputError } from '../../../encoding/input-error.ts';
import { describeIssues } from '../../../encoding/schema.ts';
import { GRANT_SCHEMAS, type Grants } from '../../../governance/policy-file.ts';
import { parseCapability } from '../../../governance/trust.ts';
import { CAPABILITIES, type Capability } from '../../../whitelist/directives.ts';

/** A capability that is granted for one run, with what it may reach where that is said too. */
export interface AskedGrant {
  readonly capability: Capability;
  readonly scope?: string | undefined;
}

/**
 * Reads `CAPABILITY` or `CAPABILITY=SCOPE`.
 * @throws {InputError} `usage`.
 */
export function parseAskedGrant(text: string): AskedGrant {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const capability = parseCapability(name);
  if (capability === undefined) {
    throw new InputError(
      'usage',
      `--grant: "${displayText(name)}" is no capability; there are ${CAPABILITIES.join(', ')}`,
    );
  }
  return { capability, ...(at >= 0 && { scope: text.slice(at + 1) }) };
}

/**
 * The grants of a run: those of the policy, and those asked for, each as wide as its scope, else as
 * wide as the policy says, else as narrow as makes sense: the models of the agency, the agent's memory,
 * code in a sandbox. What needs a scope and has none is granted nothing that it could reach.
 * @param folder what paths in scopes are relative to.
 * @throws {InputError} `usage` for a scope that is none.
 */
export function grantsOf(policy: Grants, asked: readonly AskedGrant[], folder: string): Grants {
  const grants: { -readonly [capability in Capability]?: unknown } = { ...policy };
  for (const { capability, scope } of asked) {
    if (scope === undefined && grants[capability] !== undefined) continue;
    const merged = mergeScope(capability, grants[capability], scope, folder);
    const parsed = GRANT_SCHEMAS[capability].safeParse(merged);
    if (!parsed.success) throw unscoped(capability, scope, describeIssues(parsed.error));
    grants[capability] = parsed.data;
  }
  return grants as Grants;
}

/** The document of a grant, widened by what a scope names. */
function mergeScope(
  capability: Capability,
  before: unknown,
  scope: string | undefined,
  folder: string,
): unknown {
  const grant = (before ?? {}) as Readonly<Record<string, readonly unknown[]>>;
  const more = (field: string, ...items: readonly unknown[]) => ({
    ...grant,
    [field]: [...(grant[field] ?? []), ...items],
  });
  switch (capability) {
    case 'net.http': {
      const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];
      return { methods, ...more('hosts', ...listed(scope)), ...loopback(grant, scope) };
    }
    case 'net.websocket':
      return { ...more('hosts', ...listed(scope)), ...loopback(grant, scope) };
    case 'compute.llm.reason':
      return scope === undefined ? grant : more('models', scope);
    case 'memory':
      return scope === undefined ? grant : { ...grant, file: resolve(folder, scope) };
    case 'db':
      return scope === undefined ? grant : { ...grant, ...withAccess(scope, folder, 'file') };
    case 'fs':
      return scope === undefined ? grant : more('roots', withAccess(scope, folder, 'path'));
    case 'machine.call':
      return scope === undefined ? grant : more('machines', machineOf(scope, folder));
    case 'compute.exec':
      if (scope === undefined) return grant;
      if (!isAbsolute(scope)) throw unscoped(capability, scope, 'a command has an absolute path');
      return more('commands', { name: scope, path: scope });
  }
}

function listed(scope: string | undefined): readonly string[] {
  return scope === undefined ? [] : [scope];
}

/** Who grants a loopback address by its name means to reach it. */
function loopback(grant: Readonly<Record<string, readonly unknown[]>>, scope: string | undefined) {
  const address = /^(127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::|$)/.exec(scope ?? '')?.[1];
  if (address === undefined) return {};
  const block =
    address === '[::1]' ? '::1/128' : `${address === 'localhost' ? '127.0.0.1' : address}/32`;
  return { addresses: [...(grant.addresses ?? []), block] };
}

/** `PATH` for reading, `PATH:write` for writing too. */
function withAccess(scope: string, folder: string, field: 'file' | 'path') {
  const path = resolve(folder, scope.replace(/:(?:read|write)$/, ''));
  return { [field]: path, access: scope.endsWith(':write') ? 'write' : 'read' };
}

/** `NAME=PATH`, or a path alone, which is its own name. */
function machineOf(scope: string, folder: string) {
  const at = scope.indexOf('=');
  const [name, path] = at < 0 ? [scope, scope] : [scope.slice(0, at), scope.slice(at + 1)];
  return { name, path: resolve(folder, path) };
}

function unscoped(capability: Capability, scope: string | undefined, problem: string): InputError {
  const [example] = EXAMPLES[capability];
  const found = scope === undefined ? 'needs a scope' : `"${displayText(scope, 100)}" is no scope`;
  return new InputError(
    'usage',
    `granting ${capability} ${found} (${problem}); say how far it goes in "grants" of policy.json, or for a run, as in --grant ${capability}=${example}`,
  );
}

const EXAMPLES: Readonly<Record<Capability, readonly [string]>> = {
  'compute.exec': ['/usr/bin/wc'],
  'compute.llm.reason': ['small'],
  db: ['data/app.sqlite'],
  fs: ['data:write'],
  'machine.call': ['billing/refund=../refund'],
  memory: ['agent.sqlite'],
  'net.http': ['api.example.com'],
  'net.websocket': ['stream.example.com'],
};
