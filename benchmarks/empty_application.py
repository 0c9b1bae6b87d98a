"""An application without content, for submissions whose content does not matter."""

from app.domain.marketing import Marketing
from app.operations.planning import SubmissionContext
from app.operations.stored_application import StoredApplication

EMPTY = StoredApplication((), {}, SubmissionContext(False, None, Marketing()))
