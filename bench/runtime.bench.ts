// What the gated runtime costs: fuel on compute kernels, and one governed run, each beside its floor
// and its peer in the same run.

import { KERNELS } from './kernels/kernels.ts';
import { printReport } from './report.ts';
import { admitCall } from './runtime/executor.ts';
import { EXTISM, FLOOR, measureGovernedRuns } from './runtime/governed.ts';
import { type KernelOverhead, measureOverhead, type Ratio } from './runtime/overhead.ts';
import { measureStages } from './runtime/stages.ts';

const subject = await admitCall();
const runs = await measureGovernedRuns(subject);
const of = (name: string, figure: 'median' | 'mean') =>
  runs.find((run) => run.name === name)?.[figure] ?? Number.NaN;
printReport({
  name: 'runtime: one governed run',
  columns: ['way', 'median µs', 'mean µs', 'p99 µs', '× floor', 'Extism / this', 'of the means'],
  rows: runs.map(({ name, median, mean, p99 }) => [
    name,
    median.toFixed(1),
    mean.toFixed(1),
    p99.toFixed(1),
    (median / of(FLOOR, 'median')).toFixed(2),
    (of(EXTISM, 'median') / median).toFixed(2),
    (of(EXTISM, 'mean') / mean).toFixed(2),
  ]),
  note: `examples/call (${subject.bytes.length} bytes), admitted, a fresh instance for every run, in its profile "edge" (256 KiB), warm:
all ways in turns, each 60 times in its turn, of which the last 50 count.
Extism / this: its create + call in thread over this way; its live plugin keeps one instance for all calls.
Every call of its create leaves memory for later calls to collect, which only the means show.
Bounds: in thread ≤ 60 µs, isolated ≤ 200 µs, with the receipt ≤ 90 and 230 µs; Extism / this ≥ 4.
The paper gives 256–398 µs for a call of its 121 KB executor (Wasmtime, another machine, no receipt).`,
});

const stages = await measureStages(subject);
const total = stages.reduce((sum, { median }) => sum + median, 0);
printReport({
  name: 'runtime: where the time of a run goes (in thread, receipt signed)',
  columns: ['stage', 'median µs', '%', 'what it is'],
  rows: stages.map(({ stage, about, median }) => [
    stage,
    median.toFixed(1),
    ((100 * median) / total).toFixed(0),
    about,
  ]),
  note: 'The first stages are those of every run; receipt and sign are what its record adds.',
});

const overheads: KernelOverhead[] = [];
for (const kernel of KERNELS) overheads.push(await measureOverhead(kernel));
const share = (value: number | undefined) => value?.toFixed(3) ?? '';
const rows = overheads.map(({ plain, metered, canonical, peer }, i) => [
  KERNELS[i]?.name ?? '',
  KERNELS[i]?.language ?? '',
  plain.toFixed(2),
  share(metered.median),
  share(metered.undisturbed),
  share(metered.size),
  share(canonical?.median),
  share(canonical?.undisturbed),
  peer === undefined ? 'cannot read' : share(peer.median),
  share(peer?.size),
]);
printReport({
  name: 'runtime: what fuel costs',
  columns: [
    'kernel',
    'from',
    'plain ms',
    'fuel',
    'undisturbed',
    'code size',
    'fuel + NaN',
    'undisturbed NaN',
    'wasm-metering',
    'its code size',
  ],
  rows: [
    ...rows,
    [
      'geometric mean',
      '',
      '',
      share(mean(({ metered }) => metered.median)),
      share(mean(({ metered }) => metered.undisturbed)),
      share(mean(({ metered }) => metered.size)),
      share(mean(({ canonical }) => canonical?.median)),
      share(mean(({ canonical }) => canonical?.undisturbed)),
      share(mean(({ peer }) => peer?.median)),
      share(mean(({ peer }) => peer?.size)),
    ],
    ['worst', '', '', share(Math.max(...overheads.map(({ metered }) => metered.median)))],
  ].map((row) => [...row, ...Array(10 - row.length).fill('')]),
  note: `Each is a ratio to the plain module: the median over rounds in turns, then over several compilations;
undisturbed: of the fastest tenths. fuel + NaN: canonical NaN results too, where there are any.
Bounds: geometric mean of fuel ≤ 1.05, none over 1.4.`,
});

/** The geometric mean of a figure over the kernels that have it. */
function mean(figure: (overhead: KernelOverhead) => Ratio['median'] | undefined): number {
  const logs = overheads.flatMap((overhead) => {
    const value = figure(overhead);
    return value === undefined ? [] : [Math.log(value)];
  });
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}
