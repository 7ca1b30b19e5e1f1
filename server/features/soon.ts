/** How long an answer waits for what is still being found out, in milliseconds. */
const PATIENCE = 500;

/**
 * Whether something comes soon: a person who points at a word waits for no analysis that a hostile
 * text elsewhere holds up.
 */
export async function soon(work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, PATIENCE, false);
  });
  const isThere = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return isThere;
}
