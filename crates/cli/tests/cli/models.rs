//! The models that a provider has.

use crate::support::golden;
use crate::support::world::API_KEY;
use gatepass_testkit::Answer;
use serde_json::json;

const MODELS: [&str; 3] = ["models", "--provider", "corp"];

#[tokio::test]
async fn the_models_of_a_provider_are_listed_by_the_names_that_requests_use() {
    golden("models/text", 0, &MODELS, |_| {}).await;
    golden("models/json", 0, &[&MODELS[..], &["--json"]].concat(), |_| {}).await;
    let vendors = ["models", "--provider", "openai", "--base-url", "MODEL_URL"];
    golden("models/vendor", 0, &vendors, |world| {
        world.model.require_bearer(API_KEY);
        world.set("OPENAI_API_KEY", API_KEY);
    })
    .await;
}

#[tokio::test]
async fn a_list_that_cannot_be_had_is_told() {
    golden(
        "models/unknown_provider",
        2,
        &["models", "--provider", "crop"],
        |_| {},
    )
    .await;
    golden("models/no_name", 2, &["models", "--provider", "corp/x"], |_| {}).await;
    golden("models/refused", 1, &MODELS, |world| {
        world.model.require_bearer("another");
    })
    .await;
    golden("models/hostile", 0, &MODELS, |world| {
        let list = json!({ "data": [{ "id": "m\u{1b}[2J\nx" }] });
        world.model.push(Answer::json(200, &list));
    })
    .await;
}
