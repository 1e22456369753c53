"""What a task adds to the page of a run: a file for each, of the task's name (`by_name`). Reporter alone imports what is here."""
