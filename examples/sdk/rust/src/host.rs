//! The host functions of `mashin@1` that are not directive constructors, made safe.
//! All text is UTF-8; all documents are JSON.

mod import {
    #[link(wasm_import_module = "mashin")]
    extern "C" {
        pub fn get_input_len() -> usize;
        pub fn get_input(ptr: *mut u8);
        pub fn set_output(ptr: *const u8, len: usize);
        pub fn log(level: i32, ptr: *const u8, len: usize);
        pub fn context_len(key: *const u8, key_len: usize) -> i32;
        pub fn context_read(key: *const u8, key_len: usize, out: *mut u8) -> i32;
    }
}

/// How much a log line matters.
#[derive(Clone, Copy)]
pub enum Level {
    Trace = 0,
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
}

/// The input document.
pub fn input() -> String {
    // Safe: the host writes exactly the length that it named, and what it writes is UTF-8.
    unsafe {
        let mut text = vec![0; import::get_input_len()];
        import::get_input(text.as_mut_ptr());
        String::from_utf8_unchecked(text)
    }
}

/// Hands the output document to the host; the last one counts.
pub fn set_output(document: &str) {
    // Safe: the host only reads, and only this string.
    unsafe { import::set_output(document.as_ptr(), document.len()) }
}

/// Adds a line to the outcome's log. No one else sees it.
pub fn log(level: Level, line: &str) {
    // Safe: the host only reads, and only this string.
    unsafe { import::log(level as i32, line.as_ptr(), line.len()) }
}

/// One top-level value of the context as JSON text, or `None` when there is no such key.
pub fn context_text(key: &str) -> Option<String> {
    // Safe: the host writes exactly the length that it named, and what it writes is UTF-8.
    unsafe {
        let len = usize::try_from(import::context_len(key.as_ptr(), key.len())).ok()?;
        let mut text = vec![0; len];
        import::context_read(key.as_ptr(), key.len(), text.as_mut_ptr());
        Some(String::from_utf8_unchecked(text))
    }
}
