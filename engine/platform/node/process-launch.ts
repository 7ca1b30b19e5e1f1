import { parse } from 'node:path';
import { NO_LAYERS, type ProcessLayers } from './process-layers.ts';
import { findTool, succeeds } from './process-tools.ts';

/** How hosts are started on this machine. */
export interface LaunchPlan {
  /** The program and its arguments; the script comes on its standard input. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The layers that hold from the start. */
  readonly layers: ProcessLayers;
  /** What takes the last rights from a host that is ready (its id follows), and the layers of that. */
  readonly restrict:
    | { readonly command: readonly string[]; readonly layers: Partial<ProcessLayers> }
    | undefined;
}

export interface LaunchOptions {
  /** The Node to run: the parent's own unless another is named. */
  readonly node?: string;
  /** Layers to do without, for tests of the others. */
  readonly without?: readonly (keyof ProcessLayers)[];
}

/** The user and group that own nothing, by convention of all Unix systems. */
const NOBODY = '65534';
/** Root without them can not even raise its own limits. */
const NO_CAPABILITIES = ['--inh-caps=-all', '--bounding-set=-all'];
const AS_NOBODY = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups'];

/**
 * Finds out, once for each Node and set of layers, how to start a host with as many layers as the
 * machine allows. Each is tried before it is counted on.
 */
export function planLaunch(options: LaunchOptions = {}): Promise<LaunchPlan> {
  const { node = process.execPath, without = [] } = options;
  const key = JSON.stringify([node, [...without].sort()]);
  const known = plans.get(key);
  if (known !== undefined) return known;
  const plan = makePlan(node, new Set(without));
  plans.set(key, plan);
  return plan;
}

const plans = new Map<string, Promise<LaunchPlan>>();

/** A wrapper of the command line, and the layers that it brings. */
interface Wrapper {
  readonly command: readonly string[];
  readonly layers: Partial<ProcessLayers>;
  /** What stands in its place where this very Node cannot be started with it. */
  readonly instead?: Wrapper;
}

async function makePlan(node: string, without: ReadonlySet<string>): Promise<LaunchPlan> {
  const permissions = without.has('permissionModel') ? [] : await permissionsOf(node);
  const wrappers = process.platform === 'linux' ? await linuxWrappers(without) : [];
  const common = { env: environmentOf(node), cwd: parse(node).root };
  // The strongest line that starts this very Node. A user who owns nothing may not reach it, for one.
  for (const [line, flags] of attempts(wrappers, permissions)) {
    const command = [...line.flatMap((wrapper) => wrapper.command), node, ...flags.command];
    if ((await succeeds([...command, '--version'], common.env)) === undefined) continue;
    const layers = sum([...line, flags]);
    return {
      command: [...command, ...SCRIPT_ON_INPUT],
      ...common,
      layers,
      restrict: await restriction(layers, without),
    };
  }
  // Nothing starts. The host itself will say why.
  const command = [node, ...V8_FLAGS, ...SCRIPT_ON_INPUT];
  return { command, ...common, layers: NO_LAYERS, restrict: undefined };
}

function sum(wrappers: readonly Wrapper[]): ProcessLayers {
  let layers = NO_LAYERS;
  for (const wrapper of wrappers) layers = Object.freeze({ ...layers, ...wrapper.layers });
  return layers;
}

/** Command lines from the strongest on: all wrappers, all but one, none; with and without permissions. */
function attempts(
  wrappers: readonly Wrapper[],
  permissions: readonly Wrapper[],
): readonly (readonly [readonly Wrapper[], Wrapper])[] {
  const flags: readonly Wrapper[] = [...permissions, { command: V8_FLAGS, layers: {} }];
  const lines = wrappers.map((left, i) =>
    wrappers.flatMap((each, j) => (i !== j ? each : (left.instead ?? []))),
  );
  return flags.flatMap((each) =>
    [wrappers, ...lines, []].map((line): readonly [readonly Wrapper[], Wrapper] => [line, each]),
  );
}

/** The script is given as text: the process then needs to read no file at all, not even its own. */
const SCRIPT_ON_INPUT = ['--input-type=module', '-'];

const V8_FLAGS: readonly string[] = [
  '--no-warnings',
  '--no-addons',
  '--disable-proto=delete',
  // Text does not become code. WebAssembly is not affected.
  '--disallow-code-generation-from-strings',
  // Of the host's own heap, in MiB; the memories of guests lie outside and have limits of their own.
  '--max-old-space-size=512',
  // In KiB. The main thread has 8 MiB on Linux and macOS; Windows gives it less, and keeps V8's own.
  ...(process.platform === 'win32' ? [] : ['--stack-size=3900']),
];

/**
 * The permission model, under the name that this version of Node has for it. SQLite, which asks no
 * permission for the files that it creates, is left out where that can be said.
 */
async function permissionsOf(node: string): Promise<readonly Wrapper[]> {
  const version =
    node === process.execPath
      ? process.versions.node
      : ((await succeeds([node, '--version'])) ?? '');
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  const isStable = major >= 24 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13);
  const flag = isStable ? '--permission' : '--experimental-permission';
  const layers = { permissionModel: true, networkPermission: major >= 25 };
  return [
    { command: [flag, '--no-experimental-sqlite', ...V8_FLAGS], layers },
    { command: [flag, ...V8_FLAGS], layers },
  ];
}

/** An editor's own executable runs as Node when it is told to. Nothing else of the parent's is there. */
function environmentOf(node: string): Readonly<Record<string, string>> {
  const isElectron = node === process.execPath && 'electron' in process.versions;
  // No file operations through io_uring. (Newer Nodes open a ring all the same, for their own polling.)
  return { UV_USE_IO_URING: '0', ...(isElectron && { ELECTRON_RUN_AS_NODE: '1' }) };
}

/** The wrappers that work here, in the order in which they must be applied. */
async function linuxWrappers(without: ReadonlySet<string>): Promise<readonly Wrapper[]> {
  const isRoot = process.getuid?.() === 0;
  const [unshare, setpriv, prlimit, nothing] = await Promise.all(
    ['unshare', 'setpriv', 'prlimit', 'true'].map(findTool),
  );
  if (nothing === undefined) return [];
  const candidates: Wrapper[] = [];
  const offer = (
    tool: string | undefined,
    args: readonly string[],
    layers: Partial<ProcessLayers>,
    instead?: readonly string[],
  ) => {
    const isUnwanted = Object.keys(layers).some((name) => without.has(name));
    const used = isUnwanted ? instead : args;
    if (tool === undefined || used === undefined) return;
    candidates.push({
      command: [tool, ...used],
      layers: isUnwanted ? {} : layers,
      ...(instead && { instead: { command: [tool, ...instead], layers: {} } }),
    });
  };
  offer(unshare, isRoot ? ['--net', '--'] : ['--user', '--net', '--'], { networkNamespace: true });
  // What needs root's rights comes before these are given up.
  offer(prlimit, ['--stack=8388608', '--core=0', '--fsize=0', '--'], {});
  if (isRoot) {
    const nobody = [...AS_NOBODY, ...NO_CAPABILITIES, '--'];
    offer(setpriv, nobody, { unprivilegedUser: true }, [...NO_CAPABILITIES, '--']);
  }
  offer(setpriv, ['--no-new-privs', '--'], { noNewPrivileges: true });
  // Last: a change of user would undo it.
  offer(setpriv, ['--pdeathsig', 'KILL', '--'], { endsWithParent: true });
  const works = await Promise.all(
    candidates.map(async ({ command }) => (await succeeds([...command, nothing])) !== undefined),
  );
  return candidates.filter((_, i) => works[i]);
}

/** What is taken from a host that has started, because Node could not start without it. */
async function restriction(
  { unprivilegedUser }: ProcessLayers,
  without: ReadonlySet<string>,
): Promise<LaunchPlan['restrict']> {
  if (process.platform !== 'linux' || without.has('noDescriptors')) return undefined;
  const [prlimit, setpriv] = await Promise.all(['prlimit', 'setpriv'].map(findTool));
  if (prlimit === undefined) return undefined;
  // Root in a container has no right over the limits of others; their owner has.
  const owner = unprivilegedUser && setpriv !== undefined ? [setpriv, ...AS_NOBODY, '--'] : [];
  const isRoot = process.getuid?.() === 0 && !unprivilegedUser;
  return {
    command: [...owner, prlimit, ...FINAL_LIMITS, '--pid'],
    layers: { noDescriptors: true, noChildren: !isRoot },
  };
}

/** No descriptor, process or thread beyond those that are there; no core file, no growing file. */
const FINAL_LIMITS = ['--nofile=0:0', '--nproc=0:0', '--core=0:0', '--fsize=0:0'];
