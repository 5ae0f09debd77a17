"""What was typed on a page, and what of it only stood there (J3.4)."""

from hypothesis import given
from hypothesis import strategies as st

from intake.questionnaires.definition import read_definition
from intake.questionnaires.pages import pages
from intake.responses import shown as showing
from tests.unit.intake.shipped import definition

PAGE = next(page for page in pages(definition()) if page.slug == "pain")
QUESTIONS = ["pain.average", "pain.now", "pain.worst"]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("opens"), st.integers(0, 1)),
        st.tuples(
            st.just("types"), st.integers(0, 1), st.sampled_from(QUESTIONS), st.none() | st.integers(0, 3)
        ),
        # Whether the answer reached the device changes nothing there, so it is no step of its own.
        st.tuples(st.just("saves"), st.integers(0, 1)),
    ),
    max_size=25,
)


@given(STEPS)
def test_whatever_two_devices_do_what_was_typed_last_and_saved_counts(steps):
    """Each question ends as it was left by the device that first saved what it typed there last."""
    draft: dict[str, tuple] = {}
    written: dict = {}
    expected: dict[str, tuple] = {}
    tabs: list[tuple[showing.Shown, dict, dict]] = []

    def opened() -> tuple[showing.Shown, dict, dict]:
        sealed = showing.read(PAGE, showing.seal(PAGE, draft, draft))
        assert sealed
        return sealed, dict(draft), dict(draft)

    tabs = [opened(), opened()]
    for what, who, *typed in steps:
        shown, controls, saved = tabs[who]
        if what == "opens":
            tabs[who] = opened()
        elif what == "types":
            question, value = typed
            controls[question] = () if value is None else (value,)
        else:
            met = showing.meet(PAGE, shown, written, draft, QUESTIONS, controls)
            written = showing.remember(PAGE, shown, written, met, controls)
            for question in QUESTIONS:
                said = controls.get(question, ())
                if said != saved.get(question, ()):
                    expected[question] = said
                    saved[question] = said
                    assert question in met.written
                elif draft.get(question, ()) != said:
                    assert question in met.newer
            draft |= {question: controls.get(question, ()) for question in met.written}
        assert {q: draft.get(q, ()) for q in QUESTIONS} == {q: expected.get(q, ()) for q in QUESTIONS}


def test_a_box_left_unticked_says_so_but_unticks_nothing():
    box = {
        "linkId": "box",
        "text": "Text me",
        "type": "boolean",
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl",
                "valueCodeableConcept": {"coding": [{"code": "check-box"}]},
            }
        ],
    }
    form = read_definition(
        {
            "resourceType": "Questionnaire",
            "url": "https://clinic.example/q",
            "version": "1",
            "title": "Box",
            "status": "active",
            "item": [{"linkId": "page.box", "text": "Box", "type": "group", "item": [box]}],
        }
    )
    (page,) = pages(form)
    shown = showing.read(page, showing.seal(page, {}, {}))
    assert shown
    unticked = {"box": (False,)}
    assert showing.meet(page, shown, {}, {}, ["box"], unticked).written == {"box"}
    met = showing.meet(page, shown, {}, {"box": (True,)}, ["box"], unticked)
    assert (met.written, met.newer) == (frozenset(), ("box",))
