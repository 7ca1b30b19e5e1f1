//! Extism's host functions. Its blocks of memory lie outside the plugin and are read and written by
//! calls, of eight bytes where there are as many.

mod import {
    #[link(wasm_import_module = "extism:host/env")]
    extern "C" {
        pub fn input_length() -> u64;
        pub fn input_load_u8(offset: u64) -> u8;
        pub fn input_load_u64(offset: u64) -> u64;
        pub fn alloc(length: u64) -> u64;
        pub fn store_u8(address: u64, value: u8);
        pub fn store_u64(address: u64, value: u64);
        pub fn output_set(address: u64, length: u64);
    }
}

const WORD: usize = 8;

/// The input document.
pub fn input() -> String {
    // Safe: the host answers every offset below the length that it named; what it gives is UTF-8.
    unsafe {
        let length = import::input_length() as usize;
        let mut text = Vec::with_capacity(length);
        while length - text.len() >= WORD {
            text.extend_from_slice(&import::input_load_u64(text.len() as u64).to_le_bytes());
        }
        while text.len() < length {
            text.push(import::input_load_u8(text.len() as u64));
        }
        String::from_utf8_unchecked(text)
    }
}

/// Hands the output document to the host.
pub fn set_output(document: &str) {
    let bytes = document.as_bytes();
    // Safe: only the block that the host has just made is written, within its length.
    unsafe {
        let block = import::alloc(bytes.len() as u64);
        let words = bytes.chunks_exact(WORD);
        let tail = words.remainder();
        let mut address = block;
        for word in words {
            let word = word.try_into().map(u64::from_le_bytes).unwrap_or_default();
            import::store_u64(address, word);
            address += WORD as u64;
        }
        for &byte in tail {
            import::store_u8(address, byte);
            address += 1;
        }
        import::output_set(block, bytes.len() as u64);
    }
}
