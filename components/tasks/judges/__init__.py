"""How models of a task are judged: a file for each task, of the same name (`by_name`). Evaluator alone imports what is here."""
