"""trimtab inside other tools: callbacks of trainers, a fixture of pytest. Each module needs the tool of its name."""
