"""The database engine, as `ENGINE` names it."""
