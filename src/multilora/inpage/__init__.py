"""Python in the reader's browser: what a page of the book calls.

calls    the functions by name, with JSON in and out
post     what Python tells the page on the way
grading  a starter as typed, graded by the lab's own spec
running  a cell as typed: its output, its last value, its error in short
typed    modules whose source is text, in no file
intact   what typed code replaced in the library, put back
closed   the doors to JavaScript, shut
"""
