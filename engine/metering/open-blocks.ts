import { InputError } from '../encoding/input-error.ts';
import { EntryPayment } from './entry-payment.ts';
import type { InstructionReader } from './instruction-reader.ts';
import { type Label, LongestPaths } from './longest-paths.ts';
import { OP } from './opcodes.ts';
import type { OperandStack } from './operand-stack.ts';
import type { Signature } from './signatures.ts';
import { type OpenLoop, UnrolledLoops } from './unrolled-loops.ts';

/** A block that has not ended yet, or the body. */
interface OpenBlock {
  readonly code: number;
  readonly ordinal: number;
  readonly signature: Signature;
  /** Where the paths to its end meet; a loop is branched to at its head instead. */
  readonly label: Label;
  readonly loop: OpenLoop | undefined;
  /** Where its handlers lead, but for the heads of loops. */
  readonly catches: readonly Label[];
}

/** The blocks around each point of a body, and how the paths through it meet at their labels. */
export class OpenBlocks {
  /** Ordinals of the blocks (the body is 0) at whose label an exception handler can arrive. */
  readonly caught = new Set<number>();
  /** Ordinals of the `if`s that have an `else`. */
  readonly withElse = new Set<number>();
  /** Whether a conditional branch, or a handler, leads to the function's own label. */
  branchesToEnd = false;
  readonly paths = new LongestPaths();
  readonly payment = new EntryPayment();
  readonly loops = new UnrolledLoops();
  private readonly stack: OperandStack;
  private readonly blocks: OpenBlock[];
  private ordinals = 1;

  /** @param results of the function. */
  constructor(stack: OperandStack, results: number) {
    this.stack = stack;
    this.blocks = [
      {
        code: OP.block,
        ordinal: 0,
        signature: { params: 0, results },
        label: this.paths.label(),
        loop: undefined,
        catches: [],
      },
    ];
  }

  /** @throws {InputError} `invalid-module` where the body from an offset on has not ended yet. */
  expectClosed(start: number): void {
    if (this.blocks.length > 0) throw unbalanced(start);
  }

  enter({ code, catches, end }: InstructionReader, signature: Signature): void {
    const ordinal = this.ordinals++;
    const targets = code === OP.tryTable ? catches.map(({ label }) => this.target(label)) : [];
    for (const target of targets) {
      this.caught.add(target.ordinal);
      if (target.ordinal === 0) this.branchesToEnd = true;
    }
    const { params } = signature;
    this.blocks.push({
      code,
      ordinal,
      signature,
      label: this.paths.label(),
      loop: code === OP.loop ? this.loops.enter(ordinal, end, params) : undefined,
      catches: targets.filter(({ loop }) => loop === undefined).map(({ label }) => label),
    });
    if (code === OP.loop) this.paths.enterLoop();
    this.stack.enter(params);
  }

  toElse(): void {
    const { ordinal, signature, label } = this.top();
    this.withElse.add(ordinal);
    this.paths.toElse(label);
    this.stack.restart(signature.params);
  }

  /** @param params that the handler begins with. */
  toHandler(params: number): void {
    this.paths.toHandler(this.top().label);
    this.stack.restart(params);
  }

  /** @throws {InputError} `invalid-module` where no block is open. */
  leave(offset: number): void {
    const block = this.blocks.pop();
    if (block === undefined) throw unbalanced(offset);
    const { code, ordinal, signature, label, loop, catches } = block;
    const outer = this.blocks.at(-1);
    this.payment.leave(ordinal, outer?.ordinal, offset);
    for (const target of catches) this.paths.catchAt(target, label);
    if (loop !== undefined) this.paths.leaveLoop(label, this.loops.leave(loop, offset));
    else this.paths.leaveBlock(label, code === OP.if && !this.withElse.has(ordinal));
    this.stack.leave(signature.results);
    if (outer === undefined) this.exit(offset);
  }

  branchIf(label: number): void {
    if (label === this.blocks.length - 1) this.branchesToEnd = true;
    this.branch(label);
  }

  branch(label: number): void {
    this.stack.carry();
    const target = this.target(label);
    if (target.loop !== undefined) target.loop.repeats = true;
    else this.paths.branch(target.label);
  }

  /** Here the function may be left, or is, as far as this instruction alone decides it. */
  exit(offset: number): void {
    this.payment.exit(offset, this.paths.isPrepaid);
  }

  /** Nothing goes on from here. */
  die(): void {
    this.paths.die();
    this.stack.cut();
  }

  /** Something that has to be charged for before it happens. */
  work(offset: number): void {
    this.payment.work(this.top().ordinal, offset);
    this.loops.complicate();
    this.paths.work();
  }

  private target(label: number): OpenBlock {
    const block = this.blocks[this.blocks.length - 1 - label];
    if (block === undefined) throw unknownLabel(label);
    return block;
  }

  private top(): OpenBlock {
    return this.target(0);
  }
}

function unbalanced(offset: number): InputError {
  return new InputError(
    'invalid-module',
    `the blocks of the function at byte ${offset} do not end where it does, so it cannot be metered`,
    { offset },
  );
}

function unknownLabel(label: number): InputError {
  return new InputError(
    'invalid-module',
    `a branch goes to label ${label}, which is not there; the module cannot be metered`,
  );
}
