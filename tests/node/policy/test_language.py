"""The language of rules, as its published description and policies use it."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovis.node.policy.entities import DiskTune, Watched
from ovis.node.policy.errors import RuleError
from ovis.node.policy.evaluate import Evaluator, Limits
from ovis.node.policy.reader import read

BIG = "(* 99999999 99999999 99999999 99999999 99999999 99999999 99999999 99999999 99999999 99999999)"


def results(text: str, **names: Any) -> list[Any]:
    return Evaluator(dict(names)).run(read(text))


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("12 # a (comment", [12]),
        ('"a # b" (+ "Hello " "World")  (* 2 "ab")', ["a # b", "Hello World", "abab"]),
        ("00 .3 0xFF -7 017 1e2", [0, 0.3, 255, -7, 15, 100.0]),
        ("(/ 11 2) (/ 11 2.0) (- 1 9) (+ 1 2 3)", [5, 5.5, -8, 6]),
        ("(>> (<< 1 4) 2)", [4]),
        ('(< 5 4) (>= 2 (/ 10 2)) (== 0x0 0) (!= "a" "a")', [False, False, True, False]),
        ('(and 1 "") (and 1 2 3) (or "" 17) (or "" 0) (not "")', ["", 3, 17, 0, True]),
        ("(min 3 1 2) (max 3 1 2) (abs -4)", [1, 3, 4]),
        ('(null nil) (null 0 "") (valid) (valid 1 nil) (valid 0 "")', [True, False, True, False, True]),
        ("(if 1 2 3) (if 0 2 3) (if nil 2)", [2, 3, None]),
        ("{ 10 4 }", [4]),
    ],
)
def test_values(text: str, worth: list[Any]) -> None:
    assert results(text) == worth


def test_a_variable_that_is_there_keeps_its_value() -> None:
    assert results("(defvar a 1) (defvar a 2) a (set a 3) (setq a (+ a 1)) a") == [1, 1, 1, 3, 4, 4]
    assert results("(defvar isOn 0) isOn", isOn=1) == [1, 1]


def test_functions_and_their_scopes() -> None:
    text = """
    (defvar a 10)
    (def local (b) (defvar a b))
    (local 4) a
    (def outer (b) (set a b))
    (outer 2) a
    (def nested (x) { (def twice (y) (* 2 y)) (twice x) })
    (nested 9)
    (let ((a 7) (b 1)) (set a 8) (+ a b)) a
    """
    assert results(text) == [10, "local", 4, 10, "outer", 2, 2, "nested", 18, 9, 2]


def test_an_if_has_no_scope_of_its_own() -> None:
    assert results("(def f () { (if 1 (defvar x 5) 0) x }) (f)") == ["f", 5]


def test_guests_are_gone_through() -> None:
    guests = [Watched(f"g{n}", rows=[{"mem": n}, {"mem": n + 2}]) for n in (1, 2)]
    text = '(with Guests guest (guest.Control "target" (+ guest.mem (guest.StatAvg "mem"))))'
    assert results(text, Guests=guests) == [[5.0, 7.0]]
    assert [guest.controls for guest in guests] == [{"target": 5.0}, {"target": 7.0}]


def test_a_guest_of_which_something_is_unknown_is_left_out_whole() -> None:
    guests = [Watched("mute", rows=[{"mem": None}]), Watched("other", rows=[{"mem": 1}])]
    evaluator = Evaluator({"Guests": guests})
    evaluator.run(read('(with Guests g { (g.Control "first" 1) (g.Control "then" (+ 1 g.mem)) })'))
    assert [guest.controls for guest in guests] == [{}, {"first": 1, "then": 2}]
    assert "mute is left out: line 1" in evaluator.said[0]


def test_variables_of_a_guest_are_kept() -> None:
    guest = Watched("g")
    assert results('(g.GetVar "n") (g.SetVar "n" 3) (g.GetVar "n") (g.Prop "x")', g=guest) == [None, 3, 3, None]
    assert guest.variables == {"n": 3}


def test_disks_have_limits() -> None:
    disk = DiskTune("vda", {}, {"total_iops_sec": 100}, {"total_iops_sec": 0, "read_iops_sec": 5})
    results("(with tunes t (t.setTotalIopsSec t.maximum.total_iops_sec))", tunes=[disk])
    assert disk.result == {"total_iops_sec": 100, "read_iops_sec": 5}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(+ 2 2", "line 1, column 1: this ( is not closed"),
        ("1\n  )", "line 2, column 3: ) closes nothing"),
        ("(+ 1 2}", "line 1, column 7: } closes nothing"),
        ("(2 + 2)", "a call begins with a name"),
        ("1\n125f56", "line 2, column 4: f56 is not defined"),
        ("(and)", "at least one argument"),
        ("(not)", "not does not take 0 arguments"),
        ("(def f (x y) 1) (f 1)", "f takes 2 arguments, not 1"),
        ("(set a 1)", "a is not defined"),
        ("(set Host.mem 1)", "Host.mem cannot be given a value"),
        ("(set Host 1)", "Host cannot be set"),
        ("(defvar if 1)", "if cannot be given a value"),
        ("Host.rows", "Host has no rows"),
        ("Host.__class__", "Host has no __class__"),
        ('(Host.read "mem")', "Host has no read"),
        ('(Host.Control "a")', "Control takes 2 arguments, not 1"),
        ('(Host.StatAvg "other")', "has no statistic other"),
        ("(/ 1 0)", "division|modulo"),
        ('(< 1 "a")', "not supported"),
        ("(+ 1 nil)", "is not known"),
        ("(with 5 x x)", "with takes a list"),
        ("@", "is not understood"),
        ("(<< 1 9999)", "shifts by 0 to 64"),
        ('(* 100000000 "hello")', "longer than"),
        (f"(* {BIG} {BIG})", "too large"),
        ("(def f () (f)) (f)", "calls within each other"),
        (f"(def f (x) {'(+ 0 ' * 50}(f x){')' * 50}) (f 1)", "calls within each other"),
        ("(" * 61, "more than 60 deep"),
        ("09", "is no number"),
    ],
)
def test_what_is_wrong_has_a_place(text: str, problem: str) -> None:
    with pytest.raises(RuleError, match=problem.replace("(", r"\(").replace(")", r"\)")):
        results(text, Host=Watched("Host", rows=[{"mem": 1}]))


def test_rules_end() -> None:
    many = list(range(2000))
    with pytest.raises(RuleError, match="more than 100000 steps"):
        Evaluator({"many": many}, Limits(steps=100_000)).run(read("(with many a (with many b (+ a b)))"))
    ticks = iter(range(1_000_000))
    with pytest.raises(RuleError, match="more than 3 s"):
        Evaluator({"many": many}, Limits(seconds=3), lambda: next(ticks)).run(read("(with many a (with many b a))"))


@given(st.text(alphabet='(){}"ab1.-+ \n#defvar', max_size=80))
def test_any_text_is_evaluated_or_refused(text: str) -> None:
    with suppress(RuleError):
        results(text)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=6))
def test_arithmetic_is_that_of_whole_numbers(numbers: list[int]) -> None:
    words = " ".join(map(str, numbers))
    assert results(f"(+ {words}) (min {words}) (max {words})") == [sum(numbers), min(numbers), max(numbers)]
