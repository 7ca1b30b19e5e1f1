import { DIRECTIVES } from './directives.ts';
import type { WhitelistDocument, WhitelistFunction } from './types.ts';

const HOST_FUNCTIONS: readonly WhitelistFunction[] = [
  {
    module: 'mashin',
    name: 'get_input_len',
    params: [],
    results: ['i32'],
    class: 'pure',
    category: 'context',
    doc: 'Byte length of the input JSON.',
  },
  {
    module: 'mashin',
    name: 'get_input',
    params: ['i32'],
    results: [],
    class: 'pure',
    category: 'context',
    doc: 'Writes the input JSON (UTF-8, `get_input_len` bytes) to memory at `ptr`.',
  },
  {
    module: 'mashin',
    name: 'set_output',
    params: ['i32', 'i32'],
    results: [],
    class: 'pure',
    category: 'output',
    doc: 'Takes the output JSON (UTF-8) from memory at `ptr`, `len` bytes. The last call counts.',
  },
  {
    module: 'mashin',
    name: 'log',
    params: ['i32', 'i32', 'i32'],
    results: [],
    class: 'pure',
    category: 'logging',
    doc: 'Adds a message (UTF-8) to the log of the outcome; level 0 trace, 1 debug, 2 info, 3 warn, 4 error.',
  },
  {
    module: 'mashin',
    name: 'context_len',
    params: ['i32', 'i32'],
    results: ['i32'],
    class: 'pure',
    category: 'context',
    doc: 'Byte length of the JSON text of the context value under the key at `key_ptr`, or -1 where there is none.',
  },
  {
    module: 'mashin',
    name: 'context_read',
    params: ['i32', 'i32', 'i32'],
    results: ['i32'],
    class: 'pure',
    category: 'context',
    doc: 'Writes the JSON text of the context value under a key to `out_ptr` and gives its byte length, or -1 where there is none.',
  },
];

const CONSTRUCTORS: readonly WhitelistFunction[] = [...DIRECTIVES.values()].map((kind) => ({
  module: 'mashin',
  name: kind.tag,
  params: ['i32', 'i32'],
  results: [],
  class: 'directive',
  category: 'directive',
  directive: kind.tag,
  doc: `Adds a \`${kind.tag}\` directive from JSON { ${kind.parameters
    .map(({ name, optional }) => (optional ? `${name}?` : name))
    .join(', ')} }. ${kind.doc}`,
}));

/** The built-in whitelist: the host interface of DESIGN 6, one function an entry. */
export const MASHIN_1: WhitelistDocument = {
  name: 'mashin',
  version: 1,
  functions: [...HOST_FUNCTIONS, ...CONSTRUCTORS],
};
