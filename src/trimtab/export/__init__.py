"""The measurements of a run in the formats of other tools, made from its trace and diagnosis; never imports torch."""
