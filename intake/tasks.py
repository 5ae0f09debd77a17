"""Background jobs: each is one call of the story. Arguments are keys, never words."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from intake import journey

# A mail server that is away is tried for about an hour; then the job stands as failed, for staff to see.
MAIL_RETRY = RetryStrategy(max_attempts=8, exponential_wait=3)


@app.task(name="send_invitation", retry=MAIL_RETRY, pass_context=False)
def send_invitation(invitation_id: str) -> None:
    journey.deliver_invitation(invitation_id=UUID(invitation_id))


@app.task(name="mail_on_call", retry=MAIL_RETRY, pass_context=False)
def mail_on_call(flag_ids: list[int]) -> None:
    journey.mail_on_call(flag_ids=flag_ids)
