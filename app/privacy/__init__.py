"""Access and erasure requests, retention, erasure log. What is erased of a submission: `app.submissions.erasure`."""
