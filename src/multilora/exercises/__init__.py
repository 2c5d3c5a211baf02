"""The book's exercises: what is asked, and a line for each answer.

task      what the book says of an exercise, beside its answer
answers   a number, a list, a function: how each is judged
given     what a learner hands over, taken as a plain value
compare   equal or not, how far off, in a few words
matmul, sizes, cards, shares, hits, admission, loading, trouble, operating,
room      the exercises in the order of the book, with their known slips
ageing    a scheduler with a rule against starvation, and its price
situations  five engines in trouble, and their metrics
checking  the registry, and check_exercise
"""

from multilora.exercises.checking import check_exercise

__all__ = ["check_exercise"]
