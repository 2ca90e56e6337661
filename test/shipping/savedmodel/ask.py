"""Opens SavedModels in TensorFlow and asks each once: their folders and inputs on standard input, their outputs as JSON."""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import numpy as np
import tensorflow as tf


def ask(case):
    try:
        return answers(case)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:500]}


def answers(case):
    serve = tf.saved_model.load(case["dir"]).signatures["serving_default"]
    inputs = {
        name: tf.constant(np.array(one["data"], dtype=one["type"]).reshape(one["dims"]))
        for name, one in case["inputs"].items()
    }
    outputs = serve(**inputs)
    return {
        name: {"dims": list(value.shape), "data": [None if np.isnan(x) else x for x in value.numpy().astype(float).ravel()]}
        for name, value in outputs.items()
    }


print(json.dumps([ask(case) for case in json.load(sys.stdin)]))
