//! Directive constructors: each describes an effect that the host may perform after the plan.
//! They cannot be taken back, so a planner calls them when nothing can fail any more.

use crate::json_text;
use serde_json::{json, Map, Value};

mod import {
    #[link(wasm_import_module = "mashin")]
    extern "C" {
        pub fn broadcast(json: *const u8, len: usize);
        pub fn call_machine(json: *const u8, len: usize);
        pub fn code_eval(json: *const u8, len: usize);
        pub fn llm_call(json: *const u8, len: usize);
        pub fn llm_call_stream(json: *const u8, len: usize);
    }
}

fn emit(constructor: unsafe extern "C" fn(*const u8, usize), parameters: &str) {
    // Safe: every constructor only reads, and only this string.
    unsafe { constructor(parameters.as_ptr(), parameters.len()) }
}

/// Tells everyone who watches the run about an event, which is JSON text.
pub fn broadcast(event: &str) {
    emit(import::broadcast, &["{\"event\":", event, "}"].concat());
}

/// Calls another machine.
pub fn call_machine(machine: &str, inputs: Map<String, Value>) {
    let parameters = json!({ "machine": machine, "inputs": inputs });
    emit(import::call_machine, &json_text(&parameters));
}

/// Evaluates code in a sandbox of the host's, with `bindings` as its variables.
pub fn code_eval(language: &str, code: &str, bindings: Map<String, Value>) {
    let parameters = json!({ "language": language, "code": code, "bindings": bindings });
    emit(import::code_eval, &json_text(&parameters));
}

/// Asks a model for an answer.
pub fn llm_call(model: &str, system: &str, user: &str) {
    emit(import::llm_call, &prompt(model, system, user));
}

/// Asks a model for an answer that arrives piece by piece.
pub fn llm_call_stream(model: &str, system: &str, user: &str) {
    emit(import::llm_call_stream, &prompt(model, system, user));
}

fn prompt(model: &str, system: &str, user: &str) -> String {
    json_text(&json!({ "model": model, "system": system, "user": user }))
}
