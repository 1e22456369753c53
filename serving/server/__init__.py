"""A server with TF Serving's APIs for what lies in TF Serving's folder layout; neither TFX nor the code that trains is needed.

May be touched: a file a job. status.py has the errors that both protocols tell, servable.py runs a version that loading.py loads
and warms, manager.py decides which versions there are by model_config.py's policies, batching.py puts requests together,
inference.py answers TF Serving's messages, grpc_end.py and rest/ are the protocols, access.py says who may ask, metrics.py counts.
"""
