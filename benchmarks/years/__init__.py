"""The same visits over two months and over fifteen years: a run costs what its rows cost, however many their days."""
