"""The pictures of the methods' pages, drawn by the components themselves: `python -m docs.pictures` draws them anew."""
