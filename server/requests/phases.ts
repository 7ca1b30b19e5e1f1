import type { RunServices } from '../../engine/governed/run.ts';
import type { Phase } from '../../engine/runtime/types.ts';

/**
 * Tells when the phases of a run begin, as far as they show from here: the process of an executor does
 * not say when the instance is made, so `instantiate` is what comes before the job goes there.
 */
export function tellingPhases(services: RunServices, tell: (phase: Phase) => void): RunServices {
  const { isolation, receipts } = services;
  return {
    ...services,
    isolation: {
      mode: isolation.mode,
      execute: async (job, options) => {
        tell('plan');
        const outcome = await isolation.execute(job, options);
        tell('govern');
        return outcome;
      },
      close: () => isolation.close(),
    },
    receipts: {
      list: () => receipts.list(),
      open: (name) => {
        const chain = receipts.open(name);
        return {
          name: chain.name,
          append: (make) => {
            tell('record');
            return chain.append(make);
          },
          tip: () => chain.tip(),
          read: () => chain.read(),
        };
      },
    },
  };
}
