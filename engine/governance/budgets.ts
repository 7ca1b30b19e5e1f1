import { CAPABILITIES, type Capability } from '../whitelist/directives.ts';
import type { Allowance, Cost } from './effect.ts';

/** What a capability may use in one run; what is left out has no bound. */
export interface BudgetLimits {
  readonly calls?: number | undefined;
  /** Bytes out and in together. */
  readonly bytes?: number | undefined;
  /** Money units. */
  readonly money?: number | undefined;
}

export type BudgetKind = 'calls' | 'bytes' | 'money';

/** A call that was taken from a budget, until it is known what it used. */
export interface Reservation {
  readonly allowance: Allowance;
  /** Books what was used, and gives the rest of what was reserved back. Counts once. */
  settle(cost: Cost): void;
}

/** What the capabilities of a run may still use: shared by its steps and by the machines it calls. */
export interface Budgets {
  /** What is used up for a call at this price; `undefined` where nothing is. */
  exhausted(capability: Capability, price: number): BudgetKind | undefined;
  /** Takes a call from the budget, or says what is used up. */
  reserve(capability: Capability, price: number): Reservation | BudgetKind;
}

/**
 * Makes the budgets of one run.
 * @throws {RangeError} for a limit that is not a number from 0 up.
 */
export function createBudgets(limits: Partial<Record<Capability, BudgetLimits>>): Budgets {
  const left = new Map(
    CAPABILITIES.map((capability) => [capability, remaining(limits[capability] ?? {})]),
  );
  const of = (capability: Capability) => left.get(capability) ?? remaining({});
  return {
    exhausted: (capability, price) => exhausted(of(capability), price),
    reserve: (capability, price) => {
      const budget = of(capability);
      const kind = exhausted(budget, price);
      if (kind !== undefined) return kind;
      budget.calls--;
      budget.money -= price;
      const allowance = {
        ...(budget.bytes !== Number.POSITIVE_INFINITY && { bytes: budget.bytes }),
        ...(budget.money !== Number.POSITIVE_INFINITY && { money: budget.money + price }),
      };
      let isSettled = false;
      const settle = ({ bytes = 0, money = 0 }: Cost) => {
        if (isSettled) return;
        isSettled = true;
        budget.bytes = Math.max(0, budget.bytes - amount(bytes));
        budget.money = Math.max(0, budget.money + price - amount(money));
      };
      return { allowance, settle };
    },
  };
}

interface Remaining {
  calls: number;
  bytes: number;
  money: number;
}

function remaining(limits: BudgetLimits): Remaining {
  const of = (kind: BudgetKind) => {
    const limit = limits[kind];
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    if (!(limit >= 0))
      throw new RangeError(`the budget "${kind}" expected 0 or more, got ${limit}`);
    return limit;
  };
  return { calls: of('calls'), bytes: of('bytes'), money: of('money') };
}

function exhausted({ calls, bytes, money }: Remaining, price: number): BudgetKind | undefined {
  if (calls < 1) return 'calls';
  if (bytes <= 0) return 'bytes';
  // A price that is no price is more than there is.
  if (!(price >= 0) || (money !== Number.POSITIVE_INFINITY && (money <= 0 || price > money))) {
    return 'money';
  }
  return undefined;
}

/** What is not an amount counts as all there is. */
function amount(value: number): number {
  return value >= 0 ? value : Number.POSITIVE_INFINITY;
}
