import type { JsonObject } from '../../../../encoding/json.ts';
import type { ModelRequest } from './model-provider.ts';

/** System and user text as both APIs take them; no system text, no system message. */
export function chatMessages({ system, user }: ModelRequest): readonly JsonObject[] {
  const asked = { role: 'user', content: user };
  return system === '' ? [asked] : [{ role: 'system', content: system }, asked];
}
