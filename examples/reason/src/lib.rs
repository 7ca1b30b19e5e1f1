//! Plans one question to a language model: expands the prompt, adds documents of the context
//! and worked examples, asks for an answer of a certain shape, and chooses the smallest model
//! that the whole fits.

use mashin::template::Scope;
use mashin::{directive, log, Input, Level, Output};
use serde::Deserialize;
use serde_json::{json, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepConfig {
    /// From the smallest to the largest.
    models: Vec<Model>,
    /// Templates over `context`.
    #[serde(default)]
    system: String,
    prompt: String,
    /// Paths of values that are added to the prompt under a heading.
    #[serde(default)]
    documents: Vec<String>,
    #[serde(default)]
    examples: Vec<Example>,
    /// A JSON Schema of the answer.
    answer_schema: Option<Value>,
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    name: String,
    /// How many characters of prompt it is used for; without it, any number.
    up_to: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    user: String,
    assistant: String,
}

fn plan(input: Input<StepConfig>) -> Result<Output, String> {
    let config = input.step_config;
    let scope = Scope::new(&input.context);
    let system = system_prompt(&scope, &config)?;
    let user = user_prompt(&scope, &config)?;
    let size = system.chars().count() + user.chars().count();
    let model = choose_model(&config.models, size)?;
    log(
        Level::Debug,
        &format!("{size} characters of prompt: model `{model}`"),
    );

    if config.stream {
        directive::llm_call_stream(model, &system, &user);
    } else {
        directive::llm_call(model, &system, &user);
    }
    Ok(Output::result(
        json!({ "model": model, "prompt_characters": size }),
    ))
}

fn system_prompt(scope: &Scope, config: &StepConfig) -> Result<String, String> {
    let mut parts = Vec::new();
    if !config.system.is_empty() {
        parts.push(scope.expand_text("step_config.system", &config.system)?);
    }
    for example in &config.examples {
        parts.push(format!(
            "Question: {}\nAnswer: {}",
            example.user, example.assistant
        ));
    }
    if let Some(schema) = &config.answer_schema {
        check_schema(schema)?;
        let schema = pretty(schema)?;
        parts.push(format!(
            "Answer with one JSON value that this schema describes:\n{schema}"
        ));
    }
    Ok(parts.join("\n\n"))
}

fn user_prompt(scope: &Scope, config: &StepConfig) -> Result<String, String> {
    let mut parts = vec![scope.expand_text("step_config.prompt", &config.prompt)?];
    for path in &config.documents {
        let document = scope
            .lookup(path)
            .map_err(|e| format!("step_config.documents: {e}"))?;
        let text = match document {
            Value::String(text) => text.clone(),
            value => pretty(value)?,
        };
        parts.push(format!("## {path}\n\n{text}"));
    }
    if parts.iter().all(|part| part.trim().is_empty()) {
        return Err("step_config.prompt: it expands to nothing".to_string());
    }
    Ok(parts.join("\n\n"))
}

fn check_schema(schema: &Value) -> Result<(), String> {
    match schema {
        Value::Bool(_) => Ok(()),
        Value::Object(keywords) if keywords.contains_key("type") => Ok(()),
        Value::Object(_) => Err("step_config.answer_schema: it has no `type`".to_string()),
        other => Err(format!(
            "step_config.answer_schema: {other} is not a JSON Schema"
        )),
    }
}

fn pretty(value: &Value) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|e| e.to_string())
}

/// The first model that takes a prompt of `size` characters.
fn choose_model(models: &[Model], size: usize) -> Result<&str, String> {
    let fits = |model: &&Model| model.up_to.map_or(true, |most| size <= most);
    match (models.iter().find(fits), models.last()) {
        (Some(model), _) => Ok(&model.name),
        (None, None) => Err("step_config.models: there are none".to_string()),
        (None, Some(largest)) => Err(format!(
            "step_config.models: {size} characters of prompt fit none of them; \
             the last, `{}`, takes {}",
            largest.name,
            largest.up_to.unwrap_or_default()
        )),
    }
}

mashin::executor!(plan);
