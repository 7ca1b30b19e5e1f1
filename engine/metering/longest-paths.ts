import { PREPAID } from './costs.ts';

/** Longer paths than this are not told apart: 2^40 units, beyond any sensible limit. */
const MAX_COST = 2 ** 40;
/** Instead of a cost, where there is no path. */
const DEAD = -1;

/** Where the paths to the end of a block meet. */
export interface Label {
  /** Region in which it lies. */
  readonly region: number;
  /** Cost of the region's path at the block's start; {@link DEAD} where nothing leads there. */
  readonly entry: number;
  /** The longest path that a branch has brought here so far. */
  arrived: number;
  /** The same of ways without any work: at the block's start, and here so far. */
  readonly unpaidEntry: number;
  unpaidArrived: number;
}

/** What the longest path to each point of a body costs: within its region, and without any work. */
export class LongestPaths {
  /** Fuel of each region so far: the function's entry, then its loops in order. */
  readonly regions = [0];
  private region = 0;
  /** Cost of the path to here within the current region. */
  private cost = 0;
  /** The longest way to here without any work; {@link DEAD} where there is none. */
  private unpaid = 0;
  /** For each region that encloses the current one: the cost of its path where the inner one began. */
  private readonly frozen: number[] = [0];

  /** Whether no way to here costs more than the call has paid, unless work is on it. */
  get isPrepaid(): boolean {
    return this.unpaid <= PREPAID;
  }

  spend(units: number): void {
    if (this.unpaid !== DEAD) this.unpaid = Math.min(this.unpaid + units, MAX_COST);
    if (this.cost === DEAD) return;
    this.cost = Math.min(this.cost + units, MAX_COST);
    if (this.cost > (this.regions[this.region] ?? 0)) this.regions[this.region] = this.cost;
  }

  /** Before work everything is paid for. */
  work(): void {
    this.unpaid = DEAD;
  }

  die(): void {
    this.cost = DEAD;
    this.unpaid = DEAD;
  }

  /** The label of a block that begins here. */
  label(): Label {
    return {
      region: this.region,
      entry: this.cost,
      arrived: DEAD,
      unpaidEntry: this.unpaid,
      unpaidArrived: DEAD,
    };
  }

  /** A region of its own begins, which costs at least what its head does. */
  enterLoop(): void {
    this.frozen[this.region] = this.cost;
    this.region = this.regions.length;
    this.regions.push(1);
    this.cost = this.cost === DEAD ? DEAD : 0;
  }

  /** @param copies how many rounds of the loop its head pays for. */
  leaveLoop({ region, entry }: Label, copies: number): void {
    const round = this.regions[this.region] ?? 1;
    this.regions[this.region] = Math.min(copies * round, MAX_COST);
    this.region = region;
    this.cost = this.cost === DEAD ? DEAD : entry;
  }

  /** @param skips whether a way goes past the block's instructions: an `if` without `else`. */
  leaveBlock(label: Label, skips: boolean): void {
    this.cost = Math.max(this.cost, label.arrived, skips ? label.entry : DEAD);
    this.unpaid = Math.max(this.unpaid, label.unpaidArrived, skips ? label.unpaidEntry : DEAD);
  }

  toElse(label: Label): void {
    this.arrive(label, this.cost);
    this.cost = label.entry;
    this.unpaid = label.unpaidEntry;
  }

  /** A handler can be reached from anywhere in its block: it starts with the region's longest path. */
  toHandler(label: Label): void {
    this.arrive(label, this.cost);
    this.cost = label.entry === DEAD ? DEAD : (this.regions[label.region] ?? 0);
  }

  /** A branch to the end of a block, from as many regions further in as there may be. */
  branch(label: Label): void {
    if (this.cost === DEAD) return;
    const cost = label.region === this.region ? this.cost : (this.frozen[label.region] ?? 0);
    this.arrive(label, cost);
  }

  /** An exception from anywhere in a block arrives at the label that its handler branches to. */
  catchAt(target: Label, thrown: Label): void {
    if (thrown.entry === DEAD) return;
    target.arrived = Math.max(target.arrived, this.regions[target.region] ?? 0);
  }

  private arrive(label: Label, cost: number): void {
    label.arrived = Math.max(label.arrived, cost);
    label.unpaidArrived = Math.max(label.unpaidArrived, this.unpaid);
  }
}
