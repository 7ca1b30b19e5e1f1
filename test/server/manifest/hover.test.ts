import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MarkupContent } from 'vscode-languageserver-types';
import type { Analysis } from '../../../server/analysis/results.ts';
import { manifestHover } from '../../../server/manifest/hover.ts';
import {
  analysis,
  CALL_MACHINE,
  FD_WRITE,
  finding,
  imported,
  manifest,
  openAt,
} from './support.ts';

function hover(marked: string, known?: Analysis): string | undefined {
  const { document, reading, offset } = openAt(marked);
  const found = manifestHover(document, reading, document.positionAt(offset), known);
  if (found === undefined) return undefined;
  assert.ok(MarkupContent.is(found.contents) && found.contents.kind === 'markdown');
  return found.contents.value;
}

/** As it reads, without the entities that keep text from being markup. */
function shown(value: string | undefined): string {
  return (value ?? '').replaceAll(/\\([^\w\s])/g, '$1');
}

const onArtifact = manifest().replace('"build', '"bui|ld').replace('|ld', 'l|d');

test('the artifact tells its verdict first, then certificate, imports, size and hash', () => {
  assert.equal(
    shown(hover(onArtifact, analysis())),
    [
      '**Pure: this module can be certified**',
      'The one effect it can ask for is call_machine, which needs the capability machine.call.',
      'Not certified.',
      [
        '| class | import | type |',
        '| --- | --- | --- |',
        '| directive, needs `machine.call` | `mashin.call_machine` | `(i32, i32) -> ()` |',
        '| pure | `mashin.log` | `(i32, i32, i32) -> ()` |',
      ].join('\n'),
      '109,544 bytes · SHA-256 `b2021bc8`…',
    ].join('\n\n'),
  );
});

test('what is impure comes first, and long lists end after twelve rows', () => {
  const imports = [...Array.from({ length: 1200 }, () => imported()), FD_WRITE];
  const text = shown(hover(onArtifact, analysis({ imports, allImportsPure: false })));
  assert.match(
    text,
    /^\*\*Impure: this module cannot be certified\*\*\n\n1 of its 1,201 imports is not in the whitelist mashin@1\.\n/,
  );
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  assert.match(rows[2] ?? '', /^\| impure \| `wasi\.fd_write` \|/);
  assert.equal(rows.length, 2 + 12);
  assert.match(text, /\n\nand 1,189 more\n/);
});

test('the certificate is told as it stands', () => {
  const facts = { issuedAt: '2026-11-18T14:02:11Z', certifier: 'fe396949'.repeat(8) };
  const told = (certificate: NonNullable<Analysis['certificate']>) =>
    shown(hover(onArtifact, analysis({ certificate })));
  assert.match(
    told({ state: 'admitted', ...facts }),
    /^\*\*Certified: the gate admits this module at tier 1\*\*[\s\S]*\nCertified on 2026-11-18 by fe396949\.\n/,
  );
  assert.match(
    told({ state: 'stale', ...facts }),
    /\nCertificate stale: the file changed after it was certified on 2026-11-18\.\n/,
  );
  assert.match(
    told({ state: 'untrusted', ...facts }),
    /\nNobody here trusts the certifier fe396949\.\n/,
  );
  assert.match(
    told({ state: 'refused', detail: 'signature: it does not verify' }),
    /\nRefused at signature: it does not verify\.\n/,
  );
});

test('no imports, and a module that could not be read, are told apart', () => {
  const none = shown(hover(onArtifact, analysis({ imports: [] })));
  assert.match(none, /^\*\*No imports\*\*\n\nThis module cannot ask for any effect\.\n/);
  const findings = [finding('invalid-module', { severity: 'error', message: 'bad byte at 8' })];
  const unread = analysis({
    sha256: null,
    size: null,
    imports: [],
    allImportsPure: false,
    findings,
  });
  assert.match(shown(hover(onArtifact, unread)), /^\*\*Not read: [^\n]*\n\nBad byte at 8\./);
});

test('names of a hostile module are text: no link, image, HTML, heading, cell or code of theirs', () => {
  const names = [
    '[x](command:touchstone.certify)',
    '![x](https://evil.example/x.png)',
    '<img src=x onerror=alert(1)>',
    '` ](command:x) `',
    'a | b',
    'a\n# heading',
    '\u202Egnp.exe',
    'https://evil.example www.evil.example me@evil.example',
    '\\`',
    '',
  ];
  const imports = names.map((name) =>
    imported({ module: 'env', name, class: 'impure', type: name }),
  );
  const text = hover(onArtifact, analysis({ imports, allImportsPure: false })) ?? '';
  const outsideCode = text.replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, '');
  assert.doesNotMatch(outsideCode, /[[\]<>]|https?:|www\.|\u202E/);
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  assert.equal(rows.length, 2 + names.length);
  for (const row of rows) assert.equal(row.match(/(?<!\\)\|/g)?.length, 4, row);
  assert.doesNotMatch(text, /\u202E/);
});

test('a capability tells what it permits, which imports need it, and whether trust denies it', () => {
  const text = manifest({ trust: 'tested', capabilities: ['machine.call', 'net.http'] });
  const known = analysis({ imports: [CALL_MACHINE] });
  const first = shown(hover(text.replace('machine.', 'mach|ine.'), known));
  assert.match(
    first,
    /^`machine\.call` permits these directives:\n\n- `call_machine`: Runs another/,
  );
  assert.match(first, /\n\nThe artifact imports `call_machine`\.$/);
  const second = shown(hover(text.replace('net.', 'n|et.'), known));
  assert.match(second, /No import of the artifact needs it/);
  assert.match(second, /Denied at the trust level `tested`, whatever is declared\.$/);
  const list = shown(hover(text.replace('"capab', '"c|apab'), known));
  assert.match(list, /The artifact needs `machine\.call`\.$/);
});

test('fields tell what they mean and what is in effect', () => {
  const text = manifest({ tier: 2, trust: 'reviewed', limits: { fuel: 7, memoryProfile: 'edge' } });
  const at = (field: string) => shown(hover(text.replace(`"${field}`, `"|${field}`), analysis()));
  assert.match(at('tier'), /^The weakest tier[\s\S]*\n\nTier 2\. Static analysis: /);
  assert.match(
    at('trust'),
    /`reviewed`: Level 3: holds the capabilities that `capabilities` declares\.$/,
  );
  assert.match(at('fuel'), /\n\nIn effect: 7\.$/);
  assert.match(at('memoryProfile'), /\n\nIn effect: 4 pages, neither fewer nor more\.$/);
  assert.match(
    at('limits'),
    /\| `fuel` \| 7 \| {2}\|\n[\s\S]*\| `timeoutMs` \| 10,000 \| default \|/,
  );
  assert.match(at('name'), /^The executor's name/);
  const whitelist = manifest({ whitelist: 'mashin@1' }).replace('"mashin@1"', '"|mashin@1"');
  assert.match(shown(hover(whitelist, analysis())), /\n\nIn force: mashin@1, SHA-256 `abababab`…$/);
});

test('without an analysis the schema speaks; between fields and on unknown ones nothing does', () => {
  assert.match(shown(hover(onArtifact)), /^The built WebAssembly module/);
  assert.equal(hover('{ | "name": "a" }'), undefined);
  assert.equal(hover('{"__pro|to__": {"x": 1}}'), undefined);
  assert.equal(hover('{"capabilities": ["no|ne"]}'), undefined);
  assert.equal(hover('|'), undefined);
});
