"""`modelyard.Client` and `modelyard.AsyncClient`: predictions from Python, with what people have, over HTTP or gRPC.

What a method does is written once, as a generator in `steps.py` that yields what is to be asked or waited for and knows
neither sockets nor threads; the two clients carry it out, one blocking, one awaiting. `address.py` says where a Model
answers, `wire` what is sent, `values.py` what people give and get.
"""

from .async_client import AsyncClient
from .client import Client
from .cluster_view import RolloutSummary, ServedModel
from .wire.calls import InferenceAnswer

__all__ = ["AsyncClient", "Client", "InferenceAnswer", "RolloutSummary", "ServedModel"]
