"""FastAPI and ONNX Runtime on an exported model: the same pictures in, the same answers out, as one would write it by hand."""

import io
import json
import os
import socket
import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request
from PIL import Image
from starlette.concurrency import run_in_threadpool

model, port, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def make_app() -> FastAPI:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, (os.cpu_count() or 1) // workers)
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    document = json.loads(session.get_modelmeta().custom_metadata_map["predictor.json"])
    (name, size) = next((name, spec["size"]) for name, spec in document["inputs"].items() if spec["kind"] == "image")
    known = {entry.name for entry in session.get_outputs()}
    tasks = [task for task in document["graph"]["tasks"] if f"{task['path']}/active" in known]
    fetches = [f"{task['path']}/{what}" for task in tasks for what in ("active", "decoded", "activated")]
    app = FastAPI()

    def answer(body: bytes) -> dict:
        picture = Image.open(io.BytesIO(body)).convert("RGB")
        if picture.size != (size[1], size[0]):
            picture = picture.resize((size[1], size[0]), Image.Resampling.LANCZOS)
        results = session.run(fetches, {name: np.asarray(picture, dtype=np.uint8)[None]})
        answers = {}
        for i, task in enumerate(tasks):
            active, decoded, activated = results[3 * i : 3 * i + 3]
            if active[0]:
                answers[task["path"]] = {"decoded": decoded[0].tolist(), "activated": activated[0].tolist()}
        return answers

    # in FastAPI's pool of threads, as its guide has it for work that blocks
    @app.post("/predict")
    async def predict(request: Request) -> dict:
        return {"answers": await run_in_threadpool(answer, await request.body())}

    @app.get("/health")
    def health() -> dict:
        return {"status": "ok"}

    return app


if __name__ == "__main__":
    # made here, and not by uvicorn: asyncio sends at once (TCP_NODELAY) only on sockets that say that they are of TCP, which
    # those of uvicorn's own workers do not, and every answer then waits 40 ms for the client's acknowledgement
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", port))
    sock.listen(2048)
    for _ in range(workers - 1):
        if os.fork() == 0:
            break
    uvicorn.Server(uvicorn.Config(make_app(), log_level="error")).run(sockets=[sock])
