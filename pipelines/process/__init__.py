"""The boundary between the light side and the worker: requests, events, and the life of a worker process. Imports no other wing."""
