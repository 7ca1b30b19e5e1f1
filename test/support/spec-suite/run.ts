import type { MeteringOptions } from '../../../engine/metering/instrument.ts';
import type { MeterStop } from '../../../engine/metering/meter.ts';
import { isTrap, returns, returnsDeterministic, sameEnding } from './expectation.ts';
import type { SuiteFiles } from './files.ts';
import { refuser } from './refusal.ts';
import { type Command, type Script, scriptSchema } from './script.ts';
import { count, newTally, type Tally } from './tally.ts';
import { type Ending, World } from './world.ts';

type Assertion = Extract<Command, { action: unknown }>;
type ModuleCommand = Extract<Command, { filename: string }>;

/**
 * Runs every script of the suite in two worlds side by side, one of plain modules and one of metered
 * ones, and compares what both give with the script and with each other.
 */
export function runSuite(files: SuiteFiles, metering: MeteringOptions): Tally {
  const tally = newTally();
  for (const [name, content] of files) {
    if (!name.endsWith('.json')) continue;
    const script = scriptSchema.parse(JSON.parse(new TextDecoder().decode(content)));
    new ScriptRun(name, files, metering, tally).run(script);
    tally.scripts++;
  }
  return tally;
}

class ScriptRun {
  readonly #name: string;
  readonly #files: SuiteFiles;
  readonly #metering: MeteringOptions;
  readonly #tally: Tally;
  readonly #plain = new World();
  readonly #metered: World;
  /** Whether V8 has refused a module of this script, on which later commands may stand. */
  #lacking = false;

  constructor(name: string, files: SuiteFiles, metering: MeteringOptions, tally: Tally) {
    this.#name = name;
    this.#files = files;
    this.#metering = metering;
    this.#tally = tally;
    this.#metered = new World(this.#metering);
  }

  run({ commands }: Script): void {
    for (const command of commands) this.#perform(command);
  }

  #perform(command: Command): void {
    switch (command.type) {
      case 'register':
        for (const world of [this.#plain, this.#metered]) world.register(command.as, command.name);
        this.#ran(command);
        return;
      case 'module':
      case 'assert_unlinkable':
      case 'assert_uninstantiable':
        this.#instantiate(command);
        return;
      case 'assert_invalid':
      case 'assert_malformed':
        this.#refuse(command);
        return;
      default:
        this.#act(command);
        return;
    }
  }

  #ran({ type }: Command): void {
    count(this.#tally.commands, type);
  }

  #place({ line }: Command, what: string): string {
    return `${this.#name}:${line}: ${what}`;
  }

  #bytes(filename: string): Uint8Array {
    const bytes = this.#files.get(filename);
    if (bytes === undefined) throw new Error(`the suite lacks ${filename}`);
    return bytes;
  }

  /** Instantiates in both worlds; text modules in unlinkable assertions do not occur. */
  #instantiate(command: Extract<ModuleCommand, { type: `${string}` }>): void {
    const bytes = this.#bytes(command.filename);
    const name = command.type === 'module' ? command.name : undefined;
    const plain = this.#plain.instantiate(bytes, name);
    if (plain.kind === 'refused') {
      count(this.#tally.refused, featureOf(plain.reason));
      this.#lacking = true;
      return;
    }
    const metered = this.#metered.instantiate(bytes, name);
    this.#tally.modules++;
    this.#ran(command);
    const said = `plain ${JSON.stringify(plain)}, metered ${JSON.stringify(metered)}`;
    const same =
      plain.kind === metered.kind &&
      (plain.kind !== 'trapped' || metered.kind !== 'trapped' || plain.trap === metered.trap);
    if (!same) this.#tally.disagreements.push(this.#place(command, said));
    const wanted = { module: 'ready', assert_unlinkable: 'unlinkable' } as const;
    const kind = command.type in wanted ? Reflect.get(wanted, command.type) : 'trapped';
    if (same && plain.kind !== kind) this.#missed(command, said);
  }

  /** Plain and metered agree on something else than the script says. */
  #missed(command: Command, said: string): void {
    if (this.#lacking) this.#tally.afterRefusal++;
    else this.#tally.v8.push(this.#place(command, said));
  }

  #refuse(command: Extract<Command, { type: 'assert_invalid' | 'assert_malformed' }>): void {
    if (command.module_type === 'text') return;
    this.#ran(command);
    const by = refuser(this.#bytes(command.filename));
    if (by === undefined) {
      this.#tally.accepted.push(this.#place(command, command.text));
    } else {
      count(this.#tally.refusedBy, by);
    }
  }

  #act(command: Assertion): void {
    const expected =
      'either' in command && command.either ? command.either.slice(0, 1) : command.expected;
    const plain = this.#plain.perform(command.action, expected);
    if (plain.kind === 'missing') {
      this.#tally.skipped++;
      return;
    }
    this.#ran(command);
    const metered = this.#metered.perform(command.action, expected);
    const said = `plain ${shown(plain)}, metered ${shown(metered)}`;
    const disagree = (why: string) =>
      this.#tally.disagreements.push(this.#place(command, `${why}: ${said}`));
    // The host whose memory is imported gives it a smaller maximum than the module knows of; to the
    // meter that is a shortage of the machine, which is never a result.
    if (isStopped(metered, 'machine') && plain.kind === 'returned') {
      this.#tally.growth++;
      return;
    }
    const plainAsSaid = asSaid(command, plain);
    if (plainAsSaid !== asSaid(command, metered)) disagree('only one is as the script says');
    else if (!plainAsSaid) this.#missed(command, said);
    if (command.type === 'assert_exhaustion') {
      if (!isStopped(metered)) disagree('the meter did not stop it');
    } else if (!sameEnding(plain, metered)) {
      if (plainAsSaid && plain.kind === 'returned') this.#tally.nanBits++;
      else disagree('different endings');
    }
    if (metered.kind === 'trapped' && command.type !== 'assert_exhaustion' && isStopped(metered)) {
      disagree('the meter stopped it');
    }
    // Negation is exact in every bit, so that of a canonical NaN it makes one with a sign; and relaxed
    // vector instructions, whose results are one thing or another, are no part of any profile.
    const isExact = command.action.field.includes('neg') || 'either' in command;
    if (this.#metering.canonicalNaN && !isExact && !returnsDeterministic(metered, expected)) {
      disagree('a NaN is not canonical');
    }
  }
}

/** Whether the meter stopped it, for this reason if one is named. */
function isStopped(ending: Ending, reason?: MeterStop): boolean {
  if (ending.kind !== 'trapped' || ending.stop === undefined) return false;
  return reason === undefined || ending.stop === reason;
}

/** Whether a call ended as its command says. */
function asSaid(command: Assertion, ending: Ending): boolean {
  switch (command.type) {
    case 'action':
      return ending.kind === 'returned';
    case 'assert_return':
      if (command.either) return command.either.some((value) => returns(ending, [value]));
      return returns(ending, command.expected);
    case 'assert_trap':
      return ending.kind === 'trapped' && isTrap(ending.trap, command.text);
    case 'assert_exhaustion':
      return ending.kind === 'trapped' && (ending.trap === 'stack' || isStopped(ending));
    case 'assert_exception':
      return ending.kind === 'trapped' && ending.trap === 'exception';
  }
}

function shown(ending: Ending): string {
  if (ending.kind !== 'returned') return JSON.stringify(ending);
  const results = ending.results.map((result) =>
    result instanceof Uint8Array ? Buffer.from(result).toString('hex') : String(result),
  );
  return `[${results.join(', ')}]`;
}

/** V8's reason without its numbers, so that one feature counts as one. */
function featureOf(reason: string): string {
  return reason
    .replace(/^.*?: /, '')
    .replace(/^Compiling function .*? failed: /, '')
    .replace(/@\+\d+/, '')
    .replace(/\b\d+\b/g, 'N')
    .trim();
}
