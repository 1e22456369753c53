"""What `hubel init` proposes for images that it has seen: a config and what a person should know. Light; of plain data."""
