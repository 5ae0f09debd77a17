"""Background jobs of the library: each is one call. Arguments are keys, never words."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from education.chain import publishing
from education.newsletter import issues, subscribe
from education.visitors import limits

# A mail server that is away is tried for about an hour.
MAIL_RETRY = RetryStrategy(max_attempts=8, exponential_wait=3)


@app.task(name=subscribe.SEND_CONFIRMATION, retry=MAIL_RETRY, pass_context=False)
def newsletter_confirmation(subscriber_id: str) -> None:
    subscribe.deliver_confirmation(subscriber_id=UUID(subscriber_id))


@app.task(name=issues.SEND_DELIVERY, retry=MAIL_RETRY, pass_context=False)
def newsletter_delivery(delivery_id: int) -> None:
    issues.deliver(delivery_id=delivery_id)


@app.task(name=issues.SEND_TEST, retry=MAIL_RETRY, pass_context=False)
def newsletter_test(issue_id: int, user_id: int) -> None:
    issues.deliver_test(issue_id=issue_id, user_id=user_id)


@app.periodic(cron="20 3 * * *")
@app.task(name="newsletter_forget", queueing_lock="newsletter_forget", pass_context=False)
def newsletter_forget(timestamp: int) -> None:
    subscribe.forget_unconfirmed()
    limits.forget()


@app.periodic(cron="* * * * *")
@app.task(name="publish_scheduled", queueing_lock="publish_scheduled", pass_context=False)
def publish_scheduled(timestamp: int) -> None:
    publishing.publish_due()
