"""Background jobs: each is one call of the story. Arguments are keys, never words."""

from uuid import UUID

from procrastinate import BaseRetryStrategy, JobContext, RetryDecision, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from intake import journey

# A mail server that is away is tried for about an hour; then the job stands as failed, for staff to see.
MAIL_RETRY = RetryStrategy(max_attempts=8, exponential_wait=3)
# A reminder has hours; it gives itself up when it would come too late.
REMINDER_RETRY = RetryStrategy(wait=600)


class UntilItLeaves(BaseRetryStrategy):
    """Within seconds at first, then each minute without end: the flag waits for a call all that time."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        return RetryDecision(retry_in={"seconds": min(5 * 2 ** min(job.attempts, 4), 60)})


@app.task(name=journey.SEND_INVITATION, retry=MAIL_RETRY, pass_context=False)
def send_invitation(invitation_id: str) -> None:
    journey.deliver_invitation(invitation_id=UUID(invitation_id))


@app.task(name=journey.MAIL_ON_CALL, retry=UntilItLeaves(), pass_context=False)
def mail_on_call(flag_ids: list[int]) -> None:
    journey.mail_on_call(flag_ids=flag_ids)


@app.task(name=journey.SETTLE_DRAFT, pass_context=False)
def settle_draft(response_id: str) -> None:
    journey.settle_draft(response_id=UUID(response_id))


@app.task(name=journey.TELL_OF_VISIT, retry=MAIL_RETRY, pass_context=False)
def tell_of_visit(evaluation_id: str, sequence: int) -> None:
    journey.tell_of_visit(evaluation_id=UUID(evaluation_id), sequence=sequence)


@app.task(name=journey.SEND_LESSONS, retry=MAIL_RETRY, pass_context=False)
def send_lessons(share_id: str) -> None:
    journey.deliver_lessons(share_id=UUID(share_id))


@app.task(name=journey.SEND_CODE, retry=MAIL_RETRY, pass_context=False)
def send_code(code_id: int) -> None:
    journey.deliver_code(code_id=code_id)


@app.task(name=journey.RENEW_LINK, pass_context=False)
def renew_link(token_hash: str) -> None:
    journey.renew_link(token_hash=token_hash)


@app.task(name=journey.SOUND_ALARM, retry=MAIL_RETRY, pass_context=False)
def sound_alarm() -> None:
    journey.sound_alarm()


@app.periodic(cron="10 3 * * *")
@app.task(name="check_trail", queueing_lock="check_trail", retry=MAIL_RETRY, pass_context=False)
def check_trail(timestamp: int) -> None:
    journey.check_trail()


@app.periodic(cron="40 3 * * *")
@app.task(name=journey.RETENTION, queueing_lock=journey.RETENTION, pass_context=False)
def retention(timestamp: int) -> None:
    journey.retain()


@app.periodic(cron="*/5 * * * *")
@app.task(name="remind", queueing_lock="remind", pass_context=False)
def remind(timestamp: int) -> None:
    journey.remind()


@app.task(name=journey.SEND_REMINDER, retry=REMINDER_RETRY, pass_context=False)
def send_reminder(reminder_id: str) -> None:
    journey.send_reminder(reminder_id=UUID(reminder_id))


@app.periodic(cron="*/2 * * * *")
@app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True)
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """A worker that was killed leaves its job half done; every job here may run twice, so it runs again."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=60):
        await manager.retry_job(job)
