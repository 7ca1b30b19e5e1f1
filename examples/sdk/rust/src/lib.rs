//! The host interface `mashin@1` for executors written in Rust.
//!
//! An executor is a function from an [`Input`] to an [`Output`]:
//!
//! ```ignore
//! fn plan(input: Input<StepConfig>) -> Result<Output, String> { … }
//! mashin::executor!(plan);
//! ```
//!
//! Only the host functions that the planner really calls end up among the module's imports.

pub mod directive;
pub mod host;
pub mod template;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

pub use host::{log, Level};

/// What the host hands to one step. An executor that needs few values of a large context takes
/// `C = IgnoredAny` and asks [`context_value`] for them.
#[derive(Deserialize)]
pub struct Input<S, C = Value> {
    pub step_config: S,
    pub context: C,
}

/// The output document. Directives made by [`directive`] are not repeated here: the host puts
/// them before these.
#[derive(Serialize)]
pub struct Output {
    pub result: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Value>,
}

impl Output {
    /// An output without directives of its own.
    pub fn result(result: Value) -> Self {
        Output {
            result,
            directives: Vec::new(),
        }
    }
}

/// One top-level value of the context, or `None` when the context has no such key.
pub fn context_value(key: &str) -> Option<Value> {
    serde_json::from_str(&host::context_text(key)?).ok()
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

/// Exports `plan` to the host.
#[macro_export]
macro_rules! executor {
    ($planner:path) => {
        #[export_name = "plan"]
        pub extern "C" fn exported_plan() {
            $crate::run($planner)
        }
    };
}
