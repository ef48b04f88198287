"""Training programs, sick and healthy, written as strangers would, and the scoreboard they give."""
