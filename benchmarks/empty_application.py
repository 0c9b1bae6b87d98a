"""An application without content, for submissions that are only moved."""

from app.domain.marketing import Marketing
from app.operations.specification import SubmissionContext
from app.operations.stored_application import StoredApplication

EMPTY = StoredApplication((), {}, SubmissionContext(False, None, Marketing()))
