// Files that are no module, each in its own way, and what is said of each.

import { randomBytes } from 'node:crypto';
import { exampleModule } from '../cli/support.ts';
import { leb, moduleOf, section, text } from './bytes.ts';

const call = exampleModule('call');
const HUGE = leb(0xffff_ffff);
const TYPES = [1, 0x60, 0, 0]; // () -> ()

/** Files that are no module, and what is said of each. */
export const BAD_MODULES: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['an empty file', Buffer.alloc(0), /the file is empty, at byte 0/],
  ['half a preamble', call.subarray(0, 6), /at byte \d/],
  ['random bytes', randomBytes(4096), /not a .*WebAssembly/],
  ['text', Buffer.from('#!/bin/sh\necho I am a module\n'), /not a .*WebAssembly/],
  ['a component', Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), /component/],
  ['4,294,967,295 imports', moduleOf(section(1, TYPES), section(2, HUGE)), /at byte \d+/],
  [
    'a name that is not UTF-8',
    moduleOf(section(1, TYPES), section(2, [1, 2, 0xff, 0xfe, ...text('f'), 0, 0])),
    /UTF-8.*at byte \d+/,
  ],
  ['a module cut off', call.slice(0, 80_000), /at byte \d+/],
];

/** More of them, which differ only in what is wrong where. */
export const SUBTLY_BAD_MODULES: typeof BAD_MODULES = [
  ['another version', Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), /version 2|at byte 4/],
  ['a section that claims 4 GB', moduleOf([2, ...HUGE, 0]), /at byte \d+/],
  ['4,294,967,295 types', moduleOf(section(1, HUGE)), /at byte \d+/],
  ['4,294,967,295 parameters', moduleOf(section(1, [1, 0x60, ...HUGE])), /at byte \d+/],
  ['a name of 4 GB', moduleOf(section(1, TYPES), section(2, [1, ...HUGE])), /at byte \d+/],
  [
    '4,294,967,295 functions',
    moduleOf(section(1, TYPES), section(3, HUGE), section(10, HUGE)),
    /at byte \d+/,
  ],
  ['two import sections', moduleOf(section(2, [0]), section(2, [0])), /at byte \d+/],
  ['a module with bytes after its end', Buffer.concat([call, randomBytes(8)]), /at byte \d+/],
];
