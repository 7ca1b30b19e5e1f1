import { InvalidArgumentError, Option } from 'commander';

export type Format = 'text' | 'json';

/** `--format text|json`, as most commands take it. */
export function formatOption(): Option {
  return new Option('--format <format>', 'how to answer').choices(['text', 'json']).default('text');
}

/** Parses an option's value as a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
      throw new InvalidArgumentError(`expected a whole number of at least ${min}`);
    }
    return value;
  };
}

/** Parses `--tier`. */
export function tier(text: string): 1 | 2 | 3 {
  const found = ([1, 2, 3] as const).find((each) => String(each) === text);
  if (found === undefined) throw new InvalidArgumentError('expected 1, 2 or 3');
  return found;
}
