/** Work that is done once for all who ask within some time. */
export interface Later {
  /** Asks for it: it is done some time from the first asking. */
  ask(): void;
  /** Nobody wants it any more. */
  cancel(): void;
}

/** @param delay in milliseconds. What waits keeps no process alive. */
export function createLater(delay: number, work: () => void): Later {
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const end = (): void => {
    timer = undefined;
    work();
  };
  return {
    ask() {
      if (timer === undefined) timer = setTimeout(end, delay).unref();
    },
    cancel,
  };
}
