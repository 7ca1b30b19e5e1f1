/** What has to end a shape. */
export type RunawayEnd = 'out-of-fuel' | 'call-depth' | 'pages' | 'elements';

export interface Shape {
  readonly name: string;
  readonly end: RunawayEnd;
  readonly bytes: () => Uint8Array;
}
