//! Plans operations on the run's memory: store, recall, forget.
//!
//! Imports no directive constructor: its directives stand in the output document.

use mashin::template::Scope;
use mashin::{Input, Output};
use serde::Deserialize;
use serde_json::{json, Value};
use std::collections::BTreeSet;

const MAX_KEY_BYTES: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepConfig {
    /// Put before every key, with a `/`.
    namespace: Option<String>,
    operations: Vec<Operation>,
}

/// Keys and values are templates over `context`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Operation {
    Store { key: String, value: Value },
    Recall { key: String },
    Forget { key: String },
}

fn plan(input: Input<StepConfig>) -> Result<Output, String> {
    let config = input.step_config;
    if config.operations.is_empty() {
        return Err("step_config.operations: there are none".to_string());
    }
    let mut planner = Planner {
        scope: Scope::new(&input.context),
        namespace: config.namespace.as_deref(),
        written: BTreeSet::new(),
    };
    let mut directives = Vec::new();
    for (index, operation) in config.operations.iter().enumerate() {
        let at = format!("step_config.operations.{index}");
        directives.push(planner.directive(&at, operation)?);
    }
    Ok(Output {
        result: json!({ "operations": directives.len() }),
        directives,
    })
}

struct Planner<'a> {
    scope: Scope<'a>,
    namespace: Option<&'a str>,
    /// Keys that an earlier operation stores or forgets.
    written: BTreeSet<String>,
}

impl Planner<'_> {
    fn directive(&mut self, at: &str, operation: &Operation) -> Result<Value, String> {
        match operation {
            Operation::Store { key, value } => {
                let key = self.written_key(at, key)?;
                let value = self.scope.expand(&format!("{at}.value"), value)?;
                Ok(json!({
                    "type": "memory_op", "operation": "MemStore", "key": key, "value": value,
                }))
            }
            Operation::Recall { key } => {
                let key = self.key(at, key)?;
                Ok(json!({ "type": "memory_op", "operation": "MemRecall", "key": key }))
            }
            Operation::Forget { key } => {
                let key = self.written_key(at, key)?;
                Ok(json!({ "type": "memory_op", "operation": "MemForget", "key": key }))
            }
        }
    }

    fn key(&self, at: &str, template: &str) -> Result<String, String> {
        let at = format!("{at}.key");
        let key = self.scope.expand_text(&at, template)?;
        if key.split('/').any(str::is_empty) {
            return Err(format!("{at}: {key:?} has an empty segment"));
        }
        let full = match self.namespace {
            Some(namespace) => format!("{namespace}/{key}"),
            None => key,
        };
        if full.len() > MAX_KEY_BYTES {
            let length = full.len();
            return Err(format!(
                "{at}: {length} bytes, at most {MAX_KEY_BYTES} are allowed"
            ));
        }
        Ok(full)
    }

    /// Two writes to one key in one step would make the outcome depend on their order.
    fn written_key(&mut self, at: &str, template: &str) -> Result<String, String> {
        let key = self.key(at, template)?;
        if !self.written.insert(key.clone()) {
            return Err(format!("{at}.key: {key:?} is written twice in this step"));
        }
        Ok(key)
    }
}

mashin::executor!(plan);
