"""Students: a name is unique and stays with its token, and no address can take all the places."""

import pytest

from wslab.classroom.rate import Rate
from wslab.classroom.requests import Mark
from wslab.classroom.students import MAX_EXERCISES, Student, Students


def rate():
    return Rate(1.0, burst=1)


def students(most=100, per_address=3):
    made = Students(most, per_address)
    made.add_teacher("secret", rate())
    return made


def add(made, name="Ada", address="192.0.2.1", keeps_name=True, is_here=True):
    student = made.add(name, address, rate(), keeps_name=keeps_name)
    student.clients += is_here
    return student


def test_names_are_unique_and_the_teachers_is_taken():
    made = students()
    assert [add(made, name).name for name in ("Ada", "ADA", "teacher")] == ["Ada", "ADA 2", "teacher 2"]


def test_a_token_finds_its_student_also_after_they_have_left():
    made = students()
    ada = add(made)
    made.leave(ada)
    assert made.find(ada.token) is ada
    assert made.find("") is made.find("guess") is None


def test_without_a_token_a_name_is_free_again_when_it_is_left():
    made = students()
    ada = add(made, keeps_name=False)
    made.leave(ada)
    assert add(made).name == "Ada"


def test_an_address_that_has_too_many_students_loses_the_first_that_has_left():
    made = students()
    first, second, third = (add(made, name, is_here=False) for name in "abc")
    second.clients = 1
    first.keep(Mark("accept_key", 1, 1))
    fourth = add(made, "d")
    assert [made.find(it.token) is it for it in (first, second, third, fourth)] == [True, True, False, True]


def test_an_address_whose_students_are_all_here_gets_no_more_and_others_do():
    made = students()
    for name in "abc":
        add(made, name)
    with pytest.raises(ValueError, match="this class is full"):
        add(made, "d")
    assert add(made, "e", "192.0.2.2").name == "e"


def test_a_class_has_an_end():
    made = students(most=3)
    add(made, "a", "192.0.2.1")
    add(made, "b", "192.0.2.2")
    with pytest.raises(ValueError, match="this class is full"):
        add(made, "c", "192.0.2.3")


def test_the_best_result_of_an_exercise_is_kept_and_the_tries_are_counted():
    ada = Student("Ada", "", rate())
    for points, most in ((1, 3), (3, 3), (2, 3), (5, 10)):
        ada.keep(Mark("accept_key", points, most))
    kept = ada.marks["accept_key"]
    assert (kept.mark.points, kept.mark.max_points, kept.tries) == (3, 3, 4)


def test_one_student_hands_in_so_many_exercises_and_no_more():
    ada = Student("Ada", "", rate())
    for number in range(MAX_EXERCISES):
        ada.keep(Mark(f"exercise {number}", 1, 1))
    with pytest.raises(ValueError, match="100 exercises already"):
        ada.keep(Mark("one more", 1, 1))
    ada.keep(Mark("exercise 0", 1, 1))
    assert len(ada.marks) == MAX_EXERCISES
