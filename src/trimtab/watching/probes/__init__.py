"""One file a signal family: what is computed from the graph, the parameters and the data on a step that is looked at."""
