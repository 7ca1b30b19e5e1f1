import type { z } from 'zod';
import { displayText } from './display.ts';

/** The first problem of a failed parse as one line: `field.path: problem`, and how many more. */
export function describeIssues(error: z.ZodError): string {
  const [first] = error.issues;
  if (first === undefined) return 'it does not follow its schema';
  const path = first.path.map((part) => displayText(String(part))).join('.');
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  return `${path === '' ? '' : `${path}: `}${first.message}${more}`;
}
