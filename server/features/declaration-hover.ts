import type { Hover } from 'vscode-languageserver-types';
import type { SourceDeclaration } from '../analysis/jobs.ts';
import { code, markdown, plain } from './markdown.ts';

/**
 * What a person wants to know of an import where it is declared: its class and category, the type that
 * is listed, what it does, and what performing it needs.
 * @param problem the message of the finding about it, if there is one.
 */
export function declarationHover(
  declaration: SourceDeclaration,
  problem: string | undefined,
): Hover {
  const { module, name, kind, type, listed, range } = declaration;
  const heading = `**${plain(classText(declaration))}** ${code(`${module}.${name}`)}`;
  const own = type === undefined ? undefined : `${plain(kind)} ${code(type, 200)}`;
  const capability =
    listed?.capability === undefined
      ? undefined
      : `Needs the capability ${code(listed.capability)}.`;
  const contents = markdown(
    heading,
    own,
    ...(problem ?? '').split('\n').map((line) => plain(line, 1000)),
    listed && plain(listed.doc, 1000),
    listed !== undefined && listed.type !== type ? `Listed as ${code(listed.type)}.` : undefined,
    capability,
  );
  return { contents, range };
}

/** `pure · context`, `directive`, `impure`. */
export function classText({ class: kind, listed }: SourceDeclaration): string {
  if (kind === 'impure') return 'impure';
  return kind === 'pure' && listed !== undefined ? `pure · ${listed.category}` : kind;
}
