import type { BodyEmitter } from './emitter.ts';
import type { HiddenGlobals } from './hidden-globals.ts';
import { OP } from './opcodes.ts';
import { EMPTY_BLOCK } from './value-types.ts';

/** Where the truth about the fuel is, at a point of the code. */
export type Place = 'counter' | 'both' | 'meter';

/** The fuel that a body has left: in the meter, a global, or in a local of the body, its counter. */
export class FuelAccount {
  place: Place = 'meter';
  private readonly emit: BodyEmitter;
  private readonly fuel: number;

  constructor(emit: BodyEmitter, { fuel }: HiddenGlobals) {
    this.emit = emit;
    this.fuel = fuel;
  }

  toCounter(): void {
    const { emit } = this;
    if (this.place !== 'meter') return;
    emit.globalGet(this.fuel);
    emit.localSet('counter');
    this.place = 'both';
  }

  toMeter(): void {
    const { emit } = this;
    if (this.place !== 'counter') return;
    emit.localGet('counter');
    emit.globalSet(this.fuel);
    this.place = 'both';
  }

  /**
   * Pays from the meter, whatever the counter holds.
   * @param keepsCounter whether the counter alone has the truth then, or the meter as well.
   * @param tested whether to end the run where that was too much.
   */
  payFromMeter(units: number, keepsCounter: boolean, tested: boolean): void {
    const { emit } = this;
    emit.globalGet(this.fuel);
    emit.i64(BigInt(units));
    emit.op(OP.i64Sub);
    if (tested) emit.localTee('counter');
    else emit.localSet('counter');
    if (!keepsCounter) {
      emit.globalSet(this.fuel);
      emit.localGet('counter');
    }
    this.place = keepsCounter ? 'counter' : 'both';
    if (tested) this.stopIfNegative();
  }

  /** Charges units to the counter, and stops where that is more than there is. */
  charge(units: number): void {
    this.chargeCounter(() => this.emit.i64(BigInt(units)));
  }

  /** Charges `size` times some units to the counter, and stops where that is more than there is. */
  chargeSize(units: number): void {
    const { emit } = this;
    this.chargeCounter(() => {
      emit.localGet('size');
      if (units <= 1) return;
      emit.i64(BigInt(units));
      emit.op(OP.i64Mul);
    });
  }

  /** Takes a condition from the stack; where it holds, the run ends here. */
  stopIf(before: () => void): void {
    const { emit } = this;
    emit.op(OP.if);
    emit.op(EMPTY_BLOCK);
    before();
    if (this.place === 'counter') {
      emit.localGet('counter');
      emit.globalSet(this.fuel);
    }
    emit.op(OP.unreachable);
    emit.op(OP.end);
  }

  private chargeCounter(units: () => void): void {
    const { emit } = this;
    emit.localGet('counter');
    units();
    emit.op(OP.i64Sub);
    emit.localTee('counter');
    this.place = 'counter';
    this.stopIfNegative();
  }

  /** Takes the counter from the stack; ends the run if fuel has run out. */
  private stopIfNegative(): void {
    const { emit } = this;
    emit.i64(0n);
    emit.op(OP.i64LtS);
    this.stopIf(() => {});
  }
}
