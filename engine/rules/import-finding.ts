import { recipeFor } from '../module/recipes.ts';
import type { Finding, JudgedImport } from './types.ts';
import { callPathText, importName, importText, lastOfAuthor } from './words.ts';

/**
 * A finding about an import outside the whitelist: where it is, why it is there, and how to get rid
 * of it.
 * @param problem what is wrong with it, following its name and type: `is outside mashin@1`.
 * @param hint said before the recipe.
 */
export function importFinding(judged: JudgedImport, problem: string, hint?: string): Finding {
  const { entry, index, callPath } = judged;
  const reached = callPath === undefined ? '' : `; reached by ${callPathText(callPath, entry)}`;
  const left = callPath && lastOfAuthor(callPath);
  const help = [hint, recipeFor(entry, callPath)].filter((part) => part !== undefined).join(' ');
  return {
    message: `${importText(entry)} ${problem}${reached}`,
    subject: importName(entry),
    location: { file: 'artifact', offset: entry.offset },
    importIndex: index,
    ...(left && { related: [left] }),
    ...(help !== '' && { help }),
    ...(callPath && { callPath }),
  };
}
