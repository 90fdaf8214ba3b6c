"""CEL, the Common Expression Language, as Kubernetes 1.36 speaks it: CRD rules, admission policies, match conditions.

`contract` is what others use: `compile_expression` and the `Program` it returns. The library `cel-expr-python` (the CEL
project's cel-cpp) parses, expands macros and checks types; `interpreter` evaluates the checked tree over plain JSON
values, with Kubernetes' function libraries (`functions`) and its cost limits. Nothing here is imported before somebody
compiles. A leaf room: it knows no kinds, no store, no API.
"""
