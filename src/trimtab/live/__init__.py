"""A run while it goes: followed through its record, by this process or any other; never by asking the run itself."""
