/** A moment for people: `2026-11-20T09:30:00Z`; as a number where no date can say it. */
export function secondText(seconds: number | bigint): string {
  const milliseconds = Number(seconds) * 1000;
  return milliseconds <= 253_402_300_799_000
    ? new Date(milliseconds).toISOString().replace('.000Z', 'Z')
    : `second ${seconds} of Unix time`;
}
