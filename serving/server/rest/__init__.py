"""TF Serving's REST API: its URLs, its JSON, its statuses.

May be touched: a file a job. `urls.py` says which request a path is and which status an error, `document.py` reads JSON as
rapidjson does, `tensors.py` makes arrays of Predict's JSON and JSON of arrays, `examples.py` does so for Classify and Regress,
`descriptions.py` tells status and metadata, `body.py` bounds what is read, and `end.py` is the HTTP server of all that.
"""
