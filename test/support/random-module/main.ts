// A campaign as a program of its own, so that several can run at once, and on another Node.

import { runCampaign } from './campaign.ts';

const [first, count, step] = process.argv.slice(2).map(Number);
if (first === undefined || count === undefined || step === undefined) {
  throw new Error('usage: main FIRST COUNT STEP');
}
process.stdout.write(JSON.stringify(runCampaign(first, count, step)));
