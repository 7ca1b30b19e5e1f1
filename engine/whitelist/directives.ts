/** The capabilities a directive may need (REFERENCE 2), in alphabetical order. */
export const CAPABILITIES = Object.freeze([
  'compute.exec',
  'compute.llm.reason',
  'db',
  'fs',
  'machine.call',
  'memory',
  'net.http',
  'net.websocket',
] as const);

export type Capability = (typeof CAPABILITIES)[number];

/** Another spelling of `compute.llm.reason` that is accepted (REFERENCE 2). */
export const LLM_SPELLING = 'compute.llm_reason';

/** One parameter of a directive, as its constructor's JSON holds it. */
export interface DirectiveParameter {
  readonly name: string;
  readonly type: 'string' | 'object' | 'array' | 'any';
  readonly optional?: true;
  /** The only texts allowed, for a parameter of type `string`. */
  readonly oneOf?: readonly string[];
}

/**
 * What every directive that needs a capability may carry beside its own parameters: a name that its
 * executor gives to the effect, so that asking for it again is no second effect.
 */
export const EFFECT_ID: DirectiveParameter = Object.freeze({
  name: 'id',
  type: 'string',
  optional: true,
});

/** The most characters that the `id` of a directive has. */
export const MAX_EFFECT_ID = 200;

/** A kind of directive: its tag, its parameters and the capability that performing it needs. */
export interface DirectiveKind {
  readonly tag: string;
  /** Null for observability, which needs no capability. */
  readonly capability: Capability | null;
  readonly parameters: readonly DirectiveParameter[];
  /** One sentence: what the host does when it performs the directive. */
  readonly doc: string;
}

const text = (name: string): DirectiveParameter => ({ name, type: 'string' });
const object = (name: string): DirectiveParameter => ({ name, type: 'object' });
const oneOf = (name: string, ...values: string[]): DirectiveParameter => ({
  name,
  type: 'string',
  oneOf: values,
});
const optional = (parameter: DirectiveParameter): DirectiveParameter => ({
  ...parameter,
  optional: true,
});

const LLM = [text('model'), text('system'), text('user')];

const KINDS: readonly DirectiveKind[] = [
  {
    tag: 'llm_call',
    capability: 'compute.llm.reason',
    parameters: LLM,
    doc: 'Asks a language model and answers its reply.',
  },
  {
    tag: 'llm_call_stream',
    capability: 'compute.llm.reason',
    parameters: LLM,
    doc: 'Asks a language model and passes its reply on as it comes.',
  },
  {
    tag: 'http_request',
    capability: 'net.http',
    parameters: [
      oneOf('method', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
      text('url'),
      optional({ name: 'body', type: 'any' }),
    ],
    doc: 'Sends an HTTP request and answers status, headers and body.',
  },
  {
    tag: 'graphql_request',
    capability: 'net.http',
    parameters: [text('url'), text('query'), object('vars')],
    doc: 'Sends a GraphQL query with its variables and answers the data.',
  },
  {
    tag: 'file_op',
    capability: 'fs',
    parameters: [
      oneOf('operation', 'FileRead', 'FileWrite', 'FileDelete'),
      text('path'),
      optional(text('content')),
    ],
    doc: 'Reads, writes or deletes a file inside a granted root.',
  },
  {
    tag: 'call_machine',
    capability: 'machine.call',
    parameters: [text('machine'), object('inputs')],
    doc: 'Runs another executor, under its own certificate, and answers its result.',
  },
  {
    tag: 'mcp_call',
    capability: 'machine.call',
    parameters: [text('server'), text('tool'), object('args')],
    doc: 'Calls a tool of a Model Context Protocol server.',
  },
  {
    tag: 'memory_op',
    capability: 'memory',
    parameters: [
      oneOf('operation', 'MemStore', 'MemRecall', 'MemForget'),
      text('key'),
      optional({ name: 'value', type: 'any' }),
    ],
    doc: 'Stores, recalls or forgets a value under a key of the agent memory.',
  },
  {
    tag: 'db_op',
    capability: 'db',
    parameters: [text('query'), { name: 'params', type: 'array' }],
    doc: 'Runs one database statement with bound parameters and answers its rows.',
  },
  {
    tag: 'exec_command',
    capability: 'compute.exec',
    parameters: [text('command'), { name: 'args', type: 'array' }],
    doc: 'Runs a command that the policy names, without a shell.',
  },
  {
    tag: 'websocket_op',
    capability: 'net.websocket',
    parameters: [
      oneOf('operation', 'WSConnect', 'WSSend', 'WSClose'),
      text('url'),
      optional({ name: 'payload', type: 'any' }),
    ],
    doc: 'Connects, sends on or closes a WebSocket.',
  },
  {
    tag: 'record_step',
    capability: null,
    parameters: [text('run_id'), text('name'), { name: 'output', type: 'any' }],
    doc: "Records a named step and its output in the run's event stream.",
  },
  {
    tag: 'broadcast',
    capability: null,
    parameters: [{ name: 'event', type: 'any' }],
    doc: "Publishes an event to those who follow the run's event stream.",
  },
  {
    tag: 'emit_event',
    capability: null,
    // `event_type`, because `type` holds the tag of every directive.
    parameters: [text('event_type'), { name: 'payload', type: 'any' }],
    doc: "Adds a typed event to the run's event stream.",
  },
  {
    tag: 'code_eval',
    capability: 'compute.exec',
    parameters: [text('language'), text('code'), optional(object('bindings'))],
    doc: 'Evaluates code in a sandbox without imports, under fuel and memory limits.',
  },
];

/** Every directive of the built-in whitelist by its tag (REFERENCE 2), in the table's order. */
export const DIRECTIVES: ReadonlyMap<string, DirectiveKind> = new Map(
  KINDS.map((kind) => [kind.tag, kind]),
);
