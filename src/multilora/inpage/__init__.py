"""Python in the reader's browser: what a page of the book calls.

calls    the functions by name, with JSON in and out
post     what Python tells the page on the way
grading  a starter as typed, graded by the lab's own spec
running  a cell as typed: its output, its last value, its error in short
typed    modules whose source is text, in no file
intact   what typed code replaced in the library, put back
closed   the doors to JavaScript, shut
case     a reader's own case, part by part: case_files what they brought,
         case_asked what they chose; case_base, case_check, case_log and
         case_plan the parts, case_engines what a plan says of engines
blocks   a part of an answer: sentences, a table, a picture
pictures its pictures, as SVG; drawing what they are made of
"""
