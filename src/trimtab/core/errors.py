"""The one exception type that users see from trimtab itself."""


class TrimtabError(Exception):
    """Bad input, said in one line: what, where, got, expected, what to do next.

    The command line prints the message and exits with code 2; in Python it is raised as it is.
    """
