"""The boundary between the light side and the worker: requests, events, and the life of a worker process. Imports no other
wing.

May be touched: requests.py, a frozen class a call, which a test holds to the function that it calls. supervise.py and worker.py
are what stands between a person and a process that dies; both ends change together.
"""
