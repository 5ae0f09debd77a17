"""Background jobs of the roof: each is one call. Arguments are keys, never words."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from clinic.accounts import SessionStore
from clinic.people import emergency
from clinic.people import staff as people

# A mail server that is away is tried for about an hour.
MAIL_RETRY = RetryStrategy(max_attempts=8, exponential_wait=3)


@app.task(name=people.SEND_STAFF_INVITATION, retry=MAIL_RETRY, pass_context=False)
def send_staff_invitation(invitation_id: str) -> None:
    people.deliver_invitation(invitation_id=UUID(invitation_id))


@app.task(name=emergency.TELL_OWNER, retry=MAIL_RETRY, pass_context=False)
def tell_owner(access_id: int, user_id: int) -> None:
    emergency.tell_owner(access_id=access_id, user_id=user_id)


@app.periodic(cron="50 3 * * *")
@app.task(name="clear_sessions", queueing_lock="clear_sessions", pass_context=False)
def clear_sessions(timestamp: int) -> None:
    SessionStore.clear_expired()
