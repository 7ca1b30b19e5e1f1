//! Plans the evaluation of a piece of code, with values of the context bound to its variables.
//!
//! The code itself is never a template: values reach it as bindings, so that no text from the
//! context can become code. A context can be large; only the values that are bound are read.

use mashin::{context_value, directive, log, Input, Level, Output};
use serde::de::IgnoredAny;
use serde::Deserialize;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;

const LANGUAGES: [&str; 4] = ["elixir", "javascript", "python", "sql"];
const MAX_CODE_BYTES: usize = 65_536;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepConfig {
    language: String,
    code: String,
    /// Variable name → where its value comes from.
    #[serde(default)]
    bindings: BTreeMap<String, Binding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Binding {
    /// A top-level key of the context.
    Context(String),
    /// A value as it stands.
    Value(Value),
}

fn plan(input: Input<StepConfig, IgnoredAny>) -> Result<Output, String> {
    let config = input.step_config;
    check_language(&config.language)?;
    check_code(&config.code)?;
    let mut bindings = Map::new();
    for (name, binding) in config.bindings {
        check_name(&name)?;
        if !mentions(&config.code, &name) {
            log(
                Level::Warn,
                &format!("`{name}` is bound, but the code does not use it"),
            );
        }
        let value = resolve(&name, binding)?;
        bindings.insert(name, value);
    }

    let names: Vec<&String> = bindings.keys().collect();
    let result = json!({ "language": config.language, "bound": names });
    directive::code_eval(&config.language, &config.code, bindings);
    Ok(Output::result(result))
}

fn check_language(language: &str) -> Result<(), String> {
    if LANGUAGES.contains(&language) {
        return Ok(());
    }
    let known = LANGUAGES.join(", ");
    Err(format!(
        "step_config.language: {language:?} is not one of {known}"
    ))
}

fn check_code(code: &str) -> Result<(), String> {
    match code.len() {
        _ if code.trim().is_empty() => Err("step_config.code: there is no code".to_string()),
        length if length > MAX_CODE_BYTES => Err(format!(
            "step_config.code: {length} bytes, at most {MAX_CODE_BYTES} are allowed"
        )),
        _ => Ok(()),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn check_name(name: &str) -> Result<(), String> {
    let starts_well = name.starts_with(|c: char| is_word(c) && !c.is_ascii_digit());
    if starts_well && name.chars().all(is_word) {
        return Ok(());
    }
    Err(format!(
        "step_config.bindings: {name:?} is not a variable name"
    ))
}

/// Whether `name` stands in the code as a word of its own.
fn mentions(code: &str, name: &str) -> bool {
    code.split(|c| !is_word(c)).any(|word| word == name)
}

fn resolve(name: &str, binding: Binding) -> Result<Value, String> {
    match binding {
        Binding::Value(value) => Ok(value),
        Binding::Context(key) => context_value(&key)
            .ok_or_else(|| format!("step_config.bindings.{name}: the context has no `{key}`")),
    }
}

mashin::executor!(plan);
