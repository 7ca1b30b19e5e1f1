import { basename } from 'node:path';
import type { Assembler } from '../../engine/module/wat.ts';
import { readWhitelist } from '../../engine/platform/node/deciders.ts';
import { readTextFile } from '../../engine/platform/node/files.ts';
import {
  type JudgedDeclaration,
  judgeDeclarations,
  type SourceFix,
} from '../../engine/rules/declarations.ts';
import { readAssemblyScript } from '../../engine/source/assemblyscript.ts';
import { readC, readCpp } from '../../engine/source/c.ts';
import { readGo } from '../../engine/source/go.ts';
import { readRust } from '../../engine/source/rust.ts';
import type { GrammarLanguage, Grammars } from '../../engine/source/syntax.ts';
import type { EditableDeclaration } from '../../engine/source/types.ts';
import { readWat } from '../../engine/source/wat/read.ts';
import { readZig } from '../../engine/source/zig.ts';
import { DIRECTIVES } from '../../engine/whitelist/directives.ts';
import { functionTypeText } from '../../engine/whitelist/whitelist.ts';
import type { SourceAnalysis, SourceDeclaration, SourceFinding, SourceJob } from './jobs.ts';
import { type Lines, linesOf } from './lines.ts';
import { examineWat } from './wat.ts';

/** What a thread keeps from job to job. */
export interface SourceTools {
  readonly assembler: Assembler;
  readonly grammars: Grammars;
}

/**
 * What a source declares, and what is wrong with it.
 * @throws {InputError} for a file or whitelist that cannot be read.
 */
export async function analyseSource(job: SourceJob, tools: SourceTools): Promise<SourceAnalysis> {
  const text = job.text ?? (await readTextFile(job.path));
  const whitelist = await readWhitelist(job.whitelist.reference, job.whitelist.base);
  const lines = linesOf(text);
  if (job.language !== 'wat') {
    const declarations = await readDeclarations(job.language, text, job.path, tools.grammars);
    const judged = judgeDeclarations(text, declarations, whitelist);
    return { ...toAnalysis(judged, lines), assembles: false };
  }
  const document = readWat(text);
  const judged = judgeDeclarations(text, document.imports, whitelist);
  const { declarations, findings } = toAnalysis(judged, lines);
  const { assembles, findings: found } = await examineWat(
    { job, text, document, lines },
    whitelist,
    tools.assembler,
  );
  // What the module says of an import has its call path; of the rest the text says what it can.
  const told = new Set(found.flatMap(({ declaration = [] }) => declaration));
  const own = findings.filter(({ declaration = -1 }) => !told.has(declaration));
  return { declarations, findings: [...own, ...found], assembles };
}

async function readDeclarations(
  language: GrammarLanguage,
  text: string,
  path: string,
  grammars: Grammars,
): Promise<readonly EditableDeclaration[]> {
  const parser = await grammars.parser(language);
  switch (language) {
    case 'rust':
      return readRust(parser, text);
    case 'assemblyscript':
      return readAssemblyScript(parser, text, basename(path));
    case 'c':
      return readC(parser, text);
    case 'cpp':
      return readCpp(parser, text);
    case 'zig':
      return readZig(parser, text);
    case 'go':
      return readGo(parser, text);
  }
}

function toAnalysis(
  judged: readonly JudgedDeclaration[],
  lines: Lines,
): Pick<SourceAnalysis, 'declarations' | 'findings'> {
  return {
    declarations: judged.map((each) => toDeclaration(each, lines)),
    findings: judged.flatMap(({ finding }, index): SourceFinding[] => {
      if (finding === undefined) return [];
      const { code, message, subject, help, range } = finding;
      return [
        {
          code,
          severity: 'error',
          message,
          subject,
          ...(help !== undefined && { help }),
          range: lines.rangeOf(range),
          related: [],
          declaration: index,
        },
      ];
    }),
  };
}

function toDeclaration(
  { declaration, classification, finding }: JudgedDeclaration,
  lines: Lines,
): SourceDeclaration {
  const { module, name, kind, type, range, mark } = declaration;
  const fn = 'function' in classification ? classification.function : undefined;
  const capability = fn?.directive === undefined ? null : DIRECTIVES.get(fn.directive)?.capability;
  return {
    module,
    name,
    kind,
    ...(type !== undefined && { type }),
    range: lines.rangeOf(range),
    mark: lines.rangeOf(mark),
    class: classification.class,
    ...(fn && {
      listed: {
        type: functionTypeText(fn),
        class: fn.class,
        category: fn.category,
        ...(fn.directive !== undefined && { directive: fn.directive }),
        ...(capability && { capability }),
        doc: fn.doc,
      },
    }),
    fixes: (finding?.fixes ?? []).map((fix) => toFixes(fix, lines)),
  };
}

function toFixes({ title, edits }: SourceFix, lines: Lines) {
  return {
    title,
    edits: edits.map(({ range, text }) => ({ range: lines.rangeOf(range), newText: text })),
  };
}
