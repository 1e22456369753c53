"""Where a model may be deployed to, a file a target; found by its name (configs.by_name).

A target defines `files(model, options)`: name below DIR -> a dict, a list of dicts (documents of one file), or a text; and
`commands(model, options, folder)`: what a person types next, in order; `remarks(options)`: sentences on what a person should know.
`STORAGE` is where it looks for models by itself, None for their folder here; `TAKES` are the options that others have no use for.
"""
