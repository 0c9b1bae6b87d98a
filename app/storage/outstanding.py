"""A query for the customers with outstanding submissions."""

from sqlalchemy import CTE, func, select

from app.storage.schema import submissions

IS_OUTSTANDING = submissions.c.due_at.is_not(None)


def customers_with_outstanding() -> CTE:
    """Their ids, and NULL. A loose index scan goes from customer to customer instead of over all outstanding
    submissions, so a backlog of a million costs no more than one of ten."""
    customers = select(func.min(submissions.c.customer_id).label("id")).where(IS_OUTSTANDING).cte(recursive=True)
    following = select(func.min(submissions.c.customer_id)).where(
        IS_OUTSTANDING, submissions.c.customer_id > customers.c.id
    )
    return customers.union_all(select(following.scalar_subquery()).where(customers.c.id.is_not(None)))
