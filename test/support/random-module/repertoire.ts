import type { Body } from './body.ts';
import type { Random } from './random.ts';
import type { Shape } from './shape.ts';
import type { ValueType } from './types.ts';

/** A way to generate code that leaves one value of a type. */
export interface Producer {
  /** How often it is chosen, compared with the others. */
  readonly weight: number;
  gives(type: ValueType, shape: Shape): boolean;
  /** @param depth how deep the operands may be nested. */
  emit(body: Body, type: ValueType, depth: number): void;
}

/** A way to generate code for its effect; it may leave values for those that follow. */
export interface Statement {
  readonly weight: number;
  possible?(shape: Shape): boolean;
  emit(body: Body): void;
}

/** All that one family of instructions can be used for. */
export interface Family {
  readonly producers: readonly Producer[];
  readonly statements: readonly Statement[];
}

/** What there is to choose from in one module. */
export class Repertoire {
  readonly #shape: Shape;
  readonly #families: readonly Family[];
  readonly #statements: readonly Statement[];
  readonly #producers = new Map<ValueType, readonly Producer[]>();

  constructor(shape: Shape, families: readonly Family[]) {
    this.#shape = shape;
    this.#families = families;
    this.#statements = families
      .flatMap(({ statements }) => statements)
      .filter(({ possible }) => possible?.(shape) ?? true)
      .flatMap((statement) => new Array<Statement>(statement.weight).fill(statement));
  }

  statement(random: Random): Statement {
    return random.pick(this.#statements);
  }

  producer(random: Random, type: ValueType): Producer | undefined {
    let known = this.#producers.get(type);
    if (known === undefined) {
      known = this.#families
        .flatMap(({ producers }) => producers)
        .filter((producer) => producer.gives(type, this.#shape))
        .flatMap((producer) => new Array<Producer>(producer.weight).fill(producer));
      this.#producers.set(type, known);
    }
    return random.pickAny(known);
  }
}
