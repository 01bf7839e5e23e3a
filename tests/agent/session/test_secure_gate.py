"""Keys wait where the focus may have moved, and are dropped in a secure field."""

from hypothesis import given
from hypothesis import strategies as st

from agent.session.secure import HOLD, LONGEST_ASKING, LONGEST_HOLD, Gate

APP, OTHER = 100, 200


def make(process=APP):
    gate = Gate()
    gate.window(process)
    return gate


def test_without_a_move_of_the_focus_nothing_waits():
    gate = make()
    assert gate.admit(1.0, "a", moves=False)
    assert gate.due is None


def test_after_a_tab_keys_wait_and_then_come_in_order():
    gate = make()
    assert gate.admit(1.0, "tab", moves=True)
    assert not gate.admit(1.01, "a", moves=False)
    assert not gate.admit(1.02, "b", moves=False)
    assert gate.release(1.1) == ()
    assert gate.due == 1.0 + HOLD
    assert list(gate.release(1.0 + HOLD)) == ["a", "b"]
    assert gate.admit(1.4, "c", moves=False)


def test_a_password_is_dropped_with_its_first_keys():
    gate = make()
    gate.admit(1.0, "tab", moves=True)
    gate.admit(1.01, "p", moves=False)
    gate.focus(APP, secure=True)
    gate.admit(1.02, "w", moves=False)
    assert gate.release(2.0) == ()
    assert not gate.admit(3.0, "x", moves=False)
    assert gate.release(9.0) == ()


def test_a_form_filled_in_by_a_program_leaves_no_password():
    """Name, Tab, password, Enter within milliseconds; then the next field is a plain one."""
    gate = make()
    gate.admit(1.0, "tab", moves=True)
    gate.admit(1.001, "pw", moves=False)
    gate.admit(1.002, "enter", moves=True)
    gate.focus(APP, secure=True)
    gate.focus(APP, secure=False)
    assert gate.release(5.0) == ()


def test_a_dialogue_that_closes_at_once_leaves_no_password():
    gate = make()
    gate.focus(APP, secure=True)
    gate.hold(1.0)
    gate.admit(1.1, "pw", moves=False)
    gate.window(OTHER)
    gate.hold(1.15)
    gate.focus(APP, secure=True)
    assert gate.release(5.0) == ()


def test_the_focus_event_may_come_before_the_window():
    gate = make(OTHER)
    gate.focus(APP, secure=True)
    gate.hold(1.0)
    gate.window(APP)
    gate.admit(1.1, "p", moves=False)
    assert gate.release(2.0) == ()
    assert not gate.admit(3.0, "p", moves=False)


def test_a_window_keeps_its_secure_field_while_another_is_active():
    gate = make()
    gate.focus(APP, secure=True)
    gate.window(OTHER)
    assert gate.admit(1.0, "a", moves=False)
    gate.window(APP)
    assert not gate.admit(2.0, "p", moves=False)


def test_where_the_process_is_not_known_its_word_counts():
    gate = make(0)
    gate.focus(APP, secure=True)
    assert not gate.admit(1.0, "p", moves=False)
    gate = make(APP)
    gate.focus(0, secure=True)
    assert not gate.admit(1.0, "p", moves=False)


def test_while_the_field_is_asked_for_keys_wait():
    gate = make()
    gate.moving(1.0, APP)
    assert not gate.admit(1.01, "a", moves=False)
    gate.focus(APP, secure=False)
    assert list(gate.release(1.02)) == ["a"]


def test_an_application_that_never_answers_does_not_hold_keys_for_ever():
    gate = make()
    gate.moving(1.0, APP)
    gate.admit(1.01, "a", moves=False)
    assert list(gate.release(1.0 + LONGEST_ASKING)) == ["a"]


def test_many_enters_do_not_hold_keys_for_ever():
    gate = make()
    at = 1.0
    for _ in range(40):
        gate.admit(at, "enter", moves=True)
        at += 0.1
        if gate.release(at):
            break
    assert at <= 1.0 + LONGEST_HOLD + 0.2


def test_what_waits_can_be_forgotten():
    gate = make()
    gate.hold(1.0)
    gate.admit(1.0, "a", moves=False)
    gate.forget()
    assert gate.due is None
    assert gate.release(9.0) == ()


KEYS = st.lists(
    st.tuples(
        st.floats(0.001, 0.4),
        st.sampled_from(["key", "tab", "secure", "plain", "moving"]),
    ),
    max_size=40,
)


@given(KEYS)
def test_no_key_is_let_through_that_was_pressed_in_a_secure_field(steps):
    """The focus is told within the hold; keys know where they really went."""
    gate, at, out = make(), 0.0, []
    secure, told_at, truth = False, None, {}
    for number, (wait, what) in enumerate(steps):
        at += wait
        if told_at is not None and at >= told_at:
            gate.focus(APP, secure=secure)
            told_at = None
        out += gate.release(at)
        if what == "key":
            truth[number] = secure
            if gate.admit(at, number, moves=False):
                out.append(number)
        elif what == "tab" and told_at is None:
            truth[number] = secure
            if gate.admit(at, number, moves=True):
                out.append(number)
            secure, told_at = not secure, at + 0.05
        elif what == "moving":
            gate.moving(at, APP)
            gate.focus(APP, secure=secure if told_at is None else not secure)
    if told_at is not None:
        gate.focus(APP, secure=secure)
    out += gate.release(at + 10)
    assert not [key for key in out if truth[key]]
    assert out == sorted(out)
