"""What a run can be told: frozen slices that make up one RunConfig. Every default lives here and nowhere else.

One file a topic. A component never sees RunConfig: pipelines/orchestration/pipeline.py hands it the slices that it reads (`slices`
has those made for one stage), as JSON, so that its cache key holds just what can change its result.

May be touched: a key may come, with a default that leaves old configs as they were; none is renamed or taken back. Who reads it is
run again (docs/architecture.md, What an edit costs); docs/configuration.md is made from here.
"""
