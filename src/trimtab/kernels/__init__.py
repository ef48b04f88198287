"""The methods, fast: one pass over memory. `native` is the core for the CPU; each kernel equals its reference."""
