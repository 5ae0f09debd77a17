"""After a drill: does every acknowledged intake stand, once, as it was sent, with all that follows from it?

`python -m tests.drills.judge` in the product's environment. Stdin: a JSON list of
`{"evaluation", "acknowledged": bool, "answers": {linkId: [value, ...]}}`, where page saves were counted also
with `"saves": [[page, action of the trail, how many were acknowledged, how many were not answered], ...]`.
Stdout: what is wrong, by kind.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import django


def judge(intakes: list[dict[str, Any]]) -> dict[str, Any]:
    """`{"stand": n, "findings": n, "red_flags": n, "wrong": {kind: [evaluation, ...]}}` and so on."""
    from intake import audit
    from intake.audit import AuditEvent
    from intake.journey import Save
    from intake.responses.answers import prune, read_answers
    from intake.responses.models import QuestionnaireResponse
    from intake.screening import record
    from intake.screening.explain import evidence_json
    from intake.screening.models import Finding, RedFlag
    from intake.screening.screen import screen

    wrong: dict[str, list[str]] = {}
    stand = drafts = saved_rows = findings = red_flags = 0
    with audit.audited("tests.read", by=audit.system("tests")):
        active = record.active_rules()
        sent_rows = Counter(
            response
            for seen in AuditEvent.objects.filter(action="intake.sent").values_list("objects_seen", flat=True)
            for response in seen["response"]
        )
        page_rows = Counter(
            (response, detail["page"], action)
            for action, seen, detail in AuditEvent.objects.filter(
                action__in=[how.value for how in Save]
            ).values_list("action", "objects_seen", "detail")
            for response in seen["response"]
        )
        for intake in intakes:
            evaluation = intake["evaluation"]

            def complain(kind: str, evaluation: str = evaluation) -> None:
                wrong.setdefault(kind, []).append(evaluation)

            responses = list(
                QuestionnaireResponse.objects.filter(evaluation=evaluation).select_related("questionnaire")
            )
            sent = [response for response in responses if response.is_sent]
            if len(responses) > 1:
                complain("doubled")
            if intake["acknowledged"] and not sent:
                complain("lost")
            for response in responses:
                expected_rows = 1 if response.is_sent else 0
                if sent_rows[str(response.pk)] != expected_rows:
                    complain(f"{sent_rows[str(response.pk)]} audit rows")
            if "saves" in intake:
                if not responses:
                    complain("lost")
                for response in responses:
                    rows = {key[1:]: n for key, n in page_rows.items() if key[0] == str(response.pk)}
                    for wrong_about in judge_saves(
                        intake["saves"], rows, response.revision - response.is_sent
                    ):
                        complain(wrong_about)
                    saved_rows += sum(rows.values())
                    if not response.is_sent:
                        drafts += 1
                        if read_answers(response.answers) != read_answers(intake["answers"]):
                            complain("changed draft")
            for response in sent:
                stand += 1
                definition = response.questionnaire.tree()
                answers = prune(definition, read_answers(intake["answers"]))
                if read_answers(response.answers) != answers:
                    complain("changed")
                if not response.document or response.document["status"] != "completed":
                    complain("no record")
                if response.runs.count() != 1:
                    complain("screened more or less than once")
                screening = screen(active.rules, answers)
                stored = {
                    (row.rule_id, row.side): (row.score, row.evidence)
                    for row in Finding.objects.filter(response=response)
                }
                computed = {
                    (active.keys[one.rule.id], one.side): (one.score, evidence_json(definition, one))
                    for one in screening.rules
                }
                if stored != computed:
                    complain("other findings")
                stored_flags = {
                    (row.rule_id, row.side, row.tier, row.state): row.evidence
                    for row in RedFlag.objects.filter(response=response)
                }
                computed_flags = {
                    (active.keys[one.rule.id], one.side, one.rule.tier, "open"): evidence_json(
                        definition, one
                    )
                    for one in screening.red_flags
                }
                if stored_flags != computed_flags:
                    complain("other red flags")
                findings += len(stored)
                red_flags += len(stored_flags)
    return {
        "stand": stand,
        "drafts": drafts,
        "saves": saved_rows,
        "findings": findings,
        "red_flags": red_flags,
        "wrong": wrong,
    }


def judge_saves(
    told: list[tuple[str, str, int, int]], rows: dict[tuple[str, str], int], revision: int
) -> Iterator[str]:
    """What does not fit: a save that was answered has one row, one that was cut one or none, no other has.

    revision: how often the draft was saved as it says itself.
    """
    counts = {(page, action): (answered, cut) for page, action, answered, cut in told}
    for key, (answered, cut) in counts.items():
        if rows.get(key, 0) < answered:
            yield "save without its audit row"
        if rows.get(key, 0) > answered + cut:
            yield "save doubled"
    if rows.keys() - counts.keys():
        yield "save that nobody made"
    if sum(rows.values()) != revision:
        yield "saves and audit rows differ"


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(judge(json.load(sys.stdin))))
