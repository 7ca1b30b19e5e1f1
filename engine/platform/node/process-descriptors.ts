import { openSync, readdirSync, readFileSync } from 'node:fs';

/** The descriptors that a host is meant to have: standard streams and its channel. */
const OWN = 4;

/** `O_CLOEXEC`, as `/proc` prints flags: the kernel closes such a descriptor for a new program. */
const CLOSE_ON_EXEC = 0o2000000;

let nothing: number | undefined;

/**
 * What stands in `stdio`, from descriptor 4 on, so that a host gets none of the descriptors that
 * this process inherited itself and would hand on: `/dev/null` in place of each. Node marks those it
 * opens to be closed; what a shell or a service manager left open, it does not. Linux only: on
 * macOS and Windows a program is started with the descriptors that are named, and no others.
 */
export function coverInherited(): readonly ('ignore' | number)[] {
  if (process.platform !== 'linux') return [];
  const inherited = listDescriptors().filter((each) => each >= OWN && isInherited(each));
  if (inherited.length === 0) return [];
  nothing ??= openSync('/dev/null', 'r');
  const cover: ('ignore' | number)[] = [];
  for (const descriptor of inherited) {
    while (cover.length < descriptor - OWN) cover.push('ignore');
    cover[descriptor - OWN] = nothing;
  }
  return cover;
}

function listDescriptors(): readonly number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return []; // a system without /proc tells nobody
  }
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(
      readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'),
    )?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false; // the one that listed the others: it is closed by now
  }
}
