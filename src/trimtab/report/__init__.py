"""Terminal, page and JSON from one diagnosis and its trace; never imports torch."""
