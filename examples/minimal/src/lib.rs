//! Plans one broadcast: of the context's `event`, as it stands. It needs no JSON library, since
//! it only passes JSON on, and is the floor that the other Rust executors are measured against.

use mashin::{directive, host};

#[no_mangle]
pub extern "C" fn plan() {
    match host::context_text("event") {
        Some(event) if event != "null" => {
            directive::broadcast(&event);
            host::set_output(&["{\"result\":", &event, "}"].concat());
        }
        _ => host::set_output(r#"{"error":{"message":"the context has no `event`"}}"#),
    }
}
