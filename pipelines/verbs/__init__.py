"""Worker side: what pushed models answer about files, and what networks look like (`show`). Reads served folders and cards."""
