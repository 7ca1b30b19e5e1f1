/**
 * The `run` of a kernel's instance.
 * @throws {Error} for an instance that exports no such function, or a function that answers no number.
 */
export function runOf({ exports }: WebAssembly.Instance): (n: number) => number {
  const { run } = exports;
  if (typeof run !== 'function') throw new Error('the kernel exports no function "run"');
  return (n) => {
    const answer: unknown = run(n);
    if (typeof answer !== 'number') throw new Error('the kernel answered no number');
    return answer;
  };
}
