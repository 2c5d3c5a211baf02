"""The quizzes at the end of the book's pages: questions with their reasons.

question  a choice or a number, and what is shown for each answer
pages     the registry: which page asks which questions
guide, lab_01, lab_03, lab_04, lab_02, the_cascade, deep_dive,
against_the_engine, policies, grouping, measured, hours, own_case, fleet,
operators, pitches  the questions of a page, in the order of the book
"""

from multilora.quiz.pages import quiz_of

__all__ = ["quiz_of"]
