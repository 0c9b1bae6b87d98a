"""Names of the driver's errors for logs. Their messages are left out, because they can quote data."""


def name_of(error: Exception) -> str:
    """SQLite's own name, such as `SQLITE_FULL`, or the exception's class. `error` may be SQLAlchemy's around it."""
    original = getattr(error, "orig", error)
    return getattr(original, "sqlite_errorname", None) or type(original).__name__
