"""The seam between what is learned and everything else: one file a task, found by its name (`by_name`)."""
