import type { Finding, RuleContext } from './types.ts';

/**
 * What keeps a module from running as an executor is an error in a project, which says that it is
 * one. Of a module by itself nobody said so, and its certificate does not depend on it: a warning.
 */
export function weightOf({ project }: RuleContext): Pick<Finding, 'severity'> {
  return project === undefined ? { severity: 'warning' } : {};
}
