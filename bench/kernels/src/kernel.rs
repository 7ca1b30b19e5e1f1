//! What every kernel in Rust shares: no library but `core`, no import.
#![allow(dead_code)]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

/// Marsaglia's xorshift32 (Journal of Statistical Software 8(14), 2003).
pub struct Xorshift(u32);

impl Xorshift {
    pub fn new() -> Self {
        Xorshift(2463534242)
    }

    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

/// Mixes a value into a checksum (FNV-1a, 32 bits, a word at a time).
pub fn mix(sum: u32, value: u32) -> u32 {
    (sum ^ value).wrapping_mul(0x0100_0193)
}
