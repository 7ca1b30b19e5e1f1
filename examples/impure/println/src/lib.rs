//! Plans a call of another machine, and is impure: it was built for `wasm32-wasi`, and somebody
//! looked for a mistake with `println!`.

use mashin::{directive, Input, Output};
use serde::Deserialize;
use serde_json::{json, Map, Value};

#[derive(Deserialize)]
struct StepConfig {
    machine: String,
    #[serde(default)]
    inputs: Map<String, Value>,
}

fn plan(input: Input<StepConfig>) -> Result<Output, String> {
    let config = input.step_config;
    trace(&config);
    let result = json!({ "machine": config.machine });
    directive::call_machine(&config.machine, config.inputs);
    Ok(Output::result(result))
}

fn trace(config: &StepConfig) {
    println!(
        "calling {} with {} inputs",
        config.machine,
        config.inputs.len()
    );
}

mashin::executor!(plan);
