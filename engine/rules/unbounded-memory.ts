import type { Finding, Rule, RuleContext } from './types.ts';
import { plural } from './words.ts';

export const unboundedMemory = {
  code: 'unbounded-memory',
  severity: 'warning',
  summary: 'A memory declares no maximum, so only the limit of the run holds it.',
  check,
} as const satisfies Rule;

const MEMORY_SECTION = 5;

function* check({ artifact, project }: RuleContext): Iterable<Finding> {
  if (artifact.state !== 'read') return;
  const { memories, sections } = artifact.report;
  const section = sections.find(({ id }) => id === MEMORY_SECTION);
  for (const [index, { imported, maximum }] of memories.entries()) {
    if (imported || maximum !== undefined) continue;
    const limit = project?.manifest.limits.memoryPages;
    const held = limit === undefined ? 'of a run' : `of ${plural(limit, 'page')}`;
    yield {
      message: `memory ${index} declares no maximum; only the limit ${held} holds it`,
      subject: `memory ${index}`,
      ...(section && { location: { file: 'artifact', offset: section.offset } }),
      help: 'Declare one when linking: Rust -C link-arg=--max-memory=BYTES, C -Wl,--max-memory=BYTES, AssemblyScript --maximumMemory PAGES, Zig --max-memory=BYTES, WAT (memory 2 64).',
    };
  }
}
