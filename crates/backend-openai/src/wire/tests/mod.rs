mod broken;
mod calls;
mod delta;
mod limits;
mod reply;
mod request;
mod stream;

use super::Answer;

/// A whole answer.
fn whole_answer(body: &[u8]) -> Result<Answer<'_>, serde_json::Error> {
    let mut answer = Answer::default();
    answer.read_whole(body).map(|()| answer)
}
