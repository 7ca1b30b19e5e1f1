// Steps to escape from the Mandelbrot set, over an n by n grid of [-2, 1] × [-1.5, 1.5].

const LIMIT: i32 = 200;

function steps(cx: f64, cy: f64): i32 {
  let x: f64 = 0;
  let y: f64 = 0;
  for (let i = 0; i < LIMIT; i++) {
    const xx = x * x;
    const yy = y * y;
    if (xx + yy > 4) return i;
    y = 2 * x * y + cy;
    x = xx - yy + cx;
  }
  return LIMIT;
}

/** The sum of the steps of all points. */
export function run(n: i32): i32 {
  let sum = 0;
  for (let row = 0; row < n; row++) {
    const cy = (3 * <f64>row) / <f64>n - 1.5;
    for (let column = 0; column < n; column++) {
      sum += steps((3 * <f64>column) / <f64>n - 2, cy);
    }
  }
  return sum;
}
