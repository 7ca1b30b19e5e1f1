import { extname } from 'node:path';
import type { CertifiableReport } from '../../engine/certificate/certify.ts';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { recipeFor } from '../../engine/module/recipes.ts';
import type { Assembler } from '../../engine/module/wat.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { readWhitelist } from '../../engine/platform/node/deciders.ts';
import { readModule, readTextFile } from '../../engine/platform/node/files.ts';
import { inspectNamed } from '../../engine/platform/node/subject.ts';
import { type ExaminedImport, examineModule } from '../../engine/rules/examine.ts';
import type { JudgedImport } from '../../engine/rules/types.ts';
import { DIRECTIVES } from '../../engine/whitelist/directives.ts';
import type { InspectedImport, Inspection } from '../protocol.ts';
import type { InspectJob, ReportJob } from './jobs.ts';

/**
 * Everything the inspector shows of a module.
 * @throws {InputError} for a file or whitelist that cannot be read, or a file that is no module.
 */
export async function inspect(job: InspectJob, assembler: Assembler): Promise<Inspection> {
  const { path, uri, whitelist: choice } = job;
  const whitelist = await readWhitelist(choice.reference, choice.base);
  const contents =
    extname(path) === '.wat'
      ? await assembler.assemble(await readTextFile(path), displayText(path, 500))
      : await readModule(path);
  const { artifact, report, judged } = examineModule(
    { path, contents },
    { crypto: nodeCrypto, whitelist },
  );
  if (report === undefined) {
    const refused = artifact.diagnostics.find(({ severity }) => severity === 'error');
    throw new InputError('invalid-module', refused?.message ?? 'the file cannot be read');
  }
  return {
    uri,
    size: report.size,
    sha256: report.sha256,
    whitelist: artifact.whitelist,
    allImportsPure: artifact.allImportsPure,
    imports: artifact.imports.map((entry, i) => inspected(entry, judged[i])),
    exports: report.exports.map(({ name, kind, type, offset }) => ({ name, kind, type, offset })),
    memories: report.memories.map(({ minimum, maximum, ...memory }) => ({
      ...memory,
      minimum: String(minimum),
      maximum: maximum === undefined ? null : String(maximum),
    })),
    features: report.features,
    sections: report.sections.map(({ name, offset, size }) => ({ name, offset, size })),
    readers: report.readers,
    findings: artifact.diagnostics.map(({ code, severity, message, help }) => ({
      code,
      severity,
      message,
      ...(help !== undefined && { help }),
    })),
  };
}

/**
 * What certifying needs to know of a module.
 * @throws {InputError} for a file that cannot be read, or is no module.
 */
export async function reportOf({ path }: ReportJob): Promise<CertifiableReport> {
  const { sha256, imports, readers } = inspectNamed(path, await readModule(path));
  return { sha256, imports, readers };
}

/** An import with what it needs and, where it is impure, why it is there and what helps. */
function inspected(examined: ExaminedImport, judged: JudgedImport | undefined): InspectedImport {
  if (judged === undefined) return examined;
  const { entry, classification, callPath } = judged;
  const isListed = classification.class !== 'impure';
  const tag = isListed ? classification.function.directive : undefined;
  const capability = tag === undefined ? undefined : DIRECTIVES.get(tag)?.capability;
  const recipe = isListed ? undefined : recipeFor(entry, callPath);
  return {
    ...examined,
    ...(capability && { capability }),
    ...(callPath && {
      path: callPath.frames.map(({ name, via, offset, lastOfAuthor }) => ({
        name,
        via,
        ...(offset !== undefined && { offset }),
        lastOfAuthor,
      })),
    }),
    ...(recipe !== undefined && { recipe }),
  };
}
