//! Templates: `{{context.order.id}}` in a string stands for a value of the scope.
//!
//! A string that is one placeholder and nothing else becomes that value with its type; in a
//! longer string the value is written as text, objects and lists as JSON.

use crate::json_text;
use serde_json::{Map, Value};

/// The names that a template may begin with, and their values.
pub struct Scope<'a> {
    roots: Vec<(&'a str, &'a Value)>,
}

impl<'a> Scope<'a> {
    /// The scope of every step: `context`.
    pub fn new(context: &'a Value) -> Self {
        Scope {
            roots: vec![("context", context)],
        }
    }

    /// This scope and one more name.
    pub fn with(&self, name: &'a str, value: &'a Value) -> Self {
        let mut roots = self.roots.clone();
        roots.push((name, value));
        Scope { roots }
    }

    /// The value at a path such as `context.orders.0.id`; the error says where the path ends
    /// and what there is instead.
    pub fn lookup(&self, path: &str) -> Result<&'a Value, String> {
        let mut segments = path.split('.');
        let root = segments.next().unwrap_or_default();
        let mut value = match self.roots.iter().find(|(name, _)| *name == root) {
            Some((_, value)) => *value,
            None => {
                let names = self.roots.iter().map(|(name, _)| *name);
                return Err(format!(
                    "`{path}` begins with `{root}`, expected {}",
                    list(names)
                ));
            }
        };
        let mut seen = root.to_string();
        for segment in segments {
            value = match value {
                Value::Object(fields) => fields.get(segment).ok_or_else(|| {
                    let names = fields.keys().map(String::as_str);
                    format!("`{seen}` has no `{segment}`; it has {}", list(names))
                })?,
                Value::Array(items) => {
                    let item = segment
                        .parse::<usize>()
                        .ok()
                        .and_then(|index| items.get(index));
                    item.ok_or_else(|| {
                        format!(
                            "`{seen}` is a list of {} and has no item `{segment}`",
                            items.len()
                        )
                    })?
                }
                other => {
                    return Err(format!(
                        "`{seen}` is {}, it has no `{segment}`",
                        kind(other)
                    ));
                }
            };
            seen.push('.');
            seen.push_str(segment);
        }
        Ok(value)
    }

    /// Expands every string of `template`; `at` says where the template stands.
    pub fn expand(&self, at: &str, template: &Value) -> Result<Value, String> {
        match template {
            Value::String(text) => match sole_placeholder(text) {
                Some(path) => self.lookup(path).cloned().map_err(|e| format!("{at}: {e}")),
                None => self.expand_text(at, text).map(Value::String),
            },
            Value::Array(items) => {
                let expanded = items.iter().enumerate();
                expanded
                    .map(|(i, item)| self.expand(&format!("{at}.{i}"), item))
                    .collect()
            }
            Value::Object(fields) => self.expand_fields(at, fields).map(Value::Object),
            other => Ok(other.clone()),
        }
    }

    /// Expands the values of an object; its keys stay as they are.
    pub fn expand_fields(
        &self,
        at: &str,
        fields: &Map<String, Value>,
    ) -> Result<Map<String, Value>, String> {
        let expanded = fields.iter();
        expanded
            .map(|(key, value)| Ok((key.clone(), self.expand(&format!("{at}.{key}"), value)?)))
            .collect()
    }

    /// Expands a template to text, whatever the types of its values.
    pub fn expand_text(&self, at: &str, template: &str) -> Result<String, String> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, opened)) = rest.split_once("{{") {
            let (path, after) = opened
                .split_once("}}")
                .ok_or_else(|| format!("{at}: `{{{{` without `}}}}` after {before:?}"))?;
            text.push_str(before);
            match self.lookup(path.trim()).map_err(|e| format!("{at}: {e}"))? {
                Value::String(value) => text.push_str(value),
                value => text.push_str(&json_text(value)),
            }
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// The path in `{{path}}` when that is the whole text.
fn sole_placeholder(text: &str) -> Option<&str> {
    let path = text.strip_prefix("{{")?.strip_suffix("}}")?;
    (!path.contains("{{")).then(|| path.trim())
}

/// What a value is, for messages.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() {
        "nothing".to_string()
    } else {
        quoted.join(", ")
    }
}
