import type { Directive } from '../../../engine/runtime/types.ts';

/** One well-formed directive of each kind (REFERENCE 2), with its optional parameters. */
const DIRECTIVES: readonly Directive[] = [
  { type: 'llm_call', model: 'small', system: 'Be brief.', user: 'Why?' },
  { type: 'llm_call_stream', model: 'small', system: '', user: 'Why?' },
  { type: 'http_request', method: 'POST', url: 'https://a.example/', body: { order: 1 } },
  { type: 'graphql_request', url: 'https://a.example/', query: '{ a }', vars: {} },
  { type: 'file_op', operation: 'FileWrite', path: 'a.txt', content: 'a' },
  { type: 'call_machine', machine: 'ledger', inputs: { amount: 3 } },
  { type: 'mcp_call', server: 's', tool: 't', args: {} },
  { type: 'memory_op', operation: 'MemStore', key: 'k', value: null },
  { type: 'db_op', query: 'select ?', params: [1] },
  { type: 'exec_command', command: 'ls', args: ['-l'] },
  { type: 'websocket_op', operation: 'WSSend', url: 'wss://a.example/', payload: 'x' },
  { type: 'record_step', run_id: 'r', name: 'n', output: null },
  { type: 'broadcast', event: { a: 1 } },
  { type: 'emit_event', event_type: 'done', payload: 1 },
  { type: 'code_eval', language: 'wat', code: '(module)', bindings: {} },
];

export const WELL_FORMED: ReadonlyMap<string, Directive> = new Map(
  DIRECTIVES.map((directive) => [directive.type, directive]),
);

/** A well-formed directive of a kind. */
export function wellFormed(tag: string): Directive {
  const directive = WELL_FORMED.get(tag);
  if (directive === undefined) throw new Error(`no well-formed ${tag}`);
  return directive;
}
