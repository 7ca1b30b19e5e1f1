import type { ReceiptChain } from '../../engine/provenance/store.ts';
import { type Binding, checkBinding, readBinding, writeBinding } from './binding.ts';
import { createResults, type ResultsFile, resumeResults } from './results-file.ts';

/** Begins a results file, or opens that of the same batch again. */
export async function openResults(
  out: string,
  chain: ReceiptChain,
  {
    binding,
    onResult,
  }: { readonly binding: Binding; readonly onResult: Parameters<typeof resumeResults>[2] },
): Promise<ResultsFile> {
  const begun = await readBinding(out);
  if (begun === undefined) {
    // The results come first: a binding without results would be one whose results were lost.
    const results = await createResults(out);
    await writeBinding(out, binding);
    return results;
  }
  checkBinding(out, begun, binding);
  await chain.append(() => []); // brings the chain to its end, if a crash left it unfinished
  return resumeResults(out, chain, onResult);
}
