"""A torch network that takes pictures, as the model of an entry."""

from pathlib import Path

import entry_folder
import torch


def export(folder: Path, network: torch.nn.Module, side: int) -> None:
    """Write FOLDER/model.onnx: `input` [batch, 1, side, side] to `logits`, with a dynamic batch."""
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 1, side, side),),
        dynamo=True,
        dynamic_shapes=({0: batch},),
        input_names=["input"],
        output_names=["logits"],
        opset_version=entry_folder.OPSET,
        verbose=False,
    )
    assert program is not None
    entry_folder.write_model(folder, program.model_proto)
