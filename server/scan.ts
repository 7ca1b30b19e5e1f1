import type { Serving } from './serving.ts';
import { uriOf } from './workspace/uris.ts';

/** Progress is reported so often, in milliseconds. */
const REPORT_EVERY = 100;

/** Looks through a folder, and says how far it is to a client that shows such things. Never rejects. */
export async function scan(
  { connection, session }: Serving,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const progress = await connection.window.createWorkDoneProgress();
  progress.begin('Touchstone', 0, 'looking for executors', false);
  let reported = 0;
  try {
    await session.workspace.addFolder(folder, {
      signal,
      problem: (message) => connection.console.warn(message),
      examined(done, found) {
        if (performance.now() - reported < REPORT_EVERY) return;
        reported = performance.now();
        const text = `${done.toLocaleString('en')} of ${found.toLocaleString('en')}`;
        progress.report(Math.floor((done / found) * 100), text);
      },
    });
  } catch (error) {
    if (signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    connection.console.error(`${uriOf(folder)}: not looked through to the end: ${reason}`);
  } finally {
    progress.done();
  }
}
