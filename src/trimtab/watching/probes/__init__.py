"""One file a signal family: what is computed from graph, parameters and data on a step that is looked at."""
