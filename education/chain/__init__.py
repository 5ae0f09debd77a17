"""How parts of the leg affect each other: the links, the parts, the tests and the sources behind them."""
