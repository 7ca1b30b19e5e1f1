//! The interface of `examples/sdk/rust` that the executor `call` uses, over Extism's host functions
//! instead of `mashin@1`: the same types, the same JSON library, the same templates.
//!
//! Extism has no directive constructors, so directives go into the output document, which costs the
//! plugin no call of the host.

mod host;
#[path = "../../../../../examples/sdk/rust/src/template.rs"]
pub mod template;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

#[derive(Deserialize)]
pub struct Input<S, C = Value> {
    pub step_config: S,
    pub context: C,
}

#[derive(Serialize)]
pub struct Output {
    pub result: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Value>,
}

impl Output {
    pub fn result(result: Value) -> Self {
        Output {
            result,
            directives: directive::take(),
        }
    }
}

pub mod directive {
    use serde_json::{json, Map, Value};
    use std::cell::RefCell;

    thread_local!(static MADE: RefCell<Vec<Value>> = RefCell::default());

    /// Calls another machine.
    pub fn call_machine(machine: &str, inputs: Map<String, Value>) {
        let directive = json!({ "type": "call_machine", "machine": machine, "inputs": inputs });
        MADE.with(|made| made.borrow_mut().push(directive));
    }

    /// The directives made so far, which a plugin that lives on must not keep.
    pub(crate) fn take() -> Vec<Value> {
        MADE.with(RefCell::take)
    }
}

/// Reads the input, plans, and hands the output document, or the error, to the host.
pub fn run<I: DeserializeOwned>(plan: fn(I) -> Result<Output, String>) {
    let input = serde_json::from_str(&host::input()).map_err(|e| format!("input: {e}"));
    host::set_output(&match input.and_then(plan) {
        Ok(output) => json_text(&output),
        Err(message) => json_text(&json!({ "error": { "message": message } })),
    });
}

/// The JSON text of a value that has one: every [`Value`] and [`Output`] has.
pub(crate) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Exports `plan` to the host: 0 says that the call went well.
#[macro_export]
macro_rules! executor {
    ($planner:path) => {
        #[export_name = "plan"]
        pub extern "C" fn exported_plan() -> i32 {
            $crate::run($planner);
            0
        }
    };
}
