"""What a stage gets of a config, one file a stage."""
