"""What must hold for every sequence of commands, searched by hypothesis."""
