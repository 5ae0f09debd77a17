"""The database of a product, for stories in which it fails or holds what nobody can type."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tests.browser.product import Product


def change(product: Product, statement: str) -> None:
    """Run one statement as the owner of the tables."""
    with psycopg.connect(product.environment["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(sql.SQL(statement))  # type: ignore[arg-type]  # written in the stories, by us


@contextmanager
def without(product: Product, table: str) -> Iterator[None]:
    """Inside, the table is not where the product looks for it."""
    change(product, f"ALTER TABLE {table} RENAME TO {table}_away")
    try:
        yield
    finally:
        change(product, f"ALTER TABLE {table}_away RENAME TO {table}")


@contextmanager
def locked(product: Product, table: str) -> Iterator[None]:
    """Inside, whoever asks for the table waits until the database gives up."""
    with psycopg.connect(product.environment["DATABASE_OWNER_URL"]) as owner:
        owner.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
        yield
        owner.rollback()
