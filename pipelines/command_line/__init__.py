"""The command line: verbs that parse, ask and print. Light: no TensorFlow, no TFX; `hubel --help` takes half a second.

Lives here: one file a group of verbs (`run_commands` has `hubel run`), and what shows their answers. A verb's answer is
computed elsewhere: by pipelines.workspace from files, or in a worker process through pipelines.process. May be touched: what is
said and how it looks; flags, JSON and exit codes are a contract. Nothing heavy is imported, and nothing at all before a verb
needs it.
"""
