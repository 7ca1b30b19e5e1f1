import type { Client } from '../client.ts';

/** How much is done for WebAssembly text. */
export type WatExtent = 'all' | 'purity' | 'nothing';

export function watExtent({
  settings,
  watElsewhere,
}: Pick<Client, 'settings' | 'watElsewhere'>): WatExtent {
  const { wat } = settings();
  if (wat === 'off') return 'nothing';
  return wat === 'auto' && watElsewhere ? 'purity' : 'all';
}
