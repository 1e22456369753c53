"""Asking a server that has TF Serving's APIs, TF Serving itself or `hubel serve`, over REST or gRPC. TensorFlow is not imported.

May be touched: a file a job. client.py is what is used, rest.py and rpc.py are the protocols, place.py says which model is asked,
codec.py makes tensors of arrays and arrays of tensors, retrying.py decides when one asks again and until when, errors.py says what
a person is told.
"""

from serving.client.client import Client, Signature, Tensor
from serving.client.errors import Refused, ServerError, Unreachable

__all__ = ["Client", "Refused", "ServerError", "Signature", "Tensor", "Unreachable"]
