//! Plans calls of another machine: one, or one for each item of a list, with inputs expanded
//! from the context.
//!
//! Imports four functions: `get_input_len`, `get_input`, `set_output` and the directive
//! constructor `call_machine`.

use mashin::template::{kind, Scope};
use mashin::{directive, Input, Output};
use serde::Deserialize;
use serde_json::{json, Map, Value};

/// More calls than this from one step are taken for a mistake.
const DEFAULT_MAX_CALLS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepConfig {
    /// Such as `billing/refund` or `billing/refund@2`.
    machine: String,
    /// Templates over `context`, and over `item` with `for_each`.
    #[serde(default)]
    inputs: Map<String, Value>,
    /// The path of a list; the machine is called once for each of its items.
    for_each: Option<String>,
    max_calls: Option<usize>,
    /// Paths that must be there and not null.
    #[serde(default)]
    require: Vec<String>,
}

fn plan(input: Input<StepConfig>) -> Result<Output, String> {
    let config = input.step_config;
    check_machine_name(&config.machine)?;
    let scope = Scope::new(&input.context);
    check_required(&scope, &config.require)?;

    let calls = match &config.for_each {
        None => vec![expand_inputs(&scope, &config)?],
        Some(path) => items(&scope, path, config.max_calls.unwrap_or(DEFAULT_MAX_CALLS))?
            .iter()
            .map(|item| expand_inputs(&scope.with("item", item), &config))
            .collect::<Result<_, _>>()?,
    };

    let count = calls.len();
    for inputs in calls {
        directive::call_machine(&config.machine, inputs);
    }
    Ok(Output::result(
        json!({ "machine": config.machine, "calls": count }),
    ))
}

fn check_machine_name(machine: &str) -> Result<(), String> {
    let (name, version) = match machine.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (machine, None),
    };
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    for segment in name.split('/') {
        if segment.is_empty() || !segment.chars().all(word) {
            return Err(format!(
                "step_config.machine: {machine:?} has the segment {segment:?}, \
                 expected lower-case letters, digits, `-` and `_`"
            ));
        }
    }
    match version {
        Some(v) if v.is_empty() || !v.chars().all(|c| c.is_ascii_digit() || c == '.') => Err(
            format!("step_config.machine: {v:?} is not a version such as `2` or `2.1`"),
        ),
        _ => Ok(()),
    }
}

fn check_required(scope: &Scope, paths: &[String]) -> Result<(), String> {
    for path in paths {
        let value = scope
            .lookup(path)
            .map_err(|e| format!("step_config.require: {e}"))?;
        if value.is_null() {
            return Err(format!("step_config.require: `{path}` is null"));
        }
    }
    Ok(())
}

fn items<'a>(scope: &Scope<'a>, path: &str, max_calls: usize) -> Result<&'a [Value], String> {
    match scope
        .lookup(path)
        .map_err(|e| format!("step_config.for_each: {e}"))?
    {
        Value::Array(items) if items.len() > max_calls => Err(format!(
            "step_config.for_each: `{path}` has {} items, more than max_calls, {max_calls}",
            items.len()
        )),
        Value::Array(items) => Ok(items),
        other => Err(format!(
            "step_config.for_each: `{path}` is {}, expected a list",
            kind(other)
        )),
    }
}

fn expand_inputs(scope: &Scope, config: &StepConfig) -> Result<Map<String, Value>, String> {
    scope.expand_fields("step_config.inputs", &config.inputs)
}

mashin::executor!(plan);
