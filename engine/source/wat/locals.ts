import type { WatField, WatLocal } from './document.ts';
import { Scanner, TOKEN } from './scanner.ts';
import { identifierText } from './strings.ts';
import type { DefinedTypes } from './types.ts';
import { readValues } from './value-types.ts';

/** What V8 allows a function to have. */
const MAX_LOCALS = 50_000;

/**
 * The parameters and variables of a function (core specification 3.0, 6.6.6), by index. Parameters
 * that only `(type $t)` gives stand where that type is named.
 */
export function readLocals(text: string, field: WatField, types: DefinedTypes): WatLocal[] {
  const end = field.range.offset + field.range.length;
  const scanner = new Scanner(text, field.mark.offset, end);
  const locals: WatLocal[] = [];
  let typeUse: WatLocal['range'] | undefined;
  let typeName = '';
  scanner.next();
  scanner.next();
  while (scanner.kind === TOKEN.open && locals.length <= MAX_LOCALS) {
    scanner.next();
    const role = scanner.is('param') ? 'param' : scanner.is('local') ? 'local' : undefined;
    if (role !== undefined) {
      if (role === 'local' && locals.length === 0)
        locals.push(...implied(typeUse, typeName, types));
      for (const { identifier, mark } of readValues(scanner, types.find, MAX_LOCALS) ?? []) {
        locals.push({ kind: 'local', role, index: locals.length, identifier, range: mark, mark });
      }
      continue;
    }
    if (scanner.is('type')) {
      scanner.next();
      typeName = identifierText(text.slice(scanner.start, scanner.end));
      typeUse = { offset: scanner.start, length: scanner.end - scanner.start };
    } else if (!HEAD.some((word) => scanner.is(word))) {
      break;
    }
    scanner.skipGroup();
  }
  return locals.length === 0 ? implied(typeUse, typeName, types) : locals;
}

/** What may stand before the locals. */
const HEAD = ['export', 'import', 'result'];

function implied(
  mark: WatLocal['range'] | undefined,
  typeName: string,
  types: DefinedTypes,
): WatLocal[] {
  if (mark === undefined) return [];
  const type = types.find(typeName);
  const params = type === undefined ? undefined : types.functionType(type)?.params;
  return (params ?? []).map((_, index) => ({
    kind: 'local',
    role: 'param',
    index,
    identifier: '',
    range: mark,
    mark,
  }));
}
