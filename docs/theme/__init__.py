"""What turns the Markdown of this folder into a site that opens without a server and without a network."""
