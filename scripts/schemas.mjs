// Writes schemas/*.schema.json from the engine's own zod schemas: node --import tsx scripts/schemas.mjs
// With --check: writes nothing, and fails if a file is not what would be written.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { compatibilitySchema } from '../engine/attestation/compatibility.ts';
import { trustStoreSchema } from '../engine/gate/trust-store.ts';
import { agencySchema } from '../engine/governance/agency.ts';
import { policySchema } from '../engine/governance/policy-file.ts';
import { caseSchema } from '../engine/project/case.ts';
import { manifestSchema } from '../engine/project/manifest-schema.ts';
import { whitelistSchema } from '../engine/whitelist/whitelist.ts';

const FOLDER = join(dirname(dirname(fileURLToPath(import.meta.url))), 'schemas');

/** What editors show beside the fields of schemas that say nothing themselves, by JSON path. */
const POLICY_DOCS = {
  '': [
    'Policy',
    'What a place demands of executors beyond a valid certificate, and what they may have performed.',
  ],
  format: 'Always `policy/1`.',
  minimumTier:
    'The weakest tier that is admitted: 1 certified executors only, 2 also those whose imports classify as pure, 3 all (development only).',
  whitelistVersions:
    'Versions of the whitelist that are accepted; the current one only if left out.',
  'whitelistVersions.min': 'The oldest version accepted.',
  'whitelistVersions.max': 'The newest version accepted.',
  publisher:
    "Whether the author's own signature is demanded: `required`, `if-present` (one that is there must be by a trusted publisher), or `ignore`.",
  revoked: 'What is no longer good, whoever signed it.',
  'revoked.certificates': 'SHA-256 of certificate files, 64 lower-case hex digits each.',
  'revoked.keys': 'Key ids, of any role.',
};

const TRUST_STORE_DOCS = {
  '': ['Trust store', 'The keys that are trusted here, each for its role.'],
  format: 'Always `trust-store/1`.',
  keys: 'One entry for each key and role.',
  'keys.[]': 'A trusted key.',
  'keys.[].keyId': "SHA-256 of the key's SPKI DER form, in hex. It must fit the key.",
  'keys.[].publicKey': 'Base64 of the SPKI DER form: the body of the PEM file.',
  'keys.[].role':
    'What the key is trusted for: issuing certificates, publishing executors, attesting environments, signing whitelists, issuing fuel vouchers, or signing builds of Touchstone.',
  'keys.[].label': 'What people call it.',
  'keys.[].validFrom': 'Before this time the key counts for nothing (RFC 3339, UTC).',
  'keys.[].validUntil': 'From this time on the key counts for nothing (RFC 3339, UTC).',
  'keys.[].revoked': 'Why the key is revoked. Present means that it counts for nothing.',
};

const WHITELIST_DOCS = {
  '': ['Whitelist', 'The host functions that executors may import. What is not listed is impure.'],
  name: 'The name of the whitelist; versions of one whitelist share it.',
  version: 'Raised with every change: the same version with other content is refused.',
  functions: 'The functions, each with its exact type.',
  'functions.[]': 'A host function.',
  'functions.[].module': 'The module it is imported from.',
  'functions.[].name': 'The name it is imported by.',
  'functions.[].params': 'Types of its parameters.',
  'functions.[].results': 'Types of its results.',
  'functions.[].class':
    '`pure`: no effect outside the executor. `directive`: adds a directive that the host may perform.',
  'functions.[].category': 'What kind of function it is; `directive` exactly for that class.',
  'functions.[].directive': 'The tag of the directive that it constructs.',
  'functions.[].doc': 'What it does, for people.',
  signatures: 'Signatures of whitelist authorities over the document without this field.',
  'signatures.[]': 'One signature.',
  'signatures.[].keyId': 'Id of the key that signed.',
  'signatures.[].signature': 'Base64 of the Ed25519 signature.',
};

const COMPATIBILITY_DOCS = {
  '': [
    'Compatibility',
    'What an environment elsewhere must be, so that its attestations count here: all four demands hold.',
  ],
  format: 'Always `compatibility/1`.',
  whitelists: 'The whitelists that are recognised.',
  'whitelists.[]': 'One document.',
  'whitelists.[].name': 'Its name.',
  'whitelists.[].hash': 'Its hash, as `touchstone whitelist show` prints it.',
  minimumWhitelistVersion:
    'The oldest version of each whitelist, by its name; one that is not named is not accepted.',
  runtimes: 'The builds of Touchstone that are trusted to run executors.',
  'runtimes.[]':
    'One build by its hash (`build`), or all that a builder signs (`signer`, a key of the trust store in the role `builder`); with `isolation` only where guests are isolated in one of these ways.',
  certifiers: 'Key ids of the certifiers whose certificates are accepted.',
};

const SCHEMAS = {
  executor: [manifestSchema, {}],
  case: [caseSchema, {}],
  compatibility: [compatibilitySchema, COMPATIBILITY_DOCS],
  policy: [policySchema, POLICY_DOCS],
  agency: [agencySchema, {}],
  'trust-store': [trustStoreSchema, TRUST_STORE_DOCS],
  whitelist: [whitelistSchema, WHITELIST_DOCS],
};

const isCheck = process.argv.includes('--check');
for (const [name, [schema, docs]] of Object.entries(SCHEMAS)) {
  const file = join(FOLDER, `${name}.schema.json`);
  const text = `${print(describe(z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }), docs))}\n`;
  if (!isCheck) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(
      `schemas/${name}.schema.json is not current: node --import tsx scripts/schemas.mjs\n`,
    );
    process.exitCode = 1;
  }
}

/** Adds the descriptions; one that finds no field is a mistake. */
function describe(schema, docs) {
  for (const [path, doc] of Object.entries(docs)) {
    let at = schema;
    for (const step of path === '' ? [] : path.split('.')) {
      at = step === '[]' ? at?.items : at?.properties?.[step];
    }
    if (at === undefined) throw new Error(`there is no field ${path} to describe`);
    if (Array.isArray(doc)) [at.title, at.description] = doc;
    else at.description = doc;
  }
  return schema;
}

/** As Biome writes JSON: lists of plain values in one line where they fit into 100 columns. */
function print(value, indent = '', used = 0) {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const isPlain = value.every((item) => typeof item !== 'object');
    const line = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    if (isPlain && used + line.length <= 99) return line;
    return `[\n${value.map((item) => inner + print(item, inner, inner.length)).join(',\n')}\n${indent}]`;
  }
  const members = Object.entries(value).map(([key, item]) => {
    const head = `${inner}${JSON.stringify(key)}: `;
    return head + print(item, inner, head.length);
  });
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
}
