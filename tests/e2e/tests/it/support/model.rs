use super::process::ServerProcess;
use super::tools::Tools;

/// The model's name: 135 million parameters, whose answers are of any sense only by chance.
pub(crate) const MODEL: &str = "smollm2-135m-instruct";

/// llama.cpp's server, in a process of its own.
pub(crate) struct ModelServer {
    process: ServerProcess,
    url: String,
}

impl ModelServer {
    pub(crate) async fn start(tools: &Tools) -> Self {
        let (process, ready) = ServerProcess::start(&tools.model_server(), &[]).await;
        assert_eq!(ready["model"], MODEL);
        Self {
            process,
            url: ready["url"].as_str().expect("an address").to_owned(),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn kill(&mut self) {
        self.process.kill().await;
    }
}
