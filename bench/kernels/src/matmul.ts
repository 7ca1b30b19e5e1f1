// The product of two n by n matrices of doubles, by rows of the one and columns of the other.

const MAX: i32 = 256;
const a = memory.data(MAX * MAX * 8, 8);
const b = memory.data(MAX * MAX * 8, 8);
const c = memory.data(MAX * MAX * 8, 8);

@inline
function at(matrix: usize, index: i32): usize {
  return matrix + (<usize>index << 3);
}

/** The sum of all elements of the product. */
export function run(n: i32): i32 {
  if (n > MAX) unreachable();
  for (let i = 0; i < n * n; i++) {
    store<f64>(at(a, i), <f64>((i * 7) % 31) / 8);
    store<f64>(at(b, i), <f64>((i * 13) % 29) / 4);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum: f64 = 0;
      for (let k = 0; k < n; k++) sum += load<f64>(at(a, i * n + k)) * load<f64>(at(b, k * n + j));
      store<f64>(at(c, i * n + j), sum);
    }
  }
  let total: f64 = 0;
  for (let i = 0; i < n * n; i++) total += load<f64>(at(c, i));
  return <i32>total;
}
