// What governance allows, said a second time and as plainly as it can be: the table of REFERENCE 2 and
// the order of DESIGN 8, without any code of the interpreter's.

/** What the model is told of a directive. */
export interface ModelDirective {
  readonly tag: string;
  readonly isWellFormed: boolean;
  /** The handler's verdict about the grant; of a directive without a handler, none. */
  readonly handler: 'covers' | 'judges-out' | 'refuses' | undefined;
  readonly hook: 'allow' | 'deny';
  readonly guardrail: 'allow' | 'deny';
}

export interface ModelPolicy {
  readonly trust: number;
  readonly declared: readonly string[];
  readonly grants: readonly string[];
  readonly phase: readonly string[] | undefined;
  readonly calls: Readonly<Record<string, number>>;
}

const CAPABILITY: Readonly<Record<string, string>> = {
  llm_call: 'compute.llm.reason',
  llm_call_stream: 'compute.llm.reason',
  http_request: 'net.http',
  graphql_request: 'net.http',
  file_op: 'fs',
  call_machine: 'machine.call',
  mcp_call: 'machine.call',
  memory_op: 'memory',
  db_op: 'db',
  exec_command: 'compute.exec',
  websocket_op: 'net.websocket',
  code_eval: 'compute.exec',
};
const FREE = ['record_step', 'broadcast', 'emit_event'];
const TESTED = ['compute.llm.reason', 'compute.exec', 'memory', 'machine.call'];

/** Which directives of a list are performed: their places. */
export function performedByModel(
  list: readonly ModelDirective[],
  { trust, declared, grants, phase, calls }: ModelPolicy,
): number[] {
  const left = { ...calls };
  const performed: number[] = [];
  for (const [place, { tag, isWellFormed, handler, hook, guardrail }] of list.entries()) {
    const capability = CAPABILITY[tag];
    if ((capability === undefined && !FREE.includes(tag)) || !isWellFormed) break;
    let granted = handler !== undefined;
    if (capability !== undefined) {
      granted &&= grants.includes(capability);
      if (trust === 0 && capability !== 'compute.llm.reason') break;
      if (trust === 1 && !TESTED.includes(capability)) break;
      if ((trust === 2 || trust === 3) && !declared.includes(capability)) break;
      if (tag === 'exec_command' && grants.includes(capability) && trust !== 5) break;
      if (granted && handler === 'judges-out') break;
      if (granted && left[capability] === 0) break;
    }
    if (phase !== undefined && !phase.includes(tag)) break;
    if (hook === 'deny') break;
    if (granted) {
      if (capability !== undefined) left[capability] = (left[capability] ?? Infinity) - 1;
      if (handler === 'refuses') break;
      performed.push(place);
    }
    if (guardrail === 'deny') break;
  }
  return performed;
}
