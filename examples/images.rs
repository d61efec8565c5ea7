//! A picture beside the question: from a file that is sent along, or at an address that the provider fetches.
//! The same parts go to every backend.
//!
//! Run with: cargo run --example images [FILE]

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use base64::{Engine, prelude::BASE64_STANDARD};
use gatepass::{
    AccessToken, ChatRequest, Llm, Media, Message, Part, Role, StaticTokenSource, openai::OpenAiBackend,
};
use gatepass_testkit::ModelServer;

/// One red point, as PNG.
const POINT: &[u8] = &[
    0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 12, b'I', b'D', b'A', b'T', 8, 0xd7, 0x63, 0xf8, 0xcf, 0xc0,
    0, 0, 3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A model inside this program; with a key of your own it is `Llm::connect("gpt-4o-mini")`.
    let model = ModelServer::start().await;
    model.reply_text("The first is a red point; the second one I would have to fetch.");
    let llm = Llm::new(
        OpenAiBackend::new(
            &model.base_url(),
            StaticTokenSource::new(AccessToken::bearer("key")?),
        )?,
        "my-model",
    );

    let picture = std::env::args()
        .nth(1)
        .map_or_else(|| Ok(POINT.to_vec()), std::fs::read)?;
    let question = Message::new(
        Role::User,
        [
            Part::text("What do you see?"),
            Part::Image(Media::base64("image/png", BASE64_STANDARD.encode(picture))),
            Part::Image(Media::url("https://example.com/eiffel-tower.jpg")),
        ],
    );
    let reply = llm.chat(ChatRequest::new([question])).await?;
    println!("{}", reply.text());
    Ok(())
}
