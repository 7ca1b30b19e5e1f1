import { InputError } from '../../engine/encoding/input-error.ts';
import type { Assembler } from '../../engine/module/wat.ts';

/** Which of these texts assemble. */
export async function assembles(
  texts: readonly string[],
  assembler: Assembler,
): Promise<readonly boolean[]> {
  const answers: boolean[] = [];
  for (const text of texts) answers.push(await isGood(text, assembler));
  return answers;
}

async function isGood(text: string, assembler: Assembler): Promise<boolean> {
  try {
    await assembler.assemble(text, 'text');
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
