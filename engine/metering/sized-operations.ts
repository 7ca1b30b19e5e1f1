import { InputError } from '../encoding/input-error.ts';
import { BY_SIZE } from './costs.ts';
import type { AddressSpace, Declarations } from './declarations.ts';
import type { BodyEmitter, Temporary } from './emitter.ts';
import type { FuelAccount } from './fuel-account.ts';
import type { HiddenGlobals } from './hidden-globals.ts';
import type { InstructionReader } from './instruction-reader.ts';
import { LIMIT_REACHED, MACHINE_FAILED } from './meter.ts';
import { OP } from './opcodes.ts';
import { EMPTY_BLOCK, I32 } from './value-types.ts';

const MINUS_ONE = 0x7f;
const PAGE_SHIFT = 16n;

/** Writes the instructions whose cost is known when they run: bulk operations, and growing. */
export class SizedOperations {
  private readonly emit: BodyEmitter;
  private readonly account: FuelAccount;
  private readonly hidden: HiddenGlobals;
  private readonly declarations: Declarations;

  constructor(
    emit: BodyEmitter,
    account: FuelAccount,
    {
      hidden,
      declarations,
    }: { readonly hidden: HiddenGlobals; readonly declarations: Declarations },
  ) {
    this.emit = emit;
    this.account = account;
    this.hidden = hidden;
    this.declarations = declarations;
  }

  /** Charges for a bulk operation by its operands, before it; nothing for other instructions. */
  charge({ code, first, second }: InstructionReader): void {
    switch (code) {
      case OP.memoryInit:
        this.chargeMemory(second, 'i32');
        break;
      case OP.memoryFill:
        this.chargeMemory(first, this.memory(first).address);
        break;
      case OP.memoryCopy:
        this.chargeMemory(first, narrower(this.memory(first), this.memory(second)));
        break;
      case OP.tableInit:
        this.chargeTable(second, 'i32');
        break;
      case OP.tableFill:
        this.chargeTable(first, this.table(first).address);
        break;
      case OP.tableCopy:
        this.chargeTable(first, narrower(this.table(first), this.table(second)));
        break;
      case OP.arrayNew:
      case OP.arrayNewDefault:
      case OP.arrayNewData:
      case OP.arrayNewElem:
      case OP.arrayFill:
      case OP.arrayCopy:
      case OP.arrayInitData:
      case OP.arrayInitElem:
        this.keepSize('i32');
        this.account.chargeSize(this.elementBytes(first) * BY_SIZE.arrayByte);
        break;
      default:
    }
  }

  /** Writes what stands for growing, and for asking the size of a fixed memory; false for others. */
  write(reader: InstructionReader): boolean {
    const { fixedPages } = this.hidden;
    const isFixed = fixedPages !== undefined && reader.first === 0;
    switch (reader.code) {
      case OP.memoryGrow:
        if (isFixed) this.growFixedMemory(fixedPages);
        else this.growMemory(reader);
        return true;
      case OP.memorySize:
        if (isFixed) this.emit.globalGet(fixedPages);
        return isFixed;
      case OP.tableGrow:
        this.growTable(reader);
        return true;
      default:
        return false;
    }
  }

  /** Charges for the bytes that the topmost operand says, cut to those the memory has. */
  private chargeMemory(index: number, address: 'i32' | 'i64'): void {
    const { emit } = this;
    this.keepSize(address);
    this.cutSize(() => {
      this.memorySize(index);
      emit.i64(PAGE_SHIFT);
      emit.op(OP.i64Shl);
    });
    emit.i64(BigInt(BY_SIZE.memoryShift));
    emit.op(OP.i64ShrU);
    emit.localSet('size');
    this.account.chargeSize(1);
  }

  private chargeTable(index: number, address: 'i32' | 'i64'): void {
    this.keepSize(address);
    this.cutSize(() => this.tableSize(index));
    this.emit.localSet('size');
    this.account.chargeSize(BY_SIZE.tableElement);
  }

  /** Keeps the topmost operand, an unsigned size, in `size` as well. */
  private keepSize(address: 'i32' | 'i64'): void {
    const { emit } = this;
    if (address === 'i64') {
      emit.localTee('size');
      return;
    }
    emit.localTee('word');
    emit.localGet('word');
    emit.op(OP.i64ExtendI32U);
    emit.localSet('size');
  }

  /** Leaves the smaller of `size` and what `most` gives. */
  private cutSize(most: () => void): void {
    const { emit } = this;
    emit.localGet('size');
    most();
    emit.localGet('size');
    most();
    emit.op(OP.i64LtU);
    emit.op(OP.select);
  }

  /**
   * Growing: what the memory's own maximum forbids fails as ever. Beyond the run's limit the run
   * ends; within both it is paid for, and where the machine then fails, the run ends as well, so that
   * no machine's shortage is ever a result.
   */
  private growMemory(reader: InstructionReader): void {
    const memory = this.memory(reader.first);
    const { pagesLeft } = this.hidden;
    this.keepSize(memory.address);
    this.ifItFits(maximumPages(memory), () => this.memorySize(reader.first), EMPTY_BLOCK);
    this.reserve(pagesLeft, BY_SIZE.page);
    this.elseNothing();
    this.emit.copy(reader);
    this.stopIfMachineFailed(memory.address, pagesLeft);
  }

  private growTable(reader: InstructionReader): void {
    const table = this.table(reader.first);
    const { elementsLeft } = this.hidden;
    this.keepSize(table.address);
    this.ifItFits(maximumElements(table), () => this.tableSize(reader.first), EMPTY_BLOCK);
    this.reserve(elementsLeft, BY_SIZE.tableElement);
    this.elseNothing();
    this.emit.copy(reader);
    this.stopIfMachineFailed(table.address, elementsLeft);
  }

  /** A fixed memory is all there from the start; growing hands out what is there. */
  private growFixedMemory(pages: number): void {
    const { emit } = this;
    const handedOut = () => {
      emit.globalGet(pages);
      emit.op(OP.i64ExtendI32U);
    };
    this.keepSize('i32');
    emit.op(OP.drop);
    this.ifItFits(maximumPages(this.memory(0)), handedOut, I32);
    this.reserve(this.hidden.pagesLeft, BY_SIZE.page);
    emit.globalGet(pages);
    emit.globalGet(pages);
    emit.localGet('size');
    emit.op(OP.i32WrapI64);
    emit.op(OP.i32Add);
    emit.globalSet(pages);
    emit.op(OP.else);
    emit.i32(-1);
    emit.op(OP.end);
  }

  /** Opens a block for the case that `size` more is within a maximum. */
  private ifItFits(most: bigint, current: () => void, type: number): void {
    const { emit } = this;
    this.account.place = 'counter';
    emit.localGet('size');
    emit.i64(BigInt.asIntN(64, most));
    current();
    emit.op(OP.i64Sub);
    emit.op(OP.i64LeU);
    emit.op(OP.if);
    emit.op(type);
  }

  /** Takes `size` from what is left to the run, or ends it, and charges for it. */
  private reserve(left: number, units: number): void {
    const { emit } = this;
    emit.localGet('size');
    emit.globalGet(left);
    emit.op(OP.i64GtU);
    this.account.stopIf(() => emit.setGlobal(left, LIMIT_REACHED));
    emit.globalGet(left);
    emit.localGet('size');
    emit.op(OP.i64Sub);
    emit.globalSet(left);
    this.account.chargeSize(units);
  }

  private elseNothing(): void {
    const { emit } = this;
    emit.op(OP.else);
    emit.i64(0n);
    emit.localSet('size');
    emit.op(OP.end);
  }

  /** After growing: a failure where a size was reserved is the machine's. */
  private stopIfMachineFailed(address: 'i32' | 'i64', left: number): void {
    const { emit } = this;
    const wide = address === 'i64';
    const answer: Temporary = wide ? 'wide' : 'word';
    emit.localTee(answer);
    emit.localGet(answer);
    emit.op(wide ? OP.i64Const : OP.i32Const);
    emit.op(MINUS_ONE);
    emit.op(wide ? OP.i64Eq : OP.i32Eq);
    emit.localGet('size');
    emit.i64(0n);
    emit.op(OP.i64Ne);
    emit.op(OP.i32And);
    this.account.stopIf(() => emit.setGlobal(left, MACHINE_FAILED));
  }

  private memorySize(index: number): void {
    const { emit } = this;
    emit.op(OP.memorySize);
    emit.out.unsigned(index);
    if (this.memory(index).address === 'i32') emit.op(OP.i64ExtendI32U);
  }

  /** Bytes of an element of an array type. */
  private elementBytes(typeIndex: number): number {
    const type = this.declarations.types[typeIndex];
    return type?.kind === 'array' ? type.elementBytes : 16;
  }

  private tableSize(index: number): void {
    const { emit } = this;
    emit.out.byte(0xfc);
    emit.out.unsigned(OP.tableSize & 0xffff);
    emit.out.unsigned(index);
    if (this.table(index).address === 'i32') emit.op(OP.i64ExtendI32U);
  }

  private memory(index: number): AddressSpace {
    return addressSpace(this.declarations.memories, index);
  }

  private table(index: number): AddressSpace {
    return addressSpace(this.declarations.tables, index);
  }
}

function addressSpace(all: readonly AddressSpace[], index: number): AddressSpace {
  const found = all[index];
  if (found !== undefined) return found;
  throw new InputError(
    'invalid-module',
    `memory or table ${index} is used, and is not there; the module cannot be metered`,
  );
}

function narrower(a: AddressSpace, b: AddressSpace): 'i32' | 'i64' {
  return a.address === 'i64' && b.address === 'i64' ? 'i64' : 'i32';
}

/** Pages of 64 KiB that a memory may have by its own type (core specification 3.2.14). */
function maximumPages({ address, maximum }: AddressSpace): bigint {
  return maximum ?? (address === 'i32' ? 65_536n : 1n << 48n);
}

function maximumElements({ address, maximum }: AddressSpace): bigint {
  return maximum ?? (address === 'i32' ? 0xffff_ffffn : (1n << 64n) - 1n);
}
