"""A server with TF Serving's APIs for what lies in TF Serving's folder layout; neither TFX nor the code that trains is needed.

May be touched: a file a job. status.py has the errors that both protocols tell, servable.py runs a version, manager.py decides
which versions there are, batching.py puts requests together, grpc_end.py and rest/ are the protocols, metrics.py counts.
"""
