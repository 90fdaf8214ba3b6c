"""Who manages which field: field sets, and what creations, updates and applies do to them and to the object. Pure.

`sets` is the algebra, `elements` the text of one path element, `types` and `typing` what a schema says about merging;
`updates` and `applying` are what the API server calls. Source of the behaviour: structured-merge-diff and apimachinery
`pkg/util/managedfields`.
"""
