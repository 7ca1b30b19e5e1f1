import type { TestContext } from 'node:test';
import { COUNTER } from '../support/counter.ts';
import { type Workspace, workspace } from './support.ts';

/** A workspace that is the project of the counter, certified by a certifier whom it trusts. */
export async function counterWorkspace(t: TestContext): Promise<Workspace> {
  const here = workspace(t);
  here.write('build/counter.wasm', COUNTER);
  await here.certify('build/counter.wasm');
  here.write('executor.json', {
    name: 'counter',
    version: '1.0.0',
    artifact: 'build/counter.wasm',
  });
  return here;
}
