import { importsOf } from './judge.ts';
import type { Finding, Rule, RuleContext } from './types.ts';
import { importName, importText, whitelistText } from './words.ts';

export const unreachableImpureImport = {
  code: 'unreachable-impure-import',
  severity: 'error',
  summary: 'An import is not in the whitelist, and nothing in the module reaches it.',
  check,
} as const satisfies Rule;

function* check({ artifact, whitelist }: RuleContext): Iterable<Finding> {
  for (const { entry, index } of importsOf(artifact, 'unreachable')) {
    yield {
      message: `${importText(entry)} is outside ${whitelistText(whitelist)}, and nothing in the module reaches it`,
      subject: importName(entry),
      location: { file: 'artifact', offset: entry.offset },
      importIndex: index,
      help: 'It is left over from the build: have the linker drop what is not used (Rust: lto = true and opt-level; C: -Wl,--gc-sections with -ffunction-sections), or run wasm-opt --remove-unused-module-elements.',
    };
  }
}
