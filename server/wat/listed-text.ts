// How a listed function is spoken of beside a text: its class, its category, and what it needs.

import { displayText } from '../../engine/encoding/display.ts';
import { DIRECTIVES } from '../../engine/whitelist/directives.ts';
import type { Classification, WhitelistFunction } from '../../engine/whitelist/types.ts';

/** `pure · context`, `directive · http_request needs net.http`. */
export function listedText(listed: WhitelistFunction): string {
  if (listed.directive === undefined) return `${listed.class} · ${listed.category}`;
  const capability = DIRECTIVES.get(listed.directive)?.capability;
  const needs = capability ? ` needs ${capability}` : '';
  return `${listed.class} · ${displayText(listed.directive)}${needs}`;
}

/** The same of any import; `impure · wrong type` where only its type keeps it from being listed. */
export function classificationText(classification: Classification): string {
  if (classification.class !== 'impure') return listedText(classification.function);
  return classification.mismatch === 'type' ? 'impure · wrong type' : 'impure';
}
